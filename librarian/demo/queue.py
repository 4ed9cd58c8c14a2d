"""The demo's queue: squeue's answers from the same runs that sacct tells of, and what was waited for in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from librarian.demo.runs import Run, as_of
from librarian.shared.tres import Counts, cpus, gpus, memory_gib, parse_tres
from librarian.subjects.queue.demand import KEYS
from librarian.subjects.queue.model import Demand

Usage = dict[str, float]
_HEADS = {
    **{"JobArrayID": "JOBID", "State": "STATE", "UserName": "USER", "Account": "ACCOUNT", "QOS": "QOS"},
    **{"Partition": "PARTITION", "Reason": "REASON", "tres-alloc": "TRES_ALLOC", "Dependency": "DEPENDENCY"},
    **{"SubmitTime": "SUBMIT_TIME", "EligibleTime": "ELIGIBLE_TIME", "StartTime": "START_TIME"},
    **{"PriorityLong": "PRIORITY", "JobID": "JOBID"},
}
# What a job waits for when its QoS is at the limit of it, in the order in which Slurm looks.
_SHORT = (("cpu", "QOSGrpCpuLimit"), ("mem", "QOSGrpMemLimit"), ("gres/gpu", "QOSGrpGRES"))
_AMOUNTS: Mapping[str, Callable[[Counts], float]] = {"NCPUS": cpus, "NGPUS": gpus, "MEMORY": memory_gib}


@dataclass(frozen=True)
class Asked:
    """What squeue is asked: which jobs (empty: all), which fields, and what ends each of them."""

    cluster: str
    qos: tuple[str, ...]
    states: tuple[str, ...]
    accounts: tuple[str, ...]
    partitions: tuple[str, ...]
    fields: tuple[str, ...]
    delimiter: str

    def names(self, run: Run) -> bool:
        """Whether the run is among those that are asked for."""
        return (
            run.qos.lower() in self.qos
            and run.state in self.states
            and (not self.accounts or run.account in self.accounts)
            and (not self.partitions or run.partition in self.partitions)
        )


def asked(arguments: Sequence[str]) -> Asked:
    """squeue's arguments, in the one form that is known. Raises `ValueError` or `KeyError` for others."""
    rest = list(arguments)
    if len(rest) < 6 or rest[:2] != ["-a", "-M"] or rest[-2] != "-O" or not rest[-1]:
        raise ValueError(" ".join(arguments))
    options = {name: tuple(value.split(",")) for name, _, value in (word.partition("=") for word in rest[3:-2])}
    delimiter = rest[-1][-1]
    fields = tuple(field.removesuffix(f":{delimiter}") for field in rest[-1].split(","))
    strange = {*options} - {"--states", "--qos", "--account", "--partition"} | {*fields} - {*_HEADS}
    if strange:
        raise ValueError(min(strange))
    qos = tuple(name.lower() for name in options["--qos"])
    accounts, partitions = options.get("--account", ()), options.get("--partition", ())
    return Asked(rest[2], qos, options["--states"], accounts, partitions, fields, delimiter)


def table(runs: Sequence[Run], limits: Mapping[str, str], question: Asked, now: int) -> str:
    """What squeue prints of `runs` that run or wait; `limits` are the texts of GrpTRES by QoS."""
    lines = [[_HEADS[name] for name in question.fields]]
    for run, reason in reasons(runs, limits, now):
        if question.names(run):
            cells = _cells(run, reason, now)
            lines.append([cells[name] for name in question.fields])
    return "".join("".join(f"{cell}{question.delimiter}" for cell in line) + "\n" for line in lines)


