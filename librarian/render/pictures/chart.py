"""One chart: stacked areas of means over bins, the limit, the axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox, Transform

from librarian.render.pictures import captions
from librarian.render.pictures.stack import Layer
from librarian.render.pictures.style import DPI, GRID, INK, QUIET, canvas, drawable
from librarian.render.pictures.ticks import Ticks, time_ticks
from librarian.shared.report import Level, Report
from librarian.shared.resources import Observable

Floats = npt.NDArray[np.float64]
_TICK = 60  # points that a label of the time axis needs
_BESIDE, _ABOVE = 6, 3  # points from where a limit's step begins to its label
_SHORTEST = 2  # points that a white line between areas is long at least


def draw_chart(
    axes: Axes, report: Report, observable: Observable, stack: tuple[Layer, ...], absence: str, *, tracked: bool
) -> None:
    """Draw the layers of `observable`, lowest first, with its levels; the x axis is in UTC epochs.

    `absence` is what stands in the place of a chart without layers. What is not `tracked` has no scale.
    """
    levels = report.levels(observable.key) if tracked else ()
    draw_scale(axes, report)
    peak = _areas(axes, report, stack) if stack else 0.0
    if not stack:
        axes.text(
            0.5, 0.5, drawable(absence), transform=axes.transAxes, ha="center", va="center", fontsize=12, color=QUIET
        )
    value = max((level.value or 0.0 for level in levels), default=0.0)
    axes.set_ylim(0, max(peak * 1.05, value * 1.12) or 1.0)
    if levels:
        _levels(axes, report.window.now, levels)
    if tracked:
        axes.set_ylabel(observable.unit)
    else:
        axes.set_yticks([])


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
        axes.add_artist(Polygon(corners, facecolor=layer.colour, linewidth=0, transform=Tenths(axes.transData)))
    seconds_a_point = (report.window.now - report.window.start) / _points_wide(axes)
    x, y = separators(edges, means, _SHORTEST * seconds_a_point)
    if len(x):
        axes.add_artist(line(axes, x, y, edgecolor="white", linewidth=0.4, capstyle="butt"))
    return float(tops[-1].max())


def line(axes: Axes, x: Floats, y: Floats, **style: Any) -> PathPatch:
    """A line with many points, with gaps where x or y are NaN."""
    return PathPatch(Path(np.column_stack([x, y])), fill=False, transform=Tenths(axes.transData), **style)


class Tenths(Transform):
    """As another transform of points of a figure, to a tenth of a pixel, or of a point in a PDF.

    There each coordinate is written out: with the six places that matplotlib has for it, a chart takes twice the bytes.
    For patches, which ask for their places whenever they are drawn; other artists keep them when the scale changes.
    """

    input_dims = output_dims = 2

    def __init__(self, whole: Transform) -> None:
        super().__init__()
        self._whole = whole

    def transform_non_affine(self, values: Any) -> Any:
        """The points, shape (points, 2)."""
        return np.round(self._whole.transform(values), 1)


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


def _levels(axes: Axes, now: int, levels: Sequence[Level]) -> None:
    """Draw levels as steps with gaps where there was none, and label them: the last one, others where it fits."""
    ends = [*(level.since for level in levels[1:]), now]
    x, y = level_steps(levels, ends)
    axes.add_artist(Line2D(x, y, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=4, clip_on=False))
    renderer = canvas(cast("Figure", axes.figure)).get_renderer()
    written: list[Bbox] = []
    for level, end in reversed(list(zip(levels, ends, strict=True))):
        if level.value is not None:
            label = _label(axes, level)
            until = axes.transData.transform((end, 0.0))[0]
            box = label.get_window_extent(renderer)
            if box.x1 > until and level is levels[-1]:
                label.set_horizontalalignment("right")
                label.xy, label.xyann = (end, label.xy[1]), (-_BESIDE, _ABOVE)
                box = label.get_window_extent(renderer)
            elif box.x1 > until or any(box.overlaps(other) for other in written):
                label.remove()
            written.append(box)


def level_steps(levels: Sequence[Level], ends: Sequence[int]) -> tuple[Floats, Floats]:
    """The corners of the line of levels as x (UTC epochs) and y, NaN where there was none or none is known."""
    x = [(level.since, end) for level, end in zip(levels, ends, strict=True)]
    y = [np.nan if level.value is None else level.value for level in levels]
    return np.array(x, dtype=float).ravel(), np.repeat(np.array(y, dtype=float), 2)


def _label(axes: Axes, level: Level) -> Annotation:
    """Write what a level is above its line, from where it begins."""
    return axes.annotate(
        drawable(level.label),
        (level.since, level.value or 0.0),
        xytext=(_BESIDE, _ABOVE),
        textcoords="offset points",
        fontsize=9,
        zorder=3,
        bbox={"facecolor": "white", "alpha": 0.9, "edgecolor": "none", "pad": 1.0},
    )


def small_ticks(axes: Axes, ticks: Ticks) -> None:
    """Draw the ticks without labels, as one line of marks: matplotlib's own are a handful of artists each."""
    if not ticks.minor:
        return
    marks = {"marker": TICKDOWN, "markersize": 2.0, "markeredgewidth": 0.6, "markeredgecolor": rcParams["xtick.color"]}
    where = axes.get_xaxis_transform()
    axes.add_artist(
        Line2D(ticks.minor, np.zeros(len(ticks.minor)), linestyle="", transform=where, clip_on=False, **marks)
    )


def _points_wide(axes: Axes) -> float:
    return float(axes.bbox.width) / DPI * 72


def draw_scale(axes: Axes, report: Report) -> None:
    """The time axis of a report's window, in UTC epochs, and the scale of amounts."""
    ticks = time_ticks(report.window, max(1, int(_points_wide(axes) / _TICK)))
    axes.set_xlim(report.window.start, report.window.now)
    axes.xaxis.set_major_locator(FixedLocator(ticks.at))
    axes.xaxis.set_major_formatter(FixedFormatter(ticks.labels))
    small_ticks(axes, ticks)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: captions.tick(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.tick_params(axis="y", length=0)
