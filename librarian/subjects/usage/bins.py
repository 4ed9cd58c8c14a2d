"""All that a report needs to know of use, computed for any bins in a row, and put together from two such rows.

Bins that are over stay as they are (see `Window`), unless Slurm tells something new of their runs. So what they came to
can be kept, and only the bins after them need their runs. What is put together equals, to the last digit, what all runs
come to at once: sums are exact (see `binning`), and all else is a count or a list, bin by bin.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.names import Places
from librarian.shared.resources import OBSERVABLES, Observable, gpu_type, gpus_of
from librarian.shared.window import Window
from librarian.subjects.jobs.amounts import gpu_observables, gpu_types
from librarian.subjects.jobs.changes import NEVER
from librarian.subjects.jobs.model import Mask, goes_on, in_state, ints
from librarian.subjects.usage.binning import Cells, Usage, bin_jobs, bin_of, of_users, span, touching
from librarian.subjects.usage.places import SeenAt, places_of, seen_at
from librarian.subjects.usage.starts import Starts, starts_of
from librarian.subjects.usage.summary import Ended, ended_by_bin

Array = npt.NDArray[Any]
Name = TypeVar("Name", bound=str)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Tally:
    """What runs come to in the bins of `usage.window`: what was held, what ended, what started.

    `seen` tells where each resource was held, `paused` in which bins there were runs that had been suspended at some
    time, shape (bins,). From `unsettled` (UTC epoch) on bins are not final: it is the earliest start of a run that goes
    on and was suspended, whose pause is spread over all of its span, or `NEVER`.
    """

    usage: Usage
    ended: Ended
    starts: Starts
    seen: SeenAt
    paused: Mask
    unsettled: int

    @property
    def window(self) -> Window:
        """The bins."""
        return self.usage.window

    @property
    def places(self) -> Places:
        """The partitions and accounts in which each resource was held in the window."""
        return places_of(self.seen)


def measure(jobs: pd.DataFrame, window: Window) -> Tally:
    """What the runs of `jobs` come to in `window`, all at once."""
    return present(tally(jobs, window, (*OBSERVABLES, *gpu_observables(jobs))))


def extended(kept: Tally, jobs: pd.DataFrame, window: Window) -> Tally:
    """The bins of `kept`, and then those of `window` after them; `jobs` are the runs that touch these."""
    rest = part_of_window(window, kept.window.bins, window.bins)
    types = {gpu_type(observable) for observable in kept.usage.observables} | gpu_types(jobs)
    return present(joined(kept, tally(jobs, rest, (*OBSERVABLES, *gpus_of(types - {""})))))


def final(whole: Tally) -> int:
    """How many bins at the start stay as they are, as far as is known: those that are over.

    A run that ends on an edge may not be known at that moment, so a bin that is over just now is not among them.
    """
    edge = min(whole.window.now - 1, whole.unsettled)
    return max(int(np.searchsorted(whole.window.edges, edge, side="right")) - 1, 0)


def tally(jobs: pd.DataFrame, window: Window, observables: Sequence[Observable]) -> Tally:
    """What the runs of `jobs` come to in `window`."""
    suspended = in_state(jobs, "SUSPENDED") | (ints(jobs, "suspended") > 0)
    paused = suspended & goes_on(jobs)
    return Tally(
        bin_jobs(jobs, window, observables),
        ended_by_bin(jobs, window),
        starts_of(jobs, window),
        seen_at(jobs, window, observables),
        _touched(jobs.loc[suspended & touching(jobs, window)], window),
        int(ints(jobs, "start")[paused].min(initial=NEVER)),
    )


def _touched(jobs: pd.DataFrame, window: Window) -> Mask:
    """The bins in which there are any of these runs, shape (bins,)."""
    begin, end = span(jobs, window.now)
    begin = np.maximum(begin, window.start)
    cells = Cells(np.zeros(len(jobs), dtype=np.intp), 1, bin_of(begin, window.edges), bin_of(end, window.edges))
    return np.asarray(cells.integrate(np.ones(len(jobs)), begin, end, window.edges)[0] > 0)


def present(tally: Tally) -> Tally:
    """The same without types of GPUs that nobody held."""
    usage = tally.usage
    held = np.asarray(usage.integrals.any(axis=(1, 2)) | usage.holding.any(axis=1))
    rows = [row for row, observable in enumerate(usage.observables) if held[row] or not gpu_type(observable)]
    kept = tuple(usage.observables[row] for row in rows)
    usage = replace(usage, observables=kept, integrals=usage.integrals[rows], holding=usage.holding[rows])
    return replace(tally, usage=usage)


# some of the bins


def part(whole: Tally, first: int, last: int) -> Tally:
    """The bins from `first` up to `last` (indexes, `last` excluded) alone, as if there were no others.

    Nothing is held at their end unless that is the end of the whole.
    """
    usage, bins = whole.usage, slice(first, last)
    window = part_of_window(usage.window, first, last)
    holding = usage.holding if last == usage.window.bins else np.zeros_like(usage.holding)
    usage = replace(usage, window=window, integrals=usage.integrals[:, :, bins], holding=holding)
    held = usage.integrals.any(axis=(0, 2)) | holding.any(axis=0)
    return Tally(
        of_users(usage, np.flatnonzero(held).tolist()),
        _cut(whole.ended, bins),
        _started_in(whole.starts, window.start, window.now),
        _cut(whole.seen, bins),
        whole.paused[bins],
        whole.unsettled,
    )


def part_of_window(window: Window, first: int, last: int) -> Window:
    """The bins from `first` up to `last` (indexes, `last` excluded)."""
    edges = window.edges[first : last + 1]
    return replace(window, edges=edges, now=min(window.now, int(edges[-1])))


def _cut(table: Mapping[Name, Mapping[Key, Array]], bins: slice) -> dict[Name, dict[Key, Array]]:
    """Some bins of arrays by two names, without names of which they say nothing."""
    cut = {name: {key: array[bins] for key, array in rows.items()} for name, rows in table.items()}
    left = {name: {key: array for key, array in rows.items() if array.any()} for name, rows in cut.items()}
    return {name: rows for name, rows in left.items() if rows}


def _started_in(starts: Starts, begin: int, end: int) -> Starts:
    inside = (starts.at >= begin) & (starts.at < end)
    found, user = np.unique(starts.user[inside], return_inverse=True)
    users = tuple(starts.users[place] for place in found.tolist())
    return Starts(starts.at[inside], starts.wait[inside], user.astype(np.int64), starts.kind_size[inside], users)


# two rows of bins, one after the other


def joined(kept: Tally, rest: Tally) -> Tally:
    """The bins of `kept`, and then those of `rest`, which begin where they end.

    The observables are those of `rest`; `kept` may lack some that nobody held.
    """
    users = tuple(sorted({*kept.usage.users, *rest.usage.users}))
    observables = rest.usage.observables
    integrals = np.concatenate([_by_users(one.usage, observables, users) for one in (kept, rest)], axis=2)
    holding = np.zeros((len(observables), len(users)))
    holding[:, [users.index(user) for user in rest.usage.users]] = rest.usage.holding
    lengths = kept.window.bins, rest.window.bins
    return Tally(
        Usage(joined_window(kept.window, rest.window), observables, users, integrals, holding),
        _joined_tables(kept.ended, rest.ended, *lengths, np.int64),
        _joined_starts(kept.starts, rest.starts),
        _joined_tables(kept.seen, rest.seen, *lengths, np.bool_),
        np.concatenate([kept.paused, rest.paused]),
        rest.unsettled,
    )


def joined_window(kept: Window, rest: Window) -> Window:
    """The bins of both."""
    return replace(rest, edges=np.concatenate([kept.edges, rest.edges[1:]]))


def _by_users(usage: Usage, observables: Sequence[Observable], users: Sequence[str]) -> Array:
    """The integrals with a row for each of `observables` and of `users`."""
    found = np.zeros((len(observables), len(users), usage.window.bins))
    columns = [users.index(user) for user in usage.users]
    keys = [observable.key for observable in observables]
    for row, observable in enumerate(usage.observables):
        found[keys.index(observable.key), columns] = usage.integrals[row]
    return found


def _joined_tables(
    kept: Mapping[Name, Mapping[Key, Array]],
    rest: Mapping[Name, Mapping[Key, Array]],
    before: int,
    after: int,
    kind: Any,
) -> dict[Name, dict[Key, Array]]:
    """Arrays by two names one after the other, of `before` and `after` bins; zeros where one lacks a name."""
    found: dict[Name, dict[Key, Array]] = {}
    for name in sorted({*kept, *rest}):
        first, last = dict(kept.get(name, {})), dict(rest.get(name, {}))
        found[name] = {
            key: np.concatenate([first.get(key, np.zeros(before, kind)), last.get(key, np.zeros(after, kind))])
            for key in sorted({*first, *last}, key=str)
        }
    return found


_COLUMNS = ("at", "wait", "kind_size")


def _joined_starts(kept: Starts, rest: Starts) -> Starts:
    users = tuple(sorted({*kept.users, *rest.users}))
    place = {user: number for number, user in enumerate(users)}
    user = [np.array([place[name] for name in one.users] or [0])[one.user] for one in (kept, rest)]
    at, wait, kind_size = (np.concatenate([getattr(one, name) for one in (kept, rest)]) for name in _COLUMNS)
    return Starts(at, wait, np.concatenate(user).astype(np.int64), kind_size, users)
