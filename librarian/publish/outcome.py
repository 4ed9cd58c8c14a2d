"""How publishers fared: the outcome of a run, and what is kept of it between runs. Pure; times are UTC epochs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from librarian.publish.base import State

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Outcome:
    """How one publisher fared once. `bytes_sent`: None where not told; `reason`: why it failed or waits, or how."""

    kind: str
    target: str
    state: State
    seconds: float
    bytes_sent: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """What is known of a publisher: its last try, and when it last had the site there as it was (None: never), with the
    digest of the `rules` of [privacy] that it was made under."""

    kind: str
    target: str
    state: str
    last_try: int
    last_success: int | None
    seconds: float
    bytes_sent: int | None
    reason: str
    rules: str = ""


def record(outcome: Outcome, known: Sequence[Record], now: int, rules: str = "") -> Record:
    """The record after `outcome`. Only a push that was done, or had nothing to do, is a success; waiting is not."""
    before = next((old for old in known if (old.kind, old.target) == (outcome.kind, outcome.target)), None)
    there = outcome.state in ("done", "unchanged")
    success = now if there else before.last_success if before else None
    return Record(
        outcome.kind,
        outcome.target,
        outcome.state,
        now,
        success,
        round(outcome.seconds, 3),
        outcome.bytes_sent,
        outcome.reason,
        rules if there else before.rules if before else "",
    )


def to_json(records: Iterable[Record]) -> bytes:
    """The records as JSON; docs/data-format.md describes it."""
    body = {"schema_version": SCHEMA_VERSION, "publishers": [asdict(one) for one in records]}
    return (json.dumps(body, indent=1) + "\n").encode()


def from_json(text: str) -> list[Record]:
    """The records in `text`; none where it is damaged or of another version, since the next run writes them anew."""
    try:
        body = json.loads(text)
        rows = body["publishers"] if body["schema_version"] == SCHEMA_VERSION else []
        return [_row(row) for row in rows]
    except (ValueError, KeyError, TypeError):
        return []


def _row(row: dict[str, Any]) -> Record:
    names = [field.name for field in fields(Record) if field.name in row or field.name != "rules"]  # which came later
    found = Record(**{name: row[name] for name in names})
    epochs = (found.last_try, 0 if found.last_success is None else found.last_success)
    texts = (found.kind, found.target, found.state, found.reason, found.rules)
    if not all(isinstance(epoch, int) for epoch in epochs) or not all(isinstance(text, str) for text in texts):
        raise TypeError("a record of a publisher is not understood")
    return found
