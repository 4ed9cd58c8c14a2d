"""A yearly allocation of CPU- or GPU-hours: what of it is used, what even use would have come to, where it leads.

An allocation begins at a midnight of the cluster's zone and is renewed each year on that day.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from librarian.shared.calendar import DAY, day_start, local_date, midnights
from librarian.shared.resources import OBSERVABLES
from librarian.shared.spans import Spans, clipped
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.model import rounded


@dataclass(frozen=True)
class Pace:
    """An allocation in its running period, `begin` to `end`, as it stands at `now` (UTC epochs). Sums are unit-hours.

    `used` is what was used since `known_from`; that is `begin` unless the use before it is not known. `even` is what
    even use since `begin` would have come to. `projected` is `used` and what the rest of the period comes to if it
    goes as the known time of it did; None where less than a day is known. `cumulative` is what was used up to each of
    `days`: `known_from`, the local midnights after it, and `now`.
    """

    allocation: Allocation
    begin: int
    end: int
    now: int
    amount: float
    used: float
    even: float
    projected: float | None
    known_from: int
    days: tuple[int, ...]
    cumulative: tuple[float, ...]

    @property
    def unit(self) -> str:
        """What the sums are counted in, e.g. GPU-hours."""
        return next(o.hours for o in OBSERVABLES if o.key == self.allocation.key)

    @property
    def name(self) -> str:
        """What people call it, e.g. GPU allocation."""
        return f"{self.unit.removesuffix('-hours')} allocation"


def period(start: date, now: int, zone: str) -> tuple[int, int] | None:
    """The year of an allocation that holds `now`, as UTC epochs; None before the first one begins.

    One from 29 February begins on 1 March in other years.
    """
    today = local_date(now, zone)
    begin = _anniversary(start, today.year)
    year = today.year if begin <= today else today.year - 1
    if year < start.year:
        return None
    return day_start(_anniversary(start, year), zone), day_start(_anniversary(start, year + 1), zone)


def pace(allocation: Allocation, by_day: Mapping[int, float], known: Spans, now: int, zone: str) -> Pace | None:
    """How the allocation stands at `now`; None before it begins, or when nothing of its period is known.

    `by_day`: unit-seconds by the begin of the day, of all its QoS; those before the period do not count. `known`: the
    time that these speak of.
    """
    span = period(allocation.start, now, zone)
    within = clipped(known, span[0], now) if span else ()
    if not span or not within:
        return None
    begin, end = span
    amount = rounded(allocation.amount * (end - begin) / 3600 if allocation.always else allocation.amount)
    days = [within[0][0], *(day for day in midnights(within[0][0], now, zone) if within[0][0] < day < now), now]
    sums = [by_day.get(day, 0.0) / 3600 for day in midnights(within[0][0], now, zone)[: len(days) - 1]]
    cumulative = (0.0, *map(rounded, itertools.accumulate(sums)))
    seconds = sum(until - since for since, until in within)
    return Pace(
        allocation,
        begin,
        end,
        now,
        amount,
        used=cumulative[-1],
        even=rounded(amount * (now - begin) / (end - begin)),
        projected=rounded(cumulative[-1] * (1 + (end - now) / seconds)) if seconds >= DAY else None,
        known_from=within[0][0],
        days=tuple(days),
        cumulative=cumulative,
    )


def _anniversary(start: date, year: int) -> date:
    try:
        return start.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
