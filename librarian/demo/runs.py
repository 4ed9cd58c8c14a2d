"""The values of the demo: what a person asks of Slurm, and the run that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

BY_USER = "CANCELLED by {}"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, as sacct knows it. Times are UTC epochs, `suspended` seconds, `job` the job id as displayed.

    `eligible` None: held or waiting for another job. `start` None: not started, or never (then `end` is set).
    `end` None: not ended.
    """

    dbindex: int
    jobid: int
    job: str
    user: str
    uid: int
    account: str
    qos: str
    partition: str
    state: str
    submit: int
    eligible: int | None
    start: int | None
    end: int | None
    suspended: int
    alloc_tres: str
    req_tres: str
    nodes: int


def as_of(run: Run, now: int) -> Run | None:
    """The run as it stood at `now`, or None when it had not been submitted yet.

    When a job was paused is not told by Slurm; here the pause lies in the middle of the run.
    """
    if run.submit > now:
        return None
    eligible = run.eligible if run.eligible is not None and run.eligible <= now else None
    if run.start is not None and run.start > now:
        return replace(run, state="PENDING", eligible=eligible, start=None, end=None, suspended=0, alloc_tres="")
    if run.end is None or run.end <= now:
        return run
    if run.start is None:
        return replace(run, state="PENDING", eligible=eligible, end=None)
    pause = (run.start + run.end - run.suspended) // 2
    paused = min(max(now - pause, 0), run.suspended)
    state = "SUSPENDED" if 0 < paused < run.suspended else "RUNNING"
    return replace(run, state=state, end=None, suspended=paused)


@dataclass(frozen=True, slots=True)
class Shape:
    """What one allocation holds: memory in GiB, `gpu_type` as Slurm names it (or "": any type, in a request)."""

    cpus: int
    memory: int
    gpus: int = 0
    gpu_type: str = ""
    nodes: int = 1

    def halved(self) -> Shape:
        """What is left when a job gives half of its CPUs and memory back."""
        return replace(self, cpus=self.cpus // 2, memory=self.memory // 2)


@lru_cache(maxsize=4096)
def tres(shape: Shape) -> str:
    """A shape in Slurm's words, with --noconvert: alphabetical, memory in MiB."""
    gpus = f"gres/gpu={shape.gpus}," if shape.gpus else ""
    if shape.gpu_type:
        gpus = f"gres/gpu:{shape.gpu_type}={shape.gpus},{gpus}"
    return f"billing={shape.cpus},cpu={shape.cpus},{gpus}mem={shape.memory * 1024}M,node={shape.nodes}"


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of a job's life, in seconds, and the state in which it ends; `suspended` comes on top of `seconds`.

    When another leg follows, a state of RESIZING means that the job goes on with half of its allocation, any other that
    it goes back to the queue under its old number.
    """

    seconds: int
    state: str
    suspended: int = 0


Plan = tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the group."""

    login: str
    uid: int
    account: str


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A submitted job: who, when (UTC epoch), what, and how it will go. Each ask is itself alone: compared by identity.

    `shapes` has one item, or one a component for a heterogeneous job; `plans` one item, or one a task for an array,
    whose `throttle` is then above 0. `limit` is the wall time in seconds. `request` is the smaller shape that was asked
    for. `begin`: not before this epoch. `after`: not before this other job has ended. `give_up`: cancelled at this
    epoch when it still waits. `refused`: fails at submission, "launched" on its node or "queued" before it got one.
    """

    person: Person
    submit: int
    qos: str
    partition: str
    shapes: tuple[Shape, ...]
    limit: int
    plans: tuple[Plan, ...]
    throttle: int = 0
    request: Shape | None = None
    begin: int | None = None
    after: Ask | None = None
    give_up: int | None = None
    refused: str = ""
