"""Bins that are over, as they were computed last: so a cycle reads only the runs of the bins after them."""

from __future__ import annotations

import numpy as np

from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.usage.bin_codec import pack, unpack
from librarian.subjects.usage.bins import Measured, part

_SUBJECT = "usage"


class BinCache:
    """What the runs of a scope came to, up to the first bin of which Slurm has told something new since."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def bins(self, scope: Scope) -> Measured | None:
        """The bins that still hold; None where there are none."""
        found = self._store.kept_bins(scope, _SUBJECT)
        kept = unpack(found[1]) if found else None
        if found is None or kept is None:
            return None
        last = int(np.searchsorted(kept.tally.window.edges, found[0], side="right")) - 1
        return part(kept, 0, last) if last > 0 else None

    def keep(self, scope: Scope, measured: Measured, edition: int) -> bool:
        """Keep bins that were computed from the runs of that edition; they are left out where there is a newer one."""
        return self._store.keep_bins(scope, _SUBJECT, measured.tally.window.now, pack(measured), edition)
