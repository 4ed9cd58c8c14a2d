"""What becomes of a store that is damaged: it is set aside, and the newest good copy takes its place.

There is a store under its name, or copies of it are there and the next run begins here again: a kill at any point, or a
disk that is full, loses nothing.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from librarian.errors import StoreError
from librarian.store.backups import DAILY, DAMAGED, copy_of, dated, journal, set_aside
from librarian.store.database import connect, guarded
from librarian.store.maintenance import check, reading
from librarian.system.host import sync_folder, utc


def rescue(path: Path, cluster: str, now: int) -> str:
    """Put the newest good copy, or an empty store, in the place of the damaged one; what was done, in words.

    Raises `StoreError` where there is no room for that; nothing is changed then.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        mark = _newest_good(path, fresh)
        connect(fresh, cluster).close()
        was_there = path.exists()
        with guarded(path):
            aside = set_aside(path, DAMAGED, now)
            fresh.replace(path)
            sync_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)
        journal(fresh).unlink(missing_ok=True)
    begun = f"it is set aside as {aside}, and " if was_there else ""
    if mark is None:
        return f"{begun}it is built again from Slurm; there is no good copy"
    return f"{begun}the copy of {utc(mark)} takes its place; Slurm is asked for what came later"


def _newest_good(path: Path, fresh: Path) -> int | None:
    """Write the newest copy that is whole to `fresh`; returns its mark, or None where there is no such copy."""
    for mark, copy in dated(path, DAILY):
        if _is_good(copy):
            with guarded(path), contextlib.closing(reading(copy)) as connection:
                copy_of(connection, fresh)
            return mark
    return None


def _is_good(copy: Path) -> bool:
    try:
        return not check(copy).problems
    except StoreError:  # it cannot be opened, or went meanwhile
        return False
