"""What the runs in the store come to in the window of a report: bins that are over as they were kept, the rest anew.

Bins are kept last, after the hours that are kept for good: a run that is ended in between computes them once more, and
writes their hours then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.shared.scope import Scope
from librarian.shared.spans import clipped
from librarian.shared.window import Window
from librarian.store import Store
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Limits, Measured, extended, final, part, part_of_window
from librarian.subjects.usage.bins import measure as measure_all
from librarian.subjects.usage.keep import RUNS, USAGE
from librarian.subjects.usage.keep_bins import BinCache

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """`measured` is the whole window; `jobs` are the runs of its bins `fresh`, which were computed anew.

    `edition` is that of the store's runs. The first bins of the window, as many as `kept`, were there already.
    """

    measured: Measured
    jobs: pd.DataFrame
    fresh: Window
    edition: int
    kept: int = 0

    @property
    def usage(self) -> Usage:
        """What was held in the bins that were computed anew."""
        whole = self.measured.usage
        return replace(whole, window=self.fresh, integrals=whole.integrals[:, :, -self.fresh.bins :])


def measure(store: Store, scope: Scope, window: Window, limits: Limits) -> Found:
    """Compute the bins of `window` that are not kept.

    Where limits of the past have come to be others than the kept bins were measured against, all is computed anew.
    """
    edition = store.edition()
    kept = _usable(BinCache(store).bins(scope), window, _written(store, scope, window))
    found = _continued(store, scope, window, kept, limits, edition) if kept else None
    if found is None:
        jobs = JobRuns(store).jobs(scope, window.start)
        found = Found(measure_all(jobs, window, limits), jobs, window, edition)
    return found


def keep(store: Store, scope: Scope, found: Found) -> None:
    """Keep the bins that are over, for the next time; their hours are written."""
    over = final(found.measured)
    if over > found.kept:
        BinCache(store).keep(scope, part(found.measured, 0, over), found.edition)


def _written(store: Store, scope: Scope, window: Window) -> int:
    """Up to when (UTC epoch) all hours from the window's start on are written, of users and of accounts."""
    spans = [clipped(store.known(scope, what), window.start, window.now) for what in (USAGE, RUNS)]
    return min(known[0][1] if known and known[0][0] == window.start else 0 for known in spans)


def _usable(kept: Measured | None, window: Window, written: int) -> Measured | None:
    """What of the kept bins lies in the window before its last bin and before `written`, if they are bins of it and
    reach to its start."""
    if kept is None or kept.tally.window.zone != window.zone:
        return None
    edges = kept.tally.window.edges
    first, last = np.searchsorted(edges, [window.start, window.edges[-2]]).tolist()
    inside = edges[first : last + 1]
    inside = inside[inside <= written]
    if len(inside) < 2 or not np.array_equal(inside, window.edges[: len(inside)]):
        return None
    return part(kept, first, first + len(inside) - 1)


def _continued(
    store: Store, scope: Scope, window: Window, kept: Measured, limits: Limits, edition: int
) -> Found | None:
    rest = part_of_window(window, kept.tally.window.bins, window.bins)
    jobs = JobRuns(store).jobs(scope, rest.start)
    measured = extended(kept, jobs, window, limits)
    if measured is None:
        log.info("%s: limits of the past have changed; all is computed anew", scope.qos)
        return None
    return Found(measured, jobs, rest, edition, kept.tally.window.bins)
