"""What cycles spent: by stage, subject and command of Slurm's. Lines that are kept, and what they come to.

Nothing but names of ours, names of commands and numbers is in it. A part is (stage, subject, command), each "" where it
is of all: ("", "", "") is the whole run, ("collect", "jobs", "") all that a subject took in a stage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

DAY = 86400
KEPT = 30 * DAY
MOST = 9000  # cycles: 30 days of one in five minutes
_LEAST = 0.0005  # seconds
DAEMONS: Mapping[str, tuple[str, ...]] = {
    "slurmdbd": ("sacct", "sacctmgr", "sreport"),
    "slurmctld": ("squeue", "scontrol"),
}
"""Which commands ask which daemon."""

Part = tuple[str, str, str]
WHOLE: Part = ("", "", "")


@dataclass(frozen=True)
class Spent:
    """How often something was done, the seconds of the clock that it took, and those of all processors (None where that
    is not known: a command's may be at work for others too)."""

    count: int
    seconds: float
    cpu: float | None = None


@dataclass(frozen=True)
class Cycle:
    """One run that began at `at` (UTC epoch), and what its parts spent, in the order in which they began."""

    at: int
    parts: Mapping[Part, Spent]

    def commands(self, daemon: str) -> int:
        """How many commands it sent to a daemon."""
        ours = DAEMONS[daemon]
        return sum(spent.count for (_, _, name), spent in self.parts.items() if name.split(" ")[0] in ours)


def to_line(cycle: Cycle) -> str:
    """A cycle as one line, without subjects that took no time that could be told."""
    rows = [
        [*part, spent.count, round(spent.seconds, 3), None if spent.cpu is None else round(spent.cpu, 3)]
        for part, spent in cycle.parts.items()
        if part[2] or not part[1] or spent.seconds >= _LEAST
    ]
    return json.dumps([cycle.at, rows], separators=(",", ":"))


def from_line(line: str) -> Cycle | None:
    """The cycle of a line; None where it is not understood."""
    try:
        at, rows = json.loads(line)
        parts = {
            (str(stage), str(subject), str(command)): Spent(
                int(count), float(seconds), None if cpu is None else float(cpu)
            )
            for stage, subject, command, count, seconds, cpu in rows
        }
        return Cycle(int(at), parts)
    except (ValueError, TypeError):
        return None


def added(lines: Sequence[str], cycle: Cycle) -> list[str]:
    """The lines with one more, without those that are too old or too many."""
    kept = [line for line in lines if (_at(line) or 0) > cycle.at - KEPT]
    return [*kept[-MOST + 1 :], to_line(cycle)]


def _at(line: str) -> int | None:
    """When the cycle of a line began, without reading all of it."""
    number = line[1 : line.find(",")]
    return int(number) if line.startswith("[") and number.isascii() and number.isdigit() else None


# what they come to


@dataclass(frozen=True)
class Over:
    """What a part came to in the cycles of a time; one that did without it counts as 0."""

    median: Spent
    largest: Spent
    count: int  # of all cycles


@dataclass(frozen=True)
class Row:
    """A part in the last cycle, in those of the last day and in all of 30 days."""

    part: Part
    last: Spent | None
    day: Over
    days_30: Over


@dataclass(frozen=True)
class Load:
    """Commands that were sent to a daemon: in the last cycle; the median and the most of a cycle, and the sum, of the
    last day; the mean of a day over 30 days, or over as much of them as is known."""

    last: int
    median: float
    largest: int
    day: int
    a_day: float


@dataclass(frozen=True)
class Profile:
    """What cycles spent up to `now` (UTC epoch)."""

    now: int
    cycles: tuple[Cycle, ...]
    rows: tuple[Row, ...]
    load: Mapping[str, Load]

    @property
    def last(self) -> Cycle | None:
        """The newest cycle."""
        return self.cycles[-1] if self.cycles else None

    @property
    def of_the_day(self) -> int:
        """How many cycles the last day had."""
        return len(_since(self.cycles, self.now - DAY))


def profile(cycles: Iterable[Cycle], now: int) -> Profile:
    """What the cycles of the 30 days up to `now` come to."""
    known = tuple(sorted((one for one in cycles if now - KEPT < one.at <= now), key=lambda one: one.at))
    day = _since(known, now - DAY)
    parts = sorted(dict.fromkeys(part for cycle in reversed(known) for part in cycle.parts), key=_order(known))
    rows = tuple(Row(part, known[-1].parts.get(part), _over(day, part), _over(known, part)) for part in parts if known)
    return Profile(now, known, rows, {daemon: _load(known, day, daemon, now) for daemon in DAEMONS})


def _order(cycles: Sequence[Cycle]) -> Callable[[Part], tuple[int, int, str]]:
    """Stages and subjects in the order in which they are worked on, each before its own parts."""
    stages = list(dict.fromkeys(part[0] for cycle in reversed(cycles) for part in cycle.parts))
    subjects = list(dict.fromkeys(part[1] for cycle in reversed(cycles) for part in cycle.parts))
    return lambda part: (stages.index(part[0]) if part[0] else -1, subjects.index(part[1]) if part[1] else -1, part[2])


def _since(cycles: Sequence[Cycle], moment: int) -> tuple[Cycle, ...]:
    return tuple(one for one in cycles if one.at > moment)


def _over(cycles: Sequence[Cycle], part: Part) -> Over:
    nothing = Spent(0, 0.0, None if part[2] else 0.0)
    spent = [one.parts.get(part, nothing) for one in cycles]
    cpu = [one.cpu for one in spent if one.cpu is not None]
    counts, seconds = [one.count for one in spent], [one.seconds for one in spent]
    return Over(
        Spent(round(median(counts)), median(seconds), median(cpu) if cpu else None),
        Spent(max(counts, default=0), max(seconds, default=0.0), max(cpu, default=None)),
        sum(counts),
    )


def _load(cycles: Sequence[Cycle], day: Sequence[Cycle], daemon: str, now: int) -> Load:
    every, today = [one.commands(daemon) for one in cycles], [one.commands(daemon) for one in day]
    days = min(KEPT, max(DAY, now - cycles[0].at)) / DAY if cycles else 1.0
    last = every[-1] if every else 0
    return Load(last, median(today), max(today, default=0), sum(today), sum(every) / days)


def median(values: Sequence[float]) -> float:
    """The value in the middle; 0 of none."""
    ordered = sorted(values)
    half = len(ordered) // 2
    if not ordered:
        return 0.0
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


# how it is told


def as_json(found: Profile, cluster: str) -> str:
    """For programs: see docs/timings.schema.json."""
    told = {
        "schema_version": 1,
        "cluster": cluster,
        "now": found.now,
        "last": found.last.at if found.last else None,
        "cycles": {"day": found.of_the_day, "days_30": len(found.cycles)},
        "commands": {daemon: _load_json(load) for daemon, load in found.load.items()},
        "parts": [_row_json(row) for row in found.rows],
    }
    return json.dumps(told, indent=1)


def _load_json(load: Load) -> dict[str, object]:
    return {
        "last": load.last,
        "day": {"median": load.median, "largest": load.largest, "count": load.day},
        "days_30": {"mean_of_a_day": round(load.a_day, 1)},
    }


def _row_json(row: Row) -> dict[str, object]:
    stage, subject, command = (name or None for name in row.part)
    return {
        "stage": stage,
        "subject": subject,
        "command": command,
        "last": _spent_json(row.last),
        "day": _over_json(row.day),
        "days_30": _over_json(row.days_30),
    }


def _over_json(over: Over) -> dict[str, object]:
    return {"median": _spent_json(over.median), "largest": _spent_json(over.largest), "count": over.count}


def _spent_json(spent: Spent | None) -> dict[str, object] | None:
    if spent is None:
        return None
    cpu = None if spent.cpu is None else round(spent.cpu, 3)
    return {"count": spent.count, "seconds": round(spent.seconds, 3), "cpu_seconds": cpu}


def as_text(found: Profile, when: str) -> list[str]:
    """For a person: `when` is the time of the last cycle in words."""
    if found.last is None:
        return ["no cycles measured in the last 30 days (each librarian run measures one)"]
    head = f"the last cycle: {when}; {found.of_the_day} in the last day, {len(found.cycles)} in 30 days"
    wide = max(len(_label(row.part)) for row in found.rows)
    titles = ("last cycle", "last day", "30 days")
    above = " " * wide + f"{titles[0]:>24}{titles[1]:>20}{titles[2]:>20}"
    names = ("n", "s", "CPU s", "median s", "largest s", "median s", "largest s")
    columns = "".join(f"{name:>{width}}" for name, width in zip(names, _WIDTHS, strict=True))
    lines = [head, "", above, f"{'':{wide}}{columns}"]
    lines += [f"{_label(row.part):{wide}}{_cells(row)}".rstrip() for row in found.rows]
    return [*lines, "", *(_load_text(daemon, load) for daemon, load in found.load.items())]


_WIDTHS = (6, 9, 9, 10, 10, 10, 10)


def _label(part: Part) -> str:
    depth = sum(map(bool, part))
    return "  " * max(0, depth - 1) + ([name for name in part if name] or ["the whole run"])[-1]


def _cells(row: Row) -> str:
    last = row.last or Spent(0, 0.0)
    count = str(last.count) if row.part[2] else ""
    cpu = "" if last.cpu is None else f"{last.cpu:.2f}"
    numbers = (row.day.median, row.day.largest, row.days_30.median, row.days_30.largest)
    cells = (count, f"{last.seconds:.2f}", cpu, *(f"{spent.seconds:.2f}" for spent in numbers))
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def _load_text(daemon: str, load: Load) -> str:
    cycle = f"{load.last} in the last cycle, {load.median:g} in the median one of the last day, {load.largest} at most"
    return f"commands to {daemon}: {cycle}; {load.day} in the last day, {load.a_day:.0f} a day over 30 days"
