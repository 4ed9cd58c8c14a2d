"""The picture of limits: how much of each was held over time, for how long it was hit, and who held it then."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Polygon, Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullFormatter, NullLocator

from librarian.errors import one_line
from librarian.render.pictures import captions
from librarian.render.pictures.chart import Floats, Tenths, line, outline, small_ticks
from librarian.render.pictures.figure import SHEET, framed
from librarian.render.pictures.style import ALARM, GRID, INK, QUIET, drawable
from librarian.render.pictures.ticks import time_ticks
from librarian.shared import palette
from librarian.shared.report import Report
from librarian.shared.resources import Observable
from librarian.shared.text import visible
from librarian.shared.words import amount, percent
from librarian.subjects.limits.model import CONFIGURED, NEAR
from librarian.subjects.limits.pressure import Holder, Pressure
from librarian.subjects.limits.section import LimitsSection, in_words
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.stack import colours_of

_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 0.065, 0.985, 0.9, 0.115, 0.62  # parts of the figure; the gap in inches
_MIDDLE, _BARS = 0.665, 0.82  # where the charts end, and where the bars begin, as parts of the figure's width
_SHOWN = 5  # users with a bar
_FILL = "#9DB7D5"


def draw(report: Report) -> Figure:
    """The picture of limits."""
    figure = framed(SHEET, f"Limits · {captions.title(report)}", report)
    draw_pressure(figure, report)
    return figure


def draw_pressure(figure: Figure, report: Report) -> None:
    """Draw a row for each pictured resource that had a limit; or say that there was none."""
    use, pressure = report[UsageSection], report[LimitsSection].pressure
    told = [o for o in use.pictured if o.key in pressure.shares and o.key not in use.untracked]
    if not told:
        text = _why_none(report)
        figure.text(0.5, 0.5, drawable(text), ha="center", va="center", fontsize=12, color=QUIET)
        return
    height = float(figure.get_size_inches()[1])
    whole = _TOP - _BOTTOM + _GAP / height
    each = whole / max(len(told), 2)
    for place, observable in enumerate(told):
        bottom = _TOP - (place + 1) * each + _GAP / height
        left = figure.add_axes((_LEFT, bottom, _MIDDLE - _LEFT, each - _GAP / height))
        right = figure.add_axes((_BARS, bottom, _RIGHT - _BARS, each - _GAP / height))
        _course(left, report, observable, last=place == len(told) - 1)
        _holders(right, report, observable.key)


def _why_none(report: Report) -> str:
    unknown = report[LimitsSection].unknown
    return "the limits are not known" if unknown else "no limits are set"


def _course(axes: Axes, report: Report, observable: Observable, *, last: bool) -> None:
    """Peak and mean of each bin as parts of the limit as it was then."""
    window = report.window
    edges = np.append(window.starts, window.now).astype(float)
    peak, mean = report[LimitsSection].pressure.shares[observable.key]
    corners = outline(edges, np.nan_to_num(mean))
    axes.add_artist(Polygon(corners, facecolor=_FILL, linewidth=0, transform=Tenths(axes.transData)))
    axes.add_artist(_steps(axes, edges, peak, edgecolor=INK, linewidth=0.8))
    span = (window.start, window.now)
    axes.add_artist(Line2D(span, (NEAR, NEAR), color=ALARM, linewidth=1.0, linestyle=(0, (5, 3))))
    axes.set_xlim(*span)
    axes.set_ylim(0, max(1.08, float(np.nanmax(peak)) * 1.05))
    _scale(axes, report, labelled=last)
    axes.set_title(drawable(_title(report, observable)), loc="left", fontsize=11, pad=6)
    if last:
        axes.set_xlabel(f"{window.zone} · line: peak, area: mean, of the limit as it was", fontsize=9)


def _title(report: Report, observable: Observable) -> str:
    """The observable with its limit of now, and who sets it where that is not the QoS itself."""
    limit = report[LimitsSection].limits[observable.key]
    if not limit.value:
        return observable.name
    elsewhere = limit.source == CONFIGURED or " of " in limit.source
    source = f" ({visible(one_line(limit.source, 60))})" if elsewhere else ""
    return f"{observable.name}: {in_words(limit, observable.unit)}{source}"


def _steps(axes: Axes, edges: Floats, values: Floats, **style: Any) -> PathPatch:
    return line(axes, np.repeat(edges, 2)[1:-1], np.repeat(values, 2), joinstyle="miter", **style)


def _scale(axes: Axes, report: Report, *, labelled: bool) -> None:
    ticks = time_ticks(report.window, 10)
    axes.xaxis.set_major_locator(FixedLocator(ticks.at))
    axes.xaxis.set_major_formatter(FixedFormatter(ticks.labels) if labelled else NullFormatter())
    small_ticks(axes, ticks)
    axes.yaxis.set_major_locator(FixedLocator((0, 0.25, 0.5, 0.75, 1)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value, 1)))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.tick_params(axis="y", length=0)


def _holders(axes: Axes, report: Report, key: str) -> None:
    """Whose the limit was while it was hit: a bar for each of the largest holders, as a part of what was held."""
    section = report[LimitsSection]
    pressure, limit = section.pressure.totals[key], section.limits[key].value
    axes.set_title(
        drawable(hit(pressure, shared=bool(limit) and section.used[key] is None)), loc="right", fontsize=10, pad=6
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(_SHOWN - 0.4, -0.6)
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    for spine in axes.spines.values():
        spine.set_visible(False)
    if pressure.holders:
        axes.set_xlabel("parts of what was held then", fontsize=8.5)
    for place, (name, share, colour) in enumerate(_bars(report, pressure.holders)):
        axes.add_artist(Rectangle((0, place - 0.36), share, 0.72, facecolor=colour, linewidth=0))
        axes.text(-0.03, place, drawable(name), ha="right", va="center", fontsize=9)
        inside = share > 0.75
        where, side, ink = (share - 0.02, "right", "white") if inside else (share + 0.02, "left", INK)
        axes.text(where, place, percent(share, 1), ha=side, va="center", fontsize=9, color=ink)


def _bars(report: Report, holders: tuple[Holder, ...]) -> list[tuple[str, float, str]]:
    """Name, share and colour of each bar; the last one stands for all who have none of their own."""
    alone = holders if len(holders) <= _SHOWN else holders[: _SHOWN - 1]
    colours = colours_of(report, (holder.user for holder in alone))
    bars = [(captions.person(h.user), h.share, colours[h.user]) for h in alone]
    if len(alone) < len(holders):
        bars.append(("others", max(0.0, 1 - sum(holder.share for holder in alone)), palette.OTHERS))
    return bars


def hit(pressure: Pressure, *, shared: bool) -> str:
    """For how long a limit was hit; of one that is `shared` other QoS's part is not known."""
    if not pressure.near:
        return "shared with other QoS" if shared else "never at the limit"
    least = "at least " if shared else ""
    hours = f"{least}{amount(pressure.near / 3600)} h of {amount(pressure.limited / 3600)} h"
    return f"at ≥ {percent(NEAR, 1)} for {hours}"
