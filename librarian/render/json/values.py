"""What all JSON files of a site have in common."""

from __future__ import annotations

import json

from librarian.shared.report import Staleness
from librarian.shared.troubles import told

SCHEMA_VERSION = 2
Json = dict[str, object]


def as_bytes(value: Json) -> bytes:
    """A JSON object in ASCII, without blanks. Raises `ValueError` for a number that JSON does not have."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def staleness_json(staleness: Staleness) -> Json:
    """Whether data are old, since when and why."""
    return {"stale": staleness.stale, "since": staleness.since, "reason": told(staleness.reason)}
