"""Jobs binned: who held how much in each bin, exactly.

A run of weight w that holds its allocation for a part of a bin adds w x overlap to that bin. All runs together are two
sums over edges, one at starts and one at ends, so the cost is O(runs + users x bins).

Sums are exact (see `exactly`), so a bin comes to the same number to the last digit, whichever other bins are looked at
and in whichever order the runs come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.privacy.renaming import Renaming, summed
from librarian.shared.names import UserName
from librarian.shared.resources import Observable
from librarian.shared.window import Epochs, Window
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.model import UNKNOWN, codes, goes_on, in_state, ints, started, under_way

Floats = npt.NDArray[np.float64]
Indexes: TypeAlias = "npt.NDArray[np.integer[Any]]"  # as text, since numpy has it so from 1.22 on
# to copy the other columns would take as long as to bin
_NEEDED = ("start", "end", "elapsed", "suspended", "user", "state", "alloc_tres")
_COARSE, _FINE = 2.0**-10, 2.0**-40
_RESIDUE = 1e-6  # unit-seconds: what sums too large to be exact leave of a difference that is zero


@dataclass(frozen=True)
class Usage:
    """What each user held, in unit-seconds.

    `integrals` has shape (observables, users, bins); `holding` what each user holds at `window.now`, shape
    (observables, users). `users` are sorted by name; a user is here who held something in the window.
    """

    window: Window
    observables: tuple[Observable, ...]
    users: tuple[UserName, ...]
    integrals: Floats
    holding: Floats

    @property
    def means(self) -> Floats:
        """Time-weighted means over each bin, or over the part of it that has passed; shape as `integrals`."""
        return self.integrals / self.window.passed

    @property
    def hours(self) -> Floats:
        """Unit-hours in the window, shape (observables, users)."""
        total: Floats = self.integrals.sum(axis=2) / 3600.0
        return total

    def renamed(self, names: Renaming) -> Usage:
        """By public name: the rows of users who share one are summed."""
        users, place = names.merged(UserName, self.users)
        holding = summed(self.holding[..., np.newaxis], place, len(users))[..., 0]
        integrals = summed(self.integrals, place, len(users))
        return replace(self, users=tuple(map(UserName, users)), integrals=integrals, holding=holding)

    def row(self, key: str) -> int:
        """Index of the observable `key`. Raises `KeyError`."""
        for index, observable in enumerate(self.observables):
            if observable.key == key:
                return index
        raise KeyError(key)


def bin_jobs(jobs: pd.DataFrame, window: Window, observables: Sequence[Observable]) -> Usage:
    """Bin the runs of `jobs` over `window`.

    A run counts from its start to its end, or to `window.now` while it has none; what is `pausable` without its pauses.
    Slurm tells for how long a job was suspended, not when: the pause is spread evenly over the run. Runs that never
    started count nothing.
    """
    jobs = jobs.loc[touching(jobs, window), list(_NEEDED)]
    user, names = users_of(jobs)
    begin, end = span(jobs, window.now)
    begin = np.maximum(begin, window.start)
    cells = Cells(user, len(names), bin_of(begin, window.edges), bin_of(end, window.edges))
    weights = [weights_of(observable, jobs) for observable in observables]
    shares = held_shares(observables, jobs, window.now)
    integral = cells.integral(begin, end, window.edges)
    integrals = [integral(weight * share) for weight, share in zip(weights, shares, strict=True)]
    now = [weight * holds for weight, holds in zip(weights, _held_now(observables, jobs, window.now), strict=True)]
    holding = [np.bincount(user, weight, minlength=len(names)) for weight in now]
    shape = (len(observables), len(names))
    usage = Usage(
        window,
        tuple(observables),
        names,
        np.array(integrals, dtype=float).reshape(*shape, window.bins),
        np.array(holding, dtype=float).reshape(shape),
    )
    return of_users(usage, [column for column in range(len(names)) if _holds(usage, column)])


def of_users(usage: Usage, columns: Sequence[int]) -> Usage:
    """The same of some users alone, by their places among `usage.users`."""
    if list(columns) == list(range(len(usage.users))):
        return usage
    names = tuple(usage.users[column] for column in columns)
    place = np.array(columns, dtype=np.intp)
    return replace(usage, users=names, integrals=usage.integrals[:, place], holding=usage.holding[:, place])


def _holds(usage: Usage, column: int) -> bool:
    return bool(usage.integrals[:, column].any() or usage.holding[:, column].any())


def exactly(weight: Floats, add_up: Callable[[Floats], Floats]) -> Floats:
    """`add_up` of weights, a sum of them times whole numbers, as if floating point had no rounding.

    Weights are whole 1024ths but for those of a pause or an odd unit. They are taken apart in multiples of two powers
    of two, far enough apart that sums of either stay exact, up to some 10^12 units and seconds.
    """
    coarse = _rounded(weight, _COARSE)
    rest = weight - coarse
    return add_up(coarse) + add_up(_rounded(rest, _FINE)) if rest.any() else add_up(weight)


def _rounded(values: Floats, step: float) -> Floats:
    """Each value at the nearest multiple of `step`, a power of two, where its size is below 2^51 steps.

    Next to a number of that size floats lie one step apart, so that adding it rounds: five times faster than `rint`.
    """
    large = 1.5 * 2.0**52 * step
    return (values + large) - large


def span(jobs: pd.DataFrame, now: int) -> tuple[Epochs, Epochs]:
    """Start and end of each started run, the end cut at `now`; both shape (rows,).

    One that has no end, and does not go on, held nothing as far as is known.
    """
    begin, end = ints(jobs, "start"), ints(jobs, "end")
    return begin, np.where(end != UNKNOWN, np.minimum(end, now), np.where(goes_on(jobs), now, begin))


def held_shares(observables: Sequence[Observable], jobs: pd.DataFrame, now: int) -> list[Floats]:
    """With which part of what it has of each observable a run counts, 0 to 1: below 1 where a pause stops that."""
    whole, running = np.ones(len(jobs)), running_share(jobs, now)
    return [running if observable.pausable else whole for observable in observables]


def _held_now(observables: Sequence[Observable], jobs: pd.DataFrame, now: int) -> list[npt.NDArray[np.bool_]]:
    """Which runs hold each observable at `now`."""
    there = under_way(jobs, now)
    running = there & ~in_state(jobs, "SUSPENDED")
    return [running if observable.pausable else there for observable in observables]


def running_share(jobs: pd.DataFrame, now: int) -> Floats:
    """The part of each run's span up to `now`, 0 to 1, in which it was not suspended.

    sacct's Elapsed leaves pauses out: end - start = elapsed + suspended. Of a run that goes on it tells both as of its
    own clock, which may be later than `now`; then the one that does not grow is right: elapsed while it is suspended,
    suspended while it runs.
    """
    begin, end = ints(jobs, "start"), ints(jobs, "end")
    whole = np.maximum(np.where(end == UNKNOWN, now, end) - begin, 1)
    paused = (end == UNKNOWN) & in_state(jobs, "SUSPENDED")
    held = np.where(paused, ints(jobs, "elapsed"), whole - ints(jobs, "suspended"))
    share: Floats = np.clip(held / whole, 0.0, 1.0)
    return share


def touching(jobs: pd.DataFrame, window: Window) -> npt.NDArray[np.bool_]:
    """Runs that held something in the window, shape (rows,)."""
    begin, end = span(jobs, window.now)
    return started(jobs) & (begin < window.now) & (end > np.maximum(begin, window.start))


def users_of(jobs: pd.DataFrame) -> tuple[npt.NDArray[np.intp], tuple[UserName, ...]]:
    """Index of each row's user among the users that occur, sorted by name."""
    code, texts = codes(jobs, "user")
    present = sorted(np.flatnonzero(np.bincount(code, minlength=1)).tolist(), key=lambda index: texts[index])
    place = np.zeros(max(len(texts), 1), dtype=np.intp)
    place[present] = np.arange(len(present))
    return place[code], tuple(UserName(texts[index]) for index in present)


