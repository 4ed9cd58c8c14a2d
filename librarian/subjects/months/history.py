"""What the store knows of past months, brought up to the moment of a report: sums over months, and allocations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from librarian.shared.calendar import midnights
from librarian.shared.scope import Scope
from librarian.shared.spans import Spans, clipped, joined
from librarian.store import Store
from librarian.subjects.months.allocation import Pace, pace
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.keep import MonthSums
from librarian.subjects.months.model import Month, months
from librarian.subjects.usage.keep import RUNS, USAGE
from librarian.subjects.usage.unfinished import Unfinished


@dataclass(frozen=True)
class Past:
    """What is kept of one QoS, and its bin that is not over: all that is known."""

    scope: Scope
    now: Unfinished

    def known(self, store: Store, what: str) -> Spans:
        """The spans of time up to now of which the store's `USAGE` or `RUNS` are known."""
        kept = clipped(store.known(self.scope, what), 0, self.now.finished)
        return joined([*kept, (self.now.finished, self.now.now)])


def months_of(store: Store, past: Past) -> tuple[Month, ...]:
    """The months of a QoS up to now, oldest first."""
    rest = past.now.rest
    kept = [*MonthSums(store).months(past.scope, past.now.finished), *([rest] if rest else [])]
    return months(kept, past.known(store, USAGE), past.known(store, RUNS), past.now.zone)


def paces(store: Store, allocations: Iterable[Allocation], pasts: Mapping[str, Past]) -> dict[str, tuple[Pace, ...]]:
    """How the allocations stand, by the QoS that use them; `pasts` are by QoS as well.

    Of a QoS that was never collected nothing is known, so neither is what it takes part in.
    """
    found: dict[str, tuple[Pace, ...]] = {}
    for allocation in allocations:
        shared = [pasts[name] for name in allocation.qos if name in pasts]
        if len(shared) < len(allocation.qos):
            continue
        made = _pace(store, allocation, shared)
        for name in allocation.qos if made else ():
            found[name] = (*found.get(name, ()), *([made] if made else []))
    return found


def _pace(store: Store, allocation: Allocation, pasts: list[Past]) -> Pace | None:
    now, zone = min(past.now.now for past in pasts), pasts[0].now.zone
    since = midnights(now - 367 * 86400, now, zone)[0]
    by_day: dict[int, float] = {}
    known: Spans = ((0, now),)
    for past in pasts:
        days = MonthSums(store).days(past.scope, allocation.key, since, min(past.now.finished, now))
        if past.now.rest and past.now.finished < now:
            amount = sum(held.get(allocation.key, 0.0) for held in past.now.rest.users.values())
            today = midnights(past.now.finished, past.now.finished, zone)[0]
            days[today] = days.get(today, 0.0) + amount
        for day, amount in days.items():
            by_day[day] = by_day.get(day, 0.0) + amount
        mine = past.known(store, USAGE)
        known = joined(part for span in known for part in clipped(mine, *span))
    return pace(allocation, by_day, known, now, zone)
