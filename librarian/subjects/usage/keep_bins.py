"""Bins that are over, as they were computed last: so a cycle reads only the runs of the bins after them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from librarian.store.database import Database
from librarian.subjects.jobs.keep import Scope
from librarian.subjects.usage.bin_codec import pack, unpack
from librarian.subjects.usage.bins import Measured, part


class Bins(Database):
    """What the runs of a scope came to, up to the first bin of which Slurm has told something new since."""

    def edition(self) -> int:
        """A number that changes whenever what was told of runs has changed."""
        return int(self._one("SELECT number FROM edition")[0])

    def bins(self, scope: Scope) -> Measured | None:
        """The bins that still hold; None where there are none."""
        row = self._one("SELECT until, data FROM bins WHERE scope = ?", scope.key)
        kept = unpack(row[1]) if row else None
        if row is None or kept is None:
            return None
        last = int(np.searchsorted(kept.tally.window.edges, row[0], side="right")) - 1
        return part(kept, 0, last) if last > 0 else None

    def keep_bins(self, scope: Scope, measured: Measured, edition: int) -> bool:
        """Keep bins that were computed from the runs of that edition; they are left out where there is a newer one."""
        data, until = pack(measured), measured.tally.window.now
        with self._transaction():
            if self._db.execute("SELECT number FROM edition").fetchone()[0] != edition:
                return False
            self._db.execute("INSERT OR REPLACE INTO bins VALUES (?, ?, ?)", (scope.key, until, data))
        return True

    def forget_bins(self, scopes: Collection[Scope]) -> None:
        """Drop what is kept of other scopes than these: nobody asks for it any more."""
        kept = {scope.key for scope in scopes}
        with self._transaction():
            others = [row for row in self._db.execute("SELECT scope FROM bins").fetchall() if row[0] not in kept]
            self._db.executemany("DELETE FROM bins WHERE scope = ?", others)
