"""Hours allocated, measured and used as JSON, for the page and for `librarian report --json`; without numpy."""

from __future__ import annotations

from collections.abc import Mapping

from librarian.render.json.scalars import exact
from librarian.subjects.efficiency.model import Hours

Json = dict[str, object]


def by_key_json(by_key: Mapping[str, Hours]) -> Json:
    """Unit-hours allocated, measured and used, by key of the resource."""
    return {key: _hours(hours) for key, hours in by_key.items()}


def _hours(hours: Hours) -> Json:
    """Unit-hours to 1e-7; what is not measured at all is not used either way: null."""
    allocated, measured, used = (exact(round(value, 7)) for value in hours.in_hours())
    return {"allocated_hours": allocated, "measured_hours": measured, "used_hours": used if hours.measured else None}
