"""What a run used, from sacct's rows of it and of its steps. Pure.

Seen on Slurm 22.05 and 24.11:

- The row of the run has TotalCPU, UserCPU and SystemCPU, which are the sums over its steps; all else is in the rows of
  the steps. Those carry the DBIndex of their run, of a job that was requeued too.
- Times are `[DD-]HH:MM:SS` or `MM:SS.mmm`. TRESUsageInTot has `cpu` as well, in whole seconds and older: not read.
- `mem` in TRESUsageInTot is the sum over the tasks of the peak of each, MaxRSS the largest task. With --noconvert both
  are bytes without a unit, as are `fs/disk` and `gres/gpumem`.
- A step that ended before the first sample has no `mem`, but `energy=0`: its CPU time is known, its memory is not.
  Where nothing is gathered (JobAcctGatherType=none) TRESUsageInTot is empty, and CPU times are 00:00:00.
- slurmdbd may have purged the steps (PurgeStepAfter): the run has no rows of steps then, and 00:00:00.
- `.batch` may end a second after its run. It holds `srun`, not what `srun` started.
- When a job is resized its script is told nothing more of: `.batch` stays with the first row (RESIZING), with empty
  fields and 00:00:00, however much it goes on to use.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from librarian.subjects.efficiency.model import Flag, Peak, Source, Use

UNBELIEVED_SECONDS = 2**36  # an AveCPU of 2^64 microseconds was seen; two thousand years
UNBELIEVED_BYTES = 2**50  # a PiB
_NEVER = 2**62
_TIME = re.compile(r"(?:([0-9]{1,9})-)?(?:([0-9]{1,9}):)?([0-9]{1,9}):([0-9]{1,9})(?:\.([0-9]{1,9}))?")
_SIZE = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,6}))?([KMGTP]?)")
_UNITS = {unit: 1024**power for power, unit in enumerate(("", *"KMGTP"))}


@dataclass(frozen=True, order=True)
class Row:
    """The fields of a row that tell of use, as sacct wrote them; `step` is what follows the id of the run: `batch`,
    `extern`, `0`, or "" for the run itself. Times are UTC epochs, None where there is none."""

    step: str
    start: int | None
    end: int | None
    user_cpu: str
    system_cpu: str
    total_cpu: str
    max_rss: str
    tasks: str
    used_in: str  # TRESUsageInTot
    used_out: str  # TRESUsageOutTot


def parse_cpu(text: str) -> int | None:
    """Thousandths of seconds of `[DD-]HH:MM:SS` or `MM:SS.mmm`; None for "". Raises `ValueError`."""
    if not text:
        return None
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError("not a time")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    whole = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if whole > UNBELIEVED_SECONDS:
        raise ValueError("longer than anything lasts")
    return whole * 1000 + int(f"{match[5] or 0:0<3}"[:3])


def parse_bytes(text: str) -> int | None:
    """Bytes of `246075392`, `240308K` or `2.5G`; None for "". Raises `ValueError`."""
    if not text:
        return None
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError("not a size")
    size = (
        int(float(f"{match[1]}.{match[2] or 0}") * _UNITS[match[3]]) if match[2] else int(match[1]) * _UNITS[match[3]]
    )
    if size > UNBELIEVED_BYTES:
        raise ValueError("more than there is")
    return size


def entries(text: str) -> Mapping[str, str]:
    """The entries of a TRES text, such as TRESUsageInTot, as they are written. Raises `ValueError`."""
    found = {}
    for entry in text.split(",") if text else ():
        name, equals, value = entry.rpartition("=")
        if not equals or not name:
            raise ValueError("not a TRES")
        found[name] = value
    return found


@dataclass(frozen=True)
class Step:
    """What is known of one step, or of the run's own row: as `model.Use`, with its span of time and whether anything
    was gathered of it at all."""

    name: str
    start: int | None
    end: int | None
    gathered: bool
    cpu: int | None
    user: int | None
    system: int | None
    memory: int | None
    one_task: bool  # its memory is the largest task's alone
    read: int | None
    written: int | None
    gpu_percent: int | None
    gpu_memory: int | None
    nonsense: bool

    @property
    def seconds(self) -> int:
        """How long it ran, 0 where that is not told."""
        return max(self.end - self.start, 0) if self.start is not None and self.end is not None else 0


def read_step(row: Row) -> Step:
    """A row as values; one that cannot be understood is unknown, and says so."""
    bad: list[bool] = []

    def parsed(parse: Callable[[str], int | None], text: str | None) -> int | None:
        try:
            return parse(text or "")
        except ValueError:
            bad.append(True)
            return None

    def tres(text: str) -> Mapping[str, str]:
        try:
            return entries(text)
        except ValueError:
            bad.append(True)
            return {}

    used_in, used_out = tres(row.used_in), tres(row.used_out)
    cpu, user, system = (parsed(parse_cpu, text) for text in (row.total_cpu, row.user_cpu, row.system_cpu))
    memory, largest = parsed(parse_bytes, used_in.get("mem")), parsed(parse_bytes, row.max_rss)
    return Step(
        name=row.step,
        start=row.start,
        end=row.end,
        gathered=bool(used_in or cpu or largest),
        cpu=cpu,
        user=user,
        system=system,
        memory=largest if memory is None else memory,
        one_task=memory is None and largest is not None and row.tasks not in ("", "1"),
        read=parsed(parse_bytes, used_in.get("fs/disk")),
        written=parsed(parse_bytes, used_out.get("fs/disk")),
        gpu_percent=parsed(_percent, used_in.get("gres/gpuutil")),
        gpu_memory=parsed(parse_bytes, used_in.get("gres/gpumem")),
        nonsense=bool(bad),
    )


def _percent(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise ValueError("not per cent")
    return int(text)


def use_of(rows: Iterable[Row], gpus: float = 0) -> Use:
    """What a run used, from its rows in any order; `gpus` is how many it held.

    Of several rows of one step the last by their content counts, so that the order of rows changes nothing.
    """
    by_name = {row.step: row for row in sorted(rows, key=_order)}
    whole = read_step(by_name.pop("")) if "" in by_name else None
    all_steps = [read_step(row) for row in by_name.values()]
    own = [step for step in all_steps if step.name != "extern"] or all_steps
    gathered = [step for step in own if step.gathered]
    flags = _flags(whole, own, gathered)
    if not gathered:
        return _of_whole(whole, own).flagged(*flags)
    counted = [step for step in all_steps if step.gathered]
    cpu, user, system = (_time(whole, counted, name) for name in ("cpu", "user", "system"))
    memory, peak = _memory(counted) if any(step.memory is not None for step in own) else (None, None)
    gpu = _gpu(gathered) if gpus else None
    return Use(
        cpu=cpu,
        cpu_source=None if cpu is None else Source.STEPS,
        user=user,
        system=system,
        memory=memory,
        memory_source=None if memory is None else Source.STEPS,
        peak=peak,
        gpu=gpu,
        gpu_source=None if gpu is None else Source.STEPS,
        gpu_memory=most_at_once([(step, step.gpu_memory) for step in gathered])[0] if gpus else None,
        read=_sum(step.read for step in counted),
        written=_sum(step.written for step in counted),
        flags=flags | ({Flag.GPU_SAMPLE} if gpu is not None else set()),
    )


def _order(row: Row) -> tuple[str, int, int, tuple[str, ...]]:
    texts = (row.user_cpu, row.system_cpu, row.total_cpu, row.max_rss, row.tasks, row.used_in, row.used_out)
    return row.step, row.end or 0, row.start or 0, texts


def _flags(whole: Step | None, own: Sequence[Step], gathered: Sequence[Step]) -> frozenset[Flag]:
    found = set()
    if not own:
        found.add(Flag.NO_STEPS)
    elif not gathered and not (whole and whole.cpu):
        found.add(Flag.NOT_GATHERED)
    elif any(step.seconds and not step.gathered for step in own) or _lost_its_script(own):
        found.add(Flag.PARTLY)
    if any(step.nonsense for step in [*own, *([whole] if whole else [])]):
        found.add(Flag.NONSENSE)
    return frozenset(found)


def _lost_its_script(steps: Sequence[Step]) -> bool:
    """Whether these are the steps of a batch job that was resized: its script is told with the row of the size that it
    began with, unmeasured, and what follows begins with a later step than the first."""
    names = {step.name for step in steps}
    return names.isdisjoint({"batch", "interactive", "extern", "0"}) and all(name.isdigit() for name in names)


def _of_whole(whole: Step | None, own: Sequence[Step]) -> Use:
    """What the row of the run tells where its steps tell nothing: 00:00:00 is what it says when it does not know."""
    if whole is None or not whole.cpu:
        return Use()
    return Use(cpu=whole.cpu, cpu_source=Source.STEPS, user=whole.user, system=whole.system)


def _time(whole: Step | None, steps: Sequence[Step], name: str) -> int | None:
    """CPU time: what the run's row says, which is the sum, or that sum where it says nothing or less."""
    told = getattr(whole, name) if whole else None
    summed = _sum(getattr(step, name) for step in steps)
    return max((value for value in (told, summed) if value is not None), default=None)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _memory(steps: Sequence[Step]) -> tuple[int | None, Peak | None]:
    most, together = most_at_once([(step, step.memory) for step in steps])
    if most is None:
        return None, None
    if any(step.one_task for step in steps):
        return most, Peak.TASK
    return most, Peak.STEPS if together else Peak.STEP


def most_at_once(values: Sequence[tuple[Step, int | None]]) -> tuple[int | None, bool]:
    """The most that steps came to that ran at the same time, each with its own value; and whether it was several.

    A step ends in the second in which the next one begins, so steps that touch are in turn; so is one of which it is
    not told when it ran.
    """
    known = [(step, value) for step, value in values if value is not None]
    if not known:
        return None, False
    most, together = max(value for _, value in known), False
    timed = [(step.start, _NEVER if step.end is None else step.end, v) for step, v in known if step.start is not None]
    running: list[tuple[int, int]] = []  # the ends of those that run, with their values: the next to end first
    total = 0
    for start, end, value in sorted(timed):
        while running and running[0][0] <= start:
            total -= heapq.heappop(running)[1]
        heapq.heappush(running, (end, value))
        total += value
        if total > most:
            most, together = total, len(running) > 1
    return most, together


def _gpu(steps: Sequence[Step]) -> int | None:
    """Thousandths of seconds that GPUs were busy: gpuutil is per cent, summed over the GPUs of a step."""
    return _sum(None if step.gpu_percent is None else step.gpu_percent * 10 * step.seconds for step in steps)
