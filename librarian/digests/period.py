"""The week or month that a digest tells of, and when it is due. Pure.

Both are those of the zone's calendar: a week begins on Monday. What is due is told by the clock on the wall, so a
Monday on which 08:00 does not happen, or happens twice, is like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytz

from librarian.config.digest_options import DAYS
from librarian.shared.calendar import day_start, local_date
from librarian.shared.spans import Span

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Period:
    """A week or a month that is over: its `key` (2026-W47, 2026-10), what people call it, where it lies (UTC epochs),
    and those before it that it is held against, newest first."""

    kind: str
    key: str
    title: str
    begin: int
    end: int
    before: tuple[Span, ...]


def last(kind: str, now: int, zone: str) -> Period:
    """The last week or month that is over at `now`."""
    today = local_date(now, zone)
    return _week(today, zone) if kind == "week" else _month(today, zone)


def is_due(kind: str, day: str, hour: int, now: int, zone: str) -> bool:
    """Whether the digest of the last week or month is due: from `hour` on `day` on, until the next one is over."""
    local = datetime.fromtimestamp(now, pytz.timezone(zone))
    today, wanted = local.date(), DAYS.index(day)
    if kind == "week":
        first = today - timedelta(days=today.weekday()) + timedelta(days=wanted)
    else:
        begin = today.replace(day=1)
        first = begin + timedelta(days=(wanted - begin.weekday()) % 7)
    return today > first or (today == first and local.hour >= hour)


def _week(today: date, zone: str) -> Period:
    monday = today - timedelta(days=today.weekday())
    edges = [day_start(monday - timedelta(days=7 * back), zone) for back in range(6)]
    first, final = monday - timedelta(days=7), monday - timedelta(days=1)
    year, number, _ = first.isocalendar()
    before = tuple((edges[back + 1], edges[back]) for back in range(1, 5))
    return Period("week", f"{year}-W{number:02d}", _days(first, final), edges[1], edges[0], before)


def _month(today: date, zone: str) -> Period:
    begins = [today.replace(day=1)]
    for _ in range(4):
        begins.append((begins[-1] - timedelta(days=1)).replace(day=1))
    edges = [day_start(day, zone) for day in begins]
    first = begins[1]
    before = tuple((edges[back + 1], edges[back]) for back in range(1, 4))
    title = f"{MONTHS[first.month - 1]} {first.year}"
    return Period("month", first.strftime("%Y-%m"), title, edges[1], edges[0], before)


def _days(first: date, final: date) -> str:
    begin = f"{first.day} {MONTHS[first.month - 1]}" if first.month != final.month else f"{first.day}"
    return f"{begin}–{final.day} {MONTHS[final.month - 1]} {final.year}"
