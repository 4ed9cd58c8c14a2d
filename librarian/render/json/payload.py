"""A report as data: JSON for the page and for programs; and the index of a site.

docs/data-format.md describes the files, docs/*.schema.json define them. What dashboards of old read (metadata.qos,
time_idxs, users, observables, thresholds, nice_names) stays as it is in all versions, of what has a chart.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from librarian.cycle.report import Report, Staleness
from librarian.render.files import PICTURES, FileNames, file_names
from librarian.render.json.numbers import Floats, exact, plain, rounded
from librarian.shared import palette
from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import isoformat
from librarian.site.plotly import Plotly
from librarian.subjects.limits.to_json import limits_fields
from librarian.subjects.months.to_json import month_json, pace_json
from librarian.subjects.queue.to_json import queue_parts
from librarian.subjects.usage.summary import ByKey, Totals

SCHEMA_VERSION = 2
_KEYS = tuple(observable.key for observable in OBSERVABLES)
_CHARTED = tuple(observable.key for observable in OBSERVABLES if observable.pictured)
_TYPED = "NGPUS:"

Json = dict[str, object]


@dataclass(frozen=True)
class Entry:
    """A QoS in the index of a site. `last_updated` (UTC epoch) is None while there is nothing to show of it.

    `files` are the names of its files that are there, for one whose files may have gone lost; None means all.
    """

    name: str
    title: str
    last_updated: int | None
    staleness: Staleness
    files: frozenset[str] | None = None


def data_json(report: Report, *, next_expected: int, version: str) -> bytes:
    """The report as one JSON object, in ASCII. `next_expected` (UTC epoch) is when the next one should be there."""
    window, zone = report.window, report.window.zone
    return _bytes(
        {
            "schema_version": SCHEMA_VERSION,
            "metadata": _metadata(report, next_expected, version),
            "time_idxs": [isoformat(start, zone) for start in window.starts.tolist()],
            "edges": window.edges.tolist(),
            "users": list(report.users),
            "observables": _means(report),
            "gpu_types": _gpu_types(report),
            "units": {o.key: {"name": o.name, "unit": o.unit, "hours": o.hours} for o in report.usage.observables},
            "nice_names": {o.key: o.name for o in OBSERVABLES if o.pictured},
            "thresholds": {key: exact(report.limits[key].threshold) for key in _CHARTED},
            **limits_fields(report),
            "untracked": sorted(report.untracked),
            "now": {
                "at": window.now,
                "users": {user: _amounts(held) for user, held in report.now.items()},
                "total": _amounts(report.now_total),
            },
            "totals": {
                "from": window.start,
                "to": window.now,
                "users": {user: _totals(report.totals[user]) for user in report.users},
                "total": _totals(report.total),
            },
            "ended": {user: _ended(report.ended[user]) for user in report.users if user in report.ended},
            **queue_parts(report),
            "months": [month_json(month) for month in report.months],
            "allocations": [pace_json(pace) for pace in report.paces],
            "rejects": _rejects(report),
            "staleness": _staleness(report.staleness),
            "notes": [{"kind": note.kind, "text": note.text} for note in report.notes],
            "colours": {user: report.colours.get(user, palette.OTHERS) for user in report.everybody},
        }
    )


def index_json(  # noqa: PLR0913 (each is a field)
    entries: Sequence[Entry],
    *,
    cluster: str,
    zone: str,
    now: int,
    next_expected: int,
    refresh_seconds: int,
    version: str,
    plotly: Plotly,
    status: str | None = None,
) -> bytes:
    """What a site holds: its QoS in the order of `entries`, and their files. `now`, `next_expected`: UTC epochs;
    `status`: the file that tells how the runs fare, where there is one."""
    script = plotly.file_name if plotly.path is not None else None
    return _bytes(
        {
            "schema_version": SCHEMA_VERSION,
            "generator": f"librarian {version}",
            "version": version,
            "cluster": cluster,
            "zone": zone,
            "generated_at": now,
            "generated": isoformat(now, zone),
            "next_expected": next_expected,
            "refresh_seconds": refresh_seconds,
            "status": status,
            "plotly": {"kind": plotly.kind, "version": plotly.version, "file": script},
            "qos": [_entry(entry) for entry in entries],
        }
    )


def _bytes(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _metadata(report: Report, next_expected: int, version: str) -> Json:
    header, window = report.header, report.window
    return {
        "qos": header.qos,
        "title": header.title,
        "cluster": header.cluster,
        "zone": window.zone,
        "last_updated": isoformat(window.now, window.zone),
        "last_updated_epoch": window.now,
        "next_expected": next_expected,
        "time_resolution_seconds": window.bin_seconds,
        "refresh_seconds": header.refresh_seconds,
        "top_users": header.top_users,
        "generator": f"librarian {version}",
    }


def _means(report: Report) -> Json:
    """Means by observable, user and bin: of those with a chart, a row for every user; the table has all of them."""
    usage = report.usage
    means = plain(rounded(usage.means))
    place = {user: row for row, user in enumerate(usage.users)}
    nothing = [0] * report.window.bins
    return {
        key: {user: means[usage.row(key)][place[user]] if user in place else nothing for user in report.users}
        for key in _CHARTED
    }


def _gpu_types(report: Report) -> Json:
    """By type of GPU who held some: users whose every GPU was of it, and means by bin of the others."""
    usage = report.usage
    all_gpus = rounded(usage.means[usage.row("NGPUS")])
    types = {o.key[len(_TYPED) :]: row for row, o in enumerate(usage.observables) if o.key.startswith(_TYPED)}
    return {kind: _gpu_type(report, rounded(usage.means[row]), all_gpus) for kind, row in types.items()}


def _gpu_type(report: Report, typed: Floats, all_gpus: Floats) -> Json:
    place = {user: row for row, user in enumerate(report.usage.users)}
    users = [user for user in report.users if user in place and typed[place[user]].any()]
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


def _rejects(report: Report) -> Json:
    reasons: Mapping[str, int] = Counter(reject.reason for reject in report.rejects)
    return {"count": len(report.rejects), "reasons": dict(sorted(reasons.items()))}


def _staleness(staleness: Staleness) -> Json:
    return {"stale": staleness.stale, "since": staleness.since, "reason": staleness.reason}


def _entry(entry: Entry) -> Json:
    names, there = file_names(entry.name), entry.last_updated is not None
    return {
        "name": entry.name,
        "title": entry.title,
        "slug": names.slug,
        "data": names.data if there else None,
        "csv": names.csv if there and _is_there(entry, names.csv) else None,
        "figures": _figures(entry, names) if there else {},
        "last_updated": entry.last_updated,
        **_staleness(entry.staleness),
    }


def _figures(entry: Entry, names: FileNames) -> dict[str, dict[str, str]]:
    """File names by picture and ending, of those that are there."""
    every = {name: {ending: names.picture(name, ending) for ending in ("png", "pdf")} for name in PICTURES}
    there = {name: {end: file for end, file in both.items() if _is_there(entry, file)} for name, both in every.items()}
    return {name: both for name, both in there.items() if both}


def _is_there(entry: Entry, file: str) -> bool:
    return entry.files is None or file in entry.files
