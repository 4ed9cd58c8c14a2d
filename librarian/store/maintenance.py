"""What keeps a store healthy for years: looking through it, taking it out and in, and giving room back."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from librarian.errors import StoreError
from librarian.store import soundness
from librarian.store.backups import beside, bound, copy_of, has_room, set_aside
from librarian.store.database import CorruptStoreError, Database, connect, guarded
from librarian.store.schema import MIGRATIONS

_VACUUM_FROM = 1 << 20  # bytes that must be empty inside the file, and a quarter of it, before it is made smaller


@dataclass(frozen=True)
class Health:
    """What a look through a store's file showed: rows by table, and what is wrong with it (nothing: it is whole)."""

    path: Path
    size: int
    schema: int
    rows: dict[str, int]
    problems: tuple[str, ...]


def shrink(store: Database) -> bool:
    """Give room back to the file system when much of the file is empty; whether that was done.

    For a moment it needs as much room again as the file has.
    """
    pages, empty, size = (store.one(f"PRAGMA {name}")[0] for name in ("page_count", "freelist_count", "page_size"))
    with store.guarded():
        if empty * size < _VACUUM_FROM or empty * 4 < pages or not has_room(store.path.parent, pages * size):
            return False
        store.execute("VACUUM")
    return True


def check(path: Path, *, quick: bool = False) -> Health:
    """Look through the whole file, or only at its pages when it is to be `quick`; nothing is changed.

    Raises `StoreError` when it is not there or cannot be opened; damage is a finding.
    """
    if not path.is_file():
        raise StoreError(f"there is no store {path}", todo="run: librarian run")
    try:
        with guarded(path), contextlib.closing(reading(path)) as connection:
            problems = soundness.pages(connection) if quick else soundness.problems(connection)
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = {name: 0 if quick else _count(connection, name) for name in sorted(tables)}
            return Health(path, path.stat().st_size, _pragma(connection, "user_version"), rows, tuple(problems))
    except CorruptStoreError as error:
        return Health(path, path.stat().st_size, 0, {}, (error.why,))


def export(path: Path, target: Path) -> None:
    """Write a consistent copy of the store to the file `target`. Raises `StoreError`; what was there then stays."""
    if not path.is_file():
        raise StoreError(f"there is no store {path}", todo="run: librarian run")
    with guarded(path), contextlib.closing(reading(path)) as connection:
        try:
            copy_of(connection, target)
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"the copy {target} cannot be written", str(error), "check the disk and its quota"
            ) from error


def take_in(source: Path, path: Path, cluster: str, now: int) -> Path | None:
    """Put a copy of the store `source` in the place of `path`, brought to this schema; returns where the old one is.

    What has no cluster yet is of the one that is named.
    Raises `StoreError`, with nothing changed, when `source` is damaged, no store, of a newer version, or does not fit.
    """
    found = check(source)
    if found.problems:
        raise StoreError(f"{source} is damaged", found.problems[0], "export another copy")
    if "job" not in found.rows or found.schema < 1:
        raise StoreError(f"{source} is no store of Librarian's", f"schema {found.schema}")
    if found.schema > len(MIGRATIONS):
        raise StoreError(f"{source} is of a newer Librarian", f"schema {found.schema}", "upgrade this one")
    fresh = path.with_name(f".{path.name}.new")
    try:
        with guarded(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.closing(reading(source)) as connection:
                copy_of(connection, fresh)
        connect(fresh, cluster).close()
        with guarded(path):
            aside = _kept(path, cluster, now) if path.exists() else None
            fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return aside


def _kept(path: Path, cluster: str, now: int) -> Path:
    """Another name for the store that is about to be replaced: it is there under one name or the other at any time."""
    try:
        connect(path, cluster).close()  # undoes what a run that was killed left unfinished, so that no journal is left
        aside = beside(path, "replaced", now)
        aside.unlink(missing_ok=True)
        aside.hardlink_to(path)
    except (StoreError, OSError):  # damaged, or a file system without links
        return set_aside(path, "replaced", now)
    bound(path, "replaced")
    return aside


def reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0, isolation_level=None)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608
