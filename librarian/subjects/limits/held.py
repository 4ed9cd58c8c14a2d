"""What Slurm counts against the limits of a QoS, from its runs, which are a table; `now` has the same of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from librarian.shared.resources import JOBS, Observable
from librarian.subjects.jobs.amounts import Weights, weights_of
from librarian.subjects.jobs.model import codes, counting
from librarian.subjects.limits.policy import Held


def held_now(jobs: pd.DataFrame, now: int, observables: Sequence[Observable]) -> Held:
    """What Slurm counts at `now` (UTC epoch) against the limits of a QoS, from its runs.

    A suspended job has given its CPUs back, but Slurm goes on counting its whole allocation (seen on 22.05 and 24.11).
    """
    jobs = counting(jobs, now)
    weights = {observable.resource or JOBS: weights_of(observable, jobs) for observable in observables}
    return Held(
        {resource: float(weight.sum()) for resource, weight in weights.items()},
        _by(jobs, "user", weights),
        _by(jobs, "account", weights),
    )


def _by(jobs: pd.DataFrame, column: str, weights: Mapping[str, Weights]) -> dict[str, dict[str, float]]:
    code, names = codes(jobs, column)
    sums = {resource: np.bincount(code, weight, minlength=len(names)) for resource, weight in weights.items()}
    present = np.flatnonzero(np.bincount(code, minlength=1)).tolist()
    return {names[place]: {resource: float(total[place]) for resource, total in sums.items()} for place in present}