def _cells(run: Run, reason: str, now: int) -> dict[str, str]:
    return {
        **{"JobArrayID": run.job, "State": run.state, "UserName": run.user, "Account": run.account},
        **{"QOS": run.qos, "Partition": run.partition, "Reason": reason, "SubmitTime": str(run.submit)},
        **{"tres-alloc": run.alloc_tres or run.req_tres, "Dependency": _dependency(run, reason)},
        **{"EligibleTime": _time(run.eligible), "StartTime": _time(_start(run, reason, now))},
        **{"PriorityLong": str(100_000 + (now - run.submit) // 60), "JobID": str(run.jobid)},
    }


def reasons(runs: Iterable[Run], limits: Mapping[str, str], now: int) -> list[tuple[Run, str]]:
    """Each run with why it waits, `None` for one that does not; those that were submitted first come first."""
    used: dict[str, Usage] = {}
    for run in runs:
        if run.state == "RUNNING":
            mine = used.setdefault(run.qos, {})
            for name, amount in parse_tres(run.alloc_tres).items():
                mine[name] = mine.get(name, 0.0) + amount
    return [
        (run, _reason(run, used.get(run.qos, {}), parse_tres(limits.get(run.qos, "")), now))
        for run in sorted(runs, key=lambda run: (run.submit, run.dbindex))
    ]


def _reason(run: Run, used: Usage, limits: Mapping[str, float], now: int) -> str:
    if run.state != "PENDING":
        return "None"
    if run.eligible is None:
        return "JobArrayTaskLimit" if "_" in run.job else "Dependency"
    if run.eligible > now:
        return "BeginTime"
    asked = parse_tres(run.req_tres)
    short = (why for name, why in _SHORT if used.get(name, 0.0) + asked.get(name, 0.0) > limits.get(name, np.inf))
    return next(short, "Priority")


def _dependency(run: Run, reason: str) -> str:
    return f"afterok:{run.jobid - 1}(unfulfilled)" if reason == "Dependency" else "(null)"


def _start(run: Run, reason: str, now: int) -> int | None:
    """A guess as Slurm's is one: some hours ahead for those that compete, in the order of their numbers."""
    if reason == "BeginTime":
        return run.eligible
    if run.state == "PENDING":
        return now + 900 * (1 + run.jobid % 24) if reason not in ("Dependency", "JobArrayTaskLimit") else None
    return run.start


def _time(epoch: int | None) -> str:
    return "N/A" if epoch is None else str(epoch)


def waiting_at(runs: Iterable[Run], qos: str, moments: Sequence[int]) -> dict[int, dict[str, Demand]]:
    """What each user wanted of `qos` at each of the rising `moments` (UTC epochs), by the time of it."""
    users: dict[str, list[Run]] = {}
    for run in runs:
        if run.qos == qos and run.eligible is not None:
            users.setdefault(run.user, []).append(run)
    found: dict[int, dict[str, Demand]] = {moment: {} for moment in moments}
    for user, theirs in users.items():
        levels = _levels(theirs, np.array(moments))
        for place in np.flatnonzero(levels[0]).tolist():
            wanted = {key: float(level[place]) for key, level in zip(KEYS, levels[1:], strict=True)}
            found[moments[place]][user] = Demand(int(levels[0][place]), wanted)
    return found


def _levels(runs: Sequence[Run], moments: npt.NDArray[np.int64]) -> list[npt.NDArray[np.float64]]:
    """The number of runs that wait at each moment, and what they want by observable key."""
    begin = np.searchsorted(moments, [run.eligible or 0 for run in runs])
    ends = [run.end if run.start is None else run.start for run in runs]
    end = np.searchsorted(moments, [2**60 if end is None else end for end in ends])
    counts = [parse_tres(run.req_tres) for run in runs]
    weights = [[1.0] * len(runs), *([amount(each) for each in counts] for amount in _AMOUNTS.values())]
    size = len(moments) + 1
    return [
        (np.bincount(begin, weight, size) - np.bincount(end, weight, size)).cumsum()[:-1].round(6) for weight in weights
    ]


def as_seen(runs: Iterable[Run], now: int) -> list[Run]:
    """The runs that squeue tells of at `now`: those that run or wait."""
    seen = (as_of(run, now) for run in runs)
    return [run for run in seen if run is not None and run.end is None]
