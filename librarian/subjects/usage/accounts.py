"""What accounts held, and which runs ended, bin by bin: what is kept for good beside the usage of users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import Window
from librarian.subjects.jobs.model import codes, ended, ints
from librarian.subjects.usage.binning import Usage, bin_jobs, bin_of

# Runs that ended in a bin: (index of the bin, user, account, Slurm's state, number of runs).
EndedRuns = tuple[int, str, str, str, int]
_NEEDED = ("start", "end", "elapsed", "suspended", "account", "state", "alloc_tres")


@dataclass(frozen=True)
class ByAccount:
    """`usage` has accounts in the place of users, without GPU types; `ended` is in order of its bins."""

    usage: Usage
    ended: tuple[EndedRuns, ...]


def by_account(jobs: pd.DataFrame, window: Window) -> ByAccount:
    """Bin the runs of `jobs` over `window` by account, and count those that ended in it.

    Bins are half-open: a run that ended at `window.now` is counted if that lies inside the last bin, not on its end.
    """
    table = jobs[list(_NEEDED)].rename(columns={"account": "user"})
    return ByAccount(bin_jobs(table, window, OBSERVABLES), _ended(jobs, window))


def _ended(jobs: pd.DataFrame, window: Window) -> tuple[EndedRuns, ...]:
    mask = ended(jobs, window.start, min(window.now, int(window.edges[-1]) - 1))
    columns = [codes(jobs, name) for name in ("user", "account", "state")]
    keys = bin_of(ints(jobs, "end")[mask], window.edges)
    for code, texts in columns:
        keys = keys * max(len(texts), 1) + code[mask]
    found, counts = np.unique(keys, return_counts=True)
    parts: list[list[str]] = []
    for _, texts in reversed(columns):
        found, code = np.divmod(found, max(len(texts), 1))
        parts.insert(0, [texts[index] for index in code.tolist()])
    return tuple(zip(found.tolist(), *parts, counts.tolist(), strict=True))
