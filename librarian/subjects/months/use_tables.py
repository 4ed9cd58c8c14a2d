"""What jobs used in a month, as cells of tables, of the CSV and as JSON. What is not measured is never 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.shared.calendar import clock
from librarian.shared.resources import by_key
from librarian.shared.text import csv_cell, visible
from librarian.shared.words import amount, counted, percent
from librarian.subjects.efficiency.hours_json import by_key_json
from librarian.subjects.efficiency.model import KEYS, Hours
from librarian.subjects.months.model import ByKey, MonthUse

Table = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...], tuple[str, ...]]
"""Title, columns, rows, the row of sums."""
_DASH = "–"
_PARTS = ("of ended jobs", "measured", "used")
HEADS = tuple(csv_cell(f"{by_key(key).hours} {part}") for key in KEYS for part in _PARTS)
"""Heads of the CSV."""


def extent(use: MonthUse | None, zone: str) -> str:
    """Of which jobs it is known what they used, as a sentence."""
    if use is None or not use.known:
        return "What jobs used is not known of this month."
    begin, end = clock(use.known[0][0], zone), clock(use.known[-1][1], zone)
    gaps = "; some of the time between is not known" if len(use.known) > 1 else ""
    return f"Use is known of jobs that ended from {begin} to {end}{gaps}; jobs that still ran are not in it."


def tables(use: MonthUse) -> Iterator[Table]:
    """A table for each resource that jobs which ended held, by user and by account: whoever left most of it unused
    stands first."""
    for key in KEYS:
        if key not in use.total:
            continue
        unit = by_key(key).hours
        for thing, side in (("User", use.users), ("Account", use.accounts)):
            held = {visible(name): hours[key] for name, hours in side.items() if key in hours}
            rows = sorted(held.items(), key=lambda row: (-row[1].unused, row[0]))
            head = (thing, f"{unit} of ended jobs", "measured", "used", "unused", "efficiency", "known for")
            foot = (counted(len(rows), thing.lower()), *_told(use.total[key]))
            title = f"{unit} used, by {thing.lower()}"
            yield title, head, tuple((name, *_told(hours)) for name, hours in rows), foot


def _told(hours: Hours) -> Iterator[str]:
    allocated, measured, used = hours.in_hours()
    known = hours.measured > 0
    yield amount(allocated)
    yield amount(measured)
    yield amount(used) if known else _DASH
    yield amount(measured - used) if known else _DASH
    yield percent(hours.used, hours.measured) if known else "not measured"
    yield percent(hours.measured, hours.allocated) if known and hours.allocated else _DASH


def cells(use: MonthUse | None, kind: str, name: str) -> Sequence[float | str]:
    """The cells of a row of the CSV, in the order of `HEADS`; empty where nothing is known."""
    found: ByKey = {}
    if use is not None:
        sides: Mapping[str, Mapping[Any, ByKey]] = {"user": use.users, "account": use.accounts, "all": {"": use.total}}
        found = sides.get(kind, {}).get(name, {})
    return [cell for key in KEYS for cell in _numbers(found.get(key))]


def _numbers(hours: Hours | None) -> Sequence[float | str]:
    if hours is None:
        return ["", "", ""]
    allocated, measured, used = (round(value, 7) for value in hours.in_hours())
    return [allocated, measured, used if hours.measured else ""]


def use_json(use: MonthUse | None) -> dict[str, object] | None:
    """Hours allocated, measured and used, in all and by name; None where nothing is known."""
    if use is None:
        return None
    return {
        "known": [list(span) for span in use.known],
        "total": by_key_json(use.total),
        "users": {name: by_key_json(hours) for name, hours in sorted(use.users.items())},
        "accounts": {name: by_key_json(hours) for name, hours in sorted(use.accounts.items())},
    }
