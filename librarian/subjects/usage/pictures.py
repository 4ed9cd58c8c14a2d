"""Pictures of a report: a chart of stacked areas for each observable, and all of them on one sheet; PNG and PDF.

Equal reports give equal bytes with the same matplotlib. No matplotlibrc has a say, and pyplot is never loaded.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.patches import Patch

from librarian.cycle.report import Report
from librarian.render.files import MONTH, OVERVIEW, PICTURES, PRESSURE, QUEUE, QUEUED
from librarian.render.pictures import captions
from librarian.render.pictures.chart import draw_chart
from librarian.render.pictures.pixels import png
from librarian.render.pictures.stack import Layer, layers, legend_layers
from librarian.render.pictures.style import ALARM, DPI, QUIET, STYLE, canvas, drawable
from librarian.shared.resources import Observable
from librarian.subjects.limits.pictures import draw_pressure
from librarian.subjects.months import pictures
from librarian.subjects.queue.pictures import draw_blind, queue_layers, queue_legend

_SINGLE, _SHEET = (10.0, 5.625), (13.0, 8.0)  # inches
_LEFT, _BOTTOM, _TOP, _EDGE = 0.75, 0.95, 0.65, 0.15  # inches around the charts, and between things
# The legend: most rows in one column, most columns, most of the figure's width; height of a row in font sizes.
_ROWS, _COLUMNS, _WIDEST, _LINE = 24, 3, 0.35, 1.36


@dataclass(frozen=True)
class Picture:
    """One picture in both formats; `name` is one of `files.PICTURES`."""

    name: str
    png: bytes
    pdf: bytes


def draw(report: Report) -> Iterator[Picture]:
    """The pictures of `files.PICTURES`, in their order; each is drawn when it is asked for."""
    return (draw_one(report, name) for name in PICTURES)


def draw_one(report: Report, name: str) -> Picture:
    """One of `files.PICTURES`. What it reads of the report must be in `inputs.digest`."""
    with styled():
        return _saved(name, _drawn(report, name))


def _drawn(report: Report, name: str) -> Figure:
    whole = {PRESSURE: _pressure, QUEUE: _queue, MONTH: _month}
    if name in whole:
        return whole[name](report)
    if name == OVERVIEW:
        return _sheet(report, {observable.key: layers(report, observable.key) for observable in report.pictured})
    observable = next(observable for observable in report.pictured if observable.key == name)
    return _single(report, observable, layers(report, name))


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults and our own settings for a while, whatever a matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def _single(report: Report, observable: Observable, stack: tuple[Layer, ...]) -> Figure:
    figure = _figure(_SINGLE, f"{observable.name} · {captions.title(report)}", report)
    right = _legend(figure, legend_layers(report, [stack]))
    axes = _axes(figure, _LEFT, _BOTTOM, right, _SINGLE[1] - _TOP)
    draw_chart(axes, report, observable, stack)
    axes.set_xlabel(report.window.zone)
    return figure


def _sheet(report: Report, charts: dict[str, tuple[Layer, ...]]) -> Figure:
    """All charts in two columns, in the order of the table of observables, with one legend."""
    figure = _figure(_SHEET, captions.title(report), report)
    right = _legend(figure, legend_layers(report, charts.values()))
    lines = ceil(len(charts) / 2)
    width, height = (right - _LEFT + 0.1) / 2, (_SHEET[1] - _TOP - _BOTTOM + 0.3) / lines
    for place, observable in enumerate(report.pictured):
        left, bottom = _LEFT + place % 2 * width, _BOTTOM + (lines - 1 - place // 2) * height
        axes = _axes(figure, left, bottom, left + width - 0.6, bottom + height - 0.7)
        draw_chart(axes, report, observable, charts[observable.key])
        axes.set_title(observable.name, loc="left", fontsize=12, pad=8)
        if place // 2 == lines - 1:
            axes.set_xlabel(report.window.zone)
    return figure


def _pressure(report: Report) -> Figure:
    figure = _figure(_SHEET, f"Limits · {captions.title(report)}", report)
    draw_pressure(figure, report)
    return figure


def _queue(report: Report) -> Figure:
    """What is wanted on top of what is in use: CPUs above, GPUs below, with one legend."""
    size = (_SINGLE[0], 1.4 * _SINGLE[1])
    figure = _figure(size, f"Waiting · {captions.title(report)}", report)
    charts = {key: queue_layers(report, key) for key in QUEUED}
    right = _legend(figure, queue_legend(report, charts.values()))
    height = (size[1] - _TOP - _BOTTOM + 0.3) / 2
    for place, (key, stack) in enumerate(charts.items()):
        observable = report.usage.observables[report.usage.row(key)]
        bottom = _BOTTOM + (1 - place) * height
        axes = _axes(figure, _LEFT, bottom, right, bottom + height - 0.7)
        draw_chart(axes, report, observable, stack)
        draw_blind(axes, report)
        axes.set_title(f"{observable.name} in use, and waited for", loc="left", fontsize=12, pad=8)
    axes.set_xlabel(report.window.zone)
    return figure


def _month(report: Report) -> Figure:
    figure = _figure(pictures.size(report), f"{pictures.title(report)} · {captions.title(report)}", report)
    pictures.draw_month(figure, report)
    return figure


def _figure(size: tuple[float, float], title: str, report: Report) -> Figure:
    """An empty figure with its title and its foot."""
    figure = Figure(figsize=size, dpi=DPI)
    _line(figure, size[1] - 0.38, title, fontsize=15, fontweight="bold")
    _line(figure, 0.12, captions.foot(report), fontsize=8.5, color=QUIET)
    if report.staleness.stale:
        _line(figure, 0.31, captions.stale(report), fontsize=9, color=ALARM, fontweight="bold")
    return figure


def _line(figure: Figure, bottom: float, text: str, **options: Any) -> None:
    """A line of text `bottom` inches above the lower edge, smaller where it would not fit."""
    width, height = figure.get_size_inches()
    line = figure.text(_EDGE / width, bottom / height, drawable(text), **options)
    length = line.get_window_extent(canvas(figure).get_renderer()).width / DPI
    line.set_fontsize(line.get_fontsize() * min(1.0, (width - 2 * _EDGE) / max(length, 0.01)))


def _axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes between these places in inches."""
    width, height = figure.get_size_inches()
    axes: Axes = figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
    return axes


