"""What the configuration says of this subject, with its defaults: the table [efficiency]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Rules:
    """Thresholds of findings, each a key of `[efficiency]`. Shares are of what was allocated: below them something is
    found. Nothing is said of runs shorter than `min_minutes`, but that they were short; nothing of memory where less
    than `min_memory_gib` were held.

    Nobody is named for fewer unused hours than `min_hours` of CPUs, `min_gpu_hours`, and `min_gib_hours` of memory.
    """

    cpu_below: float = 0.6
    gpu_below: float = 0.25
    memory_below: float = 0.35
    time_below: float = 0.2
    short_seconds: int = 60
    failures_in_a_row: int = 5
    min_minutes: float = 10
    min_memory_gib: float = 8
    gpu_memory_gib: float = 50
    """What a job may hold for each of its GPUs without a word: nodes with GPUs have memory to spare."""
    min_hours: float = 50
    min_gpu_hours: float = 10
    min_gib_hours: float = 1000

    def least(self, key: str) -> float:
        """Unit-hours unused of a resource (a key of `shared.resources`) below which nobody is named."""
        return {"NCPUS": self.min_hours, "NGPUS": self.min_gpu_hours, "MEMORY": self.min_gib_hours}[key]


@dataclass(frozen=True)
class Prices:
    """What an hour of a CPU, a GPU and a GiB of memory costs, in `currency`, and how many grams of CO2 it stands for;
    None: not told."""

    currency: str = ""
    price_cpu_hour: float | None = None
    price_gpu_hour: float | None = None
    price_gib_hour: float | None = None
    co2_cpu_hour: float | None = None
    co2_gpu_hour: float | None = None
    co2_gib_hour: float | None = None

    def of(self, what: str) -> Mapping[str, float]:
        """By resource (a key of `shared.resources`), as far as it is told; `what` is price or co2."""
        names = {"NCPUS": "cpu", "NGPUS": "gpu", "MEMORY": "gib"}
        told = {key: getattr(self, f"{what}_{name}_hour") for key, name in names.items()}
        return {key: value for key, value in told.items() if value is not None}


@dataclass(frozen=True)
class EfficiencyOptions:
    """Whether sacct is asked for what runs used, for how many seconds of a cycle at most, what is found of it, and what
    it costs."""

    enabled: bool = True
    collect_seconds: int = 20
    rules: Rules = field(default_factory=Rules)
    prices: Prices = field(default_factory=Prices)


def of_table(table: Mapping[str, Any]) -> EfficiencyOptions:
    """The options as a valid table [efficiency] says them."""
    parts = {"rules": Rules, "prices": Prices}
    names = {key: {one.name for one in fields(kind)} for key, kind in parts.items()}
    made = {key: kind(**{k: v for k, v in table.items() if k in names[key]}) for key, kind in parts.items()}
    own = {key: value for key, value in table.items() if key in ("enabled", "collect_seconds")}
    return EfficiencyOptions(**own, **made)
