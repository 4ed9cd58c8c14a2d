"""Tables for people: what runs now, what the window came to, which users come first."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.names import UserName
from librarian.shared.resources import ByKey
from librarian.shared.window import Window
from librarian.subjects.jobs.model import codes, ended, ints
from librarian.subjects.usage.binning import Usage, bin_of
from librarian.subjects.usage.totals import Totals

# Runs that ended, by user, Slurm state and bin: {user: {state: shape (bins,)}}; only users and states that occur.
Ended = dict[UserName, dict[str, npt.NDArray[np.int64]]]


def now_by_user(usage: Usage) -> dict[UserName, ByKey]:
    """What each user holds at `window.now`, by observable key; only users who hold something."""
    held = {
        user: {o.key: float(usage.holding[row, column]) for row, o in enumerate(usage.observables)}
        for column, user in enumerate(usage.users)
    }
    return {user: amounts for user, amounts in held.items() if any(amounts.values())}


def now_total(usage: Usage) -> ByKey:
    """What all users together hold at `window.now`, by observable key."""
    return {o.key: float(usage.holding[row].sum()) for row, o in enumerate(usage.observables)}


def totals_by_user(usage: Usage, ended_by: dict[UserName, dict[str, int]]) -> dict[UserName, Totals]:
    """Totals of each user who held something or had a run end (`ended_by`, from `ended_states`) in the window."""
    hours = usage.hours
    place = {user: column for column, user in enumerate(usage.users)}

    def of(user: UserName) -> ByKey:
        column = place.get(user)
        return {o.key: 0.0 if column is None else float(hours[row, column]) for row, o in enumerate(usage.observables)}

    return {user: Totals(of(user), ended_by.get(user, {})) for user in sorted({*usage.users, *ended_by})}


def totals_of_all(totals: Iterable[Totals], usage: Usage) -> Totals:
    """The sum over all users."""
    states: dict[str, int] = {}
    for total in totals:
        for state, count in total.ended.items():
            states[state] = states.get(state, 0) + count
    hours = usage.hours.sum(axis=1)
    return Totals({o.key: float(hours[row]) for row, o in enumerate(usage.observables)}, dict(sorted(states.items())))


def ended_by_bin(jobs: pd.DataFrame, window: Window) -> Ended:
    """How many runs of each user ended in each bin of the window, by Slurm state.

    Bins are half-open: a run that ended on an edge counts in the bin which that edge opens. One that ended at
    `window.now` itself counts in the last bin, also where that ends there.
    """
    mask = ended(jobs, window.start, window.now)
    user, users = codes(jobs, "user")
    state, states = codes(jobs, "state")
    pair = user[mask] * max(len(states), 1) + state[mask]
    present = np.flatnonzero(np.bincount(pair, minlength=1))
    row = np.zeros(pair.max(initial=0) + 1, dtype=np.intp)
    row[present] = np.arange(len(present))
    place = np.minimum(bin_of(ints(jobs, "end")[mask], window.edges), window.bins - 1)
    counts = np.bincount(row[pair] * window.bins + place, minlength=len(present) * window.bins)
    rows = zip(present.tolist(), counts.reshape(-1, window.bins) if len(present) else (), strict=True)
    table: Ended = {}
    for number, by_bin in rows:
        table.setdefault(UserName(users[number // len(states)]), {})[states[number % len(states)]] = by_bin
    return {name: dict(sorted(table[name].items())) for name in sorted(table)}


def ended_states(by_bin: Ended) -> dict[UserName, dict[str, int]]:
    """How many runs of each user ended in the window, by Slurm state: {user: {state: count}}."""
    return {user: {state: int(counts.sum()) for state, counts in states.items()} for user, states in by_bin.items()}


def ranking(usages: Iterable[Usage]) -> list[UserName]:
    """Users of all `usages`, those with the largest shares first; by name where equal."""
    weight = shares(usages)
    return sorted(weight, key=lambda user: (-weight[user], user))


def standing(usage: Usage, ended_by: Collection[UserName]) -> dict[str, dict[UserName, float]]:
    """Everybody in the tables of totals and of now, each with the largest share (0 to 1) of anything in it.

    Who holds most of something now counts as if they held all of it: the limit on each user is told beside it.
    """
    held = usage.holding / np.maximum(usage.holding.sum(axis=1, keepdims=True), 1e-12)
    if len(usage.users):
        most = np.arange(len(held)), held.argmax(axis=1)
        held[most] = held[most] > 0
    now = zip(usage.users, held.max(axis=0, initial=0.0).tolist(), strict=True)
    return {
        "totals": {**dict.fromkeys(ended_by, 0.0), **shares([usage])},
        "now": {user: share for user, share in now if share},
    }


def shares(usages: Iterable[Usage]) -> dict[UserName, float]:
    """The largest of each user's shares (0 to 1) of any pictured observable in any of the usages."""
    weight: dict[UserName, float] = {}
    for usage in usages:
        drawn = [row for row, o in enumerate(usage.observables) if o.pictured]
        hours = usage.hours[drawn]
        share = (hours / np.maximum(hours.sum(axis=1, keepdims=True), 1e-12)).max(axis=0, initial=0.0)
        for user, largest in zip(usage.users, share.tolist(), strict=True):
            weight[user] = max(weight.get(user, 0.0), largest)
    return weight
