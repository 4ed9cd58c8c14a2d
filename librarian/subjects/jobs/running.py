"""When the jobs that run started, as slurmctld tells it: the witness where sacct's answer is doubted."""

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


def is_count(cell: str) -> bool:
    """Whether a cell holds a number of a job, or a time."""
    return cell.isascii() and cell.isdigit() and len(cell) < 13
