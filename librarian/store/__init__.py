"""The store: one SQLite file a cluster, with what Slurm said and what became of it.

Here are the file and what all subjects share of it; what a subject keeps is in its own module `keep`, whose classes
take an open store. The tables of all are in `schema`.
Every answer goes in as one transaction, so a kill leaves the store as it was before or as it is after. No write-ahead
log: that needs shared memory, which a home on NFS does not have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from librarian.errors import LibrarianError
from librarian.store.backups import DAILY, DAMAGED, dated, set_aside
from librarian.store.daily import keep_copy
from librarian.store.database import CorruptStoreError, connect
from librarian.store.maintenance import Health, check, export, shrink, take_in
from librarian.store.rescue import rescue
from librarian.store.schema import MIGRATIONS
from librarian.store.services import Store

__all__ = [
    "MIGRATIONS",
    "CorruptStoreError",
    "Health",
    "Store",
    "check",
    "copies",
    "damaged",
    "export",
    "keep_copy",
    "open_store",
    "opened",
    "rescue",
    "set_aside",
    "shrink",
    "take_in",
]


def copies(path: Path) -> list[tuple[int, Path]]:
    """The copies of a store that were made day by day, with their times (UTC epochs), the newest first."""
    return dated(path, DAILY)


def damaged(path: Path) -> list[tuple[int, Path]]:
    """The damaged stores that were set aside, with the times (UTC epochs) when that was done, the newest first."""
    return dated(path, DAMAGED)


def open_store(path: Path, cluster: str) -> Store:
    """Open the store of a cluster, make it where it is not there, bring it to this schema.

    Raises `CorruptStoreError` when the file is no store, `StoreError` when it cannot be opened or is of a newer
    version.
    """
    return Store(connect(path, cluster), path)


@contextlib.contextmanager
def opened(path: Path, cluster: str) -> Iterator[Store]:
    """The open store for the time of a block. Raises `CorruptStoreError` as well where the block fails over what is in
    it."""
    store = open_store(path, cluster)
    try:
        yield store
    except LibrarianError:
        raise
    except Exception:
        store.refuse_damage()  # what cannot be is told as that, not as the mistake that somebody made with it
        raise
    finally:
        store.close()
