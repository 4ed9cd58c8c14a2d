"""The picture of the month: who had how many hours in this month and the last, and how the allocations stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import pytz
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator

from librarian.render.pictures import captions
from librarian.render.pictures.figure import framed
from librarian.render.pictures.style import ALARM, DPI, GRID, INK, QUIET, canvas, drawable
from librarian.shared import palette
from librarian.shared.calendar import month_starts
from librarian.shared.names import UserName
from librarian.shared.report import Report
from librarian.shared.resources import OBSERVABLES, Observable
from librarian.shared.text import shown
from librarian.shared.window import local_date
from librarian.shared.words import amount, counted, percent
from librarian.subjects.months.allocation import Pace
from librarian.subjects.months.model import Month
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.stack import colours_of

WIDTH = 13.0  # inches, as the overview
_ROW, _PACE = 0.31, 2.75  # inches: of a user's two bars, of the pace lines
_ABOVE, _BELOW, _LEFT, _RIGHT = 1.15, 0.95, 2.05, 0.85  # inches around the bars
_NAME = 26  # characters of a user's name
_MOST = 40


@dataclass(frozen=True)
class MonthRow:
    """Two bars: hours of this month and of the last by observable key; `user` is None for all others together."""

    user: UserName | None
    count: int
    colour: str
    now: Mapping[str, float]
    before: Mapping[str, float]


def rows_of(report: Report) -> list[MonthRow]:
    """The users of this month and the last who come first, and the others as one row."""
    month, last = _two(report)
    if month is None:
        return []
    names = [*month.users, *(user for user in (last.users if last else ()) if user not in month.users)]
    hours = {user: (_hours(month, user), _hours(last, user)) for user in names}
    held = [user for user in names if any(value for two in hours[user] for value in two.values())]
    top, others = held[: min(report.header.top_users, _MOST)], held[min(report.header.top_users, _MOST) :]
    colours = colours_of(report, top)
    rows = [MonthRow(user, 1, colours[user], *hours[user]) for user in top]
    if others:
        sums = [{key: sum(hours[user][side][key] for user in others) for key in _keys()} for side in (0, 1)]
        count = len(others) + report.gathered_in(f"months.{month.name}", others)
        rows.append(MonthRow(None, count, palette.OTHERS, sums[0], sums[1]))
    return rows


def size(report: Report) -> tuple[float, float]:
    """Width and height in inches."""
    bars = max(len(rows_of(report)), 4) * _ROW
    return WIDTH, _ABOVE + bars + _BELOW + (_PACE if report[MonthsSection].paces else 0.0)


def title(report: Report) -> str:
    """Which months these are."""
    month, last = _two(report)
    if month is None:
        return "Months"
    return f"{_name(month, report)} so far, and {_name(last, report)}" if last else f"{_name(month, report)} so far"


def draw(report: Report) -> Figure:
    """The picture of the months."""
    figure = framed(size(report), f"{title(report)} · {captions.title(report)}", report)
    draw_month(figure, report)
    return figure


def draw_month(figure: Figure, report: Report) -> None:
    """Fill an empty figure of `size` that has its title and its foot."""
    width, height = figure.get_size_inches()
    low = _BELOW + (_PACE if report[MonthsSection].paces else 0.0)
    rows = rows_of(report)
    wide = (width - _LEFT - _RIGHT) / 2
    for place, observable in enumerate(_drawn()):
        left = _LEFT + place * (wide + 0.1)
        box = (left / width, low / height, (wide - 0.55) / width, (height - _ABOVE - low) / height)
        _bars(figure.add_axes(box), report, observable, rows, names=place == 0)
    if rows:
        _key(figure, report)
    across = (width - 0.85 - 0.3) / max(len(report[MonthsSection].paces), 1)
    for place, pace in enumerate(report[MonthsSection].paces):
        left = 0.85 + place * across
        box = (left / width, (_BELOW - 0.1) / height, (across - 0.75) / width, (_PACE - 1.0) / height)
        draw_pace(figure.add_axes(box), pace, report.window.zone)


def _key(figure: Figure, report: Report) -> None:
    month, last = _two(report)
    handles = [Patch(facecolor=QUIET), Patch(facecolor=QUIET, alpha=0.4)][: 2 if last else 1]
    words = [_name(one, report) for one in (month, last) if one]
    _, height = figure.get_size_inches()
    words = [drawable(f"{word} ({captions_of(one, report)})") for word, one in zip(words, (month, last), strict=False)]
    place = (0.15 / WIDTH, 1 - 0.52 / height)
    figure.legend(
        handles,
        words,
        loc="upper left",
        bbox_to_anchor=place,
        ncol=2,
        frameon=False,
        fontsize=9.5,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.3,
    )


def captions_of(month: Month | None, report: Report) -> str:
    """How much of a month is known, in few words."""
    if month is None or month.complete:
        return "whole"
    begin, end = (_day(at, report) for at in (month.known_from, month.known_to))
    return f"{begin} to {end}" if month.known_from > month.begin else f"up to {end}"


def _bars(axes: Axes, report: Report, observable: Observable, rows: Sequence[MonthRow], *, names: bool) -> None:
    key = observable.key
    axes.set_title(observable.hours, loc="left", fontsize=11, pad=6)
    month, last = _two(report)
    untracked = key in report[UsageSection].untracked
    most = max((max(row.now[key], row.before[key]) for row in rows), default=0.0)
    if untracked or not most:
        words = f"{observable.name} are not tracked on this cluster" if untracked else f"no {observable.hours} yet"
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", fontsize=11, color=QUIET)
        axes.set_xticks([])
    axes.set_ylim(len(rows) - 0.5 if rows else 0.5, -0.5)
    axes.set_yticks(range(len(rows)) if names else [])
    if names:
        _names(axes, rows)
    axes.tick_params(axis="y", length=0)
    if untracked or not most or month is None:
        return
    thick = 0.5 if last else 0.7
    up = 0.12 if last else 0.0
    whole = month.total.hours[key]
    for y, row in enumerate(rows):
        _bar(axes, y - up, row.now[key], thick, color=row.colour)
        if last:
            _bar(axes, y + 0.29, row.before[key], 0.2, color=row.colour, alpha=0.4)
        if row.now[key]:
            text = f"{amount(row.now[key])} · {percent(row.now[key], whole)}"
            axes.annotate(text, (row.now[key], y - up), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_xlim(0, most * 1.24)
    _numbers(axes, "x", 5)


def _bar(axes: Axes, y: float, length: float, thick: float, **style: Any) -> None:
    """As an artist, because the scale is known: `barh` takes ten times as long."""
    axes.add_artist(Rectangle((0, y - thick / 2), length, thick, linewidth=0, **style))


def _names(axes: Axes, rows: Sequence[MonthRow]) -> None:
    """Write the users' names, each smaller where it would not fit."""
    axes.set_yticklabels([drawable(_label(row)) for row in rows], fontsize=9)
    renderer = canvas(cast("Figure", axes.figure)).get_renderer()
    for text in axes.get_yticklabels():
        length = text.get_window_extent(renderer).width / DPI
        text.set_fontsize(9 * min(1.0, (_LEFT - 0.2) / max(length, 0.01)))


