"""Questions to Slurm about arrays: one squeue and one sacct for all campaigns together, never one a task.

squeue -a  jobs in hidden partitions too; -u  the users who submitted; -o with `|` between: none of these is free text
sacct  -a  those of other members too; -j  without a begin, asks for all time; -X  no steps; without -D a requeued task
       is told once, as it is now
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from librarian.campaigns import arrays
from librarian.errors import SlurmError, Trouble
from librarian.slurm.command import Slurm
from librarian.system.host import environment

QUEUE_FIELDS, QUEUE_HEAD = "%F|%K|%T|%r", "ARRAY_JOB_ID|ARRAY_TASK_ID|STATE|REASON"
SACCT_FIELDS = "JobID,State,ExitCode,Start,End,ElapsedRaw,CPUTimeRAW"
_NARROWING = ("NAMES", "LICENSES", "ACCOUNT", "PARTITION", "JOBS", "RESERVATION", "STEPS", "STATES", "QOS", "USERS")
_EPOCH = re.compile(r"[0-9]{1,12}")

Key = tuple[str, int]
"""A task: its array's job id and its index."""


@dataclass(frozen=True)
class Live:
    """A task as squeue has it: its state, and why it is pending."""

    state: str
    reason: str


@dataclass(frozen=True)
class Ended:
    """A task as sacct has it; `state` is one word, `exit` is `code:signal`, times are UTC epochs (0: none), `cpu` is
    CPUs × seconds."""

    state: str
    exit: str
    start: int
    end: int
    elapsed: int
    cpu: int


def queue_arguments(users: Iterable[str]) -> list[str]:
    """The arguments of squeue for the tasks of these users."""
    return ["-a", "-u", ",".join(sorted(set(users))), "-o", QUEUE_FIELDS]


def queue(slurm: Slurm, users: Iterable[str]) -> dict[Key, Live]:
    """What is pending or running. Raises `SlurmError`, also where it would tell of a part only."""
    narrowed(environment())
    return read_queue(slurm.run("squeue", queue_arguments(users)).text)


def narrowed(variables: Mapping[str, str]) -> None:
    """Raise `SlurmError` where variables of the user's would narrow squeue's answer without a word."""
    narrowing = sorted(f"SQUEUE_{name}" for name in _NARROWING if f"SQUEUE_{name}" in variables)
    if narrowing:
        what, why = "squeue would tell a part of the queue only", f"{narrowing[0]} is set"
        raise SlurmError(what, why, f"unset {narrowing[0]}", trouble=Trouble.NARROWED)


def read_queue(text: str) -> dict[Key, Live]:
    """Read squeue's answer: pending tasks of an array are one row, `7|0-4,9%2|PENDING|Resources`.

    Raises `SlurmError` for an answer without its head, or that ends within a row.
    """
    lines = text.split("\n")
    if lines[0].replace(" ", "") != QUEUE_HEAD or lines[-1]:
        raise SlurmError("squeue gave no table", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    found: dict[Key, Live] = {}
    for line in lines[1:-1]:
        cells = line.split("|", 3)
        if len(cells) != 4:
            raise SlurmError("squeue gave no table", line, trouble=Trouble.NOT_UNDERSTOOD)
        job, tasks, state, reason = cells
        if tasks == "N/A":
            continue
        for index in _numbers(tasks):
            found[job, index] = Live(state, reason)
    return found


def sacct_arguments(jobs: Sequence[str]) -> list[str]:
    """The arguments of sacct for these arrays."""
    return ["-a", "-X", "-P", "-j", ",".join(jobs), f"--format={SACCT_FIELDS}"]


def ended(slurm: Slurm, jobs: Sequence[str]) -> dict[Key, Ended]:
    """What accounting has of the tasks of these arrays, whatever their state. Raises `SlurmError`."""
    return read_sacct(slurm.run("sacct", sacct_arguments(jobs)).text)


def read_sacct(text: str) -> dict[Key, Ended]:
    """Read sacct's answer. Tasks that never started may share a row, `7_[3-9]`. Raises `SlurmError`."""
    lines = text.split("\n")
    if lines[0] != SACCT_FIELDS.replace(",", "|") or lines[-1]:
        raise SlurmError("sacct gave no table", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    found: dict[Key, Ended] = {}
    for line in lines[1:-1]:
        cells = line.split("|")
        if len(cells) != 7:
            raise SlurmError("sacct gave no table", line, trouble=Trouble.NOT_UNDERSTOOD)
        job, underscore, tasks = cells[0].partition("_")
        if not underscore:
            continue
        state = cells[1].partition(" ")[0]  # CANCELLED by 1000
        start, end, elapsed, cpu = (int(cell) if _EPOCH.fullmatch(cell) else 0 for cell in cells[3:])
        for index in _numbers(tasks):
            found[job, index] = Ended(state, cells[2], start, end, elapsed, cpu)
    return found


def _numbers(text: str) -> list[int]:
    try:
        return arrays.numbers(text)
    except ValueError as error:
        raise SlurmError("Slurm named tasks in a way that is not understood", text) from error


# finding an array that was handed on, when whoever did it was killed before the answer came


def find(slurm: Slurm, name: str, user: str, since: int) -> str:
    """The id of the array with this job name, "" where neither squeue nor sacct has one. Raises `SlurmError`."""
    narrowed(environment())
    answer = slurm.run("squeue", ["-a", "-u", user, f"--name={name}", "-t", "all", "-o", "%F|%j"]).text
    for job in _named(answer.split("\n")[1:], name):
        return job
    # a day earlier: clocks differ
    asked = ["-a", "-X", "-P", "-u", user, f"--name={name}", "-S", f"uts{since - 86400}", "--format=JobID,JobName"]
    answer = slurm.run("sacct", asked).text
    if not answer.startswith("JobID|JobName\n"):
        raise SlurmError("sacct gave no table", answer[:200], trouble=Trouble.NOT_UNDERSTOOD)
    for job in _named(answer.split("\n")[1:], name):
        return job
    return ""


def _named(lines: Iterable[str], name: str) -> Iterator[str]:
    for line in lines:
        job, bar, told = line.partition("|")
        number = job.partition("_")[0]
        if bar and told == name and number.isascii() and number.isdigit():
            yield number


def longest_array(slurm: Slurm) -> int:
    """How many tasks an array has at most: MaxArraySize, since indices are from 0 to one less. Raises `SlurmError`."""
    for line in slurm.run("scontrol", ["show", "config"]).text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "MaxArraySize" and value.strip().isdigit():
            return int(value)
    raise SlurmError("scontrol show config tells no MaxArraySize", trouble=Trouble.NOT_UNDERSTOOD)
