"""The queue from `squeue`: build the question, ask it, read the answer.

What each option is for:
-a  jobs in hidden partitions too; -M  the cluster that is meant; no -h: a header tells an empty queue from no answer.
-O with `:` and a control character after each field  no field is cut or padded, and no free text can end one.
Without -r an array of tasks that wait is one row with the list of its tasks, which are counted here: the answer for ten
thousand tasks has a few kB instead of a megabyte. A job for several partitions is one row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from librarian.errors import SlurmError
from librarian.shared.tres import parse_tres
from librarian.slurm.command import Slurm, complaint
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.queue.model import WAITING, queue_table
from librarian.system.host import environment
from librarian.system.processes import Answer

DELIMITER = "\x1f"
# squeue's field -> column of the queue table, in the table's order
FIELDS = {
    "JobArrayID": "job",
    "State": "state",
    "UserName": "user",
    "Account": "account",
    "QOS": "qos",
    "Partition": "partition",
    "Reason": "reason",
    "tres-alloc": "tres",
    "Dependency": "dependency",
    "SubmitTime": "submit",
    "EligibleTime": "eligible",
    "StartTime": "start",
    "PriorityLong": "priority",
}
# Variables of the user's that would narrow or split the answer without a word; what is given as an option wins.
_NARROWING = ("USERS", "NAMES", "LICENSES", "ACCOUNT", "PARTITION", "JOBS", "RESERVATION", "STEPS")
_NOT_YET = ("N/A", "Unknown", "None", "NONE", "(null)", "")
_TASKS = re.compile(r"[^\[]*\[(?P<list>[0-9,:-]+)(?:%[0-9]+)?\]")
_LATEST = 2**40


@dataclass(frozen=True)
class Question:
    """Which jobs: of one QoS, in these states, of these accounts and partitions only (empty: all)."""

    qos: str
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    states: tuple[str, ...] = WAITING


@dataclass(frozen=True)
class Told:
    """An answer: the queue table, and why rows were left out that were not understood."""

    table: pd.DataFrame
    rejects: tuple[str, ...] = ()


def arguments(question: Question, cluster: str) -> list[str]:
    """The arguments of squeue for `question`."""
    filters = [f"--account={','.join(question.accounts)}"] if question.accounts else []
    filters += [f"--partition={','.join(question.partitions)}"] if question.partitions else []
    fields = ",".join(f"{field}:{DELIMITER}" for field in FIELDS)
    chosen = (f"--states={','.join(question.states)}", f"--qos={question.qos}", *filters)
    return ["-a", "-M", cluster, *chosen, "-O", fields]


def ask(slurm: Slurm, question: Question, cluster: str) -> Told:
    """The jobs of the queue that match. Raises `SlurmError` when squeue fails or its answer is not whole.

    squeue takes a QoS that does not exist for one without jobs: who asks must know that it does.
    """
    narrowing = sorted(f"SQUEUE_{name}" for name in _NARROWING if f"SQUEUE_{name}" in environment())
    if narrowing:
        raise SlurmError(
            "squeue would tell a part of the queue only", f"{narrowing[0]} is set", f"unset {narrowing[0]}"
        )
    return parse(slurm.run("squeue", arguments(question, cluster)))


def parse(answer: Answer) -> Told:
    """Read an answer; a row that is not understood is left out and told. Raises `SlurmError` when it is not whole."""
    lines = [line for line in answer.text.split("\n") if not line.startswith("CLUSTER: ")]
    if not lines[0].startswith("JOBID") or lines[0].count(DELIMITER) != len(FIELDS) or len(lines) < 2:
        raise SlurmError("squeue gave no table", complaint(answer))
    if lines[-1]:
        raise SlurmError("squeue's answer was cut off", f"it ends within a row, after {len(answer.stdout)} bytes")
    rows, rejects = {}, []
    for line in lines[1:-1]:
        try:
            row = _row(line.split(DELIMITER))
            rows[row[0]] = row  # some settings list a job once for each of its partitions
        except ValueError as error:
            rejects.append(str(error))
    return Told(queue_table(rows.values()), tuple(rejects))


def _row(cells: Sequence[str]) -> tuple[str | int, ...]:
    if len(cells) != len(FIELDS) + 1:
        raise ValueError("a row has not the number of fields that was asked for")
    said = dict(zip(FIELDS.values(), cells, strict=False))
    parse_tres(said["tres"])
    times = [_time(said[name]) for name in ("submit", "eligible", "start")]
    texts = [said[name] for name in ("job", "state", "user", "account", "qos", "partition", "reason", "tres")]
    dependency = "" if said["dependency"] in _NOT_YET else said["dependency"]
    return (*texts, dependency, count_tasks(said["job"]), *times, int(said["priority"] or 0))


def _time(text: str) -> int:
    if text in _NOT_YET:
        return UNKNOWN
    if not (text.isascii() and text.isdigit() and int(text[:20]) < _LATEST):
        raise ValueError(f"a time is none: {text!r}")
    return int(text)


def count_tasks(job: str) -> int:
    """How many tasks of an array `12_[0-8:2,77%4]` names; 1 for a job. Raises `ValueError` where the list is cut."""
    if "[" not in job:
        return 1
    found = _TASKS.fullmatch(job)
    if not found:
        raise ValueError(f"the tasks of an array are not understood: {job[:60]!r}")
    return sum(_span(part) for part in found["list"].split(","))


def _span(part: str) -> int:
    ends, _, step = part.partition(":")
    first, dash, last = ends.partition("-")
    return len(range(int(first), int(last if dash else first) + 1, int(step or 1)))
