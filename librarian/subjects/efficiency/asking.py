"""What to ask Slurm for next time: from what runs needed to options of sbatch. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from librarian.shared.names import PartitionName, UserName
from librarian.shared.tres import parse_tres
from librarian.shared.words import amount, counted
from librarian.subjects.efficiency.model import GIB, KEYS, UsedRun, certain

ENOUGH = 3
"""Below so many runs there is no evidence for advice."""
MARGIN = 1.2
"""More than what was needed, since samples miss short peaks, and no two runs take the same time."""
_STEPS = ((3600, 300), (6 * 3600, 900), (86400, 3600))  # below so many seconds, times are multiples of so many
_LONG = 6 * 3600


def slurm_time(seconds: int) -> str:
    """A time limit as sbatch's --time takes it: `10:00` (minutes and seconds), `2:30:00`, `1-06:00:00`; sbatch(1)."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}-{hours:02d}:{minutes:02d}:{left:02d}"
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def time_to_ask(needed: int) -> int:
    """Seconds to ask for where `needed` seconds were needed: more, and round."""
    wanted = MARGIN * needed
    step = next((step for below, step in _STEPS if wanted <= below), _LONG)
    return max(1, math.ceil(wanted / step)) * step


def memory_to_ask(needed: float) -> int:
    """GiB to ask for where `needed` bytes were needed: more, and whole."""
    return max(1, math.ceil(MARGIN * needed / GIB))


def memory_option(gib: int) -> str:
    """As an option of sbatch, whose G is a GiB. It is memory of each node."""
    return f"--mem={gib}G"


@dataclass(frozen=True)
class Shape:
    """Jobs that are alike: whose, where, and how large. `name` is a pattern of job names ("": names are not told)."""

    user: UserName
    partition: PartitionName
    cpus: float
    gpus: float
    memory: float
    nodes: int
    name: str = ""


@dataclass(frozen=True)
class Evidence:
    """What runs of one shape needed. Times in seconds, memory in bytes; None: not known of any.

    `longest` is the longest of all, whether it completed or not, `limit` the largest time limit asked for. `measured`
    runs have told `memory`, the largest peak; where fewer than half have, there is no advice on memory. `timed_out` and
    `out_of_memory` are runs which needed more than they had.
    """

    shape: Shape
    runs: int
    completed: int
    longest: int
    limit: int | None
    measured: int
    memory: int | None
    timed_out: int
    out_of_memory: int

    @property
    def time(self) -> int | None:
        """Seconds to ask for; None: no evidence, some needed more than they had, or it would be no less."""
        if self.completed < ENOUGH or self.timed_out or self.limit is None:
            return None
        ask = time_to_ask(self.longest)
        return ask if ask < self.limit else None

    @property
    def gib(self) -> int | None:
        """GiB of a node to ask for; None: no evidence, on several nodes, or it would be no less."""
        known = self.measured >= ENOUGH and 2 * self.measured >= self.runs
        if self.memory is None or not known or self.out_of_memory or self.shape.nodes > 1:
            return None
        ask = memory_to_ask(self.memory)
        return ask if ask < self.shape.memory else None


def shape_of(used: UsedRun, name: str = "") -> Shape:
    """The shape of a run."""
    run = used.run
    cpus, gpus, memory = (run.held(key) for key in KEYS)
    nodes = int(parse_tres(run.alloc_tres).get("node", 1)) or 1
    return Shape(run.user, run.partition, cpus, gpus, memory, nodes, name)


def evidence(runs: Iterable[UsedRun], names: Mapping[int, str] | None = None) -> list[Evidence]:
    """What runs of each shape needed, that with most runs first; in `names` are patterns of job names by DBIndex."""
    alike: dict[Shape, list[UsedRun]] = {}
    for used in runs:
        alike.setdefault(shape_of(used, (names or {}).get(used.run.dbindex, "")), []).append(used)
    found = [_evidence(shape, members) for shape, members in alike.items()]
    return sorted(
        found, key=lambda one: (-one.runs, one.shape.user, one.shape.partition, one.shape.cpus, one.shape.name)
    )


def _evidence(shape: Shape, runs: list[UsedRun]) -> Evidence:
    limits = [used.run.limit for used in runs if used.run.limit]
    peaks = [used.use.memory for used in map(certain, runs) if used.use.memory is not None]
    return Evidence(
        shape,
        len(runs),
        sum(used.run.state == "COMPLETED" for used in runs),
        max((used.run.end - used.run.start for used in runs), default=0),
        max(limits, default=None),
        len(peaks),
        max(peaks, default=None),
        sum(used.run.state == "TIMEOUT" for used in runs),
        sum(used.run.state == "OUT_OF_MEMORY" for used in runs),
    )


def in_words(found: Evidence) -> str:
    """One line: on how many jobs it rests, what they needed of what they had, and what to ask for."""
    jobs = f"{counted(found.runs, 'job')} like this"
    if found.runs < ENOUGH:
        return f"{jobs}: not enough evidence."
    told = []
    if found.limit is not None:
        told.append(f"longest {slurm_time(found.longest)} of {slurm_time(found.limit)}")
    if found.memory is not None:
        some = "" if found.measured == found.runs else f" (known of {amount(found.measured)})"
        told.append(f"largest {amount(found.memory / GIB)} of {amount(found.shape.memory)} GiB{some}")
    return f"{jobs}: {', '.join(told) or 'nothing measured'}. {_wish(found)}"


def _wish(found: Evidence) -> str:
    wishes = [f"--time={slurm_time(found.time)}"] if found.time is not None else []
    wishes += [memory_option(found.gib)] if found.gib is not None else []
    short = [f"{counted(found.timed_out, 'job')} ran out of time"] if found.timed_out else []
    short += [f"{counted(found.out_of_memory, 'job')} ran out of memory"] if found.out_of_memory else []
    parts = [f"Ask for {' and '.join(wishes)}."] if wishes else []
    parts += [f"{' and '.join(short).capitalize()}: ask for more there."] if short else []
    return " ".join(parts) or "That fits."
