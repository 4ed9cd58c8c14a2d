"""What runs used, as a field of a report's JSON; docs/data-format.md describes it."""

from __future__ import annotations

import numpy as np

from librarian.render.json.numbers import plain
from librarian.subjects.efficiency.hours_json import by_key_json
from librarian.subjects.efficiency.section import EfficiencySection, Floats, Sums
from librarian.subjects.efficiency.told import prices_json, told_json

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
        **(told_json(section.tallied) if section.tallied else {}),
        **prices_json(section.prices),
    }


def _sums(sums: Sums) -> Json:
    return {
        "from": sums.begin,
        "to": sums.end,
        "total": by_key_json(sums.total),
        "users": {name: by_key_json(by_key) for name, by_key in sums.users.items()},
        "accounts": {name: by_key_json(by_key) for name, by_key in sums.accounts.items()},
        "partitions": {name: by_key_json(by_key) for name, by_key in sums.partitions.items()},
    }


def _bins(rows: Floats) -> Json:
    """To hundredths: they are drawn, and the sums are told in full."""
    means = plain(np.asarray(np.round(rows, 2) + 0.0, dtype=np.float64))
    return dict(zip(_ROWS, means, strict=True))
