"""What the store knows of past months, brought up to the moment of a report: sums over months, and allocations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from librarian.shared.calendar import midnights, month_start
from librarian.shared.scope import Scope
from librarian.shared.spans import Spans, clipped, joined
from librarian.shared.window import Window
from librarian.store import Store
from librarian.subjects.months.allocation import Pace, pace
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.keep import MonthSums
from librarian.subjects.months.model import Kept, Month, months
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.keep import RUNS, USAGE, Hours


@dataclass(frozen=True)
class Past:
    """What was kept of one QoS, and of its bin that is not over: all that is known up to `now` (UTC epoch)."""

    scope: Scope
    now: int
    zone: str
    finished: int
    rest: Kept | None

    def known(self, store: Store, what: str) -> Spans:
        """The spans of time up to `now` of which the store's `USAGE` or `RUNS` are known."""
        kept = clipped(store.known(self.scope, what), 0, self.finished)
        return joined([*kept, (self.finished, self.now)])


def keep(store: Store, scope: Scope, jobs: pd.DataFrame, usage: Usage, edition: int | None = None) -> Past:
    """Keep the finished bins of `usage`, which was made of `jobs`, for good; bins before them stay as they are.

    They are left out where the store's runs are of another `edition` by now: somebody else writes newer ones.
    """
    window = usage.window
    whole = int(window.edges[-1]) == window.now
    finished = window.now if whole else int(window.edges[-2])
    if finished > window.start:
        Hours(store).keep(scope, usage, by_account(jobs, window), edition)
    return Past(scope, window.now, window.zone, finished, None if whole else _rest(jobs, usage))


def _rest(jobs: pd.DataFrame, usage: Usage) -> Kept:
    """What the bin that is not over comes to so far."""
    window = usage.window
    last = Window(window.edges[-2:], window.now, window.zone, window.bin_seconds)
    accounts = by_account(jobs, last)
    ended = {(user, account, state): runs for _, user, account, state, runs in accounts.ended}
    return Kept(month_start(last.start, window.zone), _sums(usage), _sums(accounts.usage), ended)


def _sums(usage: Usage) -> dict[str, dict[str, float]]:
    """Unit-seconds in the last bin, by user and observable."""
    last = usage.integrals[:, :, -1]
    return {
        user: {o.key: float(last[row, column]) for row, o in enumerate(usage.observables)}
        for column, user in enumerate(usage.users)
        if last[:, column].any()
    }


def months_of(store: Store, past: Past) -> tuple[Month, ...]:
    """The months of a QoS up to now, oldest first."""
    kept = [*MonthSums(store).months(past.scope, past.finished), *([past.rest] if past.rest else [])]
    return months(kept, past.known(store, USAGE), past.known(store, RUNS), past.zone)


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
    now, zone = min(past.now for past in pasts), pasts[0].zone
    since = midnights(now - 367 * 86400, now, zone)[0]
    by_day: dict[int, float] = {}
    known: Spans = ((0, now),)
    for past in pasts:
        days = MonthSums(store).days(past.scope, allocation.key, since, min(past.finished, now))
        if past.rest and past.finished < now:
            amount = sum(held.get(allocation.key, 0.0) for held in past.rest.users.values())
            today = midnights(past.finished, past.finished, zone)[0]
            days[today] = days.get(today, 0.0) + amount
        for day, amount in days.items():
            by_day[day] = by_day.get(day, 0.0) + amount
        mine = past.known(store, USAGE)
        known = joined(part for span in known for part in clipped(mine, *span))
    return pace(allocation, by_day, known, now, zone)
