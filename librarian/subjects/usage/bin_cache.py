"""What the runs in the store come to in the window of a report: bins that are over as they were kept, the rest anew.

Bins are kept last, after the hours that are kept for good: a run that is ended in between computes them once more, and
writes their hours then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.shared.scope import Scope
from librarian.shared.spans import clipped
from librarian.shared.window import Window
from librarian.store import Store
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.usage.bin_codec import pack, unpack
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Tally, extended, final, part, part_of_window
from librarian.subjects.usage.bins import measure as measure_all
from librarian.subjects.usage.sums import RUNS, USAGE

SUBJECT = "usage"


@dataclass(frozen=True)
class CachedBins:
    """`tally` is of the whole window; `jobs` are the runs of its bins `fresh`, which were computed anew.

    `edition` is that of the store's runs. The first bins of the window, as many as `kept`, were there already.
    """

    tally: Tally
    jobs: pd.DataFrame
    fresh: Window
    edition: int
    kept: int = 0

    @property
    def usage(self) -> Usage:
        """What was held in the bins that were computed anew."""
        whole = self.tally.usage
        return replace(whole, window=self.fresh, integrals=whole.integrals[:, :, -self.fresh.bins :])


def measure(store: Store, scope: Scope, window: Window) -> CachedBins:
    """Compute the bins of `window` that are not kept."""
    edition = store.edition()
    kept = _usable(_kept(store, scope), window, _written(store, scope, window))
    if kept is None:
        jobs = JobRuns(store).jobs(scope, window.start)
        return CachedBins(measure_all(jobs, window), jobs, window, edition)
    rest = part_of_window(window, kept.window.bins, window.bins)
    jobs = JobRuns(store).jobs(scope, rest.start)
    return CachedBins(extended(kept, jobs, window), jobs, rest, edition, kept.window.bins)


def keep(store: Store, scope: Scope, found: CachedBins) -> None:
    """Keep the bins that are over, for the next time; their hours are written."""
    over = final(found.tally)
    if over > found.kept:
        whole = part(found.tally, 0, over)
        store.keep_bins(scope, SUBJECT, whole.window.now, pack(whole), found.edition)


def _kept(store: Store, scope: Scope) -> Tally | None:
    """The bins that still hold; None where there are none."""
    row = store.kept_bins(scope, SUBJECT)
    kept = unpack(row[1]) if row else None
    if row is None or kept is None:
        return None
    last = holding(kept.window, row[0])
    return part(kept, 0, last) if last > 0 else None


def holding(window: Window, until: int) -> int:
    """How many of the bins hold that do so up to `until` (UTC epoch)."""
    return int(np.searchsorted(window.edges, until, side="right")) - 1


def _written(store: Store, scope: Scope, window: Window) -> int:
    """Up to when (UTC epoch) all hours from the window's start on are written, of users and of accounts."""
    spans = [clipped(store.known(scope, what), window.start, window.now) for what in (USAGE, RUNS)]
    return min(known[0][1] if known and known[0][0] == window.start else 0 for known in spans)


def _usable(kept: Tally | None, window: Window, written: int) -> Tally | None:
    inside = reaching(kept.window, window, written) if kept else None
    return part(kept, *inside) if kept and inside else None


def reaching(kept: Window, window: Window, until: int) -> tuple[int, int] | None:
    """Which bins of `kept` (indexes, the last excluded) are the first ones of `window`, before its last and before
    `until`; None where there are none such."""
    if kept.zone != window.zone:
        return None
    first, last = np.searchsorted(kept.edges, [window.start, window.edges[-2]]).tolist()
    inside = kept.edges[first : last + 1]
    inside = inside[inside <= until]
    if len(inside) < 2 or not np.array_equal(inside, window.edges[: len(inside)]):
        return None
    return first, first + len(inside) - 1
