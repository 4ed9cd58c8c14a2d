"""Use in a report's JSON; docs/data-format.md describes the fields.

What dashboards of old read (users, observables, nice_names) stays as it is in all versions, of what has a chart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from librarian.render.json.numbers import Floats, plain, rounded
from librarian.render.json.reading import resource_row
from librarian.render.json.scalars import exact
from librarian.shared.report import Report
from librarian.shared.resources import ByKey, gpu_type
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.totals import Totals

Json = dict[str, object]


def usage_fields(report: Report) -> Json:
    """The fields of a report's JSON that tell of use."""
    section, window = report[UsageSection], report.window
    observables = section.usage.observables
    others = report.others
    return {
        **({"others": {"name": others.name, "users": dict(others.users)}} if others else {}),
        "users": list(section.users),
        "resources": [resource_row(observable) for observable in observables],
        "observables": _means(section),
        "gpu_types": _gpu_types(section),
        "units": {o.key: {"name": o.name, "unit": o.unit, "hours": o.hours} for o in observables},
        "nice_names": {o.key: o.name for o in section.pictured},
        "untracked": sorted(section.untracked),
        "now": {
            "at": window.now,
            "users": {user: _amounts(held) for user, held in section.now.items()},
            "total": _amounts(section.now_total),
        },
        "totals": {
            "from": window.start,
            "to": window.now,
            "users": {user: _totals(section.totals[user]) for user in section.users},
            "total": _totals(section.total),
        },
        "ended": {user: _ended(section.ended[user]) for user in section.users if user in section.ended},
    }


def _means(section: UsageSection) -> Json:
    """Means by observable, user and bin: of those with a chart, a row for every user; the table has all of them."""
    usage = section.usage
    means = plain(rounded(usage.means))
    place = {user: row for row, user in enumerate(usage.users)}
    nothing = [0] * usage.window.bins
    return {
        o.key: {user: means[usage.row(o.key)][place[user]] if user in place else nothing for user in section.users}
        for o in section.pictured
    }


def _gpu_types(section: UsageSection) -> Json:
    """By type of GPU who held some: users whose every GPU was of it, and means by bin of the others."""
    usage = section.usage
    all_gpus = rounded(usage.means[usage.row("NGPUS")])
    types = {gpu_type(o): row for row, o in enumerate(usage.observables) if gpu_type(o)}
    return {kind: _gpu_type(section, rounded(usage.means[row]), all_gpus) for kind, row in types.items()}


def _gpu_type(section: UsageSection, typed: Floats, all_gpus: Floats) -> Json:
    place = {user: row for row, user in enumerate(section.usage.users)}
    users = [user for user in section.users if user in place and typed[place[user]].any()]
    only = [user for user in users if np.array_equal(typed[place[user]], all_gpus[place[user]])]
    return {"only": only, "users": {user: plain(typed[place[user]]) for user in users if user not in only}}


def _amounts(amounts: ByKey) -> dict[str, float]:
    return {key: exact(value) for key, value in amounts.items()}


def _totals(totals: Totals) -> Json:
    return {"hours": _amounts(totals.hours), "ended": dict(totals.ended)}


def _ended(states: Mapping[str, npt.NDArray[np.int64]]) -> Json:
    """By state the bins in which runs ended, and how many: in most bins of most users none did."""
    some = {state: np.flatnonzero(counts) for state, counts in states.items()}
    return {state: {"bins": bins.tolist(), "runs": states[state][bins].tolist()} for state, bins in some.items()}
