"""The queue and the waiting times of a report as JSON; docs/data-format.md describes them."""

from __future__ import annotations

import numpy as np

from librarian.render.json.numbers import exact, plain, rounded
from librarian.shared.report import Report
from librarian.shared.troubles import told
from librarian.subjects.queue.demand import Wanted
from librarian.subjects.queue.model import Cause, Demand, Queue, Waiter
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


def queue_json(queue: Queue) -> Json:
    """Who waits, for what and why; also what `librarian queue --json` prints."""
    return {
        "at": queue.at,
        "error": told(queue.trouble),
        "jobs": queue.jobs,
        "groups": {group: _demand(demand) for group, demand in queue.groups.items()},
        "users": [_waiter(waiter) for waiter in queue.users],
        "reasons": [_cause(cause) for cause in queue.causes],
        "oldest": None if queue.oldest is None else {"user": queue.oldest[0], "since": queue.oldest[1]},
        "next_start": queue.next_start,
    }


def _demand(demand: Demand) -> Json:
    return {"jobs": demand.jobs, **{key: exact(value) for key, value in demand.wanted.items()}}


def _waiter(waiter: Waiter) -> Json:
    return {
        "user": waiter.user,
        **_demand(waiter.all),
        "competing": _demand(waiter.competing),
        "oldest": waiter.oldest,
        "next_start": waiter.next_start,
    }


def _cause(cause: Cause) -> Json:
    return {
        "reason": cause.reason,
        "group": cause.group,
        **_demand(cause.demand),
        "users": cause.users,
        "oldest": cause.oldest,
        "next_start": cause.next_start,
        "text": cause.text,
        "todo": cause.todo,
        "holders": [{"user": holder.user, "value": exact(holder.value)} for holder in cause.holders],
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
