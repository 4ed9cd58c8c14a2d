"""The queue and the waiting times of a report as JSON; docs/data-format.md describes them."""

from __future__ import annotations

import numpy as np

from librarian.render.json.numbers import plain, rounded
from librarian.shared.report import Report
from librarian.subjects.queue.demand import Wanted
from librarian.subjects.queue.model import Queue
from librarian.subjects.queue.now_json import queue_json
from librarian.subjects.queue.section import QueueSection
from librarian.subjects.queue.waits import Day, Range, Waits

Json = dict[str, object]
_CHARTED = ("NCPUS", "NGPUS")  # the history of these is shown


def queue_parts(report: Report) -> Json:
    """The parts of the data file that are about waiting: `queue`, `waiting`, `waits`."""
    section = report[QueueSection]
    return {
        "queue": queue_json(section.queue),
        "waiting": _waiting(section.wanted),
        "waits": _waits(section.waits, section.queue),
    }


def _waiting(wanted: Wanted) -> Json:
    """Means by user and bin, None where nobody looked; who never wanted any of it has no row."""
    blind = np.flatnonzero(wanted.sampled == 0).tolist()
    found: Json = {}
    for key in _CHARTED:
        means = plain(rounded(np.nan_to_num(wanted.means[key])))
        for row in means:
            for place in blind:
                row[place] = None
        found[key] = {user: row for user, row in zip(wanted.users, means, strict=True) if any(row)}
    return {**found, "sampled": wanted.sampled.tolist()}


def _waits(waits: Waits, queue: Queue) -> Json:
    return {
        "ranges": {name: _range(one) for name, one in waits.ranges.items()},
        "before": {name: _range(one) for name, one in waits.before.items()},
        "trend": [_day(day) for day in waits.trend],
        "still": {kind: {"jobs": jobs, "median": median} for kind, (jobs, median) in queue.still.items()},
    }


def _range(one: Range) -> Json:
    """The rows column by column: most of them differ in their numbers alone."""
    spreads = [row.spread for row in one.rows]
    columns = {
        "user": [row.user for row in one.rows],
        "kind": [row.kind for row in one.rows],
        "size": [row.size for row in one.rows],
        "jobs": [spread.jobs for spread in spreads],
        "median": [spread.median for spread in spreads],
        "p90": [spread.p90 for spread in spreads],
    }
    return {"from": one.start, "to": one.end, "columns": columns}


def _day(day: Day) -> Json:
    spread = day.spread
    return {"from": day.start, "to": day.end, "kind": day.kind, "jobs": spread.jobs, "median": spread.median,
            "p90": spread.p90}  # fmt: skip
