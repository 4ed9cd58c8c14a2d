"""What all subjects share of an open store: facts, which time is known, the edition of the runs, bins that are over."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from librarian.shared.calendar import DAY
from librarian.shared.scope import Scope
from librarian.shared.spans import Span, Spans, joined
from librarian.store.database import Database

COPIED = "copied"  # a fact of a store that was a copy: of which time


class Store(Database):
    """An open store. Use `open_store`. Each subject keeps its own tables in it, see its module `keep`."""

    def __init__(self, connection: Connection, path: Path) -> None:
        super().__init__(connection, path)
        self._older_keys: dict[str, str] | None = None

    def key(self, scope: Scope) -> str:
        """What the tables say for a scope: its key, but for one that is kept since before keys had a cluster."""
        if self._older_keys is None:
            self._older_keys = dict(self.all("SELECT key, stored FROM older_key"))
        return self._older_keys.get(scope.key, scope.key)

    # facts

    def fact(self, name: str) -> Any:
        """The last known value of a fact (anything JSON holds), or None."""
        row = self.one("SELECT value FROM fact WHERE name = ?", name)
        return json.loads(row[0]) if row else None

    def seen(self, name: str) -> int | None:
        """As of when (UTC epoch) a fact is known; None where it is not."""
        row = self.one("SELECT seen FROM fact WHERE name = ?", name)
        return row[0] if row else None

    def know(self, name: str, value: object, seen: int) -> None:
        """Remember a fact as of `seen` (UTC epoch)."""
        with self.transaction():
            self.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (name, json.dumps(value), seen))

    # what comes from a copy

    def settled(self) -> int:
        """Up to when (UTC epoch) what was written down came with a copy: Slurm may have purged the runs since, so it is
        not computed again. The last day before the copy is: late records may belong there."""
        copied = self.fact(COPIED)
        return copied - DAY if isinstance(copied, int) else 0

    # which time is known

    def known(self, scope: Scope, what: str) -> Spans:
        """The spans of time of which `what` is known: a word of the subject that keeps it.

        A subject that came later than others knows nothing of the time before, which is not the same as 0.
        """
        rows = self.all(
            "SELECT begin, until FROM known WHERE scope = ? AND what = ? ORDER BY begin", self.key(scope), what
        )
        return tuple(rows)

    def add_known(self, scope: Scope, what: str, span: Span) -> None:
        """Note that `what` is known of a span too."""
        with self.transaction():
            before = self.known(scope, what)
            after = joined([*before, span])
            if after != before:
                self.execute("DELETE FROM known WHERE scope = ? AND what = ?", (self.key(scope), what))
                rows = [(self.key(scope), what, *one) for one in after]
                self.execute_many("INSERT INTO known VALUES (?, ?, ?, ?)", rows)

    # bins that are over

    def edition(self) -> int:
        """A number that changes whenever what was told of runs has changed."""
        return int(self.one("SELECT number FROM edition")[0])

    def runs_changed(self, moment: int) -> None:
        """What was told of runs is another from `moment` (UTC epoch) on: kept bins hold up to there, whose ever."""
        with self.transaction():
            self.execute("UPDATE edition SET number = number + 1")
            self.execute("UPDATE bins SET until = ? WHERE until > ?", (moment, moment))

    def kept_bins(self, scope: Scope, subject: str) -> tuple[int, bytes] | None:
        """Up to when (UTC epoch) the bins of a subject hold, and the bins as it packed them; None where none are."""
        row = self.one("SELECT until, data FROM bins WHERE scope = ? AND subject = ?", self.key(scope), subject)
        return (row[0], row[1]) if row else None

    def keep_bins(self, scope: Scope, subject: str, until: int, data: bytes, edition: int) -> bool:
        """Keep bins that were computed from the runs of that edition; they are left out where there is a newer one."""
        with self.transaction():
            if self.edition() != edition:
                return False
            self.execute("INSERT OR REPLACE INTO bins VALUES (?, ?, ?, ?)", (self.key(scope), subject, until, data))
        return True

    def forget_bins(self, scopes: Collection[Scope]) -> None:
        """Drop what is kept of other scopes than these: nobody asks for it any more."""
        kept = {self.key(scope) for scope in scopes}
        with self.transaction():
            others = [row for row in self.all("SELECT DISTINCT scope FROM bins") if row[0] not in kept]
            self.execute_many("DELETE FROM bins WHERE scope = ?", others)
