"""What runs hold of each resource."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.resources import Observable, gpu_type, gpus_in
from librarian.subjects.jobs.model import codes

Weights = npt.NDArray[np.float64]


def weights_of(observable: Observable, jobs: pd.DataFrame) -> Weights:
    """What each run holds of a resource while it runs, shape (rows,)."""
    if observable.amount is None:
        return np.ones(len(jobs))
    code, texts = codes(jobs, "alloc_tres")
    # there are few different AllocTRES strings: parse each once
    return np.array([observable.of(text) for text in texts] or [0.0])[code]


def gpu_observables(jobs: pd.DataFrame) -> tuple[Observable, ...]:
    """An observable for each type of GPU that the jobs held, by name: `NGPUS:a100`."""
    return gpus_in(map(str, jobs["alloc_tres"].cat.categories))


def gpu_types(jobs: pd.DataFrame) -> set[str]:
    """The types of GPUs that the jobs held."""
    return {gpu_type(observable) for observable in gpu_observables(jobs)}
