"""The section: of what runs that ended held, how much is measured, and how much of that they used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.report import Report, Section
from librarian.shared.resources import Observable, pictured
from librarian.shared.spans import Spans, clipped
from librarian.shared.window import Window
from librarian.subjects.efficiency.facts import EfficiencyFacts, Tallied
from librarian.subjects.efficiency.model import KEYS, Hours, Total
from librarian.subjects.efficiency.options import Prices
from librarian.subjects.efficiency.slots import SLOT
from librarian.subjects.queue.waits import HOUR, RANGES

Floats = npt.NDArray[np.float64]
ByKey = Mapping[str, Hours]


@dataclass(frozen=True)
class Sums:
    """What runs came to from `begin` to `end` (UTC epochs), by key of the resource: in all, and by name. GPUs are by
    type too, `NGPUS:a100`. Where accounts or partitions are not shown there
    are none."""

    begin: int
    end: int
    total: ByKey
    users: Mapping[UserName, ByKey]
    accounts: Mapping[AccountName, ByKey]
    partitions: Mapping[PartitionName, ByKey]


@dataclass(frozen=True)
class EfficiencySection(Section):
    """`whole` is the sums of the window, `ranges` those of the page's ranges; `bins` the means by bin, as in the facts.

    `known` are the spans of time of which is known what the runs used that ended in them.
    """

    known: Spans
    until: int
    whole: Sums
    ranges: Mapping[str, Sums]
    bins: Mapping[str, Floats]
    tallied: Tallied | None = None
    prices: Prices = field(default_factory=Prices)

    @property
    def people(self) -> Iterable[UserName]:
        """Those whose runs ended, by name."""
        return sorted(self.whole.users)


def told_of(report: Report) -> tuple[Observable, ...]:
    """The resources that have charts and were held by runs that ended, in the order of their table."""
    section = report[EfficiencySection]
    return tuple(one for one in pictured() if one.key in section.bins and one.key in section.whole.total)


def begins(window: Window) -> Mapping[str, int]:
    """Where the ranges of the page that are shorter than the window begin (UTC epochs), on the edge of a slot."""
    end = window.now
    found = {name: end - hours * HOUR for name, hours in RANGES.items() if hours is not None}
    return {name: since - since % SLOT for name, since in found.items() if since > window.start}


def build(facts: EfficiencyFacts, window: Window) -> EfficiencySection:
    """The section from renamed facts."""
    since = begins(window)

    def sums(begin: int, totals: Iterable[Total]) -> Sums:
        kept = tuple(totals)
        return Sums(
            begin,
            window.now,
            {key: hours for (_, key), hours in _summed(kept, lambda one: "").items()},
            {UserName(name): by_key for name, by_key in _nested(kept, lambda one: one.user)},
            {AccountName(name): by_key for name, by_key in _nested(kept, lambda one: one.account) if name},
            {PartitionName(name): by_key for name, by_key in _nested(kept, lambda one: one.partition) if name},
        )

    return EfficiencySection(
        clipped(facts.known, window.start, window.now),
        facts.until,
        sums(window.start, facts.totals),
        {name: sums(since[name], totals) for name, totals in facts.ranges.items() if name in since},
        {key: rows for key, rows in facts.bins.items() if key in KEYS},
        facts.tallied,
        facts.prices,
    )


def _summed(totals: Iterable[Total], name: Callable[[Total], str]) -> dict[tuple[str, str], Hours]:
    found: dict[tuple[str, str], Hours] = {}
    for one in totals:
        place = (name(one), one.resource)
        found[place] = found.get(place, Hours()) + one.hours
    return found


def _nested(totals: Iterable[Total], name: Callable[[Total], str]) -> Iterable[tuple[str, ByKey]]:
    found: dict[str, dict[str, Hours]] = {}
    for (who, key), hours in sorted(_summed(totals, name).items(), key=lambda item: item[0]):
        found.setdefault(who, {})[key] = hours
    return found.items()
