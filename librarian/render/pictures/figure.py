"""Figures: a title, a foot, axes in inches, a legend at the right; and how one is saved as PNG and PDF.

Equal reports give equal bytes with the same matplotlib. No matplotlibrc has a say, and pyplot is never loaded.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
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

from librarian.render.pictures import captions
from librarian.render.pictures.pixels import png
from librarian.render.pictures.stack import Layer
from librarian.render.pictures.style import ALARM, DPI, QUIET, STYLE, canvas, drawable
from librarian.shared.report import Report

SINGLE, SHEET = (10.0, 5.625), (13.0, 8.0)  # inches
LEFT, BOTTOM, TOP, EDGE = 0.75, 0.95, 0.65, 0.15  # inches around the charts, and between things
# The legend: most rows in one column, most columns, most of the figure's width; height of a row in font sizes.
_ROWS, _COLUMNS, _WIDEST, _LINE = 24, 3, 0.35, 1.36


@dataclass(frozen=True)
class Picture:
    """One picture in both formats."""

    name: str
    png: bytes
    pdf: bytes


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's defaults and our own settings for a while, whatever a matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def framed(size: tuple[float, float], title: str, report: Report) -> Figure:
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
    line = figure.text(EDGE / width, bottom / height, drawable(text), **options)
    length = line.get_window_extent(canvas(figure).get_renderer()).width / DPI
    line.set_fontsize(line.get_fontsize() * min(1.0, (width - 2 * EDGE) / max(length, 0.01)))


def axes_at(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Axes between these places in inches."""
    width, height = figure.get_size_inches()
    axes: Axes = figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
    return axes


def legend_beside(figure: Figure, entries: Sequence[Layer]) -> float:
    """Write the legend, in the order of the stack, at the right; returns where it begins, in inches."""
    width, height = figure.get_size_inches()
    if not entries:
        return float(width) - 2 * EDGE
    columns = min(_COLUMNS, ceil(len(entries) / _ROWS))
    size = min(10.0, (height - TOP - BOTTOM) * 72 / (ceil(len(entries) / columns) * _LINE))
    legend, wide = _write_legend(figure, entries, columns, size)
    if wide > _WIDEST * width:
        legend.remove()
        _, wide = _write_legend(figure, entries, columns, size * _WIDEST * width / wide)
    return float(width - wide - 2.2 * EDGE)


def _write_legend(figure: Figure, entries: Sequence[Layer], columns: int, size: float) -> tuple[Legend, float]:
    """The legend in type of `size` points, and how wide it is in inches."""
    width, height = figure.get_size_inches()
    legend = figure.legend(
        [Patch(facecolor=layer.colour) for layer in reversed(entries)],
        ["-"] * len(entries),  # matplotlib hides labels with a leading underscore: the names come after
        loc="upper right",
        bbox_to_anchor=(1 - EDGE / width, 1 - TOP / height),
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


def saved(name: str, figure: Figure) -> Picture:
    """`figure` in both formats, without dates and versions, which would make equal reports differ."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if not axis.get_label_text()):
        axis.set_label_coords(0, 0)  # else the numbers beside it are measured, to find a place for no words
    drawn = canvas(figure)
    drawn.draw()
    return Picture(name, png(np.asarray(drawn.buffer_rgba()), DPI), _pdf(figure))


def _pdf(figure: Figure) -> bytes:
    out = io.BytesIO()
    # not savefig, which draws everything once more before it does, for things that these figures do not have
    cast("Any", FigureCanvasPdf)(figure).print_pdf(
        out, metadata={"Creator": None, "Producer": None, "CreationDate": None}
    )
    return out.getvalue()
