"""The queue from `squeue`: build the question, ask it, read the answer.

Without -r an array of tasks that wait is one row with the list of its tasks, which are counted here: the answer for ten
thousand tasks has a few kB instead of a megabyte. A job for several partitions is one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from librarian.shared.scope import Scope
from librarian.shared.tres import parse_tres
from librarian.shared.words import counted
from librarian.slurm import squeue
from librarian.slurm.command import Slurm
from librarian.slurm.job_ids import count_tasks
from librarian.subjects.jobs.states import UNKNOWN
from librarian.subjects.queue.table import WAITING, Table, queue_table
from librarian.system.processes import Answer

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
_NOT_YET = ("N/A", "Unknown", "None", "NONE", "(null)", "")
_LATEST = 2**40


@dataclass(frozen=True)
class Question:
    """Which jobs: those of a scope in these states."""

    scope: Scope
    states: tuple[str, ...] = WAITING


@dataclass(frozen=True)
class Told:
    """An answer: the queue table, and why rows were left out that were not understood."""

    table: Table
    rejects: tuple[str, ...] = ()

    @property
    def complaint(self) -> str | None:
        """That rows are left out, in one line, or None."""
        if not self.rejects:
            return None
        return f"left out {counted(len(self.rejects), 'row')} of squeue's that are not understood: {self.rejects[0]}"


def arguments(question: Question) -> list[str]:
    """The arguments of squeue for `question`."""
    return squeue.arguments(question.scope, question.states, tuple(FIELDS))


def ask(slurm: Slurm, question: Question) -> Told:
    """The jobs of the queue that match. Raises `SlurmError` when squeue fails or its answer is not whole."""
    return parse(squeue.ask(slurm, question.scope, question.states, tuple(FIELDS)))


def parse(answer: Answer) -> Told:
    """Read an answer; a row that is not understood is left out and told. Raises `SlurmError` when it is not whole."""
    return _table(squeue.rows(answer, "JOBID", len(FIELDS)))


def told(pending: Iterable[Mapping[str, str]], broken: int) -> Told:
    """The same from jobs that wait, by squeue's names of the fields, beside which so many rows were `broken`."""
    return _table([*([row[name] for name in FIELDS] for row in pending), *([[]] * broken)])


def _table(lines: Iterable[Sequence[str]]) -> Told:
    rows, rejects = {}, []
    for cells in lines:
        try:
            row = _row(cells)
            rows[row[0]] = row  # some settings list a job once for each of its partitions
        except ValueError as error:
            rejects.append(str(error))
    return Told(queue_table(rows.values()), tuple(rejects))


def _row(cells: Sequence[str]) -> tuple[str | int, ...]:
    if len(cells) != len(FIELDS):
        raise ValueError("a row has not the number of fields that was asked for")
    said = dict(zip(FIELDS.values(), cells, strict=True))
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
