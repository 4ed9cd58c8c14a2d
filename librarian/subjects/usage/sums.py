"""Sums of usage over calendar months and days: kept beside the hours they come from, so that nobody adds up years."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Collection, Iterable
from typing import Any

from librarian.shared.calendar import midnights, month_after, month_start, month_starts
from librarian.shared.scope import Scope
from librarian.store import Store

USAGE, RUNS = "usage", "runs"  # what is known: hours by user; hours by account, and the runs that ended
# and which of these hours count a suspended job as Slurm does: an older release let a pause stop all that it held
PAUSES = "pauses"
_HOURS = ("usage", "account_usage", "ended")
_SUMS = ("month_usage", "month_ended", "day_usage")
# A bin may reach over the edge of a month where the zone was another when it was written: its share counts. Bins are a
# day long at most, which lets the index find them.
_OVERLAP = "scope = :scope AND start > :begin - 86400 AND start < :end AND start + seconds > :begin"
_SHARE = "SUM(amount * (MIN(start + seconds, :end) - MAX(start, :begin)) / seconds)"
_BY_USER = f"SELECT user, observable, {_SHARE} FROM usage WHERE {_OVERLAP} GROUP BY user, observable"  # noqa: S608
_BY_ACCOUNT = f"SELECT account, observable, {_SHARE} FROM account_usage WHERE {_OVERLAP} GROUP BY account, observable"  # noqa: S608
_BY_BIN = f"SELECT start, seconds, observable, SUM(amount) FROM usage WHERE {_OVERLAP} GROUP BY 1, 2, 3"  # noqa: S608
_ENDED = """SELECT user, account, state, SUM(runs) FROM ended
    WHERE scope = :scope AND start >= :begin AND start < :end GROUP BY user, account, state"""


_Row = tuple[Any, ...]


class HourSums:
    """The tables of sums, and exact sums of the hours themselves, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def zone(self, scope: Scope) -> str | None:
        """The zone of the months and days; None where nothing is summed yet."""
        row = self._store.one("SELECT zone FROM rollup WHERE scope = ?", self._store.key(scope))
        return row[0] if row else None

    def follow(self, scope: Scope, zone: str, touched: Collection[int]) -> None:
        """Make the sums of all months anew that hold one of the instants `touched`; of all months in a new zone."""
        starts = {month_start(epoch, zone) for epoch in touched}
        if self.zone(scope) != zone:
            for table in _SUMS:
                self._store.execute(f"DELETE FROM {table} WHERE scope = ?", (self._store.key(scope),))  # noqa: S608
            self._store.execute("INSERT OR REPLACE INTO rollup VALUES (?, ?)", (self._store.key(scope), zone))
            starts = set(self._all_months(scope, zone))
        for begin in sorted(starts):
            self._roll_month(scope, begin, zone)

    def month(self, scope: Scope, begin: int, end: int) -> tuple[list[_Row], list[_Row]]:
        """From the bins in [begin, end): (kind, name, observable, amount), and (user, account, state, runs)."""
        values = {"scope": self._store.key(scope), "begin": begin, "end": end}
        kinds = {"user": _BY_USER, "account": _BY_ACCOUNT}
        usage = [(kind, *row) for kind, sql in kinds.items() for row in self._store.execute(sql, values)]
        return usage, self._store.execute(_ENDED, values).fetchall()

    def days(self, scope: Scope, begin: int, end: int, zone: str) -> list[tuple[int, str, float]]:
        """From the bins in [begin, end): (begin of the day, observable, amount)."""
        edges = midnights(begin, end - 1, zone)
        sums: dict[tuple[int, str], float] = {}
        values = {"scope": self._store.key(scope), "begin": begin, "end": end}
        for start, seconds, key, amount in self._store.execute(_BY_BIN, values):
            first = max(bisect.bisect_right(edges, start) - 1, 0)
            for since, until in itertools.pairwise(edges[first:]):
                overlap = min(start + seconds, until, end) - max(start, since)
                if overlap <= 0:
                    break
                sums[since, key] = sums.get((since, key), 0.0) + amount * overlap / seconds
        return [(day, key, amount) for (day, key), amount in sums.items()]

    def has_later(self, scope: Scope, end: int) -> bool:
        """Whether there are bins that begin at `end` or later: of a clock that went back, or of shorter bins."""
        key = self._store.key(scope)
        found = (
            self._store.one(f"SELECT 1 FROM {table} WHERE scope = ? AND start >= ? LIMIT 1", key, end)  # noqa: S608
            for table in _HOURS
        )
        return any(found)

    # within

    def _roll_month(self, scope: Scope, begin: int, zone: str) -> None:
        end = month_after(begin, zone)
        for table in _SUMS:
            sql = f"DELETE FROM {table} WHERE scope = ? AND begin >= ? AND begin < ?"  # noqa: S608
            self._store.execute(sql, (self._store.key(scope), begin, end))
        usage, ended = self.month(scope, begin, end)
        for table, rows in (("month_usage", usage), ("month_ended", ended)):
            self._insert(table, ((self._store.key(scope), begin, *row) for row in rows))
        self._insert("day_usage", ((self._store.key(scope), *row) for row in self.days(scope, begin, end, zone)))

    def _insert(self, table: str, rows: Iterable[_Row]) -> None:
        every = list(rows)
        if every:
            marks = ", ".join("?" * len(every[0]))
            self._store.execute_many(f"INSERT INTO {table} VALUES ({marks})", every)  # noqa: S608

    def _all_months(self, scope: Scope, zone: str) -> list[int]:
        """The months of all bins."""
        key = self._store.key(scope)
        ends = (
            self._store.one(f"SELECT MIN(start), MAX(start + seconds) FROM {table} WHERE scope = ?", key)  # noqa: S608
            for table in _HOURS
        )
        spans = [row for row in ends if row[0] is not None]
        if not spans:
            return []
        return month_starts(min(row[0] for row in spans), max(row[1] for row in spans) - 1, zone)
