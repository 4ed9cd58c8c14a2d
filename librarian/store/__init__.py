"""The store: one SQLite file a cluster, with what Slurm said and what became of it.

Job runs by DBIndex, the queries that were asked, rows that were rejected; hourly usage, changes of limits and what was
waited for, which are kept for good; the queue as it was last seen; what a window's bins came to. A room for each; the
tables are in `schema`.
Every answer goes in as one transaction, so a kill leaves the store as it was before or as it is after. No write-ahead
log: that needs shared memory, which a home on NFS does not have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from librarian.store.backups import set_aside
from librarian.store.database import CorruptStoreError, connect
from librarian.store.maintenance import Care, Health, check, export, take_in
from librarian.store.merging import Merging
from librarian.store.schema import MIGRATIONS
from librarian.subjects.jobs.keep import Asked, Coverage, Queries, Scope
from librarian.subjects.limits.keep import Observed
from librarian.subjects.months.keep import Months
from librarian.subjects.queue.keep import Queues
from librarian.subjects.usage.keep import Usages
from librarian.subjects.usage.keep_bins import Bins

__all__ = [
    "MIGRATIONS",
    "Asked",
    "CorruptStoreError",
    "Coverage",
    "Health",
    "Scope",
    "Store",
    "check",
    "export",
    "open_store",
    "opened",
    "set_aside",
    "take_in",
]


class Store(Care, Queries, Bins, Merging, Usages, Months, Observed, Queues):
    """An open store. Use `open_store`."""


def open_store(path: Path) -> Store:
    """Open the store, make it where it is not there, bring it to this schema.

    Raises `CorruptStoreError` when the file is no store, `StoreError` when it cannot be opened or is of a newer
    version.
    """
    return Store(connect(path), path)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """The open store for the time of a block."""
    store = open_store(path)
    try:
        yield store
    finally:
        store.close()
