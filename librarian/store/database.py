"""The SQLite file itself: opening, migrating, transactions, and its errors as ours."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from librarian.errors import StoreError
from librarian.shared.scope import full_key
from librarian.store import soundness
from librarian.store.backups import DAILY, beside, bound, copy_of, dated
from librarian.store.schema import MIGRATIONS, statements
from librarian.system.host import make_private

_NONSENSE = 10_000  # no version of the schema will ever be as high
# What SQLite calls an error of operation, though it says that the content cannot be.
_DAMAGE = ("could not decode", "no such table", "no such column", "already exists")


class CorruptStoreError(StoreError):
    """The file is not a store any more: set it aside and ask Slurm again."""


class Database:
    """An open connection to a store's file. Whatever goes wrong is a `StoreError`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path
        self._is_sound = False

    def refuse_damage(self) -> None:
        """Raise `CorruptStoreError` where the content cannot be: for when something failed that should not.

        It reads the whole file, once.
        """
        if self._is_sound:
            return
        with self.guarded():
            found = soundness.problems(self._db)
        if found:
            raise CorruptStoreError(f"the store {self.path} is damaged", found[0])
        self._is_sound = True

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that the block writes, or nothing where it raises; within another transaction it is a part of that."""
        with self.guarded():
            if self._db.in_transaction:
                yield
                return
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield

    @contextlib.contextmanager
    def steps(self) -> Iterator[Steps]:
        """A transaction that others take part in step by step; what the block has not committed is undone."""
        try:
            yield Steps(self._db, self.path)
        finally:
            with self.guarded():
                self._db.rollback()

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """SQLite's errors in the block as ours: for reading many rows one after the other."""
        with guarded(self.path):
            yield

    def execute(self, sql: str, values: Sequence[object] | dict[str, object] = ()) -> sqlite3.Cursor:
        """Run a statement; returns the cursor, which tells the number of rows and gives them."""
        with self.guarded():
            return self._db.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each of the rows."""
        with self.guarded():
            self._db.executemany(sql, rows)

    def one(self, sql: str, *values: object) -> Any:
        """The first row, or None."""
        with self.guarded():
            return self._db.execute(sql, values).fetchone()

    def all(self, sql: str, *values: object) -> list[Any]:
        """All rows."""
        with self.guarded():
            return self._db.execute(sql, values).fetchall()


class Steps:
    """A transaction that begins with its first step and counts once it is committed. See `Database.steps`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = connection, path

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """What the block writes belongs to the transaction."""
        with guarded(self._path):
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            yield

    def commit(self) -> None:
        """All steps count from now on."""
        with guarded(self._path):
            self._db.commit()


def connect(path: Path, cluster: str) -> sqlite3.Connection:
    """Open the file of a cluster, make it where it is not there, bring it to this schema.

    Raises `CorruptStoreError` when the file is no store, or is lost while copies of it are there; `StoreError` when it
    cannot be opened or is of a newer version.
    """
    with guarded(path):
        _refuse_lost(path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_private(path)  # a journal gets the same mode
        connection = sqlite3.connect(path, timeout=30.0, isolation_level=None)
        try:
            connection.execute("PRAGMA cache_size = -16384")  # KiB
            _migrate(connection, path, cluster)
        except BaseException:
            connection.close()
            raise
    return connection


def _refuse_lost(path: Path) -> None:
    """An empty file, or none, is how a store begins; where copies tell that there was more, it is how one is lost."""
    is_there = path.exists()
    if not (is_there and path.stat().st_size) and dated(path, DAILY):
        raise CorruptStoreError(f"the store {path} is damaged", "it is empty" if is_there else "it is gone")


def _migrate(connection: sqlite3.Connection, path: Path, cluster: str) -> None:
    version = _version(connection)
    if not 0 <= version < _NONSENSE:
        raise CorruptStoreError(f"the store {path} is damaged", f"its schema is {version}")
    if version > len(MIGRATIONS):
        why = f"schema {version}, and this one knows {len(MIGRATIONS)}"
        raise StoreError(f"{path} is of a newer Librarian", why, "upgrade this one, or move the file")
    if 0 < version < len(MIGRATIONS):  # a copy as it was, should the new version turn out to be a mistake
        copy_of(connection, beside(path, "schema", version))
        bound(path, "schema")
    # what has no cluster yet is of the one whose file this is
    connection.create_function("full_key", 1, lambda key: _full_key(key, cluster))
    connection.create_function("older_key_of", 1, lambda qos: json.dumps([qos.lower(), [], []]))
    for number in range(version, len(MIGRATIONS)):
        _step(connection, number)


def _full_key(key: str, cluster: str) -> str | None:
    """With the cluster, or None for what nobody can have asked for."""
    try:
        return full_key(key, cluster)
    except ValueError:
        return None


def _step(connection: sqlite3.Connection, number: int) -> None:
    """Go from one version to the next, all or nothing; nothing where somebody else has done it meanwhile."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == number:
            for statement in statements(MIGRATIONS[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextlib.contextmanager
def guarded(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if any(sign in str(error).lower() for sign in _DAMAGE):
            raise CorruptStoreError(f"the store {path} is damaged", str(error)) from error
        raise StoreError(
            f"the store {path} cannot be used", str(error), "check the disk, its quota and who owns it"
        ) from error
    except sqlite3.DatabaseError as error:
        raise CorruptStoreError(f"the store {path} is damaged", str(error)) from error
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened", error.strerror or str(error)) from error
