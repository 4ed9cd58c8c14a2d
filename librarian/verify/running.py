"""Running jobs here beside those of squeue."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from librarian.shared.scope import Scope
from librarian.shared.tres import parse_tres
from librarian.slurm import squeue
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.ask import Query
from librarian.subjects.jobs.collect import hides_jobs
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import UNKNOWN, goes_on, ints
from librarian.subjects.jobs.running import ANY, is_count
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.system.host import pause
from librarian.verify.compare import COMPARED, Held, Running, amounts_of, running

LAG = 60  # seconds by which slurmctld may tell slurmdbd of a start late
AGAIN = 10  # seconds after which is asked once more what became of a job: its end is told late as well
_HOLDING = ("RUNNING", "SUSPENDED")  # a job that is being set up or tidied away may be known to one side alone
_FIELDS = ("JobID", "State", "UserName", "StartTime", "tres-alloc")


def look(slurm: Slurm, store: Store, scope: Scope, now: int, wait: Callable[[float], None] = pause) -> Running | None:
    """What differs; None while nothing was collected of `scope`, or where Slurm hides the jobs of others.

    Raises `SlurmError`.
    """
    coverage = JobRuns(store).coverage(scope)
    if coverage is None or hides_jobs(store):
        return None
    at, theirs = coverage.complete_at, _at_slurm(slurm, scope)
    known = KnownRunaways(store)
    runs = known.unended(scope).settled(JobRuns(store).open_runs(scope))
    # with [report] count_runaways they count as running, though nobody takes them for that
    ours = held(runs[~runs["dbindex"].isin([run.dbindex for run in known.sure(scope)])], at)
    left = ours.keys() - {job for job, _ in theirs}
    ended: set[int] = set()
    for turn in range(2):
        if left - ended:
            if turn:
                wait(AGAIN)
            # what ended since is told by sacct alone: squeue forgets it
            ended = left & _ended(slurm, Query(scope, at - LAG, now + 60), at - LAG)
    both = {job: one for (job, holds), one in theirs.items() if holds or job in ours}
    return running(at, ours, both, ended, LAG)


def held(jobs: pd.DataFrame, at: int) -> dict[int, Held]:
    """The runs of a jobs table that go on at `at` (UTC epoch), by the number of the job."""
    jobs = jobs[goes_on(jobs) & (ints(jobs, "start") <= at)]
    amounts = {one.key: weights_of(one, jobs).tolist() for one in COMPARED}
    found = {}
    for place, (job, user, start) in enumerate(zip(jobs["jobid"], jobs["user"], jobs["start"], strict=True)):
        found[int(job)] = Held(str(user), int(start), {key: amounts[key][place] for key in amounts})
    return found


def _at_slurm(slurm: Slurm, scope: Scope) -> dict[tuple[int, bool], Held]:
    """By the number of the job, and whether it holds its allocation for sure."""
    found = {}
    for cells in squeue.rows(squeue.ask(slurm, scope, ANY, _FIELDS), "JOBID", len(_FIELDS)):
        job, state, *rest = [cell.strip() for cell in cells]
        if len(rest) == 3 and is_count(job) and is_count(rest[1]):
            found[int(job), state in _HOLDING] = _held(*rest)
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
