"""The picture of efficiency: what jobs that ended used inside what was allocated to them, a chart a resource.

What is not measured is hatched, and time of which nothing is known is shaded: neither is ever drawn as nothing used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon

from librarian.render.pictures import captions
from librarian.render.pictures.chart import Floats, draw_scale, outline
from librarian.render.pictures.figure import BOTTOM, EDGE, LEFT, SHEET, TOP, axes_at, framed
from librarian.render.pictures.style import QUIET, drawable
from librarian.shared.report import Report
from librarian.shared.resources import Observable
from librarian.shared.spans import Spans
from librarian.shared.words import percent
from librarian.subjects.efficiency.model import Hours
from librarian.subjects.efficiency.section import EfficiencySection, told_of

_USED, _UNUSED, _BLIND = "#2F6DB5", "#BBD0E8", "#F6F1E4"
_HATCH: dict[str, Any] = {"facecolor": "white", "edgecolor": "#999999", "hatch": "////", "linewidth": 0.4}
_ROOM = 0.18  # of the chart's width, which the words need
_BESIDE = 0.5  # inches at the right, where half of a label may stand
NOT_KNOWN = "use not known"


def draw(report: Report) -> Figure:
    """A chart for each resource that jobs which ended held, with one legend below the title."""
    figure = framed(SHEET, f"Efficiency · {captions.title(report)}", report)
    told = told_of(report)
    if not told:
        text = "no job has ended in the time that is known"
        figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=12, color=QUIET)
        return figure
    _legend(figure, report)
    height = (SHEET[1] - TOP - BOTTOM) / max(len(told), 2)
    for place, observable in enumerate(told):
        top = SHEET[1] - TOP - place * height
        axes = axes_at(figure, LEFT, top - height + 0.3, SHEET[0] - _BESIDE, top - 0.35)
        _chart(axes, report, observable)
    axes.set_xlabel(
        f"{report.window.zone} · jobs that ended, spread evenly over their time; running ones are not in it"
    )
    return figure


def _legend(figure: Figure, report: Report) -> None:
    entries = {
        "used": Patch(facecolor=_USED),
        "allocated, unused": Patch(facecolor=_UNUSED),
        "allocated, not measured": Patch(**_HATCH),
    }
    if any(unknown(_edges(report), report[EfficiencySection].known)):
        entries[NOT_KNOWN] = Patch(facecolor=_BLIND, edgecolor="#BBBBBB", linewidth=0.4)
    place = (1 - EDGE / SHEET[0], 1 - 0.2 / SHEET[1])
    options: dict[str, Any] = {"ncol": len(entries), "fontsize": 9.5, "frameon": False}
    figure.legend(list(entries.values()), list(entries), loc="upper right", bbox_to_anchor=place, **options)


def _edges(report: Report) -> Floats:
    return np.append(report.window.starts, report.window.now).astype(float)


def _chart(axes: Axes, report: Report, observable: Observable) -> None:
    """Used over measured over allocated: what is allocated and not measured stays hatched; more used than allocated
    reaches beyond it."""
    section = report[EfficiencySection]
    edges = _edges(report)
    allocated, measured, used = section.bins[observable.key]
    draw_scale(axes, report)
    axes.set_ylim(0, 1.08 * max(float(allocated.max()), float(used.max())) or 1.0)
    _shade(axes, edges, section.known)
    axes.add_artist(Polygon(outline(edges, allocated), **_HATCH))
    for values, colour in ((measured, _UNUSED), (used, _USED)):
        axes.add_artist(Polygon(outline(edges, values), facecolor=colour, linewidth=0))
    axes.set_ylabel(observable.unit)
    axes.set_title(drawable(title(observable, section.whole.total[observable.key])), loc="left", fontsize=11, pad=6)


def title(observable: Observable, hours: Hours) -> str:
    """The resource, how much of it was used, and of how much that is known."""
    if hours.efficiency is None:
        return f"{observable.name}: not measured on this cluster"
    known = f"known for {percent(hours.measured, hours.allocated)} of the {observable.hours}"
    return f"{observable.name}: {percent(hours.used, hours.measured)} used ({known})"


def unknown(edges: Floats, known: Spans) -> Iterable[tuple[float, float]]:
    """The spans between the first and the last edge of which it is not known what was used."""
    begin = float(edges[0])
    for since, until in known:
        if since > begin:
            yield begin, float(since)
        begin = max(begin, float(until))
    if begin < edges[-1]:
        yield begin, float(edges[-1])


def _shade(axes: Axes, edges: Floats, known: Spans) -> None:
    whole = edges[-1] - edges[0]
    for begin, end in unknown(edges, known):
        axes.axvspan(begin, end, facecolor=_BLIND, linewidth=0, zorder=0)
        if end - begin > _ROOM * whole:
            middle = ((begin + end) / 2, 0.5)
            place = axes.get_xaxis_transform()
            axes.text(*middle, NOT_KNOWN, transform=place, ha="center", fontsize=9, color=QUIET, zorder=3)
