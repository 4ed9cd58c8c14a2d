"""The pictures of use: a chart of stacked areas for each resource, and all of them on one sheet."""

from __future__ import annotations

from math import ceil

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from librarian.render.pictures import captions
from librarian.render.pictures.chart import draw_chart
from librarian.render.pictures.figure import BOTTOM, LEFT, SHEET, SINGLE, TOP, axes_at, framed, legend_beside
from librarian.render.pictures.stack import Layer
from librarian.shared.files import OVERVIEW
from librarian.shared.report import Report
from librarian.shared.resources import Observable
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.stack import absence, layers, legend_layers


def draw(report: Report, name: str) -> Figure:
    """The picture `name`: the key of a resource, or the sheet of all."""
    pictured = report[UsageSection].pictured
    if name == OVERVIEW:
        return _sheet(report, {observable.key: layers(report, observable.key) for observable in pictured})
    return _single(report, next(observable for observable in pictured if observable.key == name), layers(report, name))


def draw_use(axes: Axes, report: Report, observable: Observable, stack: tuple[Layer, ...]) -> None:
    """Draw the chart of a resource; where there is nothing to draw, it says why."""
    tracked = observable.key not in report[UsageSection].untracked
    draw_chart(axes, report, observable, stack, absence(report, observable), tracked=tracked)


def _single(report: Report, observable: Observable, stack: tuple[Layer, ...]) -> Figure:
    figure = framed(SINGLE, f"{observable.name} · {captions.title(report)}", report)
    right = legend_beside(figure, legend_layers(report, [stack]))
    axes = axes_at(figure, LEFT, BOTTOM, right, SINGLE[1] - TOP)
    draw_use(axes, report, observable, stack)
    axes.set_xlabel(report.window.zone)
    return figure


def _sheet(report: Report, charts: dict[str, tuple[Layer, ...]]) -> Figure:
    """All charts in two columns, in the order of the table of observables, with one legend."""
    figure = framed(SHEET, captions.title(report), report)
    right = legend_beside(figure, legend_layers(report, charts.values()))
    lines = ceil(len(charts) / 2)
    width, height = (right - LEFT + 0.1) / 2, (SHEET[1] - TOP - BOTTOM + 0.3) / lines
    for place, observable in enumerate(report[UsageSection].pictured):
        left, bottom = LEFT + place % 2 * width, BOTTOM + (lines - 1 - place // 2) * height
        axes = axes_at(figure, left, bottom, left + width - 0.6, bottom + height - 0.7)
        draw_use(axes, report, observable, charts[observable.key])
        axes.set_title(observable.name, loc="left", fontsize=12, pad=8)
        if place // 2 == lines - 1:
            axes.set_xlabel(report.window.zone)
    return figure
