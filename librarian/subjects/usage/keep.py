"""Hourly usage and the runs that ended, which are kept for good; the sums over months and days follow them."""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
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
# the rows of the whole bins in a span; quickest to write in the order of the table's index
_Rows = Callable[[Span], Sequence[_Row]]
_AT_ONCE = 200_000  # values: of a few hundred users those of all bins since the last cycle, and of a month in pieces


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
        tables: dict[str, _Rows] = {"usage": _usage_rows(usage, finished)}
        if more:
            tables["account_usage"] = _usage_rows(more.usage, finished)
            tables["ended"] = _ended_rows(more, finished)
        with self._store.transaction():
            if edition is not None and self._store.edition() != edition:
                return 0
            changes = _Changes()
            for span in self._open_to_change(scope, begin, end, window):
                self._store.add_known(scope, PAUSES, span)
                for piece in self._pieces(scope, span, window, usage.integrals[:, :, :1].size):
                    self._write(scope, piece, tables, (USAGE, RUNS) if more else (USAGE,), changes)
            self._sums.follow(scope, window.zone, changes.instants)
            return changes.count

    def take(self, part: Hours, scope: Scope, span: Span, zone: str) -> int:
        """Make the whole bins that `part` kept of `span` ours, in one transaction; returns how many values changed.

        What is known of `span` then is what `part` knows: the caller has looked that it knows all of it. The same part
        may be taken again, and changes nothing then. `zone` is that of the months where there are none yet.
        """
        tables = {name: functools.partial(part.rows, name, scope) for name in _BINS}
        with self._store.transaction():
            changes = _Changes()
            for known in clipped(part._store.known(scope, PAUSES), *span):
                self._store.add_known(scope, PAUSES, known)
            self._write(scope, span, tables, (USAGE, RUNS), changes)
            self._sums.follow(scope, self._sums.zone(scope) or zone, changes.instants)
            return changes.count

    def rows(self, table: str, scope: Scope, span: Span) -> Sequence[_Row]:
        """The rows of the whole bins in a span, in the order of the table's index."""
        sql = f"SELECT {_columns(table)} FROM {table} WHERE scope = ? AND start >= ? AND start + seconds <= ?"  # noqa: S608
        return self._store.all(sql, self._store.key(scope), *span)

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

    def _pieces(self, scope: Scope, span: Span, window: Window, values: int) -> Sequence[Span]:
        """A span in pieces of some of the window's bins, each of which has so many `values` at most: what a crowd came
        to in a month is more than is good to have in memory at once.

        Where bins are stored that reach from one piece into the next, both are one.
        """
        each = max(_AT_ONCE // max(values, 1), 1)
        inside = [edge for edge in window.edges[::each].tolist() if span[0] < edge < span[1]]
        edges = [span[0], *(edge for edge in inside if not self._crossed(scope, edge)), span[1]]
        return list(itertools.pairwise(edges))

    def _crossed(self, scope: Scope, edge: int) -> bool:
        """Whether a bin is stored that begins before `edge` (UTC epoch) and ends after it."""
        where = "WHERE scope = ? AND start > ? AND start < ? AND start + seconds > ? LIMIT 1"
        values = (self._store.key(scope), edge - DAY, edge, edge)
        return any(self._store.one(f"SELECT 1 FROM {table} {where}", *values) for table in _BINS)  # noqa: S608

    def _write(
        self, scope: Scope, span: Span, tables: Mapping[str, _Rows], known: Sequence[str], changes: _Changes
    ) -> None:
        """Make what `tables` have of `span` all that is said of it, of which `known` is known then."""
        for name, rows in tables.items():
            self._replace(name, scope, span, rows(span), changes)
        for what in known:
            self._store.add_known(scope, what, span)

    def _replace(self, table: str, scope: Scope, span: Span, fresh: Sequence[_Row], changes: _Changes) -> None:
        """Make `fresh` all that the table says of `span`; the rows that go or come are noted."""
        names, key = _BINS[table], self._store.key(scope)
        columns = _columns(table)
        sql = f"SELECT {columns} FROM {table} WHERE scope = ? AND start > ? AND start < ? AND start + seconds > ?"  # noqa: S608
        known = set(self._store.all(sql, key, span[0] - DAY, span[1], span[0]))
        where = " AND ".join(f"{name} = ?" for name in ("scope", *names[:-1]))
        old, new = _differences(known, fresh, span)
        self._store.execute_many(
            f"DELETE FROM {table} WHERE {where}",  # noqa: S608
            [(key, row[0], *row[2:-1]) for row in old],
        )
        marks = ", ".join("?" * (len(names) + 2))
        self._store.execute_many(
            f"INSERT OR REPLACE INTO {table} (scope, {columns}) VALUES ({marks})",  # noqa: S608
            ((key, *row) for row in new),
        )
        changes.note(old)
        changes.note(new)


class _Changes:
    """How many rows changed, and which instants they touch: begin and last second of their bins (UTC epochs)."""

    def __init__(self) -> None:
        self.count = 0
        self.instants: set[int] = set()

    def note(self, rows: Collection[_Row]) -> None:
        """These rows went or came."""
        self.count += len(rows)
        for start, seconds in {row[:2] for row in rows}:
            self.instants |= {start, start + seconds - 1}


def _differences(known: set[_Row], fresh: Sequence[_Row], span: Span) -> tuple[Collection[_Row], Sequence[_Row]]:
    """The rows that go and those that come where `fresh` is to be all that is said of a span."""
    if not known:
        return (), fresh
    wanted = {*fresh, *(rest for row in known for rest in _outside(row, *span))}
    return known - wanted, sorted(wanted - known)


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


def _usage_rows(usage: Usage, finished: int) -> _Rows:
    """What was held in those of the first `finished` bins that lie in a span."""
    edges, order = usage.window.edges.tolist(), sorted(range(len(usage.observables)), key=lambda row: _key(usage, row))
    keys = [_key(usage, row) for row in order]

    def rows(span: Span) -> list[_Row]:
        first, last = _bins(edges, finished, span)
        found = usage.integrals[order, :, first:last].transpose(2, 0, 1)
        places = np.nonzero(found)
        columns = (part.tolist() for part in (*places, found[places]))
        return [
            (edges[first + at], edges[first + at + 1] - edges[first + at], keys[row], usage.users[user], amount)
            for at, row, user, amount in zip(*columns, strict=True)
        ]

    return rows


def _key(usage: Usage, row: int) -> str:
    return usage.observables[row].key


def _ended_rows(more: ByAccount, finished: int) -> _Rows:
    """The runs that ended in those of the first `finished` bins that lie in a span."""
    edges, places = more.usage.window.edges.tolist(), [row[0] for row in more.ended]

    def rows(span: Span) -> list[_Row]:
        first, last = (bisect.bisect_left(places, place) for place in _bins(edges, finished, span))
        return [(edges[place], edges[place + 1] - edges[place], *row) for place, *row in more.ended[first:last]]

    return rows


def _bins(edges: Sequence[int], finished: int, span: Span) -> Span:
    """The first bin that lies in a span, and the one after the last."""
    first = bisect.bisect_left(edges, span[0])
    return first, max(min(bisect.bisect_right(edges, span[1]) - 1, finished), first)
