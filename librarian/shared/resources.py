"""What is measured: one table. A new observable is a row in `OBSERVABLES`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared import tres
from librarian.subjects.jobs.model import codes

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Observable:
    """A quantity that a running job holds.

    `key` names it in files, `name` and `unit` for people, `hours` is the unit of its integral, `resource` the entry
    of GrpTRES that limits it ("" where GrpJobs does). `amount` maps the job's AllocTRES to the quantity; None counts
    jobs. `pictured` ones have charts.
    """

    key: str
    name: str
    unit: str
    hours: str
    resource: str
    amount: Callable[[tres.Counts], float] | None
    pictured: bool = True

    def weights(self, jobs: pd.DataFrame) -> Weights:
        """What each run holds while it runs, shape (rows,)."""
        if self.amount is None:
            return np.ones(len(jobs))
        code, texts = codes(jobs, "alloc_tres")
        # there are few different AllocTRES strings: parse each once
        return np.array([self.amount(tres.parse_tres(text)) for text in texts] or [0.0])[code]


OBSERVABLES = (
    Observable("NCPUS", "CPUs", "CPUs", "CPU-hours", "cpu", tres.cpus),
    Observable("NGPUS", "GPUs", "GPUs", "GPU-hours", "gres/gpu", tres.gpus),
    Observable("MEMORY", "Memory", "GiB", "GiB-hours", "mem", tres.memory_gib),
    Observable("NJOBS", "Running jobs", "jobs", "job-hours", "", None),
    Observable("BILLING", "Billing", "billing units", "billing-hours", "billing", tres.billing, pictured=False),
)


def gpu_observables(jobs: pd.DataFrame) -> tuple[Observable, ...]:
    """An observable for each type of GPU that the jobs held, by name: `NGPUS:a100`."""
    return gpus_of(gpu_types(jobs))


def gpu_types(jobs: pd.DataFrame) -> set[str]:
    """The types of GPUs that the jobs held."""
    texts = jobs["alloc_tres"].cat.categories
    return {kind for text in texts for kind in tres.gpu_types(tres.parse_tres(str(text)))}


def gpus_of(kinds: Iterable[str]) -> tuple[Observable, ...]:
    """The observables of these types of GPUs, by name."""
    return tuple(map(_of_type, sorted(set(kinds))))


def gpu_type(observable: Observable) -> str:
    """The type of GPUs that is measured, "" where it is none."""
    return observable.key.partition(":")[2]


@functools.cache  # so that the observables of one type are equal
def _of_type(kind: str) -> Observable:
    def amount(counts: tres.Counts) -> float:
        return counts.get(f"gres/gpu:{kind}", 0.0)

    return Observable(f"NGPUS:{kind}", f"GPUs {kind}", "GPUs", "GPU-hours", f"gres/gpu:{kind}", amount, pictured=False)
