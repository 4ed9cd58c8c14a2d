"""What the runs that ended in a piece of time come to: what is found of them, how well they used what they held, and
what those that are alike needed. Pieces add up to what all of their runs come to. Pure.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from librarian.shared.names import PartitionName, UserName
from librarian.subjects.efficiency.asking import Evidence, Shape, shape_of
from librarian.subjects.efficiency.costs import costs
from librarian.subjects.efficiency.model import UsedRun, certain, hours_of
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.efficiency.streaks import Streak, in_rows, joined, of

BINS = 12
"""Of a distribution: ten of 10 % each, then more than was allocated, then not measured."""
MORE, UNKNOWN = 10, 11
VERSION = 3
"""Of what a tally says of the same runs and rules: one more where that changes."""

Place = tuple[str, str, float, float, float, int]
"""A shape, by its fields: user, partition, CPUs, GPUs, GiB, nodes."""
Needed = tuple[int, int, int, int, int, int, int, int]
"""As `Evidence` has them: runs, completed, longest, limit, measured, memory, timed out, out of memory; -1 is None."""


@dataclass
class Tally:
    """`found` has by rule and resource ("": it costs none) how many runs, and what they cost in 1024ths of
    unit-seconds; `spread` by resource for each of the `BINS` how many runs, and what was allocated to them."""

    runs: int = 0
    found: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    spread: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    shapes: dict[Place, Needed] = field(default_factory=dict)
    streaks: dict[str, Streak] = field(default_factory=dict)
    """By user, by real name: what is told of them is a sum."""

    def add(self, later: Tally, least: int) -> None:
        """Take in that of a later time; so many failures are a row."""
        for user, streak in later.streaks.items():
            first = self.streaks.get(user)
            self.streaks[user] = streak if first is None else joined(first, streak, least)
        other = later
        self.runs += other.runs
        for place, (runs, amount) in other.found.items():
            mine = self.found.get(place, (0, 0))
            self.found[place] = (mine[0] + runs, mine[1] + amount)
        for key, bins in other.spread.items():
            own = self.spread.get(key) or [(0, 0)] * BINS
            self.spread[key] = [(a + c, b + d) for (a, b), (c, d) in zip(own, bins, strict=True)]
        for shape, needed in other.shapes.items():
            known = self.shapes.get(shape)
            self.shapes[shape] = needed if known is None else together(known, needed)


def together(one: Needed, other: Needed) -> Needed:
    """What both needed."""
    return (
        one[0] + other[0],
        one[1] + other[1],
        max(one[2], other[2]),
        max(one[3], other[3]),
        one[4] + other[4],
        max(one[5], other[5]),
        one[6] + other[6],
        one[7] + other[7],
    )


def tally(runs: Iterable[UsedRun], rules: Rules) -> Tally:
    """What these runs come to, which are in order of their ends."""
    made = Tally()
    for used in runs:
        made.runs += 1
        streak, before_it = of(used.run.state), made.streaks.get(used.run.user)
        made.streaks[used.run.user] = joined(before_it, streak, rules.failures_in_a_row) if before_it else streak
        for one, cost in costs(used, rules):
            before = made.found.get((one.rule, cost.resource), (0, 0))
            made.found[one.rule, cost.resource] = (before[0] + 1, before[1] + cost.amount)
        _spread(made, used)
        shape = shape_of(used)
        place = (shape.user, shape.partition, shape.cpus, shape.gpus, shape.memory, shape.nodes)
        needed = _needed(used)
        known = made.shapes.get(place)
        made.shapes[place] = needed if known is None else together(known, needed)
    return made


def found_of(made: Tally, rules: Rules) -> dict[tuple[str, str], tuple[int, int]]:
    """All that is found, with the failures in a row of all users."""
    least = rules.failures_in_a_row
    failed = sum(in_rows(streak, least) for streak in made.streaks.values()) if least else 0
    return {**made.found, **({("failures", ""): (failed, 0)} if failed else {})}


def _spread(made: Tally, used: UsedRun) -> None:
    for key, hours in hours_of(used).items():
        bins = made.spread.setdefault(key, [(0, 0)] * BINS)
        place = UNKNOWN
        if hours.measured:
            place = MORE if hours.used > hours.measured else min(10 * hours.used // hours.measured, 9)
        bins[place] = (bins[place][0] + 1, bins[place][1] + hours.allocated)


def _needed(used: UsedRun) -> Needed:
    run, peak = used.run, certain(used).use.memory
    return (
        1,
        int(run.state == "COMPLETED"),
        run.end - run.start,
        run.limit or -1,
        int(peak is not None),
        -1 if peak is None else peak,
        int(run.state == "TIMEOUT"),
        int(run.state == "OUT_OF_MEMORY"),
    )


def evidence_of(place: Place, needed: Needed) -> Evidence:
    """What runs of a shape needed, as `asking` tells it."""
    user, partition, cpus, gpus, memory, nodes = place
    runs, completed, longest, limit, measured, peak, late, full = needed
    shape = Shape(UserName(user), PartitionName(partition), cpus, gpus, memory, nodes)
    return Evidence(
        shape,
        runs,
        completed,
        longest,
        None if limit < 0 else limit,
        measured,
        None if peak < 0 else peak,
        late,
        full,
    )


def merged(told: Iterable[Evidence]) -> list[Evidence]:
    """By shape, those with most runs first: several users may have one name, once names are those that readers see."""
    found: dict[Place, Needed] = {}
    for one in told:
        shape = one.shape
        place = (shape.user, shape.partition, shape.cpus, shape.gpus, shape.memory, shape.nodes)
        needed = _needed_of(one)
        found[place] = together(found[place], needed) if place in found else needed
    made = [evidence_of(place, needed) for place, needed in found.items()]
    return sorted(made, key=lambda one: (-one.runs, tuple(map(str, _place_of(one)))))


def _place_of(one: Evidence) -> Place:
    shape = one.shape
    return (shape.user, shape.partition, shape.cpus, shape.gpus, shape.memory, shape.nodes)


def _needed_of(one: Evidence) -> Needed:
    return (
        one.runs,
        one.completed,
        one.longest,
        -1 if one.limit is None else one.limit,
        one.measured,
        -1 if one.memory is None else one.memory,
        one.timed_out,
        one.out_of_memory,
    )


def encoded(one: Tally) -> bytes:
    """A tally as bytes."""
    found = [[*place, *tally] for place, tally in one.found.items()]
    shapes = [[*place, *needed] for place, needed in one.shapes.items()]
    return zlib.compress(json.dumps([one.runs, found, one.spread, shapes, one.streaks]).encode(), 3)


def decoded(data: bytes) -> Tally:
    """A tally from its bytes. Raises `ValueError` where these are none."""
    try:
        runs, found, spread, shapes, streaks = json.loads(zlib.decompress(data))
        return Tally(
            runs,
            {(rule, key): (count, amount) for rule, key, count, amount in found},
            {key: [(count, amount) for count, amount in bins] for key, bins in spread.items()},
            {tuple(row[:6]): tuple(row[6:]) for row in shapes},
            {user: Streak(*parts) for user, parts in streaks.items()},
        )
    except (zlib.error, TypeError) as error:
        raise ValueError(f"no tally: {error}") from error
