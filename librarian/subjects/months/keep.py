"""Sums over calendar months and days, read for what is told of months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from librarian.shared.calendar import month_start
from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.usage.rest import Sums
from librarian.subjects.usage.sums import HourSums

_COLUMNS = {"month_usage": "kind, name, observable, amount", "month_ended": "user, account, state, runs"}

_Row = tuple[Any, ...]


class MonthSums:
    """Past months and days, in an open store. Their zone is that of the hours that were kept last."""

    def __init__(self, store: Store) -> None:
        self._store, self._hours = store, HourSums(store)

    def months(self, scope: Scope, end: int) -> list[Sums]:
        """The months of which bins are kept, oldest first, without the bins that begin at `end` or later."""
        with self._store.guarded():
            usage, ended = (self._sums(table, scope) for table in _COLUMNS)
            zone = self._hours.zone(scope)
            begins = sorted(begin for begin in usage.keys() | ended.keys() if begin < end)
            if not zone or not self._hours.has_later(scope, end):
                return [_kept(begin, usage[begin], ended[begin]) for begin in begins]
            last = month_start(end - 1, zone)
            earlier = [_kept(begin, usage[begin], ended[begin]) for begin in begins if begin < last]
            return [*earlier, _kept(last, *self._hours.month(scope, last, end))]

    def days(self, scope: Scope, observable: str, begin: int, end: int) -> dict[int, float]:
        """Unit-seconds of all users by the begin of each day from `begin` on, without bins that begin at `end` or
        later; days without any are left out."""
        with self._store.guarded():
            sql = "SELECT begin, amount FROM day_usage WHERE scope = ? AND observable = ? AND begin >= ? AND begin < ?"
            found: dict[int, float] = dict(self._store.execute(sql, (self._store.key(scope), observable, begin, end)))
            zone = self._hours.zone(scope)
            if zone and self._hours.has_later(scope, end):
                last = month_start(end - 1, zone)
                exact = {
                    day: amount for day, key, amount in self._hours.days(scope, last, end, zone) if key == observable
                }
                found = {day: amount for day, amount in found.items() if day < last}
                found |= {day: amount for day, amount in exact.items() if begin <= day < end}
            return found

    def _sums(self, table: str, scope: Scope) -> dict[int, list[_Row]]:
        """The rows of a table of months by the begin of the month."""
        sql = f"SELECT begin, {_COLUMNS[table]} FROM {table} WHERE scope = ?"  # noqa: S608
        found: dict[int, list[_Row]] = defaultdict(list)
        for begin, *row in self._store.execute(sql, (self._store.key(scope),)):
            found[begin].append(tuple(row))
        return found


def _kept(begin: int, usage: Iterable[_Row], ended: Iterable[_Row]) -> Sums:
    amounts: dict[str, dict[Any, dict[str, float]]] = {"user": {}, "account": {}}
    for kind, name, key, amount in usage:
        amounts[kind].setdefault(name, {})[key] = amount
    return Sums(begin, amounts["user"], amounts["account"], {(u, a, s): runs for u, a, s, runs in ended})
