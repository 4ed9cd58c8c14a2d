"""Hourly usage and the runs that ended, which are kept for good; and the sums over months, which follow them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from librarian.shared.spans import joined
from librarian.shared.window import DAY
from librarian.subjects.jobs.keep import Scope
from librarian.subjects.months.keep import RUNS, USAGE, Months
from librarian.subjects.usage.accounts import ByAccount
from librarian.subjects.usage.binning import Usage

# The tables of bins: the columns behind `scope` that name a row, then the one that counts.
BINS = {
    "usage": ("start", "observable", "user", "amount"),
    "account_usage": ("start", "observable", "account", "amount"),
    "ended": ("start", "user", "account", "state", "runs"),
}
# (start, seconds, the other names of the row, ..., what it counts)
_Row = tuple[Any, ...]


class Usages(Months):
    """Usage by bin, observable and user or account; runs that ended by bin, user, account and state."""

    def keep_usage(self, scope: Scope, usage: Usage, more: ByAccount | None = None, edition: int | None = None) -> int:
        """Write the finished bins of `usage`, and of `more` of the same window; what the store says already stays.

        Nothing is written where the runs are of another `edition` by now than they were computed from.
        Returns the number of values that changed. `amount` is in unit-seconds; zeros are not stored. The sums of the
        months and days that are touched are made anew. What is stored under other edges, from another bin length or
        zone, gives way; of a bin that reaches out of the window an even share stays.
        """
        window = usage.window
        finished = int(np.searchsorted(window.edges, window.now, side="right")) - 1
        begin, end = window.start, int(window.edges[finished])
        tables: dict[str, set[_Row]] = {"usage": set(_usage_rows(usage, finished))}
        if more:
            edges = window.edges.tolist()
            tables["account_usage"] = set(_usage_rows(more.usage, finished))
            tables["ended"] = {
                (edges[place], edges[place + 1] - edges[place], *row) for place, *row in more.ended if place < finished
            }
        with self._transaction():
            if edition is not None and self._db.execute("SELECT number FROM edition").fetchone()[0] != edition:
                return 0
            changed = [row for name, rows in tables.items() for row in self._replace(name, scope, (begin, end), rows)]
            self._know(scope, USAGE, (begin, end))
            if more:
                self._know(scope, RUNS, (begin, end))
            touched = {row[0] for row in changed} | {row[0] + row[1] - 1 for row in changed}
            self._roll_up(scope, window.zone, touched)
        return len(changed)

    def usage(self, scope: Scope, begin: int, end: int) -> pd.DataFrame:
        """Hourly usage in [begin, end): columns start, seconds, observable, user, amount (unit-seconds)."""
        rows = self._all(
            "SELECT start, seconds, observable, user, amount FROM usage WHERE scope = ? AND start >= ? AND start < ?",
            *(scope.key, begin, end),
        )
        table: pd.DataFrame = pd.DataFrame(rows, columns=["start", "seconds", "observable", "user", "amount"])
        return table

    # within a transaction
    def _replace(self, table: str, scope: Scope, span: tuple[int, int], fresh: set[_Row]) -> set[_Row]:
        """Make `fresh` all that the table says of `span`; returns the rows that went or came."""
        names = BINS[table]
        columns = ", ".join((names[0], "seconds", *names[1:]))
        sql = f"SELECT {columns} FROM {table} WHERE scope = ? AND start > ? AND start < ? AND start + seconds > ?"  # noqa: S608
        known = set(self._db.execute(sql, (scope.key, span[0] - DAY, span[1], span[0])))
        wanted = fresh | {rest for row in known for rest in _outside(row, *span)}
        where = " AND ".join(f"{name} = ?" for name in ("scope", *names[:-1]))
        self._db.executemany(
            f"DELETE FROM {table} WHERE {where}",  # noqa: S608
            [(scope.key, row[0], *row[2:-1]) for row in known - wanted],
        )
        marks = ", ".join("?" * (len(names) + 2))
        self._db.executemany(
            f"INSERT OR REPLACE INTO {table} (scope, {columns}) VALUES ({marks})",  # noqa: S608
            [(scope.key, *row) for row in wanted - known],
        )
        return known ^ wanted

    def _know(self, scope: Scope, what: str, span: tuple[int, int]) -> None:
        before = self._spans(scope, what)
        after = joined([*before, span])
        if after != before:
            self._db.execute("DELETE FROM known WHERE scope = ? AND what = ?", (scope.key, what))
            self._db.executemany("INSERT INTO known VALUES (?, ?, ?, ?)", [(scope.key, what, *one) for one in after])


def _outside(row: _Row, begin: int, end: int) -> Sequence[_Row]:
    """The parts of a stored bin before `begin` and after `end`, each with its share; none of one that lies within."""
    start, stop = row[0], row[0] + row[1]
    if begin <= start and stop <= end:
        return ()
    found = []
    for since, until in ((start, min(stop, begin)), (max(start, end), stop)):
        share = row[-1] * (until - since) / row[1]
        amount = round(share) if isinstance(row[-1], int) else share
        if since < until and amount:
            found.append((since, until - since, *row[2:-1], amount))
    return found


def _usage_rows(usage: Usage, finished: int) -> Iterable[tuple[int, int, str, str, float]]:
    edges = usage.window.edges.tolist()
    integrals = usage.integrals[:, :, :finished]
    for row, column, place in np.argwhere(integrals).tolist():
        start, end = edges[place], edges[place + 1]
        amount = float(integrals[row, column, place])
        yield start, end - start, usage.observables[row].key, usage.users[column], amount
