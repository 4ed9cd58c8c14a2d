"""How near a QoS came to its limits: the most that was held at once, and the time in which a limit was as good as hit.

The mean of an hour hides a limit that was hit for a quarter of it. What all hold together is a step function of time
that changes where a run begins or ends; sorted once, those times serve every observable: O(runs x log runs).

`press` tells of each bin by itself, whatever comes before and after it; `pressures` puts any bins in a row together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.privacy.renaming import Renaming, summed
from librarian.shared.names import UserName
from librarian.shared.resources import Observable
from librarian.shared.window import Epochs, Window
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.model import Mask
from librarian.subjects.limits.model import NEAR, History
from librarian.subjects.usage.binning import Cells, Floats, bin_of, exactly, held_shares, span, touching, users_of

_RESIDUE = 1e-6  # what sums too large to be exact leave of a difference that is zero
_SLACK = 1 - 1e-9  # and what they may take from one that is not
_HOLDERS = 10


InForce = tuple[tuple[int, float | None], ...]  # from when (UTC epoch) which limit above 0 was there, None for none


@dataclass(frozen=True)
class Holder:
    """What a user held, on average over the time in which the limit was hit, and its part of all that was held then."""

    user: UserName
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


@dataclass(frozen=True)
class Pressed:
    """Of one observable, by bin; all of shape (bins,) but for `shares` (2, bins) and `held` (users, bins).

    `peaks` is the most that was held at once, first reached at `peak_at`. For `near` seconds the limit was hit, for
    `limited` there was one above 0; `shares` is the largest and the mean part of it that was held, NaN where there was
    none. From the start of the bin it was hit for `lead` seconds, up to its end for `trail`, and in it for `best`
    without a break, from `best_at` on. `held` is what each user held while it was hit, in unit-seconds.
    """

    peaks: Floats
    peak_at: Epochs
    near: Epochs
    limited: Epochs
    shares: Floats
    lead: Epochs
    trail: Epochs
    best: Epochs
    best_at: Epochs
    held: Floats


@dataclass(frozen=True)
class PressedBins:
    """The bins of `window` by observable key, and the `limits` that they were measured against; `users` are those of
    `Pressed.held`, sorted by name."""

    window: Window
    users: tuple[UserName, ...]
    of: Mapping[str, Pressed]
    limits: Mapping[str, InForce]

    def renamed(self, names: Renaming) -> PressedBins:
        """By public name: what users hold who share one is summed."""
        users, place = names.merged(UserName, self.users)
        of = {key: replace(one, held=summed(one.held, place, len(users))) for key, one in self.of.items()}
        return replace(self, users=tuple(map(UserName, users)), of=of)


def press(
    jobs: pd.DataFrame, window: Window, observables: Sequence[Observable], histories: Mapping[str, History]
) -> PressedBins:
    """Peaks and time at the limit of `observables` in each bin, against the limits as they were (`histories`).

    At the second in which one run ends and another starts only the later one counts. A suspended job's pause is spread
    over its run, as its use is: of what a pause stops it counts with the same part throughout, of all else in full.
    """
    jobs = jobs.loc[touching(jobs, window)]
    steps = _Steps(jobs, window, histories)
    shares = dict(zip(observables, held_shares(observables, jobs, window.now), strict=True))
    found = {o.key: _pressed(steps, weights_of(o, jobs) * share, histories[o.key]) for o, share in shares.items()}
    return PressedBins(window, steps.names, found, limits_in_force(histories, found, window))


def _pressed(steps: _Steps, weight: Floats, history: History) -> Pressed:
    level = steps.level(weight)
    threshold = steps.threshold(history)
    hit = level >= threshold * NEAR * _SLACK
    peaks = np.maximum.reduceat(level, steps.first)
    return Pressed(
        peaks,
        steps.first_at(level, peaks),
        np.add.reduceat(steps.seconds * hit, steps.first),
        np.add.reduceat(steps.seconds * np.isfinite(threshold), steps.first),
        steps.shares(level, threshold),
        *steps.stretches(hit),
        steps.held(hit, weight),
    )


class _Steps:
    """The stretches of the window in which nothing changes: no run begins or ends, no bin, no limit.

    `times` are their starts, `seconds` their lengths, both shape (stretches,); `first` is the first of each bin.
    """

    def __init__(self, jobs: pd.DataFrame, window: Window, histories: Mapping[str, History]) -> None:
        begin, end = span(jobs, window.now)
        begin = np.maximum(begin, window.start)
        changes = [step.since for history in histories.values() for step in history]
        changes = [since for since in changes if window.start < since < window.now]
        fixed = np.array([*window.edges[:-1].tolist(), *changes, window.now], dtype=np.int64)
        moments = np.concatenate([begin, end, fixed])
        order = np.argsort(moments)
        ordered = moments[order]
        new = np.append(True, ordered[1:] != ordered[:-1])
        place = np.empty(len(moments), dtype=np.intp)  # of each moment among those that differ
        place[order] = np.cumsum(new) - 1
        self._begin, self._end = place[: len(jobs)], place[len(jobs) : 2 * len(jobs)]
        knots = ordered[new]  # the first is the window's start, the last is now
        self.times, self.seconds = knots[:-1], np.diff(knots)
        self.first = np.searchsorted(self.times, window.edges[:-1])
        user, self.names = users_of(jobs)
        self._cells = Cells(user, len(self.names), bin_of(begin, window.edges), bin_of(end, window.edges))

    def level(self, weight: Floats) -> Floats:
        """What all hold together in each stretch, shape (stretches,); `weight` is each run's, shape (runs,)."""
        size = len(self.times)

        def add_up(part: Floats) -> Floats:
            more, less = (np.bincount(at, part, minlength=size + 1) for at in (self._begin, self._end))
            return np.cumsum((more - less)[:size])

        level = exactly(weight, add_up)
        return np.where(np.abs(level) < _RESIDUE, 0.0, level)

    def threshold(self, history: History) -> Floats:
        """The limit in each stretch, infinite where there was none above 0 or none is known, shape (stretches,)."""
        first = np.searchsorted(self.times, [step.since for step in history])
        values = np.array([np.inf, *(step.limit.value or np.inf for step in history)])
        return np.repeat(values, np.diff([0, *first.tolist(), len(self.times)]))

    def first_at(self, level: Floats, peaks: Floats) -> Epochs:
        """When each bin's peak was first reached, shape (bins,)."""
        reached = level == np.repeat(peaks, np.diff(np.append(self.first, len(level))))
        place = np.where(reached, np.arange(len(level)), len(level))
        at: Epochs = self.times[np.minimum.reduceat(place, self.first)]
        return at

    def shares(self, level: Floats, threshold: Floats) -> Floats:
        """The largest and the mean part of the limit that was held in each bin, over the time with a limit."""
        part, limited = level / threshold, np.isfinite(threshold) * self.seconds
        time = np.add.reduceat(limited, self.first)
        mean = np.add.reduceat(part * limited, self.first) / np.where(time > 0, time, np.nan)
        return np.stack([np.where(time > 0, np.maximum.reduceat(part, self.first), np.nan), mean])

    def stretches(self, hit: Mask) -> tuple[Epochs, Epochs, Epochs, Epochs]:
        """Of the times without a break in which `hit` holds: `lead`, `trail`, `best` and `best_at` of each bin."""
        opens = np.zeros(len(hit), dtype=bool)
        opens[self.first] = True
        closes = np.append(opens[1:], True)
        begin = np.flatnonzero(hit & (opens | ~np.append(False, hit[:-1])))
        end = np.flatnonzero(hit & (closes | ~np.append(hit[1:], False)))
        at, length = self.times[begin], self.times[end] + self.seconds[end] - self.times[begin]
        place = np.searchsorted(self.first, begin, side="right") - 1
        lead, trail, best, best_at = (np.zeros(len(self.first), dtype=np.int64) for _ in range(4))
        lead[place[opens[begin]]] = length[opens[begin]]
        trail[place[closes[end]]] = length[closes[end]]
        order = np.lexsort((-at, length, place))  # of each bin the longest comes last, of equal ones the first
        best[place[order]], best_at[place[order]] = length[order], at[order]
        return lead, trail, best, best_at

    def held(self, hit: Mask, weight: Floats) -> Floats:
        """What each user held while `hit` holds, in unit-seconds, shape (users, bins)."""
        if not hit.any():
            return np.zeros((len(self.names), len(self.first)))
        passed = np.append(0, np.cumsum(self.seconds * hit))  # a clock that runs only while `hit` holds
        edges = passed[np.append(self.first, len(hit))]
        return self._cells.integrate(weight, passed[self._begin], passed[self._end], edges)


