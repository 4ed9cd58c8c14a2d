"""What cycles took and how many commands they sent, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from librarian.render.pictures.figure import EDGE, axes_at, styled
from librarian.render.pictures.pixels import png
from librarian.render.pictures.style import DPI, GRID, QUIET, canvas, drawable

_WIDTH, _TALLEST = 11.0, 60.0  # inches
_ROW, _CHART = 0.21, 1.7  # inches of a row of the bars, and of a chart over time
_LEAST_TIME = timedelta(hours=1)  # that the axis of time shows
_COLOURS = ("#1F5A8C", "#B4552D", "#4C7A34", "#7A4C8C")

Series = Mapping[str, Sequence[float]]
Bar = tuple[str, float, float]
"""A part in words, the median and the largest seconds of it in a cycle."""


def draw(
    title: str, foot: str, times: Sequence[datetime], seconds: Series, commands: Series, bars: Sequence[Bar]
) -> bytes:
    """A PNG: the `seconds` of each cycle and the `commands` that it sent by name over `times`, the parts as bars."""
    height = min(_TALLEST, 2.6 + 2 * (_CHART + 0.55) + _ROW * len(bars))
    with styled():
        figure = Figure(figsize=(_WIDTH, height), dpi=DPI)
        figure.text(EDGE / _WIDTH, 1 - 0.38 / height, drawable(title), fontsize=14, fontweight="bold")
        figure.text(EDGE / _WIDTH, 0.12 / height, drawable(foot), fontsize=8.5, color=QUIET)
        top = height - 0.75
        for words, series in (("seconds of a cycle", seconds), ("commands of a cycle", commands)):
            _over_time(axes_at(figure, 0.8, top - _CHART, _WIDTH - 0.3, top), words, times, series)
            top -= _CHART + 0.55
        _parts(axes_at(figure, 3.2, 0.8, _WIDTH - 0.3, top - 0.1), bars)
        drawn = canvas(figure)
        drawn.draw()
        return png(np.asarray(drawn.buffer_rgba()), DPI)


def _over_time(axes: Axes, words: str, times: Sequence[datetime], series: Series) -> None:
    for colour, (name, values) in zip(_COLOURS, series.items(), strict=False):
        axes.plot(times, list(values), ".", color=colour, label=drawable(name), markersize=3)  # type: ignore[arg-type]
    axes.set_ylim(bottom=0)
    if max(times) - min(times) < _LEAST_TIME:  # of a few moments alone the axis would be years
        axes.set_xlim(max(times) - _LEAST_TIME, max(times) + _LEAST_TIME / 20)  # type: ignore[arg-type]
    axes.set_title(words, loc="left", fontsize=10, color=QUIET)
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    axes.tick_params(labelsize=8.5)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncol=len(_COLOURS), frameon=False, fontsize=8.5)
    if all(isinstance(value, int) for values in series.values() for value in values):
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    written: Any = ConciseDateFormatter  # which has no types
    axes.xaxis.set_major_formatter(written(axes.xaxis.get_major_locator(), tz=times[0].tzinfo, show_offset=False))


def _parts(axes: Axes, bars: Sequence[Bar]) -> None:
    places = np.arange(len(bars))
    axes.barh(places, [largest for _, _, largest in bars], height=0.7, color=GRID, label="largest of the last day")
    axes.barh(places, [median for _, median, _ in bars], height=0.7, color=_COLOURS[0], label="median of the last day")
    axes.set_yticks(places, [drawable(words) for words, _, _ in bars], fontsize=8.5)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlabel("seconds", fontsize=8.5)
    axes.tick_params(axis="x", labelsize=8.5)
    axes.legend(loc="lower right", frameon=False, fontsize=8.5)
