"""Limits as they changed, which are kept for good."""

from __future__ import annotations

import json

from librarian.store import Store
from librarian.subjects.limits.model import Change
from librarian.subjects.limits.rules import pack, unpack


class LimitChanges:
    """Limits as they changed, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, qos: str, limits: Change) -> bool:
        """Remember what the limits of a QoS follow from, if that changed; whether it did. The future is forgotten."""
        slurm = pack(limits.slurm) if limits.slurm else None
        row = (json.dumps(slurm, sort_keys=True), json.dumps(dict(limits.overrides), sort_keys=True))
        known = "FROM limit_change WHERE qos = ?"
        with self._store.transaction():
            # seen by a clock that has gone back since
            self._store.execute(f"DELETE {known} AND since > ?", (qos.lower(), limits.since))
            last = self._store.one(f"SELECT slurm, overrides {known} ORDER BY since DESC", qos.lower())
            if last != row:
                values = (qos.lower(), limits.since, *row)
                self._store.execute("INSERT OR REPLACE INTO limit_change VALUES (?, ?, ?, ?)", values)
        return last != row

    def of(self, qos: str) -> tuple[Change, ...]:
        """What the limits of a QoS followed from, each time it changed, in order of time."""
        rows = self._store.all(
            "SELECT since, slurm, overrides FROM limit_change WHERE qos = ? ORDER BY since", qos.lower()
        )
        return tuple(
            Change(since, unpack(json.loads(slurm)) if slurm != "null" else None, json.loads(overrides))
            for since, slurm, overrides in rows
        )
