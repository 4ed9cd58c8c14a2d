"""What was asked of Slurm when, and the job runs that it told."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.store.database import Database, guarded
from librarian.subjects.jobs.changes import NEVER, changed_from, differing
from librarian.subjects.jobs.model import COLUMNS, NUMBERS, TEXTS, UNKNOWN, Reject, coded, empty_jobs

_ROWS_AT_ONCE = 20_000
_COMPARED_AT_ONCE = 100_000
_AT_ONCE = 500  # values in a statement; SQLite may allow no more than 999
_QUERIES_KEPT = 2000  # a week of 10-minute cycles for two QoS


@dataclass(frozen=True)
class Scope:
    """Which runs belong to one report: a QoS, cut down to accounts and partitions where these are named."""

    qos: str
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The scope as text, a key of the store's tables."""
        return json.dumps([self.qos.lower(), sorted(self.accounts), sorted(self.partitions)])


@dataclass(frozen=True)
class Coverage:
    """What the store knows of a scope: every run between `covered_from` and `complete_at`; `full_at` is the time of the
    last complete reading of a whole window. All UTC epochs."""

    covered_from: int
    complete_at: int
    full_at: int


@dataclass(frozen=True)
class Asked:
    """A query that was sent: its bounds (UTC epochs), what it took and gave; `error` is None when it succeeded."""

    since: int
    until: int
    seconds: float
    rows: int = 0
    rejects: int = 0
    error: str | None = None
    full: bool = False


