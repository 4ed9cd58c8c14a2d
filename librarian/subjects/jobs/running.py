"""Which jobs run, as slurmctld tells it: the witness where sacct's answer is doubted, and of what goes on at all.

It is asked for the times at which jobs of a scope started where there is doubt, and once a cycle for their numbers.
"""

from __future__ import annotations

from librarian.shared.scope import Scope
from librarian.slurm import squeue
from librarian.slurm.command import Slurm

_STATES, _FIELDS, _HEAD = ("RUNNING", "SUSPENDED"), ("StartTime",), "START_TIME"
# with those whose state is told by a flag, lest a run is thought to be gone
ANY = (*_STATES, "CONFIGURING", "COMPLETING", "STOPPED", "SIGNALING", "STAGE_OUT")


def started(slurm: Slurm, scope: Scope) -> tuple[int, ...]:
    """When each job that runs or is suspended started (UTC epochs). Raises `SlurmError`."""
    answer = squeue.ask(slurm, scope, _STATES, _FIELDS)
    cells = [cell for (cell, *_) in squeue.rows(answer, _HEAD, len(_FIELDS))]
    return tuple(int(cell) for cell in cells if is_count(cell))


def jobs(slurm: Slurm, scope: Scope) -> frozenset[int]:
    """The numbers of the jobs that run, are suspended, begin or end. Raises `SlurmError`."""
    rows = squeue.rows(squeue.ask(slurm, scope, ANY, ("JobID",)), "JOBID", 1)
    cells = [cell.strip() for (cell, *_) in rows]
    return frozenset(int(cell) for cell in cells if is_count(cell))


def is_count(cell: str) -> bool:
    """Whether a cell holds a number of a job, or a time."""
    return cell.isascii() and cell.isdigit() and len(cell) < 13
