"""Hourly usage, which is kept for good."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from librarian.core.usage import Usage
from librarian.store.database import Database
from librarian.store.queries import Scope


class Usages(Database):
    """Usage by bin, observable and user."""

    def keep_usage(self, scope: Scope, usage: Usage) -> int:
        """Write the finished bins of `usage`; those that say what the store says already are left alone.

        Returns the number of values that changed. `amount` is in unit-seconds; zeros are not stored.
        """
        window = usage.window
        finished = int(np.searchsorted(window.edges, window.now, side="right")) - 1
        end = int(window.edges[finished])
        fresh = set(_usage_rows(usage, finished))
        where = "FROM usage WHERE scope = ? AND start >= ? AND start < ?"
        known = set(self._all(f"SELECT start, seconds, observable, user, amount {where}", scope.key, window.start, end))
        with self._transaction():
            self._db.executemany(
                "DELETE FROM usage WHERE scope = ? AND start = ? AND observable = ? AND user = ?",
                [(scope.key, start, key, user) for start, _, key, user, _ in known - fresh],
            )
            self._db.executemany(
                "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?)", [(scope.key, *r) for r in fresh - known]
            )
        return len(known ^ fresh)

    def usage(self, scope: Scope, begin: int, end: int) -> pd.DataFrame:
        """Hourly usage in [begin, end): columns start, seconds, observable, user, amount (unit-seconds)."""
        rows = self._all(
            "SELECT start, seconds, observable, user, amount FROM usage WHERE scope = ? AND start >= ? AND start < ?",
            *(scope.key, begin, end),
        )
        table: pd.DataFrame = pd.DataFrame(rows, columns=["start", "seconds", "observable", "user", "amount"])
        return table


def _usage_rows(usage: Usage, finished: int) -> Iterable[tuple[int, int, str, str, float]]:
    edges = usage.window.edges.tolist()
    integrals = usage.integrals[:, :, :finished]
    for row, column, place in np.argwhere(integrals).tolist():
        start, end = edges[place], edges[place + 1]
        amount = float(integrals[row, column, place])
        yield start, end - start, usage.observables[row].key, usage.users[column], amount
