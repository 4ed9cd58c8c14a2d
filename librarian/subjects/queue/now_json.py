"""The queue as the site's JSON has it, and `librarian queue --json`; docs/data-format.md describes it."""

from __future__ import annotations

from librarian.render.json.scalars import exact
from librarian.shared.troubles import told
from librarian.subjects.queue.model import Cause, Demand, Queue, Waiter

Json = dict[str, object]


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
