"""A report as one JSON object: what all subjects share, then the fields of each.

docs/data-format.md describes the files, docs/*.schema.json define them. What dashboards of old read (metadata.qos,
time_idxs, users, observables, thresholds, nice_names) stays as it is in all versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from librarian.render.json.values import SCHEMA_VERSION, Json, as_bytes, staleness_json
from librarian.shared import palette
from librarian.shared.report import Report
from librarian.shared.window import isoformat
from librarian.subjects.subject import Subject


def data_json(
    report: Report,
    subjects: Sequence[Subject],
    told: Mapping[str, Json],
    last: Mapping[str, object],
    *,
    next_expected: int,
    version: str,
) -> bytes:
    """The report as one JSON object, in ASCII. `next_expected` (UTC epoch) is when the next one should be there.

    `told` are the fields of each subject by its key, `last` the data of the last site: the fields of a subject that has
    failed are taken from there.
    """
    window, zone = report.window, report.window.zone
    document: Json = {
        "schema_version": SCHEMA_VERSION,
        "metadata": _metadata(report, next_expected, version),
        "time_idxs": [isoformat(start, zone) for start in window.starts.tolist()],
        "edges": window.edges.tolist(),
    }
    for subject in subjects:
        old = {name: last[name] for name in subject.fields if name in last}
        document |= told.get(subject.key, old)
    document |= {
        "staleness": staleness_json(report.staleness),
        "notes": [{"kind": note.kind, "text": note.text} for note in report.notes],
        "colours": {**_old(report, last), **_colours(report)},
    }
    return as_bytes(document)


def _colours(report: Report) -> dict[str, str]:
    return {user: report.colours.get(user, palette.OTHERS) for user in report.everybody}


def _old(report: Report, last: Mapping[str, object]) -> dict[str, object]:
    """The colours of the last site, where something of it stays."""
    colours = last.get("colours") if report.failed else None
    return dict(colours) if isinstance(colours, dict) else {}


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
