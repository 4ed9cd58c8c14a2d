"""What the watchdog makes of what it sees: a pure decision, with its reason in one line.

What gets scheduled entries stuck, and what helps, was seen on live clusters: a held job of an entry cannot be released,
and cancelling it disables the entry for good. Putting the same table in again is what recovers; a firing that hangs
is requeued, which ends it and keeps its entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Action = Literal["none", "put", "requeue"]
HELD_FIRST = "held"
DAY = 86400
_SLACK = 120  # Slurm needs a while to end a job at its limit
_LATE = 6  # intervals without a success
_CEILING = 12  # recoveries a day
_LONGEST_PAUSE = 6 * 3600


@dataclass(frozen=True)
class CronJob:
    """A job of one of our entries as Slurm tells it; `running` are seconds, None where it does not run."""

    job: str
    name: str
    state: str
    reason: str
    start: int | None = None
    running: int | None = None


@dataclass(frozen=True)
class Observation:
    """What is there now: our block in the table beside the one that was installed, and the jobs of its entries, which
    should be those called `expected`. Times are UTC epochs.

    `missing`: Slurm says that there is no table, or shows one without our block; `empty`: it shows a table with nothing
    in it, which may also be an answer that was lost.
    """

    block: Literal["whole", "disabled", "changed", "missing", "empty"]
    jobs: tuple[CronJob, ...]
    expected: tuple[str, ...]
    limit_seconds: int
    interval: int
    last_success: int | None = None
    known_since: int | None = None


@dataclass(frozen=True)
class Memory:
    """What the watchdog did before: when it acted in the last day, and since when entries have no job, or the table has
    nothing in it."""

    acted: tuple[int, ...] = ()
    missing_since: int | None = None
    empty_since: int | None = None


@dataclass(frozen=True)
class Decision:
    """What to do: put the table in again, requeue `job`, or nothing; `why` is for the log. `trouble`: something is
    wrong, also where nothing is to be done about it."""

    action: Action
    why: str
    job: str = ""
    trouble: bool = True


def decide(seen: Observation, memory: Memory, now: int) -> Decision:
    """What to do at `now` (UTC epoch), and why."""
    wanted = _wanted(seen, memory, now)
    if wanted.action == "none":
        return wanted
    wait = _wait(memory, seen.interval, now)
    return Decision("none", f"{wanted.why}; {wait}") if wait else wanted


def remembered(memory: Memory, seen: Observation, decision: Decision, now: int) -> Memory:
    """The memory after a decision that was carried out."""
    missing, empty = bool(_without_job(seen)) and seen.block == "whole", seen.block == "empty"
    acted = tuple(moment for moment in memory.acted if now - DAY < moment <= now)
    if decision.action != "none":
        acted, missing, empty = (*acted, now), False, False
    return Memory(acted, _since(memory.missing_since, missing, now), _since(memory.empty_since, empty, now))


def _since(before: int | None, holds: bool, now: int) -> int | None:
    return (now if before is None else before) if holds else None


def _wanted(seen: Observation, memory: Memory, now: int) -> Decision:
    # before anything else: once the table is put in again, a firing that still runs is no cron job any more
    for job in seen.jobs:
        if job.running is not None and job.running > seen.limit_seconds + _SLACK:
            return Decision("requeue", f"{job.name} has run for {job.running} s, and hangs", job.job)
    if seen.block in ("missing", "empty"):
        return _gone(seen, memory, now)
    if seen.block == "disabled":
        return Decision("put", "an entry of ours is disabled: its job was cancelled")
    if seen.block == "changed":
        return Decision(
            "none", "our entries were changed by hand and stay so (librarian scrontab install replaces them)"
        )
    for job in seen.jobs:
        if job.state == "PENDING" and HELD_FIRST in job.reason.lower():
            return Decision("put", f"{job.name} is held: {job.reason}")
    missing = _without_job(seen)
    if missing:
        since = memory.missing_since
        if since is not None and now - since >= seen.interval:
            return Decision("put", f"{missing[0]} has had no job since {now - since} s")
        return Decision("none", f"{missing[0]} has no job at the moment; waiting whether one comes")
    return _without_recovery(seen, now)


def _gone(seen: Observation, memory: Memory, now: int) -> Decision:
    """Whether our block is gone from the table. Putting it in again replaces the whole table, so it must be sure."""
    waiting = [job.name for job in seen.jobs if job.state == "PENDING"]
    if waiting:  # Slurm cancels the jobs of a table together with it
        return Decision(
            "none", f"the table has no block of ours, but {waiting[0]} waits: a strange answer, or its markers are gone"
        )
    since = memory.empty_since
    if seen.block == "empty" and (since is None or now - since < seen.interval):
        return Decision("none", "Slurm shows an empty table; waiting whether it stays so")
    return Decision("put", "our entries are gone from the table")


def _without_job(seen: Observation) -> list[str]:
    there = {job.name for job in seen.jobs}
    return [name for name in seen.expected if name not in there]


def _without_recovery(seen: Observation, now: int) -> Decision:
    """What is no fault of the entries: a busy cluster, or firings that all fail."""
    for job in seen.jobs:
        late = job.state == "PENDING" and job.start is not None and now - job.start > _LATE * seen.interval
        if late or (job.state == "PENDING" and job.reason not in ("BeginTime", "None", "")):
            return Decision(
                "none", f"{job.name} waits ({job.reason}): the cluster is busy or stopped, nothing to repair"
            )
    # before they were put in, or resumed, they could not fire
    since = max((moment for moment in (seen.last_success, seen.known_since) if moment is not None), default=now)
    if now - since > _LATE * seen.interval:
        return Decision(
            "none", f"it fires, but no run has succeeded for {now - since} s: see the log and librarian status"
        )
    return Decision("none", "all is well", trouble=False)


def _wait(memory: Memory, interval: int, now: int) -> str:
    """Why it is too early to act again, or "": at most once an interval, each time twice as long, a few times a day."""
    acted = [moment for moment in memory.acted if now - DAY < moment <= now]
    if len(acted) >= _CEILING:
        return f"it was put right {_CEILING} times within a day, and is left alone now"
    if acted and now - acted[-1] < _pause(acted, interval):
        return f"it was put right {now - acted[-1]} s ago, and gets {_pause(acted, interval)} s"
    return ""


def _pause(acted: Sequence[int], interval: int) -> int:
    """Seconds to wait after the last of several recoveries: doubled for each that followed soon on the one before."""
    pause = interval
    for before, after in pairwise(acted):
        pause = min(2 * pause, _LONGEST_PAUSE) if after - before < 4 * pause else interval
    return pause