def in_force(steps: Iterable[tuple[int, float | None]], window: Window) -> InForce:
    """What of a limit's steps the bins of `window` are measured against; the same for what comes to the same."""
    placed = {max(since, window.start): value or None for since, value in steps if since < window.now}
    told = [(window.start - 1, None), *sorted(placed.items())]
    return tuple(step for before, step in itertools.pairwise(told) if step[1] != before[1])


def limits_in_force(histories: Mapping[str, History], keys: Iterable[str], window: Window) -> dict[str, InForce]:
    """The same of several histories."""
    return {key: in_force([(step.since, step.limit.value) for step in histories[key]], window) for key in keys}


def pressures(pressed: PressedBins, others: UserName | None = None) -> Pressures:
    """What bins in a row come to; `others`, many under one name, are no holder."""
    bins = pressed.of
    limited = [key for key, one in bins.items() if one.limited.any()]
    return Pressures(
        {key: one.peaks for key, one in bins.items()},
        {key: bins[key].near for key in limited},
        {key: bins[key].shares for key in limited},
        {key: _total(one, pressed, others) for key, one in bins.items()},
    )


def _total(one: Pressed, pressed: PressedBins, others: UserName | None) -> Pressure:
    top = int(one.peaks.argmax())
    return Pressure(
        peak=float(one.peaks[top]),
        peak_at=int(one.peak_at[top]) if one.peaks[top] else None,
        near=int(one.near.sum()),
        limited=int(one.limited.sum()),
        longest=_longest(one, pressed.window),
        holders=_holders(one, pressed.users, others),
    )


