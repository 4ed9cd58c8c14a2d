"""Calendar months and days of a zone, as UTC epochs.

A month is one of the calendar of a zone, from its first midnight to that of the next month. Since bins follow the clock
of the same zone, the edge of a month is the edge of a bin.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytz

DAY = 86400


def local_date(epoch: int, zone: str) -> date:
    """The calendar day in `zone` at `epoch`."""
    return datetime.fromtimestamp(epoch, pytz.timezone(zone)).date()


def day_start(day: date, zone: str) -> int:
    """First instant of the calendar `day` in `zone`, also where midnight is skipped or happens twice."""
    midnight = datetime(day.year, day.month, day.day)
    tz = pytz.timezone(zone)
    try:
        local = tz.localize(midnight, is_dst=None)
    except pytz.AmbiguousTimeError:
        local = tz.localize(midnight, is_dst=True)  # the first of the two midnights
    except pytz.NonExistentTimeError:
        local = tz.localize(midnight, is_dst=False)  # read in the old offset: the instant of the change
    return int(local.timestamp())


def isoformat(epoch: int, zone: str) -> str:
    """ISO 8601 with the zone's offset at that time, e.g. `2026-11-01T01:00:00-04:00`."""
    return datetime.fromtimestamp(epoch, pytz.timezone(zone)).isoformat()


def clock(epoch: int, zone: str) -> str:
    """An instant as a reader without JavaScript sees it, e.g. `2026-11-20 14:10 EST`."""
    return datetime.fromtimestamp(epoch, pytz.timezone(zone)).strftime("%Y-%m-%d %H:%M %Z")


def month_start(epoch: int, zone: str) -> int:
    """First instant of the calendar month of `zone` that holds `epoch`."""
    day = local_date(epoch, zone)
    begin = day_start(day.replace(day=1), zone)
    # where the clock goes back across the first midnight, the moments before its second are on the day before
    return begin if begin <= epoch else day_start(_before(day), zone)


def month_after(begin: int, zone: str) -> int:
    """First instant of the month after the one that begins at `begin`."""
    day = local_date(begin + 20 * 86400, zone)  # well inside the month, whatever the clock does at its edge
    return day_start(date(day.year + day.month // 12, day.month % 12 + 1, 1), zone)


def month_starts(begin: int, end: int, zone: str) -> list[int]:
    """The first instants of the months that hold `begin` to `end`, both included."""
    starts = [month_start(begin, zone)]
    while (after := month_after(starts[-1], zone)) <= end:
        starts.append(after)
    return starts


def midnights(begin: int, end: int, zone: str) -> list[int]:
    """The first instants of the days of `zone` that hold `begin` to `end`, and that of the day after."""
    first, last = local_date(begin, zone), local_date(end, zone)
    return [day_start(first + timedelta(days=k), zone) for k in range((last - first).days + 2)]


def month_name(begin: int, zone: str) -> str:
    """The month that begins at `begin`, as in 2026-11."""
    return local_date(begin + 20 * 86400, zone).strftime("%Y-%m")


def is_month(text: str) -> bool:
    """Whether `text` names a month as `month_name` does."""
    return re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) is not None


def _before(day: date) -> date:
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
