"""One look at squeue a cycle, for all QoS: the jobs that are pending and those that run.

It is taken when somebody first needs it, behind sacct's answers: a run that accounting has open and squeue does not
name any more cannot have begun in between. What it tells is handed from subject to subject, and kept by nobody. It is
asked for all of each QoS, as accounting spells it: what narrows the question could hide a job.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from librarian.errors import NoAnswerError, SlurmError
from librarian.shared.scope import Scope
from librarian.slurm import squeue
from librarian.slurm.command import Slurm
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import goes_on
from librarian.subjects.jobs.running import ANY, is_count
from librarian.subjects.subject import CONTROLLER, Asking

PENDING = ("PENDING", "SPECIAL_EXIT", "RESV_DEL_HOLD")
"""States of jobs that wait: squeue does not call one PENDING that was put back in a special state, or whose reservation
was deleted."""
# What is asked for among those that wait, and printed as something else.
_PUT_BACK = ("REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "REVOKED")
FIELDS = (
    *("JobArrayID", "State", "UserName", "Account", "QOS", "Partition", "Reason", "tres-alloc", "Dependency"),
    *("SubmitTime", "EligibleTime", "StartTime", "PriorityLong", "JobID"),
)

Cells = Mapping[str, str]
"""A job, by squeue's names of the fields."""


@dataclass(frozen=True)
class Look:
    """What squeue told: a row for each job, and how many rows have not the number of cells that was asked for."""

    rows: tuple[Cells, ...]
    broken: int = 0

    def pending(self, qos: str) -> list[Cells]:
        """The jobs of a QoS that wait."""
        return [row for row in self._of((qos,)) if row["State"] in PENDING]

    def running(self, names: Collection[str]) -> frozenset[int]:
        """Numbers of the jobs that run, are suspended, begin or end in one of these QoS."""
        here = (row for row in self._of(names) if row["State"] not in (*PENDING, *_PUT_BACK))
        return frozenset(int(cell) for cell in (row["JobID"].strip() for row in here) if is_count(cell))

    def _of(self, names: Collection[str]) -> list[Cells]:
        wanted = {name.lower() for name in names}
        return [row for row in self.rows if wanted.intersection(row["QOS"].lower().split(","))]


def look(asking: Asking) -> Look:
    """What squeue tells in this cycle. Raises `SlurmError` when it failed, and what kept it silent before."""
    if CONTROLLER in asking.silent:
        raise asking.silent[CONTROLLER]
    if Look not in asking.shared:
        asking.shared[Look] = _asked(asking)
    told = asking.shared[Look]
    if isinstance(told, SlurmError):
        raise told
    found: Look = told
    return found


def _asked(asking: Asking) -> Look | SlurmError:
    """The answer, or what is wrong with it: nobody asks a second time."""
    try:
        return ask(asking.slurm, spelled(asking.store, Scope(asking.cluster, "")).cluster, _names(asking))
    except SlurmError as error:
        if isinstance(error, NoAnswerError):
            asking.silent[CONTROLLER] = error
        return error


def _names(asking: Asking) -> list[str]:
    """The QoS as accounting spells them, where it has runs of them that go on."""
    names: set[str] = set()
    for scope in (watched.scope for watched in asking.watched):
        opened = JobRuns(asking.store).open_runs(scope)
        names |= set(map(str, opened[goes_on(opened)]["qos"])) or {scope.qos}
    return sorted(names)


def ask(slurm: Slurm, cluster: str, names: Sequence[str]) -> Look:
    """The jobs of these QoS, in any state but those that are over. Raises `SlurmError`."""
    answer = squeue.ask(slurm, Scope(cluster, ",".join(names)), (*PENDING, *ANY), FIELDS)
    rows = squeue.rows(answer, "JOBID", len(FIELDS))
    whole = tuple(dict(zip(FIELDS, cells, strict=True)) for cells in rows if len(cells) == len(FIELDS))
    return Look(whole, len(rows) - len(whole))
