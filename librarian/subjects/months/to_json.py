"""Months and allocations as data, for the page and for `librarian report --json`; see docs/data-format.md."""

from __future__ import annotations

from librarian.render.json.scalars import exact
from librarian.subjects.months.allocation import Pace
from librarian.subjects.months.model import Month
from librarian.subjects.usage.totals import Totals, jobs_ended, jobs_failed

Json = dict[str, object]


def month_json(month: Month) -> Json:
    """A month: its sums by user and by account, and how much of it is known."""
    told = month.runs_from is not None
    return {
        "month": month.name,
        "from": month.begin,
        "to": month.end,
        "known_from": month.known_from,
        "known_to": month.known_to,
        "known_seconds": month.known_seconds,
        "complete": month.complete,
        "runs_from": month.runs_from,
        "older_rule_to": month.older_rule_to,
        "total": _totals(month.total, told),
        "users": {user: _totals(totals, told) for user, totals in month.users.items()},
        "accounts": {account: _totals(totals, told) for account, totals in month.accounts.items()},
    }


def pace_json(pace: Pace) -> Json:
    """An allocation in its running period."""
    return {
        "name": pace.name,
        "key": pace.allocation.key,
        "unit": pace.unit,
        "amount": exact(pace.amount),
        "from": pace.begin,
        "to": pace.end,
        "now": pace.now,
        "used": exact(pace.used),
        "even": exact(pace.even),
        "projected": None if pace.projected is None else exact(pace.projected),
        "known_from": pace.known_from,
        "qos": list(pace.allocation.qos),
        "days": list(pace.days),
        "cumulative": [exact(value) for value in pace.cumulative],
    }


def _totals(totals: Totals, told: bool) -> Json:
    return {
        "hours": {key: exact(value) for key, value in totals.hours.items()},
        "ended": dict(totals.ended),
        "jobs": jobs_ended(totals) if told else None,
        "failed": jobs_failed(totals) if told else None,
    }
