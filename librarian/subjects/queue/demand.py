"""The history of what was waited for: samples of the queue, averaged over the bins of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.privacy.renaming import Renaming
from librarian.shared.names import UserName
from librarian.shared.window import Window
from librarian.subjects.jobs.model import ints
from librarian.subjects.usage.binning import bin_of

Floats = npt.NDArray[np.float64]
KEYS = ("NCPUS", "NGPUS", "MEMORY")


def sums_table(rows: Sequence[tuple[Any, ...]] = ()) -> pd.DataFrame:
    """Rows of (start, user, jobs, CPUs, GPUs, GiB) as `Samples.sums` has them."""
    table: pd.DataFrame = pd.DataFrame(list(rows), columns=["start", "user", "jobs", *KEYS])
    return table.astype({"start": "int64", "user": object, "jobs": "float64", **dict.fromkeys(KEYS, "float64")})


def looks_table(rows: Sequence[tuple[int, int]] = ()) -> pd.DataFrame:
    """Rows of (start, samples) as `Samples.looks` has them."""
    table: pd.DataFrame = pd.DataFrame(list(rows), columns=["start", "samples"])
    return table.astype("int64")


@dataclass(frozen=True)
class Samples:
    """What the queue was seen to want. Slots of time begin at `start` (UTC epoch) and lie in one bin each.

    `looks` has the number of samples of each slot (start, samples), `sums` what jobs that compete wanted, summed over
    these (start, user, jobs, and the observables in `KEYS`); who wanted nothing has no row.
    """

    sums: pd.DataFrame = field(default_factory=sums_table)
    looks: pd.DataFrame = field(default_factory=looks_table)

    def renamed(self, names: Renaming) -> Samples:
        """By public name; rows of users who share one are summed where they are binned."""
        return replace(self, sums=self.sums.assign(user=names.column(UserName, self.sums["user"])))


def wanted_shares(samples: Samples) -> dict[UserName, float]:
    """Everybody who was seen to wait, with the largest share (0 to 1) of anything that was wanted."""
    sums = samples.sums.groupby("user", observed=True, sort=False)[list(KEYS)].sum()
    largest = (sums / sums.sum().clip(lower=1e-12)).max(axis=1)
    return {UserName(str(user)): float(share) for user, share in largest.items()}


@dataclass(frozen=True)
class Wanted:
    """Means of what was waited for, by observable key: shape (users, bins), NaN where nobody looked.

    `sampled` is the number of samples of each bin, shape (bins,). `users` are sorted by name.
    """

    users: tuple[UserName, ...]
    means: dict[str, Floats]
    sampled: npt.NDArray[np.int64]


def by_bin(samples: Samples, window: Window) -> Wanted:
    """The mean over the samples in each bin, a user who was not seen in one counting 0 in it."""
    looks = _inside(samples.looks, window)
    sampled = np.zeros(window.bins, dtype=np.int64)
    np.add.at(sampled, bin_of(ints(looks, "start"), window.edges), ints(looks, "samples"))
    sums = _inside(samples.sums, window)
    users = tuple(sorted({UserName(str(user)) for user in sums["user"]}))
    place = {user: row for row, user in enumerate(users)}
    at = (np.array([place[user] for user in sums["user"]], dtype=int), bin_of(ints(sums, "start"), window.edges))
    means = {}
    for key in KEYS:
        total = np.zeros((len(users), window.bins))
        np.add.at(total, at, sums[key].to_numpy())
        means[key] = np.divide(total, sampled, out=np.full_like(total, np.nan), where=sampled > 0)
    return Wanted(users, means, sampled)


def _inside(table: pd.DataFrame, window: Window) -> pd.DataFrame:
    start = ints(table, "start")
    return table[(start >= window.start) & (start <= window.now) & (start < window.edges[-1])]