def _legend(figure: Figure, entries: list[Layer]) -> float:
    """Write the legend, in the order of the stack, at the right; returns where it begins, in inches."""
    width, height = figure.get_size_inches()
    if not entries:
        return float(width) - 2 * _EDGE
    columns = min(_COLUMNS, ceil(len(entries) / _ROWS))
    size = min(10.0, (height - _TOP - _BOTTOM) * 72 / (ceil(len(entries) / columns) * _LINE))
    legend, wide = _write_legend(figure, entries, columns, size)
    if wide > _WIDEST * width:
        legend.remove()
        _, wide = _write_legend(figure, entries, columns, size * _WIDEST * width / wide)
    return float(width - wide - 2.2 * _EDGE)


def _write_legend(figure: Figure, entries: list[Layer], columns: int, size: float) -> tuple[Legend, float]:
    """The legend in type of `size` points, and how wide it is in inches."""
    width, height = figure.get_size_inches()
    legend = figure.legend(
        [Patch(facecolor=layer.colour) for layer in reversed(entries)],
        ["-"] * len(entries),  # matplotlib hides labels with a leading underscore: the names come after
        loc="upper right",
        bbox_to_anchor=(1 - _EDGE / width, 1 - _TOP / height),
        ncol=columns,
        fontsize=size,
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        labelspacing=0.25,
        handlelength=1.1,
        handletextpad=0.6,
        columnspacing=1.2,
    )
    for text, layer in zip(legend.get_texts(), reversed(entries), strict=True):
        text.set_text(drawable(captions.label(layer)))
    return legend, legend.get_window_extent(canvas(figure).get_renderer()).width / DPI


def _pdf(figure: Figure) -> bytes:
    out = io.BytesIO()
    # not savefig, which draws everything once more before it does, for things that these figures do not have
    cast("Any", FigureCanvasPdf)(figure).print_pdf(
        out, metadata={"Creator": None, "Producer": None, "CreationDate": None}
    )
    return out.getvalue()


def _saved(name: str, figure: Figure) -> Picture:
    """`figure` in both formats, without dates and versions, which would make equal reports differ."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if not axis.get_label_text()):
        axis.set_label_coords(0, 0)  # else the numbers beside it are measured, to find a place for no words
    drawn = canvas(figure)
    drawn.draw()
    return Picture(name, png(np.asarray(drawn.buffer_rgba()), DPI), _pdf(figure))
