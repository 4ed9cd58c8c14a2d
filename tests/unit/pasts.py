"""Months and allocations of a window's jobs, without a store: what reports in tests have."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from librarian.shared.calendar import midnights, month_start
from librarian.subjects.months.allocation import Pace, pace
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.model import Month, months
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.rest import Sums


def months_of(jobs: pd.DataFrame, usage: Usage) -> tuple[Month, ...]:
    """The months of a window, known as far as it goes."""
    window = usage.window
    accounts = by_account(jobs, window)
    kept = []
    for place, start in enumerate(window.starts.tolist()):
        ended = {(user, account, state): runs for at, user, account, state, runs in accounts.ended if at == place}
        begin = month_start(start, window.zone)
        kept.append(Sums(begin, _bin(usage, place), _bin(accounts.usage, place), ended))
    known = ((window.start, window.now),)
    return months(kept, known, known, window.zone)


def paces_of(usage: Usage, allocations: Sequence[Allocation]) -> tuple[Pace, ...]:
    """How allocations stand of which nothing is known before the window."""
    window = usage.window
    made = []
    for allocation in allocations:
        held = usage.integrals[usage.row(allocation.key)].sum(axis=0)
        by_day: dict[int, float] = {}
        for start, amount in zip(window.starts.tolist(), held.tolist(), strict=True):
            day = midnights(start, start, window.zone)[0]
            by_day[day] = by_day.get(day, 0.0) + amount
        made.append(pace(allocation, by_day, ((window.start, window.now),), window.now, window.zone))
    return tuple(one for one in made if one)


def _bin(usage: Usage, place: int) -> dict[str, dict[str, float]]:
    held = usage.integrals[:, :, place]
    return {
        user: {o.key: float(held[row, column]) for row, o in enumerate(usage.observables)}
        for column, user in enumerate(usage.users)
        if held[:, column].any()
    }
