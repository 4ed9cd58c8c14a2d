"""The store: one SQLite file a cluster, with what Slurm said and what became of it.

Job runs by DBIndex, the queries that were asked, rows that were rejected; hourly usage and changes of limits, which are
kept for good.
Every answer goes in as one transaction, so a kill leaves the store as it was before or as it is after. No write-ahead
log: that needs shared memory, which a home on NFS does not have.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.core.jobs import NUMBERS, TEXTS, UNKNOWN, Reject, coded, empty_jobs
from librarian.core.limits import Change, QosLimits
from librarian.core.usage import Usage
from librarian.errors import StoreError

# Each script takes the file one schema version further; PRAGMA user_version counts them. Never edit one: add the next.
MIGRATIONS = (
    """
    CREATE TABLE text (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE);
    CREATE TABLE job (
        dbindex INTEGER PRIMARY KEY,  -- the unsigned 64 bits of Slurm's DBIndex as a signed number
        jobid INTEGER NOT NULL, submit INTEGER NOT NULL, eligible INTEGER NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, elapsed INTEGER NOT NULL, suspended INTEGER NOT NULL,
        user INTEGER NOT NULL, account INTEGER NOT NULL, qos INTEGER NOT NULL,
        partition INTEGER NOT NULL, state INTEGER NOT NULL, alloc_tres INTEGER NOT NULL
    );
    CREATE INDEX job_by_end ON job (qos, "end");
    CREATE TABLE query (
        id INTEGER PRIMARY KEY, scope TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        seconds REAL NOT NULL, rows INTEGER NOT NULL, rejects INTEGER NOT NULL, error TEXT
    );
    CREATE INDEX query_by_scope ON query (scope, until);
    CREATE TABLE scope (
        scope TEXT PRIMARY KEY, covered_from INTEGER NOT NULL, complete_at INTEGER NOT NULL, full_at INTEGER NOT NULL
    );
    CREATE TABLE reject (
        scope TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, line TEXT NOT NULL, seen INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    );
    CREATE TABLE usage (
        scope TEXT NOT NULL, start INTEGER NOT NULL, seconds INTEGER NOT NULL,
        observable TEXT NOT NULL, user TEXT NOT NULL, amount REAL NOT NULL,
        PRIMARY KEY (scope, start, observable, user)
    ) WITHOUT ROWID;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL, seen INTEGER NOT NULL);
    """,
    """
    CREATE TABLE limit_change (
        qos TEXT NOT NULL, since INTEGER NOT NULL,
        slurm TEXT NOT NULL, overrides TEXT NOT NULL,  -- JSON: [GrpTRES, GrpJobs] or null; the configuration's
        PRIMARY KEY (qos, since)
    ) WITHOUT ROWID;
    """,
)
_COLUMNS = (*NUMBERS, *TEXTS)
_QUERIES_KEPT = 2000  # a week of 10-minute cycles for two QoS


class CorruptStoreError(StoreError):
    """The file is not a store any more: set it aside and ask Slurm again."""


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


class Store:
    """An open store. Use `open_store`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

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
        return self._jobs(scope, '"end" = ?', UNKNOWN)

    def jobs(self, scope: Scope, begin: int) -> pd.DataFrame:
        """The runs of `scope` that had not ended before `begin`: a jobs table, ordered by DBIndex."""
        return self._jobs(scope, '("end" = ? OR "end" >= ?)', UNKNOWN, begin)

    def add(
        self, scope: Scope, asked: Asked, jobs: pd.DataFrame, rejects: Sequence[Reject], gone: Sequence[int] = ()
    ) -> None:
        """Take in a complete answer, all or nothing.

        `jobs` replace what was known of the same runs; `gone` are DBIndexes that left the scope. A full answer replaces
        all rejects, another one adds its own and drops those whose runs are now understood.
        """
        with self._transaction():
            self._put_jobs(jobs)
            self._db.executemany("DELETE FROM job WHERE dbindex = ?", ((_signed(index),) for index in gone))
            self._put_rejects(scope, asked, jobs, rejects)
            self._log(scope, asked)
            self._cover(scope, asked)

    def rejects(self, scope: Scope) -> tuple[Reject, ...]:
        """Rows of `scope` that are left out, oldest first."""
        rows = self._all("SELECT key, reason, line FROM reject WHERE scope = ? ORDER BY seen, key", scope.key)
        return tuple(Reject(*row) for row in rows)

    # hourly usage, for good

    def keep_usage(self, scope: Scope, usage: Usage) -> int:
        """Write the finished bins of `usage`; those that say what the store says already are left alone.

        Returns the number of values that changed. `amount` is in unit-seconds; zeros are not stored.
        """
        window = usage.window
        finished = int(np.searchsorted(window.edges, window.now, side="right")) - 1
        end = int(window.edges[finished])
        fresh = set(_usage_rows(usage, finished))
        where = "FROM usage WHERE scope = ? AND start >= ? AND start < ?"
        known = set(self._all(f"SELECT start, seconds, observable, user, amount {where}", scope.key, window.start, end))
        with self._transaction():
            self._db.executemany(
                "DELETE FROM usage WHERE scope = ? AND start = ? AND observable = ? AND user = ?",
                [(scope.key, start, key, user) for start, _, key, user, _ in known - fresh],
            )
            self._db.executemany(
                "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?)", [(scope.key, *r) for r in fresh - known]
            )
        return len(known ^ fresh)

    def usage(self, scope: Scope, begin: int, end: int) -> pd.DataFrame:
        """Hourly usage in [begin, end): columns start, seconds, observable, user, amount (unit-seconds)."""
        rows = self._all(
            "SELECT start, seconds, observable, user, amount FROM usage WHERE scope = ? AND start >= ? AND start < ?",
            *(scope.key, begin, end),
        )
        table: pd.DataFrame = pd.DataFrame(rows, columns=["start", "seconds", "observable", "user", "amount"])
        return table

    # limits as they changed, for good

    def keep_limits(self, qos: str, limits: Change) -> bool:
        """Remember what the limits of a QoS follow from, if that changed; whether it did. The future is forgotten."""
        slurm = [dict(limits.slurm.tres), limits.slurm.jobs] if limits.slurm else None
        row = (json.dumps(slurm, sort_keys=True), json.dumps(dict(limits.overrides), sort_keys=True))
        known = "FROM limit_change WHERE qos = ?"
        with self._transaction():
            # seen by a clock that has gone back since
            self._db.execute(f"DELETE {known} AND since > ?", (qos.lower(), limits.since))
            last = self._db.execute(f"SELECT slurm, overrides {known} ORDER BY since DESC", (qos.lower(),)).fetchone()
            if last != row:
                values = (qos.lower(), limits.since, *row)
                self._db.execute("INSERT OR REPLACE INTO limit_change VALUES (?, ?, ?, ?)", values)
        return last != row

    def limit_changes(self, qos: str) -> tuple[Change, ...]:
        """What the limits of a QoS followed from, each time it changed, in order of time."""
        rows = self._all("SELECT since, slurm, overrides FROM limit_change WHERE qos = ? ORDER BY since", qos.lower())
        return tuple(
            Change(since, QosLimits(*json.loads(slurm)) if slurm != "null" else None, json.loads(overrides))
            for since, slurm, overrides in rows
        )

    # facts about the cluster

    def fact(self, name: str) -> Any:
        """The last known value of a fact (anything JSON holds), or None."""
        row = self._one("SELECT value FROM fact WHERE name = ?", name)
        return json.loads(row[0]) if row else None

    def know(self, name: str, value: object, seen: int) -> None:
        """Remember a fact as of `seen`."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (name, json.dumps(value), seen))

    # within

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._guarded(), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        with guarded(self.path):
            yield

    def _one(self, sql: str, *values: object) -> Any:
        with self._guarded():
            return self._db.execute(sql, values).fetchone()

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._guarded():
            return self._db.execute(sql, values).fetchall()

    def _jobs(self, scope: Scope, condition: str, *values: object) -> pd.DataFrame:
        where, names = self._where(scope)
        columns = ", ".join(f'"{column}"' for column in _COLUMNS)
        sql = f"SELECT {columns} FROM job WHERE {condition} AND {where} ORDER BY dbindex"  # noqa: S608 (no value in it)
        with self._guarded():
            cursor = self._db.execute(sql, (*values, *names))
            # a few rows at a time as tuples, then as numbers: a tenth of the memory
            parts = [np.array(rows, dtype=np.int64) for rows in iter(lambda: cursor.fetchmany(20_000), [])]
            texts = dict(self._db.execute("SELECT id, value FROM text").fetchall())
        return _table(np.concatenate(parts), texts) if parts else empty_jobs()

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

    def _put_jobs(self, jobs: pd.DataFrame) -> None:
        columns = [jobs["dbindex"].to_numpy().view(np.int64).tolist()]
        columns += [jobs[name].tolist() for name in NUMBERS if name != "dbindex"]
        columns += [self._text_ids(jobs[name]) for name in TEXTS]
        marks = ", ".join("?" * len(_COLUMNS))
        names = ", ".join(f'"{column}"' for column in _COLUMNS)
        self._db.executemany(f"INSERT OR REPLACE INTO job ({names}) VALUES ({marks})", zip(*columns, strict=True))  # noqa: S608

    def _text_ids(self, column: pd.Series) -> list[int]:
        texts = [str(text) for text in column.cat.categories]
        self._db.executemany("INSERT OR IGNORE INTO text (value) VALUES (?)", ((text,) for text in texts))
        ids = [self._db.execute("SELECT id FROM text WHERE value = ?", (text,)).fetchone()[0] for text in texts]
        numbers: list[int] = np.array(ids or [0])[column.cat.codes.to_numpy()].tolist()
        return numbers

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


def open_store(path: Path) -> Store:
    """Open the store, make it where it is not there, bring it to this schema.

    Raises `CorruptStoreError` when the file is no store, `StoreError` when it cannot be opened or is of a newer
    version.
    """
    with guarded(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        try:
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return Store(connection, path)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        why = f"schema {version}, and this one knows {len(MIGRATIONS)}"
        raise StoreError(f"{path} is of a newer Librarian", why, "upgrade this one, or move the file")
    for number in range(version, len(MIGRATIONS)):
        script = f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        connection.executescript(script)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The open store for the time of a block."""
    store = open_store(path)
    try:
        yield store
    finally:
        store._db.close()


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"the store {path} cannot be used", str(error), "check the disk, its quota and who owns it"
        ) from error
    except sqlite3.DatabaseError as error:
        raise CorruptStoreError(f"the store {path} is damaged", str(error)) from error
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened", error.strerror or str(error)) from error


def _table(numbers: npt.NDArray[np.int64], texts: dict[int, str]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for place, name in enumerate(_COLUMNS):
        column = np.ascontiguousarray(numbers[:, place])
        if name in TEXTS:
            ids = np.flatnonzero(np.bincount(column))  # those that occur, rising
            columns[name] = coded(np.searchsorted(ids, column), [texts[number] for number in ids.tolist()])
        else:
            columns[name] = column.view(np.uint64) if name == "dbindex" else column
    return pd.DataFrame(columns)


def _usage_rows(usage: Usage, finished: int) -> Iterable[tuple[int, int, str, str, float]]:
    edges = usage.window.edges.tolist()
    integrals = usage.integrals[:, :, :finished]
    for row, column, place in np.argwhere(integrals).tolist():
        start, end = edges[place], edges[place + 1]
        amount = float(integrals[row, column, place])
        yield start, end - start, usage.observables[row].key, usage.users[column], amount


def _signed(index: int) -> int:
    return index - 2**64 if index >= 2**63 else index
