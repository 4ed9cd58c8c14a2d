"""Failures in a row: how many of a user's runs failed with as many before and after them that did. Pure.

What a piece of time comes to is kept so that pieces add up: how many failed at its begin and at its end, which what was
before and what comes after may make more of, and how many lie within in rows that are long enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FAILURES = ("FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE")


class Streak(NamedTuple):
    """Of one user's runs in a piece of time, in order of their ends: whether all failed (1 or 0), how many at the
    begin, how many at the end, and how many within, in rows that are long enough. Where all failed the begin is the
    end."""

    whole: int
    begin: int
    end: int
    within: int = 0


def of(state: str) -> Streak:
    """Of one run."""
    return Streak(1, 1, 1) if state in FAILURES else Streak(0, 0, 0)


def joined(one: Streak, later: Streak, least: int) -> Streak:
    """Of two pieces, the second of which comes later; a row is of `least` runs."""
    between = one.end + later.begin
    if one.whole and later.whole:
        return Streak(1, between, between)
    if one.whole:
        return Streak(0, between, later.end, later.within)
    if later.whole:
        return Streak(0, one.begin, between, one.within)
    return Streak(0, one.begin, later.end, one.within + later.within + _long(between, least))


def in_rows(one: Streak, least: int) -> int:
    """How many failed in rows of at least `least`."""
    if one.whole:
        return _long(one.begin, least)
    return one.within + _long(one.begin, least) + _long(one.end, least)


def counted(states: Sequence[str], least: int) -> int:
    """The same from all states in their order."""
    found = row = 0
    for state in (*states, ""):
        if state in FAILURES:
            row += 1
            continue
        found += _long(row, least)
        row = 0
    return found


def _long(row: int, least: int) -> int:
    return row if row >= least else 0
