"""How near a QoS came to its limits: the most that was held at once, and the time in which a limit was as good as hit.

The mean of an hour hides a limit that was hit for a quarter of it. What all hold together is a step function of time
that changes where a run begins or ends; sorted once, those times serve every observable: O(runs x log runs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.core.limits import History
from librarian.core.observables import Observable
from librarian.core.usage import Floats, held_share, span, touching, users_of
from librarian.core.window import Epochs, Window

NEAR = 0.95
"""From this part of a limit on it counts as hit: the next job would seldom fit."""
_RESIDUE = 1e-6  # what float sums leave of a difference that is zero
_SLACK = 1 - 1e-9  # and what they may take from one that is not
_HOLDERS = 10


@dataclass(frozen=True)
class Holder:
    """What a user held, on average over the time in which the limit was hit, and its part of all that was held then."""

    user: str
    mean: float
    share: float


@dataclass(frozen=True)
class Pressure:
    """Of one observable over the window. Times are UTC epochs, durations seconds.

    `peak` was first reached at `peak_at` (None: nothing was ever held). `near` is how long at least `NEAR` of the limit
    was held, `limited` for how long there was one above 0, `longest` the longest stretch of the former.
    """

    peak: float
    peak_at: int | None
    near: int
    limited: int
    longest: tuple[int, int] | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class Pressures:
    """By observable key: the most that was held at once in each bin, shape (bins,); the seconds of each bin in which a
    limit was hit, shape (bins,), for those that had a limit above 0; for the same the largest and the mean part of the
    limit that was held in each bin, shape (2, bins), NaN where there was none; and each one's `Pressure`."""

    peaks: Mapping[str, Floats]
    near: Mapping[str, Epochs]
    shares: Mapping[str, Floats]
    totals: Mapping[str, Pressure]


def press(
    jobs: pd.DataFrame, window: Window, observables: Sequence[Observable], histories: Mapping[str, History]
) -> Pressures:
    """Peaks and time at the limit of `observables` over the window, against the limits as they were (`histories`).

    At the second in which one run ends and another starts only the later one counts. A suspended job's pause is spread
    over its run, as its use is: it counts with the same part of its allocation throughout.
    """
    jobs = jobs.loc[touching(jobs, window)]
    steps = _Steps(jobs, window, histories)
    share = held_share(jobs, window.now)
    peaks, near, shares, totals = {}, {}, {}, {}
    for observable in observables:
        weight = observable.weights(jobs) * share
        level = steps.level(weight)
        threshold = steps.threshold(histories[observable.key])
        hit = level >= threshold * NEAR * _SLACK
        peaks[observable.key] = np.maximum.reduceat(level, steps.first)
        if np.isfinite(threshold).any():
            near[observable.key] = np.add.reduceat(steps.seconds * hit, steps.first)
            shares[observable.key] = steps.shares(level, threshold)
        totals[observable.key] = Pressure(
            peak=float(level.max()),
            peak_at=int(steps.times[level.argmax()]) if level.any() else None,
            near=int(steps.seconds[hit].sum()),
            limited=int(steps.seconds[np.isfinite(threshold)].sum()),
            longest=steps.longest(hit),
            holders=steps.holders(hit, weight),
        )
    return Pressures(peaks, near, shares, totals)


class _Steps:
    """The stretches of the window in which nothing changes: no run begins or ends, no bin, no limit.

    `times` are their starts, `seconds` their lengths, both shape (stretches,); `first` is the first of each bin.
    """

    def __init__(self, jobs: pd.DataFrame, window: Window, histories: Mapping[str, History]) -> None:
        begin, end = span(jobs, window.now)
        changes = [step.since for history in histories.values() for step in history if step.since < window.now]
        fixed = np.array([*window.edges[:-1].tolist(), *changes, window.now], dtype=np.int64)
        moments = np.concatenate([np.maximum(begin, window.start), end, fixed])
        order = np.argsort(moments)
        ordered = moments[order]
        new = np.append(True, ordered[1:] != ordered[:-1])
        place = np.empty(len(moments), dtype=np.intp)  # of each moment among those that differ
        place[order] = np.cumsum(new) - 1
        self._begin, self._end = place[: len(jobs)], place[len(jobs) : 2 * len(jobs)]
        knots = ordered[new]  # the first is the window's start, the last is now
        self.times, self.seconds = knots[:-1], np.diff(knots)
        self.first = np.searchsorted(self.times, window.edges[:-1])
        self._user, self._names = users_of(jobs)

    def level(self, weight: Floats) -> Floats:
        """What all hold together in each stretch, shape (stretches,); `weight` is each run's, shape (runs,)."""
        size = len(self.times)
        more, less = (np.bincount(at, weight, minlength=size + 1) for at in (self._begin, self._end))
        level = np.cumsum((more - less)[:size])
        return np.where(np.abs(level) < _RESIDUE, 0.0, level)

    def threshold(self, history: History) -> Floats:
        """The limit in each stretch, infinite where there was none above 0 or none is known, shape (stretches,)."""
        first = np.searchsorted(self.times, [step.since for step in history])
        values = np.array([np.inf, *(step.limit.value or np.inf for step in history)])
        return np.repeat(values, np.diff([0, *first.tolist(), len(self.times)]))

    def shares(self, level: Floats, threshold: Floats) -> Floats:
        """The largest and the mean part of the limit that was held in each bin, over the time with a limit."""
        part, limited = level / threshold, np.isfinite(threshold) * self.seconds
        time = np.add.reduceat(limited, self.first)
        mean = np.add.reduceat(part * limited, self.first) / np.where(time > 0, time, np.nan)
        return np.stack([np.where(time > 0, np.maximum.reduceat(part, self.first), np.nan), mean])

    def longest(self, hit: npt.NDArray[np.bool_]) -> tuple[int, int] | None:
        """The longest time without a break in which `hit` holds, the first of equal ones: from and to."""
        turns = np.diff(np.concatenate([[False], hit, [False]]).astype(np.int8))
        begin, end = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1) - 1
        if not len(begin):
            return None
        lengths = self.times[end] + self.seconds[end] - self.times[begin]
        place = int(lengths.argmax())
        start = int(self.times[begin[place]])
        return start, start + int(lengths[place])

    def holders(self, hit: npt.NDArray[np.bool_], weight: Floats) -> tuple[Holder, ...]:
        """Who held how much while `hit` holds, largest first."""
        passed = np.append(0, np.cumsum(self.seconds * hit))  # seconds of it up to each moment
        whole = float(passed[-1])
        if not whole:
            return ()
        time = passed[self._end] - passed[self._begin]
        held = np.bincount(self._user, weight * time, minlength=len(self._names))
        ranked = sorted(range(len(held)), key=lambda user: (-held[user], self._names[user]))[:_HOLDERS]
        total = float(held.sum())
        return tuple(
            Holder(self._names[user], float(held[user]) / whole, float(held[user]) / total)
            for user in ranked
            if held[user] > _RESIDUE
        )
