"""What is known of a report's window: who used how much of what, in all and by bin. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from librarian.privacy.renaming import Renaming, renamed
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.spans import Spans
from librarian.shared.window import Window
from librarian.subjects.efficiency.asking import Evidence
from librarian.subjects.efficiency.model import FRACTION, Hours, Total
from librarian.subjects.efficiency.options import Prices, Rules
from librarian.subjects.efficiency.slots import SLOT
from librarian.subjects.efficiency.tally import merged

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What is found of `runs` that ended from `begin` on (UTC epoch), as in `tally.Tally`."""

    begin: int
    runs: int
    found: Mapping[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Tallied:
    """What `runs` come to that ended from `begin` to `until` (UTC epochs): what is `found` by `rules`, how well they
    used what they held (`spread`, as in `tally.Tally`), of nobody in particular; what each shape needed. `ranges`
    has what is found for the ranges of the page that are shorter, beginning with an hour or a day."""

    begin: int
    until: int
    rules: Rules
    runs: int
    found: Mapping[tuple[str, str], tuple[int, int]]
    spread: Mapping[str, Sequence[tuple[int, int]]]
    shapes: tuple[Evidence, ...]
    ranges: Mapping[str, Found] = field(default_factory=dict)

    def renamed(self, names: Renaming) -> Tallied:
        """By public names; where partitions must not be seen, shapes have none."""
        hidden = (self._placeless(one) for one in self.shapes) if not names.shows_partitions else self.shapes
        return replace(self, shapes=tuple(merged(renamed(one, names) for one in hidden)))

    @staticmethod
    def _placeless(one: Evidence) -> Evidence:
        return replace(one, shape=replace(one.shape, partition=PartitionName("")))


@dataclass(frozen=True)
class EfficiencyFacts:
    """What runs that ended used in the window, as far as sacct was asked.

    `known` are the spans of time of which is known what the runs used that ended in them, up to `until` (UTC epochs).
    `ranges` has the same as `totals`, which are of the whole window, for the ranges of the page; they begin with a
    slot. These may name one user, account and partition several times once names are those that readers see.
    `bins` has for each resource the means of what was allocated to runs that ended, what of it was measured, and what
    was used: CPUs, GPUs, GiB, shape (3, bins of the window). Runs that go on are in none of them, so these fall behind
    what usage says is allocated; the rest is not measured.
    """

    known: Spans
    until: int
    totals: tuple[Total, ...]
    ranges: Mapping[str, tuple[Total, ...]]
    bins: Mapping[str, Floats]
    tallied: Tallied | None = None
    prices: Prices = field(default_factory=Prices)

    def renamed(self, names: Renaming) -> EfficiencyFacts:
        """By public names; where accounts or partitions must not be seen, totals have none."""
        rename = partial(_renamed, names=names)
        ranges = {name: tuple(map(rename, totals)) for name, totals in self.ranges.items()}
        tallied = self.tallied and self.tallied.renamed(names)
        return replace(self, totals=tuple(map(rename, self.totals)), ranges=ranges, tallied=tallied)


def _renamed(total: Total, names: Renaming) -> Total:
    account = total.account if names.shows_accounts else AccountName("")
    partition = total.partition if names.shows_partitions else PartitionName("")
    return renamed(replace(total, account=account, partition=partition), names)


def by_user(totals: Sequence[Total]) -> Mapping[UserName, Mapping[str, Hours]]:
    """The sums of each user, by resource."""
    found: dict[UserName, dict[str, Hours]] = {}
    for total in totals:
        mine = found.setdefault(total.user, {})
        mine[total.resource] = mine.get(total.resource, Hours()) + total.hours
    return found


def shares(totals: Sequence[Total]) -> dict[UserName, float]:
    """The largest share (0 to 1) that each user held of anything."""
    whole = group(totals)
    return {
        user: max(
            (hours.allocated / whole[key].allocated for key, hours in mine.items() if hours.allocated), default=0.0
        )
        for user, mine in by_user(totals).items()
    }


def group(totals: Sequence[Total]) -> Mapping[str, Hours]:
    """The sums of all, by resource."""
    found: dict[str, Hours] = {}
    for total in totals:
        found[total.resource] = found.get(total.resource, Hours()) + total.hours
    return found


def binned(slots: Mapping[int, Hours], window: Window) -> Floats:
    """Slots as means by bin, shape (3, bins): allocated, measured, used. A slot that lies in several bins is shared
    evenly; of the bin that is not over the mean is that of the time that has passed."""
    if not slots:
        return np.zeros((3, window.bins))
    first = min(*slots, window.start - window.start % SLOT)
    last = max(*slots, int(window.edges[-1])) + SLOT
    edges = np.arange(first, last + SLOT, SLOT)
    amounts = np.zeros((3, len(edges)))
    for start, hours in slots.items():
        amounts[:, (start - first) // SLOT + 1] = hours.allocated, hours.measured, hours.used
    upto = np.cumsum(amounts, axis=1)
    at = np.array([np.interp(window.edges, edges, row) for row in upto])
    means: Floats = np.diff(at, axis=1) / FRACTION / window.passed
    return means