class Cells:
    """Where each run begins and ends in the flat (user, bin) table; computed once for all observables.

    `first` and `last` are the bins in which each run begins and ends, shape (runs,); a run that ends on the last edge
    does so in the bin after the last.
    """

    def __init__(self, user: Indexes, users: int, first: Indexes, last: Indexes) -> None:
        self._user, self._users, self._first, self._last = user, users, first, last

    def integrate(self, weight: Floats, begin: Epochs, end: Epochs, edges: Epochs) -> Floats:
        """What each user holds in each bin times how long, shape (users, bins).

        `begin` and `end` (of the runs) and `edges` (of the bins) are readings of any clock that never goes back.
        """
        return self.integral(begin, end, edges)(weight)

    def integral(self, begin: Epochs, end: Epochs, edges: Epochs) -> Callable[[Floats], Floats]:
        """`integrate` for any weights by one clock: what does not depend on the weights is computed once."""
        # One column more than bins, and one more for the running sum, so that an end on the last edge has its place.
        columns = len(edges) + 1
        shape, size = (self._users, columns), self._users * columns
        edges = np.append(edges, edges[-1])
        lengths = np.diff(edges)
        row = self._user * columns
        first, last = row + self._first, row + self._last
        after_begin, after_end = edges[self._first + 1] - begin, end - edges[self._last + 1]

        def by_cell(cell: Indexes, amount: Floats) -> Floats:
            return np.asarray(np.bincount(cell, amount, minlength=size), dtype=float)

        def add_up(weight: Floats) -> Floats:
            partial = by_cell(first, weight * after_begin) + by_cell(last, weight * after_end)
            # what goes on through the whole bin: it changes in the bin after the one of a start or an end
            change = np.zeros(size)
            change[1:] = (by_cell(first, weight) - by_cell(last, weight))[:-1]
            level = np.cumsum(change.reshape(shape), axis=1)
            return np.asarray((partial.reshape(shape)[:, :-1] + level[:, :-1] * lengths)[:, :-1])

        def added(weight: Floats) -> Floats:
            total = exactly(weight, add_up)
            return np.where(np.abs(total) < _RESIDUE, 0.0, total)

        return added


def bin_of(times: Epochs, edges: Epochs) -> npt.NDArray[np.int64]:
    """Index of the bin that holds each time, edges[0] <= time <= edges[-1]; an edge belongs to the bin it opens.

    Edges are multiples of a common step (an hour, or the odd half hour of a clock change), so a table from steps to
    bins finds each bin by one division, several times faster than a binary search.
    """
    step = int(np.gcd.reduce(np.diff(edges)))
    table = np.append(np.repeat(np.arange(len(edges) - 1), np.diff(edges) // step), len(edges) - 1)
    found: npt.NDArray[np.int64] = table[(times - edges[0]) // step]
    return found
