"""What was asked of Slurm when, and the job runs that it told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.errors import Trouble
from librarian.shared import troubles
from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.store.database import Steps
from librarian.subjects.jobs.changes import NEVER, changed_from, differing
from librarian.subjects.jobs.covered import Coverage, coverage
from librarian.subjects.jobs.model import COLUMNS, NUMBERS, TEXTS, coded, empty_jobs
from librarian.subjects.jobs.states import UNKNOWN, Reject
from librarian.subjects.jobs.unended import KnownRunaways

_ROWS_AT_ONCE = 20_000
_COMPARED_AT_ONCE = 100_000
_AT_ONCE = 500  # values in a statement; SQLite may allow no more than 999
_DOUBTED, _UNCONFIRMED = "doubted", "unconfirmed"  # facts, each with the key of a scope
_QUERIES_KEPT = 2000  # a week of 10-minute cycles for two QoS


@dataclass(frozen=True)
class Asked:
    """A query that was sent: its bounds (UTC epochs), what it took and gave; `error` is None when it succeeded, and
    `trouble` its kind."""

    since: int
    until: int
    seconds: float
    rows: int = 0
    rejects: int = 0
    error: str | None = None
    full: bool = False
    trouble: Trouble | None = None


class JobRuns:
    """Coverage, queries, job runs, rejects and people, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # what was asked

    def coverage(self, scope: Scope) -> Coverage | None:
        """What is known of `scope`, or None before its first complete answer."""
        return coverage(self._store, scope)

    def last_query(self, scope: Scope) -> Asked | None:
        """The newest query of `scope`, whether it succeeded or not."""
        row = self._store.one(
            "SELECT since, until, seconds, rows, rejects, error, trouble FROM query WHERE scope = ? "
            "ORDER BY id DESC LIMIT 1",
            self._store.key(scope),
        )
        if not row:
            return None
        since, until, seconds, rows, rejects, error, trouble = row
        return Asked(since, until, seconds, rows, rejects, error, trouble=troubles.restored(error, trouble))

    def failed(self, scope: Scope, asked: Asked, rejects: Sequence[Reject] = ()) -> None:
        """Remember a query that failed, and rows that were not understood; nothing else changes."""
        with self._store.transaction():
            self._put_rejects(scope, replace(asked, full=False), empty_jobs(), rejects)
            self._log(scope, asked)

    # what is not sure

    def doubted_since(self, scope: Scope) -> int | None:
        """Since when (UTC epoch) answers of the same kind are not believed; None where the last one was."""
        return self._fact(_DOUBTED, scope)

    def doubt(self, scope: Scope, since: int | None) -> None:
        """Remember since when answers are not believed."""
        self._know(_DOUBTED, scope, since)

    def unconfirmed(self, scope: Scope) -> int | None:
        """When (UTC epoch) sacct named no run where none is known, if it was not asked again since."""
        return self._fact(_UNCONFIRMED, scope)

    def confirm(self, scope: Scope, unconfirmed: int | None) -> None:
        """Remember that what is known of `scope` is sure, or when it was told for the first time."""
        self._know(_UNCONFIRMED, scope, unconfirmed)

    def _fact(self, what: str, scope: Scope) -> int | None:
        value = self._store.fact(f"{what} {scope.key}")
        return value if isinstance(value, int) else None

    def _know(self, what: str, scope: Scope, value: int | None) -> None:
        if value != self._fact(what, scope):
            self._store.know(f"{what} {scope.key}", value, value or 0)

    # job runs

    def open_runs(self, scope: Scope) -> pd.DataFrame:
        """The runs of `scope` that had not ended when Slurm was last asked: a jobs table."""
        return self._jobs(scope, [('"end" = ?', UNKNOWN)])

    def ended_since(self, scope: Scope, moment: int) -> list[int]:
        """DBIndexes of the runs of `scope` that ended at `moment` (UTC epoch) or later."""
        where, names = self._where(scope)
        rows = self._store.all(f'SELECT dbindex FROM job WHERE "end" >= ? AND {where}', moment, *names)  # noqa: S608
        return [index % 2**64 for (index,) in rows]

    def ends(self, scope: Scope, begin: int, end: int, most: int) -> list[int]:
        """When the runs of `scope` ended that held something and ended in [begin, end) (UTC epochs): the first ones, so
        many at most."""
        where, names = self._where(scope)
        sql = f'SELECT "end" FROM job WHERE "end" >= ? AND "end" < ? AND elapsed > 0 AND {where} ORDER BY "end" LIMIT ?'  # noqa: S608
        return [moment for (moment,) in self._store.all(sql, begin, end, *names, most)]

    def ended_without(self, scope: Scope, begin: int, end: int, table: str) -> list[tuple[int, int]]:
        """DBIndexes and ends of the runs of `scope` that held something, ended in [begin, end) (UTC epochs), and have
        no row with that end in another `table` of the store, in order of their ends."""
        where, names = self._where(scope)
        told = f'SELECT 1 FROM {table} AS other WHERE other.dbindex = job.dbindex AND other."end" = job."end"'  # noqa: S608
        sql = f"""SELECT dbindex, "end" FROM job WHERE "end" >= ? AND "end" < ? AND elapsed > 0 AND {where}
            AND NOT EXISTS ({told}) ORDER BY "end", dbindex"""  # noqa: S608
        return [(index % 2**64, moment) for index, moment in self._store.all(sql, begin, end, *names)]

    def has_open(self, scope: Scope) -> bool:
        """Whether a run of `scope` had not ended when Slurm was last asked."""
        where, names = self._where(scope)
        found = self._store.one(f'SELECT 1 FROM job WHERE "end" = ? AND {where} LIMIT 1', UNKNOWN, *names)  # noqa: S608
        return found is not None

    def has_others(self, scope: Scope, user: str) -> bool:
        """Whether a run of `scope` is known that is another's than `user`'s."""
        where, names = self._where(scope)
        theirs = "user NOT IN (SELECT id FROM text WHERE value = ?)"
        found = self._store.one(f"SELECT 1 FROM job WHERE {theirs} AND {where} LIMIT 1", user, *names)  # noqa: S608
        return found is not None

    def newest_end(self, scope: Scope, since: int) -> int | None:
        """When the run of `scope` ended that ended last, if one did at `since` or later (UTC epochs)."""
        where, names = self._where(scope)
        row = self._store.one(f'SELECT max("end") FROM job WHERE "end" >= ? AND {where}', since, *names)  # noqa: S608
        return row[0] if row else None

    def jobs(self, scope: Scope, begin: int) -> pd.DataFrame:
        """The runs of `scope` that had not ended before `begin`, and runaways: a jobs table, ordered by DBIndex."""
        # two questions: for one with "or" SQLite reads every run that the QoS ever had
        found = self._jobs(scope, [('"end" = ?', UNKNOWN), ('"end" >= ?', begin)])
        return KnownRunaways(self._store).unended(scope).settled(found)

    def add(
        self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject], gone: Sequence[int] = ()
    ) -> None:
        """Take in a complete answer, all or nothing.

        `jobs` replace what was known of the same runs; `gone` are DBIndexes that left the scope. A full answer replaces
        all rejects, another one adds its own and drops those whose runs are now understood.
        """
        with self.intake() as intake:
            intake.take(jobs)
            intake.complete(scope, asked, jobs, rejects, gone)

    @contextlib.contextmanager
    def intake(self) -> Iterator[Intake]:
        """An answer that is written while it comes. What the block has not completed is as if it had not come."""
        with self._store.steps() as steps:
            yield Intake(self, self._store, steps)

    def rejects(self, scope: Scope) -> tuple[Reject, ...]:
        """Rows of `scope` that are left out, oldest first."""
        rows = self._store.all(
            "SELECT key, reason, line FROM reject WHERE scope = ? ORDER BY seen, key", self._store.key(scope)
        )
        return tuple(Reject(*row) for row in rows)

    # parts of an answer

    def remove(self, gone: Sequence[int]) -> int:
        """Remove the runs with these DBIndexes; from when on computed bins do not hold."""
        left = self._named(gone)
        self._store.execute_many("DELETE FROM job WHERE dbindex = ?", ((_signed(index),) for index in gone))
        return changed_from(left, empty_jobs(), left)

    def replace(self, jobs: pd.DataFrame) -> int:
        """Write those of the runs that are new or say something else; from when on computed bins do not hold."""
        known = self._named(jobs["dbindex"].tolist())
        fresh = jobs[differing(known, jobs)]
        new = ~fresh["dbindex"].isin(known["dbindex"])
        self._put_jobs(fresh[new], "INSERT")
        self._put_jobs(fresh[~new], "REPLACE")
        return changed_from(known, fresh, empty_jobs())

    def release(self, scope: Scope, now: int) -> int:
        """Forget runaways that have an end now, or left; from when on computed bins do not hold."""
        known = KnownRunaways(self._store)
        if not known.of(scope):
            return NEVER
        where, names = self._where(scope)
        rows = self._store.all(f'SELECT dbindex FROM job WHERE "end" = ? AND {where}', UNKNOWN, *names)  # noqa: S608
        return known.release(scope, {index % 2**64 for (index,) in rows}, now)

    def note(self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject]) -> None:
        """Note what a complete answer was, and how far the scope is known with it."""
        with self._store.transaction():
            self._put_rejects(scope, asked, jobs, rejects)
            self._log(scope, asked)
            self._cover(scope, asked)

    # people

    def people(self) -> frozenset[str]:
        """Every user whose jobs were ever seen."""
        return frozenset(row[0] for row in self._store.all("SELECT name FROM person"))

    def meet(self, people: Iterable[str]) -> None:
        """Remember users who were told of."""
        with self._store.transaction():
            self._store.execute_many("INSERT OR IGNORE INTO person VALUES (?)", ((name,) for name in people))

    # what is old

    def forget_runs(self, scope: Scope, before: int, written: int) -> int:
        """Drop the runs of a QoS that ended before `before` and whose hours are `written` down up to then (UTC epochs).

        A run that ended later stays, whatever its age. Returns how many were dropped.
        """
        where, names = self._where(scope.whole)
        old = '"end" >= 0 AND "end" < ? AND ("end" <= ? OR elapsed = 0)'
        with self._store.transaction():
            done = self._store.execute(f"DELETE FROM job WHERE {old} AND {where}", (before, written, *names))  # noqa: S608
            self._store.execute(
                "UPDATE scope SET covered_from = max(covered_from, ?) WHERE scope = ?", (before, self._store.key(scope))
            )
        return done.rowcount

    def forget_strangers(self, known: Sequence[str], before: int) -> int:
        """Drop the runs that ended before `before` of QoS that are not `known`: nobody asks for them any more."""
        marks = ", ".join("?" * len(known))
        others = f"qos NOT IN (SELECT id FROM text WHERE value COLLATE NOCASE IN ({marks}))"  # noqa: S608
        old = f'"end" >= 0 AND "end" < ? AND {others}'
        return self._store.execute(f"DELETE FROM job WHERE {old}", (before, *known)).rowcount  # noqa: S608

    def forget_texts(self) -> None:
        """Drop the texts that no run names any more."""
        named = " UNION ".join(f"SELECT {column} FROM job" for column in TEXTS)  # noqa: S608
        self._store.execute(f"DELETE FROM text WHERE id NOT IN ({named})")  # noqa: S608

    # within

    def _named(self, indexes: Sequence[int]) -> pd.DataFrame:
        """The runs with these DBIndexes that are known, whatever their scope: a jobs table."""
        signed = [_signed(index) for index in indexes]
        some = [signed[place : place + _AT_ONCE] for place in range(0, len(signed), _AT_ONCE)]
        return self._where_any((f"dbindex IN ({', '.join('?' * len(values))})", values) for values in some)

    def _jobs(self, scope: Scope, conditions: Sequence[tuple[str, int]]) -> pd.DataFrame:
        """The runs of the scope for which one of the conditions holds; no two hold for the same run."""
        where, names = self._where(scope)
        with self._store.guarded():
            return self._where_any((f"{condition} AND {where}", [value, *names]) for condition, value in conditions)

    def _where_any(self, conditions: Iterable[tuple[str, Sequence[object]]]) -> pd.DataFrame:
        """The runs for which one of the conditions (with its values) holds, ordered by DBIndex: a jobs table.

        Few rows at a time are Python's numbers, and one column at a time is there twice: that bounds the memory.
        """
        columns = ", ".join(f'"{column}"' for column in COLUMNS)
        parts = []
        for condition, values in conditions:
            cursor = self._store.execute(f"SELECT {columns} FROM job WHERE {condition}", values)  # noqa: S608 (no value in it)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                parts.append(np.array(rows, dtype=np.int64))
        if not parts:
            return empty_jobs()
        return _table(parts, dict(self._store.execute("SELECT id, value FROM text").fetchall()))

    @staticmethod
    def _where(scope: Scope) -> tuple[str, list[str]]:
        clauses: list[str] = []
        values: list[str] = []
        filters = {"qos": (scope.qos,), "account": scope.accounts, "partition": scope.partitions}
        for column, names in filters.items():
            if names:
                marks = ", ".join("?" * len(names))
                clauses.append(f'"{column}" IN (SELECT id FROM text WHERE value COLLATE NOCASE IN ({marks}))')  # noqa: S608
                values += names
        return " AND ".join(clauses), values

    def _put_jobs(self, jobs: pd.DataFrame, how: str) -> None:
        """Write runs; to `INSERT` those that are not there takes three quarters of the time of a `REPLACE`."""
        if not len(jobs):
            return
        names, marks = ", ".join(f'"{column}"' for column in COLUMNS), ", ".join("?" * len(COLUMNS))
        columns = [jobs["dbindex"].to_numpy().view(np.int64)]
        columns += [jobs[name].to_numpy() for name in NUMBERS if name != "dbindex"]
        columns += [self._text_ids(jobs[name]) for name in TEXTS]
        for place in range(0, len(jobs), _ROWS_AT_ONCE):  # as Python's numbers they take ten times the memory
            some = np.column_stack([column[place : place + _ROWS_AT_ONCE] for column in columns]).tolist()
            self._store.execute_many(f"{how} INTO job ({names}) VALUES ({marks})", some)
        self.meet(str(name) for name in jobs["user"].unique())

    def _text_ids(self, column: pd.Series) -> npt.NDArray[np.int64]:
        column = column.cat.remove_unused_categories()  # those of the rows that are written now
        texts = [str(text) for text in column.cat.categories]
        self._store.execute_many("INSERT OR IGNORE INTO text (value) VALUES (?)", ((text,) for text in texts))
        ids = [self._store.execute("SELECT id FROM text WHERE value = ?", (text,)).fetchone()[0] for text in texts]
        return np.array(ids or [0], dtype=np.int64)[column.cat.codes.to_numpy()]

    def _put_rejects(self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject]) -> None:
        if asked.full:
            self._store.execute("DELETE FROM reject WHERE scope = ?", (self._store.key(scope),))
        else:
            known = {
                row[0]
                for row in self._store.execute("SELECT key FROM reject WHERE scope = ?", (self._store.key(scope),))
            }
            good = known & {f"run {index}" for index in jobs["dbindex"].tolist()} if known else set()
            self._store.execute_many(
                "DELETE FROM reject WHERE scope = ? AND key = ?", [(self._store.key(scope), key) for key in good]
            )
        self._store.execute_many(
            "INSERT OR REPLACE INTO reject VALUES (?, ?, ?, ?, ?)",
            [(self._store.key(scope), reject.key, reject.reason, reject.line, asked.until) for reject in rejects],
        )

    def _log(self, scope: Scope, asked: Asked) -> None:
        self._store.execute(
            "INSERT INTO query (scope, since, until, seconds, rows, rejects, error, trouble) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(self._store.key(scope), asked.since, asked.until, asked.seconds, asked.rows, asked.rejects),
                *(asked.error, troubles.stored(asked.trouble)),
            ),
        )
        self._store.execute("DELETE FROM query WHERE id <= (SELECT max(id) FROM query) - ?", (_QUERIES_KEPT,))

    def _cover(self, scope: Scope, asked: Asked) -> None:
        before = self._store.execute(
            "SELECT covered_from, full_at FROM scope WHERE scope = ?", (self._store.key(scope),)
        ).fetchone()
        # a full answer may begin after a gap, so it starts a coverage of its own
        covered_from = asked.since if asked.full or not before else before[0]
        full_at = asked.until if asked.full or not before else before[1]
        self._store.execute(
            "INSERT OR REPLACE INTO scope VALUES (?, ?, ?, ?)",
            (self._store.key(scope), covered_from, asked.until, full_at),
        )