def draw_pace(axes: Axes, pace: Pace, zone: str) -> None:
    """What was used of an allocation day by day, what even use would be, and where it leads."""
    axes.plot([pace.begin, pace.end], [0, pace.amount], color=QUIET, linewidth=1.1, linestyle=(0, (5, 3)))
    axes.axhline(pace.amount, color=INK, linewidth=0.9)
    axes.plot(pace.days, pace.cumulative, color="#332288", linewidth=2.2, solid_capstyle="butt")
    top = pace.amount
    if pace.projected is not None:
        colour = ALARM if pace.projected > pace.amount else "#332288"
        axes.plot([pace.now, pace.end], [pace.used, pace.projected], color=colour, linewidth=1.4, linestyle=":")
        top = max(top, min(pace.projected, 2 * pace.amount))
    axes.set_xlim(pace.begin, pace.end)
    axes.set_ylim(0, top * 1.08)
    axes.set_title(drawable(_told(pace, zone)), loc="left", fontsize=9.5, pad=6)
    starts = [at for at in month_starts(pace.begin, pace.end, zone) if at >= pace.begin]
    axes.xaxis.set_major_locator(FixedLocator(starts))
    names = [local_date(at + 86400, zone) for at in starts]
    axes.xaxis.set_major_formatter(FixedFormatter([f"{day:%b}" if day.month > 1 else f"{day:%Y}" for day in names]))
    _numbers(axes, "y", 4)


def _told(pace: Pace, zone: str) -> str:
    name = f"{pace.name}: {amount(pace.amount)} {pace.unit} a year"
    used = f"used {amount(pace.used)} ({percent(pace.used, pace.amount)})"
    if pace.known_from > pace.begin:
        used += f" since {local_date(pace.known_from, zone):%b %-d}"
    parts = [name, f"{used}, evenly {amount(pace.even)}"]
    if pace.projected is not None:
        parts.append(f"at this pace {amount(pace.projected)} at the end ({percent(pace.projected, pace.amount)})")
    return f"{parts[0]}\n{'; '.join(parts[1:])}"


def _numbers(axes: Axes, which: str, most: int) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: captions.tick(value)))
    axes.grid(axis="x" if which == "x" else "y", color=GRID, linewidth=0.7)
    axes.tick_params(axis="x" if which == "x" else "y", length=0)


def _two(report: Report) -> tuple[Month | None, Month | None]:
    """The newest month, and the one before it if it is known."""
    months = report[MonthsSection].months
    if not months:
        return None, None
    month = months[-1]
    last = months[-2] if len(months) > 1 and months[-2].end == month.begin else None
    return month, last


def _drawn() -> tuple[Observable, ...]:
    return tuple(o for o in OBSERVABLES if o.key in _keys())


def _keys() -> tuple[str, ...]:
    return ("NCPUS", "NGPUS")


def _hours(month: Month | None, user: UserName) -> dict[str, float]:
    found = month.users.get(user) if month else None
    return {key: found.hours[key] if found else 0.0 for key in _keys()}


def _label(row: MonthRow) -> str:
    if row.user is None:
        return f"others ({counted(row.count, 'user')})"
    name = shown(row.user)
    return name if len(name) <= _NAME else f"{name[: _NAME - 10]}…{shown(row.user[-9:])}"


def _name(month: Month | None, report: Report) -> str:
    return local_date(month.begin + 20 * 86400, report.window.zone).strftime("%B %Y") if month else ""


def _day(epoch: int, report: Report) -> str:
    local = datetime.fromtimestamp(epoch, pytz.timezone(report.window.zone))
    return f"{local:%b} {local.day}, {local:%H:%M}"
