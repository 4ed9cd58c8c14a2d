"""The one table of resources: what a running job holds, in Slurm's words and in people's.

Everything that lists resources reads this table or what is made of it in the JSON: bins, limits, tables, pictures,
pages, the command line. A new one is a row.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from librarian.shared import tres

JOBS = "jobs"
"""The word for what GrpJobs and the like limit, among the names of TRES."""
ByKey = dict[str, float]
"""How much there is of each resource, by observable key."""


@dataclass(frozen=True)
class Observable:
    """A quantity that a running job holds.

    `key` names it in files, `name` and `unit` for people, `hours` is the unit of its integral, `resource` the entry
    of GrpTRES that limits it ("" where GrpJobs does). `amount` maps the job's AllocTRES to the quantity; None counts
    jobs. `pictured` ones have charts. `one` is the word for one unit ("" where units are not counted one by one);
    of those that are `wanted` the queue tells how much pending jobs ask for. A job that is suspended gives back what is
    `pausable`, and holds all else, as Slurm has it.
    """

    key: str
    name: str
    unit: str
    hours: str
    resource: str
    amount: Callable[[tres.Counts], float] | None
    pictured: bool = True
    one: str = ""
    wanted: bool = False
    pausable: bool = False

    @property
    def title(self) -> str:
        """The name, with the unit where that does not name it: `Memory (GiB)`."""
        return self.name if self.unit.lower() in self.name.lower() else f"{self.name} ({self.unit})"

    @property
    def phrase(self) -> str:
        """What an amount is of, in a sentence: `CPUs`, `GiB of memory`, `running jobs`."""
        name, unit = self.name.lower(), self.unit.lower()
        if unit in name:
            return self.unit if unit == name else name
        return self.unit if name in unit else f"{self.unit} of {name}"

    def of(self, text: str) -> float:
        """What a job with this TRES text, such as its AllocTRES, holds of it. Raises `ValueError`."""
        return 1.0 if self.amount is None else self.amount(_counts(text))


@functools.lru_cache(maxsize=1024)  # there are few different texts
def _counts(text: str) -> tres.Counts:
    return tres.parse_tres(text)


OBSERVABLES = (
    Observable("NCPUS", "CPUs", "CPUs", "CPU-hours", "cpu", tres.cpus, one="CPU", wanted=True, pausable=True),
    Observable("NGPUS", "GPUs", "GPUs", "GPU-hours", "gres/gpu", tres.gpus, one="GPU", wanted=True),
    Observable("MEMORY", "Memory", "GiB", "GiB-hours", "mem", tres.memory_gib, wanted=True),
    Observable("NJOBS", "Running jobs", "jobs", "job-hours", "", None, one="job"),
    Observable("BILLING", "Billing", "billing units", "billing-hours", "billing", tres.billing, pictured=False),
)


WANTED = tuple(observable for observable in OBSERVABLES if observable.wanted)
"""Those of which the queue tells how much pending jobs ask for."""


def pictured() -> tuple[Observable, ...]:
    """Those that have charts, in the order of the table."""
    return tuple(observable for observable in OBSERVABLES if observable.pictured)


def by_key(key: str) -> Observable:
    """The row of `key`. Raises `KeyError`."""
    for observable in OBSERVABLES:
        if observable.key == key:
            return observable
    raise KeyError(key)


def gpus_of(kinds: Iterable[str]) -> tuple[Observable, ...]:
    """The observables of these types of GPUs, by name: `NGPUS:a100`."""
    return tuple(map(_of_type, sorted(set(kinds))))


def gpus_in(texts: Iterable[str]) -> tuple[Observable, ...]:
    """An observable for each type of GPU in TRES texts, by name. Raises `ValueError`."""
    return gpus_of(kind for text in set(texts) for kind in tres.gpu_types(_counts(text)))


def gpu_type(observable: Observable) -> str:
    """The type of GPUs that a resource is, "" where it is none."""
    return observable.key.partition(":")[2]


@functools.cache  # so that the observables of one type are equal
def _of_type(kind: str) -> Observable:
    def amount(counts: tres.Counts) -> float:
        return counts.get(f"gres/gpu:{kind}", 0.0)

    return Observable(f"NGPUS:{kind}", f"GPUs {kind}", "GPUs", "GPU-hours", f"gres/gpu:{kind}", amount, pictured=False)