class Intake:
    """An answer on its way into the store, in one transaction that begins with the first runs. See `JobRuns.intake`."""

    def __init__(self, runs: JobRuns, store: Store, steps: Steps) -> None:
        self._runs, self._store, self._steps = runs, store, steps
        self._moment = NEVER  # from when on computed bins do not hold

    def take(self, jobs: pd.DataFrame) -> None:
        """Write those runs of a part that are new or say something else; of a run in several parts the last counts."""
        with self._steps.step():
            for place in range(0, len(jobs), _COMPARED_AT_ONCE):
                some = jobs.iloc[place : place + _COMPARED_AT_ONCE]
                self._moment = min(self._moment, self._runs.replace(some))

    def complete(
        self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject], gone: Sequence[int]
    ) -> None:
        """The answer is whole, `jobs` are those that were taken: all of it counts from now on."""
        with self._steps.step():
            moment = min(self._moment, self._runs.remove(gone), self._runs.release(scope, asked.until))
            if moment < NEVER:
                self._store.runs_changed(moment)
            self._runs.note(scope, asked, jobs, rejects)
        self._steps.commit()


def _table(parts: list[npt.NDArray[np.int64]], texts: dict[int, str]) -> pd.DataFrame:
    order = np.argsort(np.concatenate([part[:, 0] for part in parts]), kind="stable")
    columns: dict[str, Any] = {}
    for place, name in enumerate(COLUMNS):
        column = np.concatenate([part[:, place] for part in parts])[order]
        if name in TEXTS:
            ids = np.flatnonzero(np.bincount(column))  # those that occur, rising
            columns[name] = coded(np.searchsorted(ids, column), [texts[number] for number in ids.tolist()])
        else:
            columns[name] = column.view(np.uint64) if name == "dbindex" else column
    return pd.DataFrame(columns, copy=False)


def _signed(index: int) -> int:
    return index - 2**64 if index >= 2**63 else index
