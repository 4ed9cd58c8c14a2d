"""What a backfill brings: people that no run of the store names, and hours that another store kept."""

from __future__ import annotations

from collections.abc import Iterable

from librarian.subjects.jobs.keep import Scope
from librarian.subjects.months.keep import RUNS, USAGE
from librarian.subjects.usage.keep import BINS, Usages


class Merging(Usages):
    """Takes in hours from elsewhere."""

    def meet(self, people: Iterable[str]) -> None:
        """Remember users who were told of."""
        with self._transaction():
            self._meet(people)

    def take_hours(self, part: Merging, scope: Scope, span: tuple[int, int], zone: str) -> int:
        """Make the whole bins that `part` kept of `span` ours, in one transaction; returns how many values changed.

        What is known of `span` then is what `part` knows: the caller has looked that it knows all of it. The same part
        may be taken again, and changes nothing then. `zone` is that of the months where there are none yet.
        """
        where = "WHERE scope = ? AND start >= ? AND start + seconds <= ?"
        tables = {}
        for name, columns in BINS.items():
            found = ", ".join((columns[0], "seconds", *columns[1:]))
            tables[name] = set(part._all(f"SELECT {found} FROM {name} {where}", scope.key, *span))  # noqa: S608
        people = [row[0] for row in part._all("SELECT name FROM person")]
        with self._transaction():
            self._meet(people)
            changed = [row for name, rows in tables.items() for row in self._replace(name, scope, span, rows)]
            for what in (USAGE, RUNS):
                self._know(scope, what, span)
            touched = {row[0] for row in changed} | {row[0] + row[1] - 1 for row in changed}
            self._roll_up(scope, self._zone(scope) or zone, touched)
        return len(changed)

    def _meet(self, people: Iterable[str]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO person VALUES (?)", ((name,) for name in people))
