"""The bins of a window measured against the limits: those that are over as they were kept, the rest anew.

They are no newer than the bins of use: what is final there may be final here. Where limits of the past have come to be
others than kept bins were measured against, all are measured anew.
"""

from __future__ import annotations

import logging

from librarian.shared.window import Window
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.limits.bin_codec import pack, unpack
from librarian.subjects.limits.bins import Histories, extended, part
from librarian.subjects.limits.pressure import PressedBins, press
from librarian.subjects.subject import Reading
from librarian.subjects.usage.bin_cache import CachedBins, holding, reaching
from librarian.subjects.usage.bins import final

SUBJECT = "limits"
log = logging.getLogger(__name__)


def measure(reading: Reading, histories: Histories) -> PressedBins:
    """The bins of the window, and keep those that are over; the bins of use were computed just before."""
    found: CachedBins = reading.shared[CachedBins]
    tally, window = found.tally, reading.window
    kept = _usable(reading, window)
    pressed = _continued(reading, found, kept, histories) if kept else None
    if kept and pressed is None:
        log.info("%s: limits of the past have changed; all is measured anew", reading.scope.qos)
    known = kept.window.bins if kept and pressed else 0
    if pressed is None:
        whole = found.fresh.start == window.start
        jobs = found.jobs if whole else JobRuns(reading.store).jobs(reading.scope, window.start)
        pressed = press(jobs, window, tally.usage.observables, histories)
    over = final(tally)
    if over > known:
        past = part(pressed, 0, over)
        reading.store.keep_bins(reading.scope, SUBJECT, past.window.now, pack(past), found.edition)
    return pressed


def _usable(reading: Reading, window: Window) -> PressedBins | None:
    """Kept bins that still hold, as far as they are the first ones of the window."""
    row = reading.store.kept_bins(reading.scope, SUBJECT)
    kept = unpack(row[1]) if row else None
    if row is None or kept is None:
        return None
    last = holding(kept.window, row[0])
    inside = reaching(kept.window, window, int(kept.window.edges[last])) if last > 0 else None
    return part(kept, *inside) if inside else None


def _continued(reading: Reading, found: CachedBins, kept: PressedBins, histories: Histories) -> PressedBins | None:
    rest = kept.window.now
    jobs = found.jobs if found.fresh.start <= rest else JobRuns(reading.store).jobs(reading.scope, rest)
    return extended(kept, jobs, reading.window, found.tally.usage.observables, histories)
