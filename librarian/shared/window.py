"""The time axis: bin edges as UTC epochs, aligned to the clock of a zone.

Bins start at the zone's midnight and follow each other every `bin_seconds`; the last one of a local day ends with
the day. A day of a clock change therefore has 23 or 25 hourly bins, and no bin ever spans two days. Bins are half-open,
[edge, next edge), and final once they are past: their edges depend on the calendar alone, never on when a run happens.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from librarian.shared.calendar import DAY, day_start, isoformat, local_date

__all__ = ["DAY", "Epochs", "Window", "day_edges", "day_start", "isoformat", "local_date", "window_until"]

Epochs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """`edges`: n + 1 rising UTC epochs of n bins; `now` lies in the last bin: edges[-2] < now <= edges[-1].

    The part of the last bin after `now` has not passed and counts nowhere. `zone` is a pytz name, `bin_seconds` the
    nominal length of a bin.
    """

    edges: Epochs
    now: int
    zone: str
    bin_seconds: int

    def __post_init__(self) -> None:
        if len(self.edges) < 2 or np.any(np.diff(self.edges) <= 0):
            raise ValueError("a window needs at least two rising edges")
        if not self.edges[-2] < self.now <= self.edges[-1]:
            raise ValueError("now must lie in the window's last bin")

    @property
    def start(self) -> int:
        """First instant of the window."""
        return int(self.edges[0])

    @property
    def bins(self) -> int:
        """Number of bins, the unfinished one included."""
        return len(self.edges) - 1

    @property
    def starts(self) -> Epochs:
        """First instant of each bin, shape (bins,)."""
        return self.edges[:-1]

    @property
    def passed(self) -> Epochs:
        """Seconds of each bin that have passed at `now`, shape (bins,); all of them but for the last bin."""
        return np.minimum(self.edges[1:], self.now) - self.edges[:-1]


def window_until(now: int, *, seconds: int, bin_seconds: int, zone: str) -> Window:
    """The window of the last `seconds` before `now`: it begins with the first bin that starts in them.

    `bin_seconds` divides a day. Raises `ValueError` when `seconds` is shorter than a bin.
    """
    if seconds < bin_seconds or DAY % bin_seconds:
        raise ValueError("a window is at least one bin long, and a bin divides a day")
    edges = day_edges(now - seconds, now, bin_seconds, zone)
    first = int(np.searchsorted(edges, now - seconds))
    last = int(np.searchsorted(edges, now))
    return Window(edges[first : last + 1], now, zone, bin_seconds)


def day_edges(begin: int, end: int, bin_seconds: int, zone: str) -> Epochs:
    """All bin edges of the zone's days that hold `begin` to `end`, up to the first edge of the day after `end`'s."""
    first, last = local_date(begin, zone), local_date(end, zone)
    days = [first + timedelta(days=k) for k in range((last - first).days + 2)]
    midnights = [day_start(day, zone) for day in days]
    parts = [np.arange(a, b, bin_seconds, dtype=np.int64) for a, b in itertools.pairwise(midnights) if a < b]
    return np.concatenate([*parts, np.array(midnights[-1:], dtype=np.int64)])
