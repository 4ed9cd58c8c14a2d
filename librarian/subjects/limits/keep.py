"""What was observed of the cluster: limits as they changed, which are kept for good, and facts."""

from __future__ import annotations

import json
from typing import Any

from librarian.store.database import Database
from librarian.subjects.limits.model import Change
from librarian.subjects.limits.rules import pack, unpack


class Observed(Database):
    """Limits as they changed, and facts."""

    def keep_limits(self, qos: str, limits: Change) -> bool:
        """Remember what the limits of a QoS follow from, if that changed; whether it did. The future is forgotten."""
        slurm = pack(limits.slurm) if limits.slurm else None
        row = (json.dumps(slurm, sort_keys=True), json.dumps(dict(limits.overrides), sort_keys=True))
        known = "FROM limit_change WHERE qos = ?"
        with self._transaction():
            # seen by a clock that has gone back since
            self._db.execute(f"DELETE {known} AND since > ?", (qos.lower(), limits.since))
            last = self._db.execute(f"SELECT slurm, overrides {known} ORDER BY since DESC", (qos.lower(),)).fetchone()
            if last != row:
                values = (qos.lower(), limits.since, *row)
                self._db.execute("INSERT OR REPLACE INTO limit_change VALUES (?, ?, ?, ?)", values)
        return last != row

    def limit_changes(self, qos: str) -> tuple[Change, ...]:
        """What the limits of a QoS followed from, each time it changed, in order of time."""
        rows = self._all("SELECT since, slurm, overrides FROM limit_change WHERE qos = ? ORDER BY since", qos.lower())
        return tuple(
            Change(since, unpack(json.loads(slurm)) if slurm != "null" else None, json.loads(overrides))
            for since, slurm, overrides in rows
        )

    # facts about the cluster

    def people(self) -> frozenset[str]:
        """Every user whose jobs were ever seen."""
        return frozenset(row[0] for row in self._all("SELECT name FROM person"))

    def fact(self, name: str) -> Any:
        """The last known value of a fact (anything JSON holds), or None."""
        row = self._one("SELECT value FROM fact WHERE name = ?", name)
        return json.loads(row[0]) if row else None

    def know(self, name: str, value: object, seen: int) -> None:
        """Remember a fact as of `seen`."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (name, json.dumps(value), seen))
