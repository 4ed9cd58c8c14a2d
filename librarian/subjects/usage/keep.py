"""Hourly usage and the runs that ended, which are kept for good; the sums over months and days follow them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from librarian.shared.scope import Scope
from librarian.shared.slices import gaps
from librarian.shared.spans import Span, clipped, joined
from librarian.shared.window import DAY, Window
from librarian.store import Store
from librarian.subjects.usage.accounts import ByAccount
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.sums import PAUSES, RUNS, USAGE, HourSums

# The tables of bins: the columns behind `scope` that name a row, then the one that counts.
_BINS = {
    "usage": ("start", "observable", "user", "amount"),
    "account_usage": ("start", "observable", "account", "amount"),
    "ended": ("start", "user", "account", "state", "runs"),
}
# (start, seconds, the other names of the row, ..., what it counts)
_Row = tuple[Any, ...]


class Hours:
    """Usage by bin, observable and user or account, and runs that ended by bin, user, account and state: in an open
    store."""

    def __init__(self, store: Store) -> None:
        self._store, self._sums = store, HourSums(store)

    def keep(self, scope: Scope, usage: Usage, more: ByAccount | None = None, edition: int | None = None) -> int:
        """Write the finished bins of `usage`, and of `more` of the same window; what the store says already stays.

        Nothing is written where the runs are of another `edition` by now than they were computed from.
        Returns the number of values that changed. `amount` is in unit-seconds; zeros are not stored. The sums of the
        months and days that are touched are made anew. What is stored under other edges, from another bin length or
        zone, gives way; of a bin that reaches out of the window an even share stays. Hours that came with a copy stay
        as they are: Slurm may have purged their runs since.
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
        with self._store.transaction():
            if edition is not None and self._store.edition() != edition:
                return 0
            changed = 0
            for span in self._open_to_change(scope, begin, end, window):
                self._store.add_known(scope, PAUSES, span)
                inside = {name: _within(rows, *span) for name, rows in tables.items()}
                changed += self._write(scope, span, inside, (USAGE, RUNS) if more else (USAGE,), window.zone)
            return changed

    def take(self, part: Hours, scope: Scope, span: Span, zone: str) -> int:
        """Make the whole bins that `part` kept of `span` ours, in one transaction; returns how many values changed.

        What is known of `span` then is what `part` knows: the caller has looked that it knows all of it. The same part
        may be taken again, and changes nothing then. `zone` is that of the months where there are none yet.
        """
        tables = {name: part.rows(name, scope, span) for name in _BINS}
        with self._store.transaction():
            for known in clipped(part._store.known(scope, PAUSES), *span):
                self._store.add_known(scope, PAUSES, known)
            return self._write(scope, span, tables, (USAGE, RUNS), self._sums.zone(scope) or zone)

    def rows(self, table: str, scope: Scope, span: Span) -> set[_Row]:
        """The rows of the whole bins in a span."""
        sql = f"SELECT {_columns(table)} FROM {table} WHERE scope = ? AND start >= ? AND start + seconds <= ?"  # noqa: S608
        return set(self._store.all(sql, self._store.key(scope), *span))

    def written(self, scope: Scope) -> int:
        """The end (UTC epoch) of the last bin in which anybody used anything; 0 where there is none."""
        (end,) = self._store.one("SELECT max(start + seconds) FROM usage WHERE scope = ?", self._store.key(scope))
        return end or 0

    def usage(self, scope: Scope, begin: int, end: int) -> pd.DataFrame:
        """Hourly usage in [begin, end): columns start, seconds, observable, user, amount (unit-seconds)."""
        rows = self._store.all(
            "SELECT start, seconds, observable, user, amount FROM usage WHERE scope = ? AND start >= ? AND start < ?",
            *(self._store.key(scope), begin, end),
        )
        table: pd.DataFrame = pd.DataFrame(rows, columns=["start", "seconds", "observable", "user", "amount"])
        return table

    # within a transaction

    def _open_to_change(self, scope: Scope, begin: int, end: int, window: Window) -> Sequence[Span]:
        """What of [begin, end) may be written: what no copy had, and what is known of it already is not settled."""
        place = max(int(np.searchsorted(window.edges, self._store.settled(), side="right")) - 1, 0)
        settled = min(max(int(window.edges[place]), begin), end)
        return joined([*gaps(self._store.known(scope, USAGE), begin, settled), (settled, end)])

    def _write(self, scope: Scope, span: Span, tables: dict[str, set[_Row]], known: Sequence[str], zone: str) -> int:
        """Make `tables` all that is said of `span`, of which `known` is known then; the sums follow."""
        changed = [row for name, rows in tables.items() for row in self._replace(name, scope, span, rows)]
        for what in known:
            self._store.add_known(scope, what, span)
        touched = {row[0] for row in changed} | {row[0] + row[1] - 1 for row in changed}
        self._sums.follow(scope, zone, touched)
        return len(changed)

    def _replace(self, table: str, scope: Scope, span: Span, fresh: set[_Row]) -> set[_Row]:
        """Make `fresh` all that the table says of `span`; returns the rows that went or came."""
        names = _BINS[table]
        columns = _columns(table)
        sql = f"SELECT {columns} FROM {table} WHERE scope = ? AND start > ? AND start < ? AND start + seconds > ?"  # noqa: S608
        known = set(self._store.all(sql, self._store.key(scope), span[0] - DAY, span[1], span[0]))
        wanted = fresh | {rest for row in known for rest in _outside(row, *span)}
        where = " AND ".join(f"{name} = ?" for name in ("scope", *names[:-1]))
        self._store.execute_many(
            f"DELETE FROM {table} WHERE {where}",  # noqa: S608
            [(self._store.key(scope), row[0], *row[2:-1]) for row in known - wanted],
        )
        marks = ", ".join("?" * (len(names) + 2))
        self._store.execute_many(
            f"INSERT OR REPLACE INTO {table} (scope, {columns}) VALUES ({marks})",  # noqa: S608
            [(self._store.key(scope), *row) for row in wanted - known],
        )
        return known ^ wanted


def _within(rows: set[_Row], begin: int, end: int) -> set[_Row]:
    """The rows of the bins that lie in a span."""
    return {row for row in rows if begin <= row[0] and row[0] + row[1] <= end}


def _columns(table: str) -> str:
    names = _BINS[table]
    return ", ".join((names[0], "seconds", *names[1:]))


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
