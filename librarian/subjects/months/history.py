"""What the store knows of past months, brought up to the moment of a report: sums over months, and allocations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from librarian.shared.calendar import midnights
from librarian.shared.spans import Spans, clipped, joined
from librarian.store import Store
from librarian.subjects.months.allocation import Pace, pace
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.keep import MonthSums
from librarian.subjects.months.model import Month, months
from librarian.subjects.usage.rest import Unfinished
from librarian.subjects.usage.sums import PAUSES, RUNS, USAGE


def known(store: Store, past: Unfinished, what: str) -> Spans:
    """The spans of time up to now of which the store's `USAGE`, `RUNS` or `PAUSES` are known."""
    kept = clipped(store.known(past.scope, what), 0, past.finished)
    return joined([*kept, (past.finished, past.now)])


def months_of(store: Store, past: Unfinished) -> tuple[Month, ...]:
    """The months of a QoS up to now, oldest first."""
    rest = past.rest
    kept = [*MonthSums(store).months(past.scope, past.finished), *([rest] if rest else [])]
    usage, runs, pauses = (known(store, past, what) for what in (USAGE, RUNS, PAUSES))
    return months(kept, usage, runs, past.zone, pauses)


def paces(
    store: Store, allocations: Iterable[Allocation], pasts: Mapping[str, Unfinished]
) -> dict[str, tuple[Pace, ...]]:
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


def _pace(store: Store, allocation: Allocation, pasts: list[Unfinished]) -> Pace | None:
    now, zone = min(past.now for past in pasts), pasts[0].zone
    since = midnights(now - 367 * 86400, now, zone)[0]
    by_day: dict[int, float] = {}
    all_know: Spans = ((0, now),)
    for past in pasts:
        days = MonthSums(store).days(past.scope, allocation.key, since, min(past.finished, now))
        if past.rest and past.finished < now:
            amount = sum(held.get(allocation.key, 0.0) for held in past.rest.users.values())
            today = midnights(past.finished, past.finished, zone)[0]
            days[today] = days.get(today, 0.0) + amount
        for day, amount in days.items():
            by_day[day] = by_day.get(day, 0.0) + amount
        mine = known(store, past, USAGE)
        all_know = joined(part for span in all_know for part in clipped(mine, *span))
    return pace(allocation, by_day, all_know, now, zone)
