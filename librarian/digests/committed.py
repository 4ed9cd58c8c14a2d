"""What jobs may still hold: those that run and those that are pending, each times the time limit. From squeue.

`TimeLeft` of a job that runs is what is left of its limit; one without a limit, or whose numbers squeue does not tell,
is counted and not guessed at. A pending array of n tasks is n jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from librarian.digests.model import Committed
from librarian.shared.resources import WANTED
from librarian.shared.scope import Scope
from librarian.slurm import squeue
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration
from librarian.slurm.job_ids import count_tasks

STATES = ("PENDING", "RUNNING", "SUSPENDED")
FIELDS = ("JobArrayID", "State", "TimeLimit", "TimeLeft", "tres-alloc")


def ask(slurm: Slurm, scopes: Iterable[Scope]) -> Committed:
    """What the jobs of these scopes may still hold. Raises `SlurmError`."""
    told = [squeue.rows(squeue.ask(slurm, scope, STATES, FIELDS), "JOBID", len(FIELDS)) for scope in scopes]
    return committed(row for rows in told for row in rows)


def committed(rows: Iterable[Sequence[str]]) -> Committed:
    """The same from squeue's rows."""
    hours = {o.key: 0.0 for o in WANTED}
    jobs = unknown = 0
    seen = set()
    for row in rows:
        if len(row) != len(FIELDS):
            unknown += 1
            continue
        job, state, limit, left, tres = (cell.strip() for cell in row)
        if job in seen:
            continue
        seen.add(job)
        try:
            tasks = count_tasks(job) if state == "PENDING" else 1
            seconds = parse_duration(_told(limit if state == "PENDING" else left)) * tasks
            amounts = {o.key: o.of(tres) for o in WANTED}
        except ValueError:
            jobs, unknown = jobs + 1, unknown + 1
            continue
        jobs += tasks
        for key, held in amounts.items():
            hours[key] += held * seconds / 3600
    return Committed(hours, jobs, unknown)


def _told(text: str) -> str:
    """A duration of squeue's. Raises `ValueError` where there is none, as in UNLIMITED."""
    if not text or not text[-1:].isdigit():
        raise ValueError(text)
    return text
