"""What is waited for, on top of what is in use: the layers of its charts, and the time in which nobody looked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from librarian.render.pictures import captions
from librarian.render.pictures.figure import BOTTOM, LEFT, SINGLE, TOP, axes_at, framed, legend_beside
from librarian.render.pictures.stack import Floats, Layer
from librarian.render.pictures.style import QUIET, drawable
from librarian.shared import palette
from librarian.shared.files import QUEUED
from librarian.shared.names import UserName
from librarian.shared.report import Report
from librarian.shared.resources import by_key
from librarian.subjects.queue.section import QueueSection
from librarian.subjects.usage.pictures import draw_use
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.stack import colours_of

IN_USE = "in use"
_USED, _BLIND = "#E0E0E0", "#F6F1E4"
_ROOM = 0.18  # of the chart's width, which the words need


def draw(report: Report) -> Figure:
    """What is wanted on top of what is in use: CPUs above, GPUs below, with one legend."""
    size = (SINGLE[0], 1.4 * SINGLE[1])
    figure = framed(size, f"Waiting · {captions.title(report)}", report)
    charts = {key: queue_layers(report, key) for key in QUEUED}
    right = legend_beside(figure, queue_legend(report, charts.values()))
    height = (size[1] - TOP - BOTTOM + 0.3) / 2
    for place, (key, stack) in enumerate(charts.items()):
        observable = by_key(key)
        bottom = BOTTOM + (1 - place) * height
        axes = axes_at(figure, LEFT, bottom, right, bottom + height - 0.7)
        draw_use(axes, report, observable, stack)
        draw_blind(axes, report)
        axes.set_title(f"{observable.name} in use, and waited for", loc="left", fontsize=12, pad=8)
    axes.set_xlabel(report.window.zone)
    return figure


def queue_layers(report: Report, key: str) -> tuple[Layer, ...]:
    """What all use of `key`, and on it what each of the users wants who want most, then the others; lowest first.

    In the order and the colours of the other charts; no two share one.
    """
    use, wanted = report[UsageSection], report[QueueSection].wanted
    if key in use.untracked:
        return ()
    means = np.nan_to_num(wanted.means[key])
    place = {user: row for row, user in enumerate(wanted.users) if means[row].any()}
    own = _own(report)
    rows = [user for user in report.everybody if user in own and user in place]
    colours = colours_of(report, (user for user in report.everybody if user in own))
    layers = [Layer(user, frozenset({user}), colours[user], means[place[user]]) for user in rows]
    others = sorted(place.keys() - own)
    if others:
        rest: Floats = means[[place[user] for user in others]].sum(axis=0)
        layers.append(Layer(None, frozenset(others), palette.OTHERS, rest, more=report.gathered_in("waiting", others)))
    used: Floats = use.usage.integrals[use.usage.row(key)].sum(axis=0) / report.window.passed
    if not used.any():
        return tuple(layers)
    return (Layer(None, frozenset(), _USED, used, IN_USE), *layers)


def queue_legend(report: Report, charts: Iterable[tuple[Layer, ...]]) -> list[Layer]:
    """A layer for each that occurs in one of `charts`, in their common order; the others' holds all of theirs."""
    found: dict[tuple[str, UserName | None], Layer] = {}
    for layer in (layer for chart in charts for layer in chart):
        key = (layer.name, layer.user)
        users = layer.users | found[key].users if key in found else layer.users
        found[key] = replace(layer, users=users)
    order = ((IN_USE, None), *(("", user) for user in report.everybody), ("", None))
    return [found[key] for key in order if key in found]


def _own(report: Report) -> frozenset[UserName]:
    """The users with a layer of their own, the same for all charts of this picture."""
    wanted = report[QueueSection].wanted
    sums = {key: np.nan_to_num(means).sum(axis=1) for key, means in wanted.means.items()}
    shares = np.array([found / max(float(found.sum()), 1e-12) for found in sums.values()]).max(axis=0, initial=0.0)
    ranked = sorted(zip(wanted.users, shares.tolist(), strict=True), key=lambda item: (-item[1], item[0]))
    known = report.colours
    first = [user for user, share in ranked if share > 0 and known.get(user, palette.OTHERS) != palette.OTHERS]
    return frozenset(first[: report.header.top_users])


def draw_blind(axes: Axes, report: Report) -> None:
    """Shade the time in which nobody looked at the queue, and say so where there is room."""
    blind = report[QueueSection].wanted.sampled == 0
    edges = np.append(report.window.starts, report.window.now).astype(float)
    first = np.flatnonzero(np.diff(blind.astype(int), prepend=0) == 1)
    last = np.flatnonzero(np.diff(blind.astype(int), append=0) == -1) + 1
    spans = sorted(zip(edges[first].tolist(), edges[last].tolist(), strict=True), key=lambda span: span[0] - span[1])
    for place, (begin, end) in enumerate(spans):
        axes.axvspan(begin, end, facecolor=_BLIND, linewidth=0, zorder=0)
        if place == 0 and end - begin > _ROOM * (edges[-1] - edges[0]):
            axes.text(
                *((begin + end) / 2, 0.5, drawable("queue not looked at")),
                transform=axes.get_xaxis_transform(),
                ha="center",
                fontsize=9,
                color=QUIET,
                zorder=3,
            )
