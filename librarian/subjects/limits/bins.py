"""How near the limits were, computed for any bins in a row, and put together from two such rows.

As the bins of use (`usage.bins`) these stay as they are once they are over, as long as the limits of the past do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.resources import Observable, gpus_of
from librarian.shared.window import Window
from librarian.subjects.jobs.model import empty_jobs
from librarian.subjects.limits.model import History
from librarian.subjects.limits.pressure import Pressed, PressedBins, in_force, limits_in_force, press
from librarian.subjects.usage.bins import joined_window, part_of_window

Array = npt.NDArray[Any]
Histories = Mapping[str, History]  # by key of the resource


def extended(
    kept: PressedBins, jobs: pd.DataFrame, window: Window, observables: Sequence[Observable], histories: Histories
) -> PressedBins | None:
    """The bins of `kept`, and then those of `window` after them; `jobs` are the runs that touch these.

    None where the bins of `kept` were measured against other limits than these are now.
    """
    known = [key for key in kept.limits if key in histories]
    now = limits_in_force(histories, known, kept.window)
    if any(now[key] != kept.limits[key] for key in known):
        return None
    rest = part_of_window(window, kept.window.bins, window.bins)
    return joined(kept, press(jobs, rest, observables, histories), histories)


def part(whole: PressedBins, first: int, last: int) -> PressedBins:
    """The bins from `first` up to `last` (indexes, `last` excluded) alone, as if there were no others."""
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


def joined(kept: PressedBins, rest: PressedBins, histories: Histories) -> PressedBins:
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
