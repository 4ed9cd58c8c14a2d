"""Where a picture's time axis has its ticks: whole hours or days on the clock of a zone, clock changes included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytz

from librarian.shared.window import Window, day_edges, day_start, local_date

_HOUR_STEPS = (1, 2, 3, 6, 12)
_DAY_STEPS = (1, 2, 7, 14, 28)


@dataclass(frozen=True)
class Ticks:
    """UTC epochs: `at` with their `labels`, and `minor` ones without."""

    at: tuple[int, ...]
    labels: tuple[str, ...]
    minor: tuple[int, ...]


def time_ticks(window: Window, most: int) -> Ticks:
    """At most about `most` ticks from the window's start to its `now`.

    They are hours in a window of up to three days, as far as they suffice, else days, and in long ones Mondays.
    """
    hours = (window.now - window.start) / 3600
    if hours <= min(72, _HOUR_STEPS[-1] * most):
        return _hours(window, _step(_HOUR_STEPS, hours, most))
    return _days(window, _step(_DAY_STEPS, hours / 24, most))


def _step(steps: tuple[int, ...], length: float, most: int) -> int:
    return next((step for step in steps if length / step <= most), steps[-1])


def _hours(window: Window, step: int) -> Ticks:
    # half hours of the day, because a clock change may be one (Lord Howe); full ones by the clock on the wall are kept
    edges = day_edges(window.start, window.now, 1800, window.zone).tolist()
    clock = {at: _local(at, window) for at in edges if window.start <= at <= window.now}
    full = {at: local for at, local in clock.items() if local.minute == 0}
    at = {at: local for at, local in full.items() if local.hour % step == 0}
    labels = tuple(f"{local:%b} {local.day}" if local.hour == 0 else f"{local:%H:%M}" for local in at.values())
    return Ticks(tuple(at), labels, tuple(full) if step <= 6 else ())


def _days(window: Window, step: int) -> Ticks:
    first, last = local_date(window.start, window.zone), local_date(window.now, window.zone)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    midnights = [(at, day) for day in days if window.start <= (at := day_start(day, window.zone)) <= window.now]
    # 0001-01-01, day 1, was a Monday: steps of weeks begin on Mondays, and no step moves from run to run
    shown = [(at, day) for at, day in midnights if (day.toordinal() - 1) % step == 0]
    weekday = "%a " if step % 7 == 0 or step == 1 else ""
    labels = tuple(f"{day.strftime(weekday + '%b')} {day.day}" for _, day in shown)
    return Ticks(tuple(at for at, _ in shown), labels, tuple(at for at, _ in midnights))


def _local(at: int, window: Window) -> datetime:
    return datetime.fromtimestamp(at, pytz.timezone(window.zone))
