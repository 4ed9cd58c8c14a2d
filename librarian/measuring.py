"""What the runs in the store come to in the window of a report: bins that are over as they were kept, the rest anew."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.core.measured import Limits, Measured, extended, final, part, part_of_window
from librarian.core.measured import measure as measure_all
from librarian.core.usage import Usage
from librarian.core.window import Window
from librarian.store import Scope, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """`measured` is the whole window; `jobs` are the runs of its bins `fresh`, which were computed anew."""

    measured: Measured
    jobs: pd.DataFrame
    fresh: Window

    @property
    def usage(self) -> Usage:
        """What was held in the bins that were computed anew."""
        whole = self.measured.usage
        return replace(whole, window=self.fresh, integrals=whole.integrals[:, :, -self.fresh.bins :])


def measure(store: Store, scope: Scope, window: Window, limits: Limits) -> Found:
    """Compute the bins of `window` that are not kept, and keep those that are over.

    Where limits of the past have come to be others than the kept bins were measured against, all is computed anew.
    """
    edition, kept = store.edition(), _usable(store.bins(scope), window)
    found = _continued(store, scope, window, kept, limits) if kept else None
    if found is None:
        kept, jobs = None, store.jobs(scope, window.start)
        found = Found(measure_all(jobs, window, limits), jobs, window)
    over = final(found.measured)
    if over > (kept.tally.window.bins if kept else 0):
        store.keep_bins(scope, part(found.measured, 0, over), edition)
    return found


def _usable(kept: Measured | None, window: Window) -> Measured | None:
    """What of the kept bins lies in the window before its last bin, if they are bins of it and reach to its start."""
    if kept is None or kept.tally.window.zone != window.zone:
        return None
    edges = kept.tally.window.edges
    first, last = np.searchsorted(edges, [window.start, window.edges[-2]]).tolist()
    inside = edges[first : last + 1]
    if len(inside) < 2 or not np.array_equal(inside, window.edges[: len(inside)]):
        return None
    return part(kept, first, first + len(inside) - 1)


def _continued(store: Store, scope: Scope, window: Window, kept: Measured, limits: Limits) -> Found | None:
    rest = part_of_window(window, kept.tally.window.bins, window.bins)
    jobs = store.jobs(scope, rest.start)
    measured = extended(kept, jobs, window, limits)
    if measured is None:
        log.info("%s: limits of the past have changed; all is computed anew", scope.qos)
        return None
    return Found(measured, jobs, rest)
