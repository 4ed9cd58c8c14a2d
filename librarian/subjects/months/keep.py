"""Sums over calendar months and days: kept beside the bins that they come from, so that nobody has to add up years."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from librarian.shared.calendar import midnights, month_after, month_start, month_starts
from librarian.shared.spans import Spans
from librarian.store.database import Database
from librarian.subjects.jobs.keep import Scope
from librarian.subjects.usage.hours import Hours

USAGE, RUNS = "usage", "runs"  # what is known: hours by user; hours by account, and the runs that ended
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


class Months(Database):
    """What is known of past months and days. Their zone is that of the last `keep_usage`."""

    def known(self, scope: Scope, what: str) -> Spans:
        """The spans of time of which `USAGE` or `RUNS` are known."""
        with self._guarded():
            return self._spans(scope, what)

    def kept_months(self, scope: Scope, end: int) -> list[Hours]:
        """The months of which bins are kept, oldest first, without the bins that begin at `end` or later."""
        with self._guarded():
            usage, ended = (self._sums(table, scope) for table in _SUMS[:2])
            zone = self._zone(scope)
            begins = sorted(begin for begin in usage.keys() | ended.keys() if begin < end)
            if not zone or not self._has_later(scope, end):
                return [_kept(begin, usage[begin], ended[begin]) for begin in begins]
            last = month_start(end - 1, zone)
            earlier = [_kept(begin, usage[begin], ended[begin]) for begin in begins if begin < last]
            return [*earlier, _kept(last, *self._month(scope, last, end))]

    def kept_days(self, scope: Scope, observable: str, begin: int, end: int) -> dict[int, float]:
        """Unit-seconds of all users by the begin of each day from `begin` on, without bins that begin at `end` or
        later; days without any are left out."""
        with self._guarded():
            sql = "SELECT begin, amount FROM day_usage WHERE scope = ? AND observable = ? AND begin >= ? AND begin < ?"
            found: dict[int, float] = dict(self._db.execute(sql, (scope.key, observable, begin, end)))
            zone = self._zone(scope)
            if zone and self._has_later(scope, end):
                last = month_start(end - 1, zone)
                exact = {day: amount for day, key, amount in self._days(scope, last, end, zone) if key == observable}
                found = {day: amount for day, amount in found.items() if day < last}
                found |= {day: amount for day, amount in exact.items() if begin <= day < end}
            return found

    # within a transaction
    def _roll_up(self, scope: Scope, zone: str, touched: Collection[int]) -> None:
        """Make the sums of all months anew that hold one of the instants `touched`; of all months in a new zone."""
        starts = {month_start(epoch, zone) for epoch in touched}
        if self._zone(scope) != zone:
            for table in _SUMS:
                self._db.execute(f"DELETE FROM {table} WHERE scope = ?", (scope.key,))  # noqa: S608
            self._db.execute("INSERT OR REPLACE INTO rollup VALUES (?, ?)", (scope.key, zone))
            starts = set(self._all_months(scope, zone))
        for begin in sorted(starts):
            self._roll_month(scope, begin, zone)

    def _roll_month(self, scope: Scope, begin: int, zone: str) -> None:
        end = month_after(begin, zone)
        for table in _SUMS:
            sql = f"DELETE FROM {table} WHERE scope = ? AND begin >= ? AND begin < ?"  # noqa: S608
            self._db.execute(sql, (scope.key, begin, end))
        usage, ended = self._month(scope, begin, end)
        for table, rows in (("month_usage", usage), ("month_ended", ended)):
            self._insert(table, ((scope.key, begin, *row) for row in rows))
        self._insert("day_usage", ((scope.key, *row) for row in self._days(scope, begin, end, zone)))

    def _insert(self, table: str, rows: Iterable[_Row]) -> None:
        every = list(rows)
        if every:
            marks = ", ".join("?" * len(every[0]))
            self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", every)  # noqa: S608

    def _all_months(self, scope: Scope, zone: str) -> list[int]:
        """The months of all bins."""
        ends = [
            self._db.execute(f"SELECT MIN(start), MAX(start + seconds) FROM {table} WHERE scope = ?", (scope.key,))  # noqa: S608
            for table in ("usage", "account_usage", "ended")
        ]
        spans = [row for row in (found.fetchone() for found in ends) if row[0] is not None]
        if not spans:
            return []
        return month_starts(min(row[0] for row in spans), max(row[1] for row in spans) - 1, zone)

    def _month(self, scope: Scope, begin: int, end: int) -> tuple[list[_Row], list[_Row]]:
        """From the bins in [begin, end): (kind, name, observable, amount), and (user, account, state, runs)."""
        values = {"scope": scope.key, "begin": begin, "end": end}
        kinds = {"user": _BY_USER, "account": _BY_ACCOUNT}
        usage = [(kind, *row) for kind, sql in kinds.items() for row in self._db.execute(sql, values)]
        return usage, self._db.execute(_ENDED, values).fetchall()

    def _days(self, scope: Scope, begin: int, end: int, zone: str) -> list[tuple[int, str, float]]:
        """From the bins in [begin, end): (begin of the day, observable, amount)."""
        edges = midnights(begin, end - 1, zone)
        sums: dict[tuple[int, str], float] = {}
        values = {"scope": scope.key, "begin": begin, "end": end}
        for start, seconds, key, amount in self._db.execute(_BY_BIN, values):
            first = max(bisect.bisect_right(edges, start) - 1, 0)
            for since, until in itertools.pairwise(edges[first:]):
                overlap = min(start + seconds, until, end) - max(start, since)
                if overlap <= 0:
                    break
                sums[since, key] = sums.get((since, key), 0.0) + amount * overlap / seconds
        return [(day, key, amount) for (day, key), amount in sums.items()]

    def _sums(self, table: str, scope: Scope) -> dict[int, list[_Row]]:
        """The rows of a table of months by the begin of the month."""
        columns = {"month_usage": "kind, name, observable, amount", "month_ended": "user, account, state, runs"}
        sql = f"SELECT begin, {columns[table]} FROM {table} WHERE scope = ?"  # noqa: S608
        found: dict[int, list[_Row]] = defaultdict(list)
        for begin, *row in self._db.execute(sql, (scope.key,)):
            found[begin].append(tuple(row))
        return found

    def _has_later(self, scope: Scope, end: int) -> bool:
        """Whether there are bins that begin at `end` or later: of a clock that went back, or of shorter bins."""
        tables = ("usage", "account_usage", "ended")
        found = (
            self._db.execute(f"SELECT 1 FROM {table} WHERE scope = ? AND start >= ? LIMIT 1", (scope.key, end))  # noqa: S608
            for table in tables
        )
        return any(rows.fetchone() for rows in found)

    def _zone(self, scope: Scope) -> str | None:
        row = self._db.execute("SELECT zone FROM rollup WHERE scope = ?", (scope.key,)).fetchone()
        return row[0] if row else None

    def _spans(self, scope: Scope, what: str) -> Spans:
        sql = "SELECT begin, until FROM known WHERE scope = ? AND what = ? ORDER BY begin"
        return tuple(self._db.execute(sql, (scope.key, what)).fetchall())


def _kept(begin: int, usage: Iterable[_Row], ended: Iterable[_Row]) -> Hours:
    amounts: dict[str, dict[str, dict[str, float]]] = {"user": {}, "account": {}}
    for kind, name, key, amount in usage:
        amounts[kind].setdefault(name, {})[key] = amount
    return Hours(begin, amounts["user"], amounts["account"], {(u, a, s): runs for u, a, s, runs in ended})
