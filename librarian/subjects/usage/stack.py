"""The layers of charts of use: one for each of the users who come first, and one for the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from librarian.render.pictures.stack import Layer
from librarian.shared import palette
from librarian.shared.names import UserName
from librarian.shared.report import Report
from librarian.shared.resources import Observable
from librarian.subjects.usage.section import UsageSection


def top_users(report: Report) -> tuple[UserName, ...]:
    """The users who have an area of their own, in the order of their areas, which is the same in all charts."""
    section = report[UsageSection]
    present = set(section.usage.users)
    return tuple(user for user in section.users if user in present)[: report.header.top_users]


def colours_of(report: Report, others: Iterable[UserName] = ()) -> dict[UserName, str]:
    """Colours of the users who have an area, as in all pictures, and of `others` beside them; no two share one."""
    return palette.told_apart(report.colours, top_users(report), tuple(others))


def layers(report: Report, key: str) -> tuple[Layer, ...]:
    """The layers of the observable `key`, lowest first; users and layers with nothing in them are left out."""
    usage = report[UsageSection].usage
    means = usage.integrals[usage.row(key)] / report.window.passed
    place = {user: row for row, user in enumerate(usage.users) if means[row].any()}
    top = [user for user in top_users(report) if user in place]
    others = sorted(place.keys() - set(top_users(report)))
    colours = colours_of(report)
    own = [Layer(user, frozenset({user}), colours[user], means[place[user]]) for user in top]
    if not others:
        return tuple(own)
    sums, more = means[[place[user] for user in others]].sum(axis=0), report.gathered_in("totals", others)
    return (*own, Layer(None, frozenset(others), palette.OTHERS, sums, more=more))


def legend_layers(report: Report, charts: Iterable[tuple[Layer, ...]]) -> list[Layer]:
    """A layer for each that occurs in one of `charts`, in their common order; the others' holds all of theirs."""
    found: dict[UserName | None, Layer] = {}
    for layer in (layer for chart in charts for layer in chart):
        users = layer.users | found[layer.user].users if layer.user in found else layer.users
        found[layer.user] = replace(layer, users=users)
    return [found[user] for user in (*top_users(report), None) if user in found]


def absence(report: Report, observable: Observable) -> str:
    """What stands in the place of a chart without data."""
    section = report[UsageSection]
    if observable.key in section.untracked:
        return f"{observable.name} are not tracked on this cluster"
    if not section.usage.integrals.any():
        return "no jobs in this window"
    return f"no {observable.unit} in use in this window"
