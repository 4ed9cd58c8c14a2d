"""The queue as it was last seen, and the history of what was waited for, which is kept for good."""

from __future__ import annotations

from collections.abc import Mapping

from librarian.errors import Trouble
from librarian.shared import troubles
from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.queue.blocking import Counted
from librarian.subjects.queue.demand import KEYS, Samples, looks_table, sums_table
from librarian.subjects.queue.model import Demand, LastQueue
from librarian.subjects.queue.table import COLUMNS, Table, queue_table

SLOT, HOUR = 300, 3600  # the shortest bins are as long, and all bins of all zones begin with a slot
FINE = 40 * 86400  # slots older than that, older than the usual window, are put together to hours
_PAUSE = 40 * 86400  # how far back one looks for these

_ADD_LOOKS = "ON CONFLICT DO UPDATE SET samples = samples + excluded.samples"
_ADD_WANTED = """ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, cpus = cpus + excluded.cpus,
    gpus = gpus + excluded.gpus, memory = memory + excluded.memory"""


class QueueSamples:
    """The queue as it was last seen and samples of it, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(
        self,
        scope: Scope,
        at: int,
        table: Table,
        error: str | None = None,
        trouble: Trouble | None = None,
        counted: Counted | None = None,
    ) -> None:
        """Remember the queue as it was told `at` (UTC epoch), in the place of what was told before; what was wrong with
        the answer, and what Slurm `counted` then against limits that others fill too."""
        marks, key = ", ".join("?" * (len(COLUMNS) + 1)), self._store.key(scope)
        with self._store.transaction():
            row = (self._store.key(scope), at, error, troubles.stored(trouble))
            self._store.execute("INSERT OR REPLACE INTO queue (scope, at, error, trouble) VALUES (?, ?, ?, ?)", row)
            self._store.execute("DELETE FROM waiting WHERE scope = ?", (self._store.key(scope),))
            names = ", ".join(COLUMNS)
            sql = f"INSERT INTO waiting (scope, {names}) VALUES ({marks})"  # noqa: S608 (no value in it)
            self._store.execute_many(sql, ((key, *row) for row in table))
            if counted or self._store.fact(self._counted(scope)):
                self._store.know(self._counted(scope), counted or {}, at)

    def _counted(self, scope: Scope) -> str:
        return f"counted {self._store.key(scope)}"

    def failed(self, scope: Scope, error: str, trouble: Trouble = Trouble.SLURM) -> None:
        """Remember why nothing newer was told; what was told last stays."""
        with self._store.transaction():
            sql = """INSERT INTO queue (scope, error, trouble) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET error = excluded.error, trouble = excluded.trouble"""
            self._store.execute(sql, (self._store.key(scope), error, troubles.stored(trouble)))

    def last(self, scope: Scope) -> LastQueue:
        """The queue as it was last told."""
        key, names = self._store.key(scope), ", ".join(COLUMNS)
        row = self._store.one("SELECT at, error, trouble FROM queue WHERE scope = ?", key)
        rows = self._store.all(f"SELECT {names} FROM waiting WHERE scope = ? ORDER BY submit, job", key)  # noqa: S608
        counted = self._store.fact(self._counted(scope)) or {}
        trouble = troubles.restored(*row[1:]) if row else None
        return LastQueue(row[0], queue_table(rows), row[1], trouble, counted) if row else LastQueue()

    # the history

    def add(self, scope: Scope, at: int, wanted: Mapping[str, Demand]) -> None:
        """Add what each user wanted `at` (UTC epoch) to the slot of that time."""
        slot = at - at % SLOT
        rows = [
            (self._store.key(scope), slot, user, demand.jobs, *(demand.wanted[key] for key in KEYS))
            for user, demand in wanted.items()
        ]
        with self._store.transaction():
            self._store.execute(f"INSERT INTO queue_look VALUES (?, ?, 1) {_ADD_LOOKS}", (self._store.key(scope), slot))  # noqa: S608
            self._store.execute_many(f"INSERT INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?) {_ADD_WANTED}", rows)  # noqa: S608
            self._thin_out(scope, at - FINE)

    def between(self, scope: Scope, begin: int, end: int) -> Samples:
        """The samples of the slots that begin in [begin, end)."""
        where = "WHERE scope = ? AND start >= ? AND start < ?"
        sums = self._store.all(
            f"SELECT start, user, jobs, cpus, gpus, memory FROM wanted {where}",  # noqa: S608
            *(self._store.key(scope), begin, end),
        )
        looks = self._store.all(f"SELECT start, samples FROM queue_look {where}", self._store.key(scope), begin, end)  # noqa: S608
        return Samples(sums_table(sums), looks_table(looks))

    def _thin_out(self, scope: Scope, horizon: int) -> None:
        """Put the slots of hours that are over before `horizon` together; the sums over samples stay what they are."""
        hour = f"start - start % {HOUR}"
        end = horizon - horizon % HOUR
        old = f"WHERE scope = ? AND start >= ? AND start < ? AND start % {HOUR} != 0"
        values = (self._store.key(scope), end - _PAUSE, end)
        looks = f"SELECT scope, {hour}, sum(samples) FROM queue_look {old} GROUP BY 2"  # noqa: S608
        sums = (
            f"SELECT scope, {hour}, user, sum(jobs), sum(cpus), sum(gpus), sum(memory) FROM wanted {old} GROUP BY 2, 3"  # noqa: S608
        )
        self._store.execute(f"INSERT INTO queue_look {looks} {_ADD_LOOKS}", values)
        self._store.execute(f"INSERT INTO wanted {sums} {_ADD_WANTED}", values)
        for table in ("queue_look", "wanted"):
            self._store.execute(f"DELETE FROM {table} {old}", values)  # noqa: S608
