"""What is the same here and at Slurm, and what is not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from librarian.shared.resources import OBSERVABLES, Observable
from librarian.shared.tres import Counts

TOLERANCE = 1e-6  # of the larger number: both are sums of whole units and seconds

ByUser = Mapping[str, Mapping[str, float]]  # unit-seconds by user, then by key of the resource
COMPARED: tuple[Observable, ...] = tuple(one for one in OBSERVABLES if one.amount)
"""The resources of which sreport tells: it does not count jobs."""


def amounts_of(counts: Counts) -> dict[str, float]:
    """What is told by name of the TRES, by key of the resources that are compared."""
    return {one.key: one.amount(counts) for one in COMPARED if one.amount}


@dataclass(frozen=True)
class Line:
    """What one user held of one resource, in unit-seconds.

    `ours` is what Librarian tells of the QoS, `others` what other QoS came to where sreport tells all of them as one,
    `theirs` what sreport tells.
    """

    user: str
    key: str
    ours: float
    others: float
    theirs: float
    reasons: tuple[str, ...] = ()

    @property
    def difference(self) -> float:
        """How much more sreport tells."""
        return self.theirs - self.ours - self.others

    @property
    def agrees(self) -> bool:
        """Whether both tell the same."""
        return abs(self.difference) <= TOLERANCE * max(self.theirs, self.ours + self.others)


def lines(ours: ByUser, others: ByUser, theirs: Mapping[str, Counts]) -> tuple[Line, ...]:
    """A line for each user and resource of which anybody tells anything; `theirs` is by name of the TRES."""
    found = []
    for user in sorted({*ours, *others, *theirs}):
        for key, told in amounts_of(theirs.get(user, {})).items():
            amounts = (ours.get(user, {}).get(key, 0.0), others.get(user, {}).get(key, 0.0), told)
            if any(amounts):
                found.append(Line(user, key, *amounts))
    return tuple(found)


def added(parts: Iterable[ByUser]) -> dict[str, dict[str, float]]:
    """The sums of several answers."""
    found: dict[str, dict[str, float]] = {}
    for part in parts:
        for user, counts in part.items():
            sums = found.setdefault(user, {})
            for name, amount in counts.items():
                sums[name] = sums.get(name, 0.0) + amount
    return found


def explained(found: Iterable[Line], reasons: Mapping[tuple[str, str], tuple[str, ...]]) -> tuple[Line, ...]:
    """The lines with why they may differ, where they do."""
    return tuple(
        line if line.agrees else replace(line, reasons=reasons.get((line.user, line.key), ())) for line in found
    )


@dataclass(frozen=True)
class Held:
    """A running job: who holds what of each resource, by key, since when (UTC epoch)."""

    user: str
    start: int
    amounts: Mapping[str, float]


@dataclass(frozen=True)
class Running:
    """Running jobs here, as of `at` (UTC epoch), beside those of squeue.

    `same` is how many are in both and hold the same, `since` how many began or ended after `at`. What differs, by the
    number of the job: `missing` here, `gone` at Slurm, `unlike` in both with other amounts (here, squeue).
    """

    at: int
    same: int = 0
    since: int = 0
    missing: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    unlike: tuple[tuple[int, str, float, float], ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.gone or self.unlike)


def running(at: int, ours: Mapping[int, Held], theirs: Mapping[int, Held], ended: Iterable[int], lag: int) -> Running:
    """Compare by the number of the job. `ended` are those that ended since; slurmdbd may learn of a start `lag` seconds
    late."""
    over, both = set(ended), sorted(ours.keys() & theirs.keys())
    fresh = {job for job in theirs.keys() - ours.keys() if theirs[job].start > at - lag}
    unlike = [(job, *found) for job in both for found in _unlike(ours[job], theirs[job])]
    return Running(
        at,
        len(both) - len({job for job, *_ in unlike}),
        len(fresh) + len((ours.keys() - theirs.keys()) & over),
        tuple(sorted(theirs.keys() - ours.keys() - fresh)),
        tuple(sorted(ours.keys() - theirs.keys() - over)),
        tuple(unlike),
    )


def _unlike(ours: Held, theirs: Held) -> list[tuple[str, float, float]]:
    amounts = [(key, ours.amounts.get(key, 0.0), theirs.amounts.get(key, 0.0)) for key in sorted(ours.amounts)]
    return [(key, here, there) for key, here, there in amounts if abs(here - there) > TOLERANCE * max(here, there)]
