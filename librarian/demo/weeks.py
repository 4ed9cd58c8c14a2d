"""The group's calendar: weeks in its local time, in cycles of four that each begin with a maintenance of the cluster.

The cluster is empty at a maintenance, so a cycle depends on nothing before it: history can be told from there, and what
has been told once never changes.
"""

from __future__ import annotations

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY
CYCLE = 4 * WEEK
DOWN_AT, UP_AT = 6 * HOUR, 14 * HOUR  # the maintenance, in seconds after Monday 00:00 local time

# Monday 2020-01-13 00:00, five hours behind UTC (US Eastern standard time all year: a demo needs no daylight saving).
ANCHOR = 1578891600


def cycle_of(epoch: int) -> int:
    """Number of the cycle that `epoch` (UTC) lies in."""
    return (epoch - ANCHOR - DOWN_AT) // CYCLE


def bounds(cycle: int) -> tuple[int, int, int]:
    """UTC epochs of a cycle: the maintenance begins, the cluster is back, the next maintenance begins."""
    monday = ANCHOR + cycle * CYCLE
    return monday + DOWN_AT, monday + UP_AT, monday + CYCLE + DOWN_AT


def monday(week: int) -> int:
    """UTC epoch at which the week of this number begins; a cycle holds the weeks 4n to 4n + 3."""
    return ANCHOR + week * WEEK
