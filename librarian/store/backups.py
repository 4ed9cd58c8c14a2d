"""Copies of a store's file: consistent ones of a file in use, old ones set aside, and never too many of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from glob import escape
from pathlib import Path

DAILY, DAMAGED = "daily", "damaged"  # kinds: the copies that `daily` makes; what `rescue` put away
KEPT = 2  # files of each kind that stay beside the store
_AT_ONCE = 4096  # pages; in between, a run whose time is up can end


def copy_of(connection: sqlite3.Connection, target: Path) -> None:
    """Write what the connection sees to the file `target`, whole or not at all; readable by its owner alone.

    Raises `OSError` or sqlite3's errors, and leaves nothing then.
    """
    draft = target.with_name(f".{target.name}.{os.getpid():08d}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            connection.backup(copy, pages=_AT_ONCE)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def beside(path: Path, kind: str, mark: int) -> Path:
    """The name of a copy: `hpg.sqlite.damaged-1793100000`."""
    return path.with_name(f"{path.name}.{kind}-{mark}")


def set_aside(path: Path, kind: str, mark: int) -> Path:
    """Move a store's file away, with its journal: SQLite would roll that back into the file that comes in its place.

    Of the files of that kind the newest stay. Returns the new name.
    """
    aside = beside(path, kind, mark)
    for file, name in ((journal(path), journal(aside)), (path, aside)):
        with contextlib.suppress(FileNotFoundError):
            file.replace(name)
    bound(path, kind)
    return aside


def dated(path: Path, kind: str) -> list[tuple[int, Path]]:
    """The copies of a kind with their marks, the newest first."""
    begin = f"{path.name}.{kind}-"
    found = [(file.name.removeprefix(begin), file) for file in path.parent.glob(f"{escape(begin)}*")]
    return sorted(((int(mark), file) for mark, file in found if mark.isdecimal()), reverse=True)


def bound(path: Path, kind: str) -> None:
    """Remove all but the newest files of a kind."""
    old = [file for file in path.parent.glob(f"{path.name}.{kind}-*") if not file.name.endswith("-journal")]
    for file in sorted(old, key=lambda file: file.stat().st_mtime, reverse=True)[KEPT:]:
        file.unlink()
        journal(file).unlink(missing_ok=True)


def journal(path: Path) -> Path:
    """Where SQLite keeps what is needed to undo an unfinished transaction."""
    return path.with_name(f"{path.name}-journal")


def has_room(folder: Path, size: int) -> bool:
    """Whether `size` bytes fit into the file system of `folder` with as much again to spare."""
    return shutil.disk_usage(folder).free >= 2 * size
