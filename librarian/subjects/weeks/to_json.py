"""Weeks as fields of a report's JSON; docs/data-format.md describes them."""

from __future__ import annotations

from librarian.render.json.scalars import exact
from librarian.subjects.usage.totals import jobs_ended, jobs_failed
from librarian.subjects.weeks.model import Week
from librarian.subjects.weeks.section import WeeksSection

Json = dict[str, object]


def weeks_json(section: WeeksSection) -> Json:
    """The last week and the one before it, and who changed most."""
    return {
        "spans": [_week(week) for week in section.weeks],
        "changes": [
            {"user": one.user, "key": one.key, "hours": exact(one.hours), "before": exact(one.before)}
            for one in section.changes
        ],
    }


def _week(week: Week) -> Json:
    return {
        "from": week.begin,
        "to": week.end,
        "hours": {key: exact(hours) for key, hours in week.total.hours.items() if ":" not in key},
        "jobs": jobs_ended(week.total),
        "failed": jobs_failed(week.total),
        "median_wait": week.wait,
    }
