"""A research group on a cluster that does not exist: every job it ran, for the demo and for tests."""

from __future__ import annotations

from librarian.demo.people import week_of
from librarian.demo.runs import Run
from librarian.demo.scheduler import Limits, Scheduler
from librarian.demo.tables import AccountTable, Rulebook
from librarian.demo.weeks import CYCLE, DAY, bounds, cycle_of

# What the group may hold at a time, by QoS: CPUs, GPUs, GiB. Nobody takes GPUs in the burst QoS.
_LIMITS: dict[str, Limits] = {"avery": (430, 39, 3359), "avery-b": (3870, 0, 30234)}
# The same in Slurm's words: GrpTRES and GrpJobs.
LIMITS = {"avery": ("cpu=430,gres/gpu=39,mem=3359G", ""), "avery-b": ("cpu=3870,mem=30234G", "")}
# What each user may hold at a time, by QoS: nobody takes all GPUs.
EACH: dict[str, Limits] = {"avery": (380, 38, 3359)}
# The same in Slurm's words, and what else limits the group: all jobs of both QoS count in the group's account.
RULES = Rulebook(
    qos={
        "avery": {
            "MaxTRESPU": "cpu=380,gres/gpu=38",
            "MaxSubmitPU": "2000",
            "MaxWall": "7-00:00:00",
            "Flags": "DenyOnLimit",
        }
    },
    partitions=dict.fromkeys(("compute", "a100", "b200", "bigmem"), ""),
    accounts={
        "root": AccountTable("", ("normal",)),
        "avery": AccountTable("root", ("avery", "avery-b"), {"GrpJobs": "250"}),
        "avery-visitors": AccountTable("avery", ("avery", "avery-b"), {"MaxJobs": "12"}),
    },
)
LENT = 6  # GPUs that the group gives to its neighbours for every other cycle
FIRST_NUMBER = 20_000_000
NUMBERS_A_CYCLE = CYCLE // 8 + 100_000  # job numbers grow by one in eight seconds, and with each job of the group


def simulate(now: int, *, days: int = 45, seed: int = 1) -> list[Run]:
    """What sacct knows at `now` (UTC epoch) of the group's last `days`: runs that ended since then, run or wait.

    In order of submission. The history belongs to the calendar: a later `now` adds to it and changes nothing that was
    over, as nothing that happens depends on how long the simulation goes on, and each cycle starts on an empty cluster.
    """
    since = now - days * DAY
    runs = [run for cycle in range(cycle_of(since), cycle_of(now) + 1) for run in _cycle(cycle, now, seed)]
    kept = (run for run in runs if run.end is None or run.end >= since)
    return sorted(kept, key=lambda run: (run.submit, run.dbindex))


def _cycle(cycle: int, now: int, seed: int) -> list[Run]:
    """The runs of one cycle, as far as it has come at `now`."""
    asks = [ask for week in range(4 * cycle, 4 * cycle + 4) for ask in week_of(week, seed) if ask.submit <= now]
    return Scheduler(asks, _limits(cycle), EACH, bounds(cycle), FIRST_NUMBER + cycle * NUMBERS_A_CYCLE).run(now)


def limits_at(now: int) -> dict[str, tuple[str, str]]:
    """The limits at `now` (UTC epoch) in Slurm's words, by QoS; they change with the cycles."""
    cpus, gpus, gib = _limits(cycle_of(now))["avery"]
    return {**LIMITS, "avery": (f"cpu={cpus},gres/gpu={gpus},mem={gib}G", "")}


def changes_of_limits(since: int, now: int) -> list[int]:
    """The times (UTC epochs) in (since, now] from which other limits hold, in order."""
    return [bounds(cycle)[0] for cycle in range(cycle_of(since) + 1, cycle_of(now) + 1)]


def _limits(cycle: int) -> dict[str, Limits]:
    cpus, gpus, gib = _LIMITS["avery"]
    return {**_LIMITS, "avery": (cpus, gpus - LENT * (cycle % 2), gib)}
