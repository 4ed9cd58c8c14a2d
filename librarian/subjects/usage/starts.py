"""Runs that started: when, after how long a wait, and of which size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.privacy.renaming import Renaming
from librarian.shared.names import UserName
from librarian.shared.resources import by_key
from librarian.shared.window import Window
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.model import UNKNOWN, codes, in_state, ints, started
from librarian.subjects.usage.kinds import CLASSES, TOPS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Starts:
    """Runs that started in a window: when, after how long a wait, the index of their user, and their class.

    All of shape (runs,), in no order; `users` are by index.
    """

    at: Ints
    wait: Ints
    user: Ints
    kind_size: Ints
    users: tuple[UserName, ...]

    @property
    def shares(self) -> dict[UserName, float]:
        """Each user's share (0 to 1) of the runs."""
        runs = np.bincount(self.user, minlength=len(self.users))
        some = np.flatnonzero(runs).tolist()
        return {self.users[place]: float(runs[place]) / len(self.user) for place in some}

    def renamed(self, names: Renaming) -> Starts:
        """By public name of user."""
        users, place = names.merged(UserName, self.users)
        return replace(self, users=tuple(map(UserName, users)), user=np.append(place, 0)[self.user])


def starts_of(jobs: pd.DataFrame, window: Window) -> Starts:
    """The runs that started in the window.

    A run waits from its eligible time, or where Slurm tells none from its submission, to its start; a requeued job
    waits anew for each of its runs. What goes on after a resize did not wait and is left out, as are runs that never
    started. In databases of old, and where a launch failed, such a run has its end for its start, and was allocated
    nothing.
    """
    start = ints(jobs, "start")
    never = (start == ints(jobs, "end")) & (jobs["alloc_tres"] == "").to_numpy()
    kept = started(jobs) & ~never & (start >= window.start) & (start < window.now) & ~_resized(jobs)
    chosen = jobs.loc[kept]
    eligible = ints(chosen, "eligible")
    since = np.where(eligible == UNKNOWN, ints(chosen, "submit"), eligible)
    user, users = codes(chosen, "user")
    wait = np.maximum(start[kept] - since, 0)
    return Starts(start[kept], wait, user.astype(np.int64), _kind_size(chosen), tuple(map(UserName, users)))


def _resized(jobs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows that begin where a row of the same job ended because it was resized."""
    before = in_state(jobs, "RESIZING")
    ends = set(zip(ints(jobs, "jobid")[before].tolist(), ints(jobs, "end")[before].tolist(), strict=True))
    rows = np.flatnonzero(np.isin(ints(jobs, "jobid"), [job for job, _ in ends]))
    found = np.zeros(len(jobs), dtype=bool)
    for row in rows.tolist():
        found[row] = (int(jobs["jobid"].iloc[row]), int(jobs["start"].iloc[row])) in ends
    return found


def _kind_size(jobs: pd.DataFrame) -> Ints:
    """The class of each run, shape (rows,): those of CPU jobs come before those of GPU jobs."""
    cpus, gpus = (weights_of(by_key(key), jobs) for key in ("NCPUS", "NGPUS"))
    return size_class(cpus, gpus)


def size_class(cpus: npt.NDArray[np.float64], gpus: npt.NDArray[np.float64]) -> Ints:
    """The classes of jobs with these CPUs and GPUs, both shape (rows,)."""
    of_cpus, of_gpus = np.searchsorted(TOPS["cpu"], cpus), np.searchsorted(TOPS["gpu"], gpus)
    return np.where(gpus > 0, CLASSES + of_gpus, of_cpus).astype(np.int64)
