"""One chart: stacked areas of means over bins, the limit, the axes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from librarian.core.limits import Limit
from librarian.core.observables import Observable
from librarian.render import captions
from librarian.render.layers import Layer
from librarian.render.look import DPI, GRID, INK, QUIET, drawable
from librarian.render.ticks import time_ticks
from librarian.report import Report

Floats = npt.NDArray[np.float64]
_TICK = 60  # points that a label of the time axis needs
_SHORTEST = 2  # points that a white line between areas is long at least


def draw_chart(axes: Axes, report: Report, observable: Observable, stack: tuple[Layer, ...]) -> None:
    """Draw the layers of `observable`, lowest first, with what belongs to them; the x axis is in UTC epochs."""
    untracked = observable.key in report.untracked
    limit = None if untracked else report.limits.get(observable.key)
    _scale(axes, report)
    peak = _areas(axes, report, stack) if stack else 0.0
    if not stack:
        message = drawable(captions.absence(report, observable))
        axes.text(0.5, 0.5, message, transform=axes.transAxes, ha="center", va="center", fontsize=12, color=QUIET)
    value = _limit(axes, limit, observable) if limit and limit.kind == "limit" else 0.0
    axes.set_ylim(0, max(peak * 1.05, value * 1.12) or 1.0)
    if untracked:
        axes.set_yticks([])
    else:
        axes.set_ylabel(observable.unit)


def _areas(axes: Axes, report: Report, stack: tuple[Layer, ...]) -> float:
    """Draw the layers and return the height of the stack.

    Each area reaches down to 0 and those below it are drawn over it: no seams show between neighbours. As artists,
    because the scale is known, and to find the limits of each patch takes longer than to draw it.
    """
    edges = np.append(report.window.starts, report.window.now).astype(float)
    means = np.array([layer.means for layer in stack])
    tops = means.cumsum(axis=0)
    for layer, top in zip(reversed(stack), tops[::-1], strict=True):
        corners = outline(edges, np.where(layer.means > 0, top, 0.0))
        axes.add_artist(Polygon(corners, facecolor=layer.colour, linewidth=0))
    seconds_a_point = (report.window.now - report.window.start) / _points_wide(axes)
    x, y = separators(edges, means, _SHORTEST * seconds_a_point)
    axes.add_artist(Line2D(x, y, color="white", linewidth=0.4, solid_capstyle="butt"))
    return float(tops[-1].max())


def outline(edges: Floats, values: Floats) -> Floats:
    """The area below steps, `values` by bin, shape (n,), between n + 1 `edges`: its corners, shape (corners, 2)."""
    change = np.flatnonzero(np.diff(values)) + 1
    first = np.concatenate([[0], change])
    last = np.concatenate([change, [len(values)]])
    x = np.stack([edges[first], edges[last]], axis=1).ravel()
    y = np.repeat(values[first], 2)
    return np.column_stack([np.concatenate([x[:1], x, x[-1:]]), np.concatenate([[0.0], y, [0.0]])])


def separators(edges: Floats, means: Floats, shortest: float) -> tuple[Floats, Floats]:
    """Level lines between the layers of `means`, shape (layers, bins), as x and y with gaps of NaN.

    Steps shorter than `shortest` seconds have none: lines would wash out the colours of narrow peaks, all the more in
    viewers of PDF that draw no line thinner than a pixel.
    """
    tops = means.cumsum(axis=0)[:-1]
    above = means[::-1].cumsum(axis=0)[::-1][1:]
    levels = np.where((means[:-1] > 0) & (above > 0), tops, np.nan)
    x, y = [np.empty(0)], [np.empty(0)]
    for level in levels:
        first = np.concatenate([[0], np.flatnonzero(np.diff(level) != 0) + 1])
        last = np.append(first[1:], len(level))
        long = (edges[last] - edges[first] >= shortest) & ~np.isnan(level[first])
        height = level[first[long]]
        x.append(np.column_stack([edges[first[long]], edges[last[long]], np.full_like(height, np.nan)]).ravel())
        y.append(np.column_stack([height, height, np.full_like(height, np.nan)]).ravel())
    return np.concatenate(x), np.concatenate(y)


def _limit(axes: Axes, limit: Limit, observable: Observable) -> float:
    """Draw the limit's line and its label above it; returns its value."""
    value = limit.value or 0.0
    axes.axhline(value, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=4, clip_on=False)
    axes.annotate(
        drawable(captions.limit(limit, observable.unit)),
        (0.01, value),
        xycoords=axes.get_yaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=9,
        zorder=3,
        bbox={"facecolor": "white", "alpha": 0.9, "edgecolor": "none", "pad": 1.0},
    )
    return value


def _points_wide(axes: Axes) -> float:
    return float(axes.bbox.width) / DPI * 72


def _scale(axes: Axes, report: Report) -> None:
    ticks = time_ticks(report.window, max(1, int(_points_wide(axes) / _TICK)))
    axes.set_xlim(report.window.start, report.window.now)
    axes.xaxis.set_major_locator(FixedLocator(ticks.at))
    axes.xaxis.set_major_formatter(FixedFormatter(ticks.labels))
    axes.xaxis.set_minor_locator(FixedLocator(ticks.minor))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: captions.tick(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.tick_params(axis="y", length=0)
