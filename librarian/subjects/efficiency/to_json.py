"""What runs used, as a field of a report's JSON; docs/data-format.md describes it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from librarian.render.json.numbers import plain
from librarian.render.json.scalars import exact
from librarian.subjects.efficiency.model import Hours
from librarian.subjects.efficiency.section import EfficiencySection, Floats, Sums

Json = dict[str, object]
_ROWS = ("allocated", "measured", "used")


def efficiency_json(section: EfficiencySection) -> Json:
    """Sums of the window and of the page's ranges, and means by bin."""
    return {
        "known": [list(span) for span in section.known],
        "until": section.until,
        **_sums(section.whole),
        "ranges": {name: _sums(sums) for name, sums in section.ranges.items()},
        "bins": {key: _bins(rows) for key, rows in section.bins.items()},
    }


def _sums(sums: Sums) -> Json:
    return {
        "from": sums.begin,
        "to": sums.end,
        "total": _by_key(sums.total),
        "users": {name: _by_key(by_key) for name, by_key in sums.users.items()},
        "accounts": {name: _by_key(by_key) for name, by_key in sums.accounts.items()},
        "partitions": {name: _by_key(by_key) for name, by_key in sums.partitions.items()},
    }


def _by_key(by_key: Mapping[str, Hours]) -> Json:
    return {key: _hours(hours) for key, hours in by_key.items()}


def _hours(hours: Hours) -> Json:
    """Unit-hours to 1e-7; what is not measured at all is not used either way: null."""
    allocated, measured, used = (exact(round(value, 7)) for value in hours.in_hours())
    return {"allocated_hours": allocated, "measured_hours": measured, "used_hours": used if hours.measured else None}


def _bins(rows: Floats) -> Json:
    """To hundredths: they are drawn, and the sums are told in full."""
    means = plain(np.asarray(np.round(rows, 2) + 0.0, dtype=np.float64))
    return dict(zip(_ROWS, means, strict=True))
