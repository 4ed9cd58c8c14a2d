"""Weeks that are over, and who changed from one to the next. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from librarian.shared.names import UserName
from librarian.shared.window import DAY, Window
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.starts import Starts
from librarian.subjects.usage.summary import Ended
from librarian.subjects.usage.totals import Totals

WEEK = 7 * DAY
_MOST = 5  # users who are named
_NOTABLE = 0.01  # of all that was held in the larger week


@dataclass(frozen=True)
class Week:
    """From `begin` to `end` (UTC epochs, both the edge of a bin): unit-hours and runs that ended, of each user and of
    all; `wait` is the median wait in seconds of the runs that started, None where none did."""

    begin: int
    end: int
    users: dict[UserName, Totals]
    total: Totals
    wait: int | None


@dataclass(frozen=True)
class Change:
    """Who held more or less of a resource, in unit-hours."""

    user: UserName
    key: str
    hours: float
    before: float


def weeks_of(usage: Usage, ended: Ended, starts: Starts) -> tuple[Week, ...]:
    """The week up to the last bin that is over, and the one before it; fewer where the window does not hold them."""
    places = _edges(usage.window)
    return tuple(_week(usage, ended, starts, begin, end) for end, begin in itertools.pairwise(places))


def _edges(window: Window) -> list[int]:
    """The places of the edges of weeks, the newest first. Of a bin that a clock change makes longer an edge may lie
    half a bin beside."""
    edges = window.edges
    places = [len(edges) - (1 if int(edges[-1]) == window.now else 2)]
    for _ in range(2):
        wanted = int(edges[places[-1]]) - WEEK
        place = int(np.argmin(np.abs(edges - wanted)))
        if abs(int(edges[place]) - wanted) > window.bin_seconds // 2:
            break
        places.append(place)
    return places


def _week(usage: Usage, ended: Ended, starts: Starts, begin: int, end: int) -> Week:
    edges = usage.window.edges
    hours = usage.integrals[:, :, begin:end].sum(axis=2) / 3600.0
    place = {user: column for column, user in enumerate(usage.users)}
    states = {
        user: _some({state: int(runs[begin:end].sum()) for state, runs in of.items()}) for user, of in ended.items()
    }
    users = {}
    for user in sorted({*place, *states}):
        held = {
            o.key: float(hours[row, place[user]]) if user in place else 0.0 for row, o in enumerate(usage.observables)
        }
        totals = Totals(held, states.get(user, {}))
        if any(held.values()) or totals.ended:
            users[user] = totals
    every: dict[str, int] = {}
    for of in states.values():
        for state, runs in of.items():
            every[state] = every.get(state, 0) + runs
    total = Totals({o.key: float(hours[row].sum()) for row, o in enumerate(usage.observables)}, every)
    inside = starts.wait[(starts.at >= edges[begin]) & (starts.at < edges[end])]
    wait = int(np.rint(np.median(inside))) if len(inside) else None
    return Week(int(edges[begin]), int(edges[end]), users, total, wait)


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {state: count for state, count in counts.items() if count}


def changes(now: Week, before: Week, keys: Collection[str], others: UserName | None = None) -> tuple[Change, ...]:
    """Who changed most, each told of the resource of which that is most, as a share of all that was held of it.

    `others`, who are many under one name, are not among them.
    """
    users = {*now.users, *before.users} - {others}
    found = [change for user in users for change in _largest(user, now, before, keys)]
    found.sort(key=lambda each: (-each[0], each[1].user))
    return tuple(change for _, change in found[:_MOST])


def _largest(user: UserName, now: Week, before: Week, keys: Collection[str]) -> Iterator[tuple[float, Change]]:
    best: tuple[float, Change] | None = None
    for key in keys:
        hours, was = (week.users[user].hours[key] if user in week.users else 0.0 for week in (now, before))
        whole = max(now.total.hours[key], before.total.hours[key])
        share = abs(hours - was) / whole if whole else 0.0
        if share >= _NOTABLE and (best is None or share > best[0]):
            best = share, Change(user, key, hours, was)
    if best:
        yield best
