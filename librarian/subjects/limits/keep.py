"""Limits as they changed, which are kept for good."""

from __future__ import annotations

import json

from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.limits.model import Change
from librarian.subjects.limits.rules import pack, unpack


class LimitChanges:
    """Limits as they changed, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, scope: Scope, limits: Change) -> bool:
        """Remember what the limits of a scope's QoS follow from, if that changed; whether it did.

        The future is forgotten.
        """
        slurm = pack(limits.slurm) if limits.slurm else None
        row = (json.dumps(slurm, sort_keys=True), json.dumps(dict(limits.overrides), sort_keys=True))
        key, known = self._store.key(scope.whole), "FROM limit_change WHERE scope = ?"
        with self._store.transaction():
            # seen by a clock that has gone back since
            self._store.execute(f"DELETE {known} AND since > ?", (key, limits.since))
            last = self._store.one(f"SELECT slurm, overrides {known} ORDER BY since DESC", key)
            if last != row:
                values = (key, limits.since, *row)
                self._store.execute("INSERT OR REPLACE INTO limit_change VALUES (?, ?, ?, ?)", values)
        return last != row

    def of(self, scope: Scope) -> tuple[Change, ...]:
        """What the limits of a scope's QoS followed from, each time it changed, in order of time."""
        sql = "SELECT since, slurm, overrides FROM limit_change WHERE scope = ? ORDER BY since"
        rows = self._store.all(sql, self._store.key(scope.whole))
        return tuple(
            Change(since, unpack(json.loads(slurm)) if slurm != "null" else None, json.loads(overrides))
            for since, slurm, overrides in rows
        )