class Queries(Database):
    """Coverage, queries, job runs, rejects."""

    # what was asked

    def coverage(self, scope: Scope) -> Coverage | None:
        """What is known of `scope`, or None before its first complete answer."""
        row = self._one("SELECT covered_from, complete_at, full_at FROM scope WHERE scope = ?", scope.key)
        return Coverage(*row) if row else None

    def last_query(self, scope: Scope) -> Asked | None:
        """The newest query of `scope`, whether it succeeded or not."""
        row = self._one(
            "SELECT since, until, seconds, rows, rejects, error FROM query WHERE scope = ? ORDER BY id DESC LIMIT 1",
            scope.key,
        )
        return Asked(*row) if row else None

    def failed(self, scope: Scope, asked: Asked) -> None:
        """Remember a query that failed; nothing else changes."""
        with self._transaction():
            self._log(scope, asked)

    # job runs

    def open_runs(self, scope: Scope) -> pd.DataFrame:
        """The runs of `scope` that had not ended when Slurm was last asked: a jobs table."""
        return self._jobs(scope, [('"end" = ?', UNKNOWN)])

    def jobs(self, scope: Scope, begin: int) -> pd.DataFrame:
        """The runs of `scope` that had not ended before `begin`: a jobs table, ordered by DBIndex."""
        # two questions: for one with "or" SQLite reads every run that the QoS ever had
        return self._jobs(scope, [('"end" = ?', UNKNOWN), ('"end" >= ?', begin)])

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
        try:
            yield Intake(self)
        finally:
            with self._guarded():
                self._db.rollback()

    def rejects(self, scope: Scope) -> tuple[Reject, ...]:
        """Rows of `scope` that are left out, oldest first."""
        rows = self._all("SELECT key, reason, line FROM reject WHERE scope = ? ORDER BY seen, key", scope.key)
        return tuple(Reject(*row) for row in rows)

    # within
    def _remove_runs(self, gone: Sequence[int]) -> int:
        """Remove the runs with these DBIndexes; from when on computed bins do not hold."""
        left = self._named(gone)
        self._db.executemany("DELETE FROM job WHERE dbindex = ?", ((_signed(index),) for index in gone))
        return changed_from(left, empty_jobs(), left)

    def _bins_hold_until(self, moment: int) -> None:
        if moment < NEVER:
            self._db.execute("UPDATE edition SET number = number + 1")
            self._db.execute("UPDATE bins SET until = ? WHERE until > ?", (moment, moment))

    def _replace_runs(self, jobs: pd.DataFrame) -> int:
        """Write those of the runs that are new or say something else; from when on computed bins do not hold."""
        known = self._named(jobs["dbindex"].tolist())
        fresh = jobs[differing(known, jobs)]
        new = ~fresh["dbindex"].isin(known["dbindex"])
        self._put_jobs(fresh[new], "INSERT")
        self._put_jobs(fresh[~new], "REPLACE")
        return changed_from(known, fresh, empty_jobs())

    def _named(self, indexes: Sequence[int]) -> pd.DataFrame:
        """The runs with these DBIndexes that are known, whatever their scope: a jobs table."""
        signed = [_signed(index) for index in indexes]
        some = [signed[place : place + _AT_ONCE] for place in range(0, len(signed), _AT_ONCE)]
        return self._where_any((f"dbindex IN ({', '.join('?' * len(values))})", values) for values in some)

    def _jobs(self, scope: Scope, conditions: Sequence[tuple[str, int]]) -> pd.DataFrame:
        """The runs of the scope for which one of the conditions holds; no two hold for the same run."""
        where, names = self._where(scope)
        with self._guarded():
            return self._where_any((f"{condition} AND {where}", [value, *names]) for condition, value in conditions)

    def _where_any(self, conditions: Iterable[tuple[str, Sequence[object]]]) -> pd.DataFrame:
        """The runs for which one of the conditions (with its values) holds, ordered by DBIndex: a jobs table.

        Few rows at a time are Python's numbers, and one column at a time is there twice: that bounds the memory.
        """
        columns = ", ".join(f'"{column}"' for column in COLUMNS)
        parts = []
        for condition, values in conditions:
            cursor = self._db.execute(f"SELECT {columns} FROM job WHERE {condition}", values)  # noqa: S608 (no value in it)
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                parts.append(np.array(rows, dtype=np.int64))
        if not parts:
            return empty_jobs()
        return _table(parts, dict(self._db.execute("SELECT id, value FROM text").fetchall()))

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
            self._db.executemany(f"{how} INTO job ({names}) VALUES ({marks})", some)
        people = ((str(name),) for name in jobs["user"].unique())
        self._db.executemany("INSERT OR IGNORE INTO person VALUES (?)", people)

    def _text_ids(self, column: pd.Series) -> npt.NDArray[np.int64]:
        column = column.cat.remove_unused_categories()  # those of the rows that are written now
        texts = [str(text) for text in column.cat.categories]
        self._db.executemany("INSERT OR IGNORE INTO text (value) VALUES (?)", ((text,) for text in texts))
        ids = [self._db.execute("SELECT id FROM text WHERE value = ?", (text,)).fetchone()[0] for text in texts]
        return np.array(ids or [0], dtype=np.int64)[column.cat.codes.to_numpy()]

    def _put_rejects(self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject]) -> None:
        if asked.full:
            self._db.execute("DELETE FROM reject WHERE scope = ?", (scope.key,))
        else:
            known = {row[0] for row in self._db.execute("SELECT key FROM reject WHERE scope = ?", (scope.key,))}
            good = known & {f"run {index}" for index in jobs["dbindex"].tolist()} if known else set()
            self._db.executemany("DELETE FROM reject WHERE scope = ? AND key = ?", [(scope.key, key) for key in good])
        self._db.executemany(
            "INSERT OR REPLACE INTO reject VALUES (?, ?, ?, ?, ?)",
            [(scope.key, reject.key, reject.reason, reject.line, asked.until) for reject in rejects],
        )

    def _log(self, scope: Scope, asked: Asked) -> None:
        self._db.execute(
            "INSERT INTO query (scope, since, until, seconds, rows, rejects, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (scope.key, asked.since, asked.until, asked.seconds, asked.rows, asked.rejects, asked.error),
        )
        self._db.execute("DELETE FROM query WHERE id <= (SELECT max(id) FROM query) - ?", (_QUERIES_KEPT,))

    def _cover(self, scope: Scope, asked: Asked) -> None:
        before = self._db.execute("SELECT covered_from, full_at FROM scope WHERE scope = ?", (scope.key,)).fetchone()
        # a full answer may begin after a gap, so it starts a coverage of its own
        covered_from = asked.since if asked.full or not before else before[0]
        full_at = asked.until if asked.full or not before else before[1]
        self._db.execute(
            "INSERT OR REPLACE INTO scope VALUES (?, ?, ?, ?)", (scope.key, covered_from, asked.until, full_at)
        )


class Intake:
    """An answer on its way into the store, in one transaction that begins with the first runs. See `Queries.intake`."""

    def __init__(self, store: Queries) -> None:
        self._store = store
        self._moment = NEVER  # from when on computed bins do not hold

    def take(self, jobs: pd.DataFrame) -> None:
        """Write those runs of a part that are new or say something else; of a run in several parts the last counts."""
        with self._within():
            for place in range(0, len(jobs), _COMPARED_AT_ONCE):
                some = jobs.iloc[place : place + _COMPARED_AT_ONCE]
                self._moment = min(self._moment, self._store._replace_runs(some))

    def complete(
        self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject], gone: Sequence[int]
    ) -> None:
        """The answer is whole, `jobs` are those that were taken: all of it counts from now on."""
        with self._within() as database:
            self._store._bins_hold_until(min(self._moment, self._store._remove_runs(gone)))
            self._store._put_rejects(scope, asked, jobs, rejects)
            self._store._log(scope, asked)
            self._store._cover(scope, asked)
            database.commit()

    @contextlib.contextmanager
    def _within(self) -> Iterator[sqlite3.Connection]:
        database = self._store._db
        with guarded(self._store.path):
            if not database.in_transaction:
                database.execute("BEGIN IMMEDIATE")
            yield database


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
