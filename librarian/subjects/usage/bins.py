"""All that a report needs to know of runs, computed for any bins in a row, and put together from two such rows.

Bins that are over stay as they are (see `Window`), unless Slurm tells something new of their runs. So what they came to
can be kept, and only the bins after them need their runs. What is put together equals, to the last digit, what all runs
come to at once: sums are exact (see `usage`), and all else is a maximum, a count or a list, bin by bin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.resources import OBSERVABLES, Observable, gpu_type, gpus_of
from librarian.shared.window import Window
from librarian.subjects.jobs.amounts import gpu_observables, gpu_types
from librarian.subjects.jobs.changes import NEVER
from librarian.subjects.jobs.model import UNKNOWN, Mask, empty_jobs, in_state, ints, started
from librarian.subjects.limits.model import History
from librarian.subjects.limits.policy import SeenAt, places_of, seen_at
from librarian.subjects.limits.pressure import Pressed, PressedBins, in_force, limits_in_force, press
from librarian.subjects.limits.rules import Places
from librarian.subjects.queue.waits import Starts, starts_of
from librarian.subjects.usage.binning import Cells, Usage, bin_jobs, bin_of, of_users, span, touching
from librarian.subjects.usage.summary import Ended, ended_by_bin

Array = npt.NDArray[Any]
Histories = Mapping[str, History]  # by observable key


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


@dataclass(frozen=True)
class Measured:
    """A tally, and how near the limits were in its bins."""

    tally: Tally
    pressed: PressedBins

    @property
    def usage(self) -> Usage:
        """What was held."""
        return self.tally.usage


# The limits as they were in the window of a tally.
Limits = Callable[[Tally], Histories]


def measure(jobs: pd.DataFrame, window: Window, limits: Limits) -> Measured:
    """What the runs of `jobs` come to in `window`, all at once."""
    whole = present(tally(jobs, window, (*OBSERVABLES, *gpu_observables(jobs))))
    return Measured(whole, press(jobs, window, whole.usage.observables, limits(whole)))


def extended(kept: Measured, jobs: pd.DataFrame, window: Window, limits: Limits) -> Measured | None:
    """The bins of `kept`, and then those of `window` after them; `jobs` are the runs that touch these.

    None where the bins of `kept` were measured against other limits than these are now.
    """
    before = kept.tally
    rest = part_of_window(window, before.window.bins, window.bins)
    types = {gpu_type(observable) for observable in before.usage.observables} | gpu_types(jobs)
    whole = present(joined_tally(before, tally(jobs, rest, (*OBSERVABLES, *gpus_of(types - {""})))))
    histories = limits(whole)
    known = [key for key in kept.pressed.limits if key in histories]
    now = limits_in_force(histories, known, before.window)
    if any(now[key] != kept.pressed.limits[key] for key in known):
        return None
    pressed = press(jobs, rest, whole.usage.observables, histories)
    return Measured(whole, joined_pressed(kept.pressed, pressed, histories))


def final(whole: Measured) -> int:
    """How many bins at the start stay as they are, as far as is known: those that are over.

    A run that ends on an edge may not be known at that moment, so a bin that is over just now is not among them.
    """
    edge = min(whole.tally.window.now - 1, whole.tally.unsettled)
    return max(int(np.searchsorted(whole.tally.window.edges, edge, side="right")) - 1, 0)


def tally(jobs: pd.DataFrame, window: Window, observables: Sequence[Observable]) -> Tally:
    """What the runs of `jobs` come to in `window`."""
    suspended = in_state(jobs, "SUSPENDED") | (ints(jobs, "suspended") > 0)
    goes_on = suspended & started(jobs) & (ints(jobs, "end") == UNKNOWN)
    return Tally(
        bin_jobs(jobs, window, observables),
        ended_by_bin(jobs, window),
        starts_of(jobs, window),
        seen_at(jobs, window, observables),
        _touched(jobs.loc[suspended & touching(jobs, window)], window),
        int(ints(jobs, "start")[goes_on].min(initial=NEVER)),
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


def part(whole: Measured, first: int, last: int) -> Measured:
    """The bins from `first` up to `last` (indexes, `last` excluded) alone, as if there were no others.

    Nothing is held at their end unless that is the end of the whole.
    """
    return Measured(_part_of_tally(whole.tally, first, last), _part_of_pressed(whole.pressed, first, last))


def part_of_window(window: Window, first: int, last: int) -> Window:
    """The bins from `first` up to `last` (indexes, `last` excluded)."""
    edges = window.edges[first : last + 1]
    return replace(window, edges=edges, now=min(window.now, int(edges[-1])))


def _part_of_tally(whole: Tally, first: int, last: int) -> Tally:
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


def _cut(table: Mapping[str, Mapping[Any, Array]], bins: slice) -> dict[str, dict[Any, Array]]:
    """Some bins of arrays by two names, without names of which they say nothing."""
    cut = {name: {key: array[bins] for key, array in rows.items()} for name, rows in table.items()}
    left = {name: {key: array for key, array in rows.items() if array.any()} for name, rows in cut.items()}
    return {name: rows for name, rows in left.items() if rows}


def _started_in(starts: Starts, begin: int, end: int) -> Starts:
    inside = (starts.at >= begin) & (starts.at < end)
    found, user = np.unique(starts.user[inside], return_inverse=True)
    users = tuple(starts.users[place] for place in found.tolist())
    return Starts(starts.at[inside], starts.wait[inside], user.astype(np.int64), starts.kind_size[inside], users)


def _part_of_pressed(whole: PressedBins, first: int, last: int) -> PressedBins:
    of = {key: _each(lambda array: array[..., first:last], one) for key, one in whole.of.items()}
    held = [name for row, name in enumerate(whole.users) if any(one.held[row].any() for one in of.values())]
    of = {key: _of_users(one, whole.users, held) for key, one in of.items()}
    window = part_of_window(whole.window, first, last)
    return PressedBins(window, tuple(held), of, {key: in_force(steps, window) for key, steps in whole.limits.items()})


def _each(change: Callable[..., Array], *of: Pressed) -> Pressed:
    return Pressed(*(change(*(getattr(one, field.name) for one in of)) for field in fields(Pressed)))


def _of_users(one: Pressed, names: Sequence[str], users: Sequence[str]) -> Pressed:
    """With a row of `held` for each of `users`; those of `names` that are not among them hold nothing."""
    held = np.zeros((len(users), one.held.shape[1]))
    place = {user: row for row, user in enumerate(users)}
    for row, name in enumerate(names):
        if name in place:
            held[place[name]] = one.held[row]
    return replace(one, held=held)


# two rows of bins, one after the other


def joined_tally(kept: Tally, rest: Tally) -> Tally:
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
        _joined(kept.ended, rest.ended, *lengths, np.int64),
        _joined_starts(kept.starts, rest.starts),
        _joined(kept.seen, rest.seen, *lengths, np.bool_),
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


def _joined(
    kept: Mapping[str, Mapping[Any, Array]], rest: Mapping[str, Mapping[Any, Array]], before: int, after: int, kind: Any
) -> dict[str, dict[Any, Array]]:
    """Arrays by two names one after the other, of `before` and `after` bins; zeros where one lacks a name."""
    found: dict[str, dict[Any, Array]] = {}
    for name in sorted({*kept, *rest}):
        first, last = kept.get(name, {}), rest.get(name, {})
        found[name] = {
            key: np.concatenate([first.get(key, np.zeros(before, kind)), last.get(key, np.zeros(after, kind))])
            for key in sorted({*first, *last})
        }
    return found


_COLUMNS = ("at", "wait", "kind_size")


def _joined_starts(kept: Starts, rest: Starts) -> Starts:
    users = tuple(sorted({*kept.users, *rest.users}))
    place = {user: number for number, user in enumerate(users)}
    user = [np.array([place[name] for name in one.users] or [0])[one.user] for one in (kept, rest)]
    at, wait, kind_size = (np.concatenate([getattr(one, name) for one in (kept, rest)]) for name in _COLUMNS)
    return Starts(at, wait, np.concatenate(user).astype(np.int64), kind_size, users)


def joined_pressed(kept: PressedBins, rest: PressedBins, histories: Histories) -> PressedBins:
    """The bins of `kept`, and then those of `rest`, which begin where they end, for what `rest` tells of.

    A type of GPUs of which `kept` does not tell nobody held there; `histories` are the limits, by observable key.
    """
    lacking = gpus_of(key.partition(":")[2] for key in rest.of if key not in kept.of)
    before = {**kept.of, **_idle(kept, lacking, histories)}
    users = tuple(sorted({*kept.users, *rest.users}))
    found = {
        key: _each(
            lambda first, last: np.concatenate([first, last], axis=-1),
            _of_users(before[key], kept.users, users),
            _of_users(after, rest.users, users),
        )
        for key, after in rest.of.items()
    }
    window = joined_window(kept.window, rest.window)
    return PressedBins(window, users, found, limits_in_force(histories, found, window))


def _idle(kept: PressedBins, observables: Iterable[Observable], histories: Histories) -> dict[str, Pressed]:
    """What is told of observables that nobody held in the bins of `kept`."""
    pressed = press(empty_jobs(), kept.window, tuple(observables), histories).of
    return {key: replace(one, held=np.zeros((len(kept.users), kept.window.bins))) for key, one in pressed.items()}
