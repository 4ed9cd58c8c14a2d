"""How long jobs waited before they started: from the time when they were eligible, by user, kind and size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from librarian.shared.window import Window, day_start, local_date
from librarian.subjects.usage.kinds import CLASSES, KINDS, SIZES
from librarian.subjects.usage.starts import Starts

Ints = npt.NDArray[np.int64]
HOUR = 3600
# The ranges that the page offers: how long each is before the end of the data, in hours; "all" is the whole window.
RANGES: Mapping[str, int | None] = {
    **{"6h": 6, "12h": 12, "24h": 24, "3d": 72, "7d": 168, "14d": 336, "30d": 720},
    "all": None,
}
_WAIT_BITS = 32
_WAIT_MOST = 2**_WAIT_BITS - 1  # seconds, more than a century


@dataclass(frozen=True)
class Spread:
    """The waits of some jobs in seconds: how many, the median, and what nine of ten did not exceed."""

    jobs: int
    median: int
    p90: int


@dataclass(frozen=True)
class WaitRow:
    """The waits of a user (None: of all) for jobs of a kind and of a size (None: of all sizes)."""

    user: str | None
    kind: str
    size: str | None
    spread: Spread


@dataclass(frozen=True)
class Range:
    """The waits of the runs that started in [start, end) (UTC epochs)."""

    start: int
    end: int
    rows: tuple[WaitRow, ...]


@dataclass(frozen=True)
class Day:
    """The waits of the runs of a kind that started on a day of the zone's calendar, as far as the window has it."""

    start: int
    end: int
    kind: str
    spread: Spread


@dataclass(frozen=True)
class Waits:
    """Waiting times by range of the page and by day; `before` has for a range the time before it, as long, by kind
    alone, where the window holds all of that."""

    ranges: Mapping[str, Range] = field(default_factory=dict)
    trend: tuple[Day, ...] = ()
    before: Mapping[str, Range] = field(default_factory=dict)


def waits_of(starts: Starts, window: Window) -> Waits:
    """Waiting times of the runs that started in the window.

    Percentiles are interpolated between the two nearest waits and rounded to seconds.
    """
    spans = {name: _span(hours, window) for name, hours in RANGES.items()}
    inside = {name: (starts.at >= begin) & (starts.at < end) for name, (begin, end) in spans.items()}
    rows: dict[str, list[WaitRow]] = {name: [] for name in RANGES}
    for everybody, all_sizes in itertools.product((True, False), repeat=2):
        group = starts.kind_size // CLASSES if all_sizes else starts.kind_size
        groups = len(KINDS) if all_sizes else len(KINDS) * CLASSES
        key = _key(group if everybody else starts.user * groups + group, starts.wait)
        for name in RANGES:
            for found, spread in _spreads(key[inside[name]]):
                user = None if everybody else starts.users[found // groups]
                rows[name].append(WaitRow(user, *_named(found % groups, all_sizes), spread))
    ranges = {name: Range(*spans[name], tuple(sorted(rows[name], key=_place))) for name in RANGES}
    return Waits(ranges, tuple(_trend(starts, window)), dict(_before(starts, window)))


def _before(starts: Starts, window: Window) -> Iterator[tuple[str, Range]]:
    for name, hours in RANGES.items():
        begin, end = (window.now - times * (hours or 0) * HOUR for times in (2, 1))
        if hours is None or begin < window.start:
            continue
        inside = (starts.at >= begin) & (starts.at < end)
        spreads = _spreads(_key(starts.kind_size // CLASSES, starts.wait)[inside])
        yield name, Range(begin, end, tuple(WaitRow(None, KINDS[kind], None, spread) for kind, spread in spreads))


def _key(group: Ints, wait: Ints) -> Ints:
    """Both in one number, which sorts by group, then by wait: far quicker than to sort by two."""
    return (group << _WAIT_BITS) | np.minimum(wait, _WAIT_MOST)


def _span(hours: int | None, window: Window) -> tuple[int, int]:
    return window.start if hours is None else max(window.start, window.now - hours * HOUR), window.now


def _spreads(keys: Ints) -> Iterator[tuple[int, Spread]]:
    """The spread of each group of `keys`, which come from `_key`."""
    ordered = np.sort(keys)
    code, wait = ordered >> _WAIT_BITS, ordered & _WAIT_MOST
    first = np.flatnonzero(np.diff(code, prepend=-1))
    jobs = np.diff(np.append(first, len(code)))
    median, p90 = (_at(wait, first, jobs, tenths) for tenths in (5, 9))
    for group, *numbers in zip(code[first].tolist(), jobs.tolist(), median.tolist(), p90.tolist(), strict=True):
        yield group, Spread(*numbers)


def _at(wait: Ints, first: Ints, jobs: Ints, tenths: int) -> Ints:
    """The wait at so many tenths of each group; whole numbers all the way, so that a half is one on every machine."""
    whole, rest = np.divmod((jobs - 1) * tenths, 10)
    low = first + whole
    high = np.minimum(low + 1, first + jobs - 1)
    return (wait[low] * 10 + (wait[high] - wait[low]) * rest + 5) // 10


def _named(group: int, all_sizes: bool) -> tuple[str, str | None]:
    if all_sizes:
        return KINDS[group], None
    kind = KINDS[group // CLASSES]
    return kind, SIZES[kind][group % CLASSES]


def _place(row: WaitRow) -> tuple[bool, str, str, int]:
    """Everybody first, then by user; all sizes before each of them."""
    size = -1 if row.size is None else SIZES[row.kind].index(row.size)
    return row.user is not None, row.user or "", row.kind, size


def _trend(starts: Starts, window: Window) -> Iterator[Day]:
    edges = np.array(_days(window))
    day = np.searchsorted(edges, starts.at, side="right") - 1
    code = day * len(KINDS) + starts.kind_size // CLASSES
    for found, spread in _spreads(_key(code, starts.wait)):
        place = found // len(KINDS)
        yield Day(int(edges[place]), int(edges[place + 1]), KINDS[found % len(KINDS)], spread)


def _days(window: Window) -> list[int]:
    """The window's start, each local midnight in it, and its end."""
    first, last = local_date(window.start, window.zone), local_date(window.now, window.zone)
    midnights = (day_start(first + timedelta(days=k), window.zone) for k in range(1, (last - first).days + 1))
    return [window.start, *(at for at in midnights if window.start < at < window.now), window.now]
