"""What findings cost: hours of a resource, each in its own unit. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from librarian.subjects.efficiency.findings import Finding, findings
from librarian.subjects.efficiency.model import FRACTION, UsedRun, hours_of
from librarian.subjects.efficiency.options import Rules

_UNUSED = {"gpu-idle": "NGPUS", "gpu-low": "NGPUS", "cpu-low": "NCPUS", "serial": "NCPUS", "memory-low": "MEMORY"}
"""The resource that each rule finds unused."""
KILLED = ("out-of-memory", "time-out")
"""Rules on runs that Slurm killed: all that these held may be lost, of GPUs where they held any, else of CPUs."""


@dataclass(frozen=True)
class Cost:
    """Of a finding: the resource (a key of `shared.resources`; "": it costs none), and how much of it, in 1024ths of
    unit-seconds, which add up exactly."""

    resource: str
    amount: int = 0

    @property
    def hours(self) -> float:
        """In CPU-, GPU- or GiB-hours."""
        return self.amount / FRACTION / 3600


@dataclass(frozen=True)
class Costly:
    """What one rule finds of several runs: how many these are, the hours of `resource` that they left unused, or held
    until they were killed (`killed`), and of the run that cost most its job id, with words and advice on it."""

    rule: str
    resource: str
    runs: int
    hours: float
    threshold: float | None
    worst: int
    words: str
    advice: str

    @property
    def killed(self) -> bool:
        """Whether the hours were held by runs that were killed, rather than left unused."""
        return self.rule in KILLED


def costs(used: UsedRun, rules: Rules) -> Iterator[tuple[Finding, Cost]]:
    """All that is found of a run, each with what it costs."""
    found = findings(used, rules)
    hours = hours_of(used) if found else {}
    for one in found:
        if one.rule in KILLED:
            key = "NGPUS" if "NGPUS" in hours else "NCPUS"
            yield one, Cost(key, hours[key].allocated) if key in hours else Cost("")
        elif one.rule in _UNUSED:
            key = _UNUSED[one.rule]
            yield one, Cost(key, max(0, hours[key].unused))
        else:
            yield one, Cost("")


def costliest(runs: Iterable[UsedRun], rules: Rules, most: int = 3) -> tuple[Costly, ...]:
    """What is found of these runs, of one user as a rule, that costs most; nothing below the hours for which somebody
    is named (`Rules.least`).

    Hours of different units are not compared: the order is by how often each is what somebody is named for.
    """
    found: dict[tuple[str, str], list[tuple[int, int, Finding]]] = {}
    for used in runs:
        for one, cost in costs(used, rules):
            if cost.amount:
                found.setdefault((one.rule, cost.resource), []).append((cost.amount, used.run.jobid, one))
    told = [_costly(place, members) for place, members in found.items()]
    grave = [one for one in told if one.hours >= rules.least(one.resource)]
    least = _weights(rules)
    return tuple(sorted(grave, key=lambda one: (-one.hours / least[one.resource], one.rule, one.resource))[:most])


def _weights(rules: Rules) -> Mapping[str, float]:
    """What hours of a resource are measured by when they are ranked: where nothing is too little, the default is."""
    return {key: rules.least(key) or Rules().least(key) for key in ("NCPUS", "NGPUS", "MEMORY")}


def _costly(place: tuple[str, str], members: list[tuple[int, int, Finding]]) -> Costly:
    rule, resource = place
    _, job, worst = max(members, key=lambda member: (*member[:2], member[2].words))
    hours = Cost(resource, sum(amount for amount, _, _ in members)).hours
    return Costly(rule, resource, len(members), hours, worst.threshold, job, worst.words, worst.advice)
