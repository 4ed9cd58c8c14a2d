"""Running jobs here beside those of squeue."""

from __future__ import annotations

import pandas as pd

from librarian.shared.scope import Scope
from librarian.shared.tres import parse_tres
from librarian.slurm import squeue
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.ask import Query
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import UNKNOWN, goes_on, ints
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.verify.compare import COMPARED, Held, Running, amounts_of, running

LAG = 60  # seconds by which slurmctld may tell slurmdbd of a start late
_STATES = ("RUNNING", "SUSPENDED")  # a job that is being set up or tidied away may be in either list, or in none
_FIELDS = ("JobID", "UserName", "StartTime", "tres-alloc")


def look(slurm: Slurm, store: Store, scope: Scope, now: int) -> Running | None:
    """What differs; None while nothing was collected of `scope`. Raises `SlurmError`."""
    coverage = JobRuns(store).coverage(scope)
    if coverage is None:
        return None
    at, theirs = coverage.complete_at, _at_slurm(slurm, scope)
    ours = held(KnownRunaways(store).unended(scope).settled(JobRuns(store).open_runs(scope)), at)
    left = ours.keys() - theirs.keys()
    # what ended since is told by sacct alone: squeue forgets it
    ended = _ended(slurm, Query(scope, at - LAG, now + 1), at - LAG) if left else set()
    return running(at, ours, theirs, left & ended, LAG)


def held(jobs: pd.DataFrame, at: int) -> dict[int, Held]:
    """The runs of a jobs table that go on at `at` (UTC epoch), by the number of the job."""
    jobs = jobs[goes_on(jobs) & (ints(jobs, "start") <= at)]
    amounts = {one.key: weights_of(one, jobs).tolist() for one in COMPARED}
    found = {}
    for place, (job, user, start) in enumerate(zip(jobs["jobid"], jobs["user"], jobs["start"], strict=True)):
        found[int(job)] = Held(str(user), int(start), {key: amounts[key][place] for key in amounts})
    return found


def _at_slurm(slurm: Slurm, scope: Scope) -> dict[int, Held]:
    found = {}
    for cells in squeue.rows(squeue.ask(slurm, scope, _STATES, _FIELDS), "JOBID", len(_FIELDS)):
        if len(cells) == len(_FIELDS) and cells[0].isdigit() and cells[2].isdigit():
            found[int(cells[0])] = _held(*cells[1:])
    return found


def _held(user: str, start: str, tres: str) -> Held:
    try:
        counts = parse_tres(tres)
    except ValueError:
        counts = {}
    return Held(user, int(start), amounts_of(counts))


def _ended(slurm: Slurm, query: Query, since: int) -> set[int]:
    jobs = accounting.ask(slurm, query).jobs
    end = ints(jobs, "end")
    return set(jobs["jobid"][(end != UNKNOWN) & (end >= since)].tolist())