def _longest(one: Pressed, window: Window) -> tuple[int, int] | None:
    """The longest time without a break in which the limit was hit, the first of equal ones: from and to."""
    found, running = (0, 0), 0  # (seconds, from); seconds up to the start of the bin
    ends = np.append(window.edges[1:-1], window.now).tolist()
    columns = (column.tolist() for column in (window.starts, one.lead, one.trail, one.best, one.best_at))
    for end, start, lead, trail, best, best_at in zip(ends, *columns, strict=True):
        if lead and running + lead > found[0]:
            found = running + lead, start - running
        if best > found[0]:
            found = best, best_at
        running = running + lead if lead == end - start else trail
    return (found[1], found[1] + found[0]) if found[0] else None


def _holders(one: Pressed, users: Sequence[UserName], others: UserName | None) -> tuple[Holder, ...]:
    """Who held how much while the limit was hit, largest first."""
    whole = float(one.near.sum())
    if not whole:
        return ()
    held = one.held.sum(axis=1)
    named = (user for user in range(len(held)) if users[user] != others)
    ranked = sorted(named, key=lambda user: (-held[user], users[user]))[:_HOLDERS]
    total = float(held.sum())
    return tuple(
        Holder(users[user], float(held[user]) / whole, float(held[user]) / total)
        for user in ranked
        if held[user] > _RESIDUE
    )
