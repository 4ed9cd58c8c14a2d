"""What one run really used of what it held, and how well that is known. Pure.

Unknown is None and never 0. What was used beyond what was allocated stays as it was measured, with a flag: processes
can escape what binds them, and who clamps hides that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.resources import by_key
from librarian.shared.scope import Scope

GIB = 1 << 30
_MOST = 1 << 50
KEYS = ("NCPUS", "NGPUS", "MEMORY")
"""The resources whose use can be known, by their keys in `shared.resources`."""


class Source(str, Enum):
    """Who told what was used."""

    JOBSTATS = "jobstats"  # a summary that Princeton's jobstats leaves in AdminComment: sampled all the time, by node
    STEPS = "steps"  # what Slurm gathered of the steps


class Peak(str, Enum):
    """Of what a peak of memory is the sum. Each is a lower bound: short peaks lie between two samples."""

    STEP = "largest step"  # steps in turn: the largest counts
    STEPS = "steps at the same time"  # their peaks add up, though they need not have come together
    TASK = "largest task"  # of several tasks only the largest is known: the run may have used more
    NODES = "sum over nodes"


class Flag(str, Enum):
    """What somebody who shows the use of a run must know of it."""

    MORE_CPU = "more CPU time than allocated"
    MORE_MEMORY = "more memory than allocated"
    MORE_GPU = "more GPU time than allocated"
    NO_STEPS = "no steps"  # purged, or never begun
    NOT_GATHERED = "nothing gathered"  # JobAcctGatherType=none
    PARTLY = "some steps not measured"  # what is known is a lower bound
    NONSENSE = "a value that cannot be"
    GPU_SAMPLE = "GPU use from one sample"  # Slurm keeps the last one of a step
    SHORT = "too short for jobstats"
    NO_STATS = "no data in jobstats"
    BAD_STATS = "jobstats not understood"


@dataclass(frozen=True)
class Use:
    """What a run used. Times are in thousandths of seconds, sizes in bytes; None is unknown.

    `cpu` is CPU time, user and system; `user` and `system` are its parts. `memory` is the peak, and `peak` of what.
    `read` and `written` went through read() and write(), page cache included. `gpu` is time that GPUs were busy, summed
    over them; `gpu_memory` the peak of all of them. The source of each resource stands beside it.
    """

    cpu: int | None = None
    cpu_source: Source | None = None
    user: int | None = None
    system: int | None = None
    memory: int | None = None
    memory_source: Source | None = None
    peak: Peak | None = None
    gpu: int | None = None
    gpu_source: Source | None = None
    gpu_memory: int | None = None
    read: int | None = None
    written: int | None = None
    flags: frozenset[Flag] = frozenset()

    def flagged(self, *flags: Flag) -> Use:
        """The same with these flags too."""
        return replace(self, flags=self.flags | set(flags)) if flags else self

    def without(self, source: Source) -> Use:
        """The same as if `source` had told no use of a resource."""
        gone = [name for name in ("cpu", "memory", "gpu") if getattr(self, f"{name}_source") == source]
        fields: dict[str, None] = {part: None for name in gone for part in (name, f"{name}_source")}
        return replace(self, **fields)  # type: ignore[arg-type]

    @property
    def source(self) -> Source | None:
        """The best source that told anything; None where nothing is measured."""
        told = {self.cpu_source, self.memory_source, self.gpu_source}
        return next((source for source in Source if source in told), None)


@dataclass(frozen=True)
class Run:
    """A run that ended. `dbindex` is Slurm's unsigned DBIndex, which its steps carry too: a requeued job has a new one
    for each run, where its JobID stays.

    `start` and `end` are UTC epochs, `elapsed` the seconds between them but for pauses, `limit` its time limit in
    seconds (None: none, or not told). `alloc_tres` is what it held.
    """

    dbindex: int
    jobid: int
    user: UserName
    account: AccountName
    qos: str
    partition: PartitionName
    state: str
    start: int
    end: int
    elapsed: int
    limit: int | None
    alloc_tres: str

    def held(self, key: str) -> float:
        """How much of a resource it held while it ran: CPUs, GPUs, GiB of memory."""
        return by_key(key).of(self.alloc_tres)

    def seconds(self, key: str) -> int:
        """For how many seconds it held that: a run that is suspended gives its CPUs back, and nothing else."""
        return min(self.elapsed, self.end - self.start) if by_key(key).pausable else self.end - self.start


def belongs(run: Run, scopes: Sequence[Scope]) -> bool:
    """Whether a run is one of those that are meant."""
    return any(
        run.qos.lower() == scope.qos.lower()
        and (not scope.accounts or run.account in scope.accounts)
        and (not scope.partitions or run.partition in scope.partitions)
        for scope in scopes
    )


@dataclass(frozen=True)
class UsedRun:
    """A run and what it used."""

    run: Run
    use: Use


@dataclass(frozen=True)
class Hours:
    """Of one resource, in 1024ths of unit-seconds, which add up exactly: what was allocated to runs that ended, how
    much of that is of runs whose use is known (`measured`), and what these used. measured <= allocated; used may be
    more than either."""

    allocated: int = 0
    measured: int = 0
    used: int = 0

    def __add__(self, other: Hours) -> Hours:
        return Hours(self.allocated + other.allocated, self.measured + other.measured, self.used + other.used)

    def __neg__(self) -> Hours:
        return Hours(-self.allocated, -self.measured, -self.used)

    @property
    def efficiency(self) -> float | None:
        """Used of what was measured, as a share: above 1 where more was used. None where nothing was measured."""
        return self.used / self.measured if self.measured else None

    @property
    def coverage(self) -> float | None:
        """The share of what was allocated of which the use is known; None where nothing was allocated."""
        return self.measured / self.allocated if self.allocated else None

    @property
    def unused(self) -> int:
        """What was measured and not used; less than 0 where more was used."""
        return self.measured - self.used

    def in_hours(self) -> tuple[float, float, float]:
        """Allocated, measured and used in CPU-, GPU- or GiB-hours."""
        unit = FRACTION * 3600
        return self.allocated / unit, self.measured / unit, self.used / unit


@dataclass(frozen=True)
class Total:
    """What runs came to of a resource (a key of `shared.resources`, or of a type of GPUs: `NGPUS:a100`)."""

    user: UserName
    account: AccountName
    partition: PartitionName
    resource: str
    hours: Hours


FRACTION = 1024
"""Unit-seconds are counted in so many parts: MiB-seconds of memory, and parts of a CPU fine enough."""


def hours_of(used: UsedRun) -> Mapping[str, Hours]:
    """What a run comes to, by key of the resources that it held.

    Memory is used as long as it is held: the peak counts for all of the time, as in seff and jobstats. What is known
    of some steps only, or of the largest task alone, is no measure of the run, which would seem idle; and one moment of
    a GPU none of its hours.
    """
    run, use = used.run, certain(used).use
    found: dict[str, Hours] = {}
    spent = {"NCPUS": _fractions(use.cpu), "NGPUS": _fractions(use.gpu), "MEMORY": None}
    if use.memory is not None:
        spent["MEMORY"] = use.memory * FRACTION * run.seconds("MEMORY") // GIB
    for key in KEYS:
        allocated = round(run.held(key) * FRACTION) * run.seconds(key)
        if allocated:
            told = spent[key]
            found[key] = Hours(allocated) if told is None else Hours(allocated, allocated, told)
    return found


def certain(used: UsedRun) -> UsedRun:
    """The same without what is less than was used, maybe: nobody may be told to ask for less for that. It is what is
    known of a part of the steps, or of the largest task alone, and GPU time that was seen in one moment."""
    use = _whole(used.use)
    if Flag.GPU_SAMPLE in use.flags:
        use = replace(use, gpu=None, gpu_source=None)
    return used if use == used.use else replace(used, use=use)


def _whole(use: Use) -> Use:
    """The same without what is known of some steps only, or of the largest task alone."""
    known = use.without(Source.STEPS) if Flag.PARTLY in use.flags else use
    return replace(known, memory=None, memory_source=None, peak=None) if known.peak == Peak.TASK else known


def _fractions(thousandths: int | None) -> int | None:
    return None if thousandths is None else thousandths * FRACTION // 1000


def judged(used: UsedRun) -> UsedRun:
    """The same with a flag for each resource of which it used more than it held. A second of grace for CPU and GPU
    time: Slurm counts what was held in whole ones. What no machine can have used is not known."""
    run, use = used.run, believed(used.use)
    flags = []
    for key, spent, flag in (("NCPUS", use.cpu, Flag.MORE_CPU), ("NGPUS", use.gpu, Flag.MORE_GPU)):
        held = run.held(key)
        if spent is not None and spent > 1000 * held * (run.seconds(key) + 1):
            flags.append(flag)
    memory = run.held("MEMORY")
    if use.memory is not None and memory and use.memory > memory * GIB:
        flags.append(Flag.MORE_MEMORY)
    return replace(used, use=use.flagged(*flags))


def believed(use: Use) -> Use:
    """The same without amounts beyond all that there is (2^50: a PiB, or thousands of years)."""
    names = ("cpu", "user", "system", "memory", "gpu", "gpu_memory", "read", "written")
    gone = [name for name in names if (getattr(use, name) or 0) > _MOST]
    fields: dict[str, None] = dict.fromkeys(gone)
    fields |= {f"{name}_source": None for name in gone if name in ("cpu", "memory", "gpu")}
    return replace(use, **fields).flagged(Flag.NONSENSE) if gone else use  # type: ignore[arg-type]
