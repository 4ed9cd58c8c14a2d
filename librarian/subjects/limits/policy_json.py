"""A limit as the site's JSON has it, and `librarian limits --json`."""

from __future__ import annotations

from librarian.render.json.scalars import exact, short
from librarian.subjects.limits.policy import LimitRow

Json = dict[str, object]


def policy_row(row: LimitRow) -> Json:
    """One limit, as `policy` has it; the limit in full, what is used with the digits of the means."""
    return {
        "setting": row.source.setting.name,
        "per": row.source.setting.per,
        "resource": row.source.resource,
        "name": row.name,
        "unit": row.unit,
        "limit": exact(row.source.value),
        "of": row.of,
        "used": None if row.used is None else short(row.used),
        "by": row.by,
        "binds": row.binds,
        "enforced": row.enforced,
    }
