"""Limits of a QoS: a number, no limit, or not known. These are three things, and 0 is a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from librarian.core.observables import Observable
from librarian.core.tres import Counts

Kind = Literal["limit", "none", "unknown"]
JOBS = "jobs"  # the key of the limit on running jobs, which is not a TRES


@dataclass(frozen=True)
class Limit:
    """One limit in the observable's unit. `value` is None unless `kind` is "limit"; `source` names who said so."""

    kind: Kind
    value: float | None
    source: str

    @property
    def threshold(self) -> float:
        """The number that older dashboards draw: 0 where there is none or none is known."""
        return self.value or 0.0


UNKNOWN = Limit("unknown", None, "")


@dataclass(frozen=True)
class QosLimits:
    """What Slurm says of a QoS as a group: GrpTRES by TRES name (sizes in GiB) and GrpJobs (None: no limit)."""

    tres: Counts
    jobs: float | None


def limits_of(
    observables: Sequence[Observable], slurm: QosLimits | None, overrides: Mapping[str, float]
) -> dict[str, Limit]:
    """The limit of each observable, by key.

    `slurm` is None where Slurm could not be asked. `overrides`, from the configuration, are keyed as GrpTRES or
    `JOBS`, and win.
    """
    return {observable.key: _limit(observable.resource or JOBS, slurm, overrides) for observable in observables}


def _limit(resource: str, slurm: QosLimits | None, overrides: Mapping[str, float]) -> Limit:
    if resource in overrides:
        return Limit("limit", overrides[resource], "configuration")
    if slurm is None:
        return UNKNOWN
    value = slurm.jobs if resource == JOBS else slurm.tres.get(resource)
    source = "GrpJobs" if resource == JOBS else f"GrpTRES {resource}"
    return Limit("none", None, source) if value is None else Limit("limit", value, source)
