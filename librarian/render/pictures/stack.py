"""What a chart of stacked areas shows: a layer for each of the users who come first, and one for the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from librarian.cycle.report import Report
from librarian.shared import palette

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """One area: `means` by bin, shape (bins,). `user` is None for the others; `users` holds all whom it shows.

    `name` is what the legend says of an area that is nobody's.
    """

    user: str | None
    users: frozenset[str]
    colour: str
    means: Floats
    name: str = ""


def top_users(report: Report) -> tuple[str, ...]:
    """The users who have an area of their own, in the order of their areas, which is the same in all charts."""
    present = set(report.usage.users)
    return tuple(user for user in report.users if user in present)[: report.header.top_users]


def layers(report: Report, key: str) -> tuple[Layer, ...]:
    """The layers of the observable `key`, lowest first; users and layers with nothing in them are left out."""
    means = report.usage.integrals[report.usage.row(key)] / report.window.passed
    place = {user: row for row, user in enumerate(report.usage.users) if means[row].any()}
    top = [user for user in top_users(report) if user in place]
    others = sorted(place.keys() - set(top_users(report)))
    own = [Layer(user, frozenset({user}), report.colours.get(user, palette.OTHERS), means[place[user]]) for user in top]
    if not others:
        return tuple(own)
    return (*own, Layer(None, frozenset(others), palette.OTHERS, means[[place[user] for user in others]].sum(axis=0)))


def legend_layers(report: Report, charts: Iterable[tuple[Layer, ...]]) -> list[Layer]:
    """A layer for each that occurs in one of `charts`, in their common order; the others' holds all of theirs."""
    found: dict[str | None, Layer] = {}
    for layer in (layer for chart in charts for layer in chart):
        users = layer.users | found[layer.user].users if layer.user in found else layer.users
        found[layer.user] = Layer(layer.user, users, layer.colour, layer.means)
    return [found[user] for user in (*top_users(report), None) if user in found]
