"""Tallies of runs: order and slicing change nothing, days add up to the window, and what is over is read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.calendar import day_start, local_date
from librarian.shared.names import PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.store import Store, opened
from librarian.subjects.efficiency import tally_kept
from librarian.subjects.efficiency.asking import evidence
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import FRACTION, GIB, Source, Use, UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.efficiency.tally import (
    MORE,
    UNKNOWN,
    Tally,
    decoded,
    encoded,
    evidence_of,
    found_of,
    merged,
    tally,
)
from librarian.subjects.efficiency.tally_kept import Tallies
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import measured, run

AVERY = Scope("demo", "avery")
ZONE = "US/Eastern"
HOUR, DAY = 3600, 86400
MIDNIGHT = day_start(local_date(T0, ZONE), ZONE)


@st.composite
def used_runs(draw: st.DrawFn) -> UsedRun:
    seconds = draw(st.integers(0, 3 * DAY))
    end = MIDNIGHT + draw(st.integers(0, 3 * DAY))
    told = draw(st.booleans())
    use = Use(
        cpu=draw(st.integers(0, 10**9)) if told else None,
        cpu_source=Source.STEPS if told else None,
        memory=draw(st.integers(0, 2**40)) if told else None,
        memory_source=Source.STEPS if told else None,
        gpu=draw(st.none() | st.integers(0, 10**9)),
    )
    changes = {
        "user": draw(st.sampled_from(["ann", "bob"])),
        "state": draw(st.sampled_from(["COMPLETED", "TIMEOUT", "OUT_OF_MEMORY", "FAILED"])),
        "limit": draw(st.none() | st.integers(60, 10 * DAY)),
        "alloc_tres": draw(st.sampled_from(["cpu=4,mem=64G,node=1", "cpu=8,gres/gpu=2,mem=4G,node=2", ""])),
    }
    return UsedRun(run(start=end - seconds, end=end, elapsed=seconds, **changes), use)


@given(st.lists(used_runs(), max_size=20), st.randoms(use_true_random=False), st.integers(0, 20))
def test_order_and_slicing_change_nothing(runs: list[UsedRun], chance: object, cut: int) -> None:
    whole = tally(runs, Rules())
    parts = decoded(encoded(tally(runs[:cut], Rules())))
    parts.add(tally(runs[cut:], Rules()), Rules().failures_in_a_row)
    assert parts == whole
    chance.shuffle(runs)  # type: ignore[attr-defined]
    assert replace(tally(runs, Rules()), streaks={}) == replace(whole, streaks={}), "but for failures in a row"
    assert whole.runs == len(runs)
    assert sum(needed[0] for needed in whole.shapes.values()) == len(runs)


@given(st.lists(used_runs(), max_size=20))
def test_it_says_of_shapes_what_all_runs_at_once_say(runs: list[UsedRun]) -> None:
    whole = tally(runs, Rules())
    told = [evidence_of(place, needed) for place, needed in whole.shapes.items()]
    assert sorted(told, key=repr) == sorted(evidence(runs), key=repr)
    assert sorted(merged([*told]), key=repr) == sorted(told, key=repr)


@given(st.lists(used_runs(), max_size=20))
def test_the_distribution_is_of_all_hours(runs: list[UsedRun]) -> None:
    whole = tally(runs, Rules())
    for key, bins in whole.spread.items():
        held = [used for used in runs if used.run.held(key) * used.run.seconds(key)]
        assert sum(count for count, _ in bins) == len(held)
        assert sum(amount for _, amount in bins) == sum(
            round(used.run.held(key) * FRACTION) * used.run.seconds(key) for used in held
        )


@pytest.mark.parametrize(
    ("cpu", "place"),
    [(0, 0), (39_999, 0), (40_000, 1), (399_999, 9), (400_000, 9), (400_001, MORE), (None, UNKNOWN)],
)
def test_a_run_is_in_the_bin_of_its_efficiency(cpu: int | None, place: int) -> None:
    told = UsedRun(run(), Use(cpu=cpu))  # 4 CPUs for 100 s
    bins = tally([told], Rules()).spread["NCPUS"]
    assert [number for number, (count, _) in enumerate(bins) if count] == [place]


def test_several_users_of_one_name_are_merged() -> None:
    runs = [UsedRun(run(dbindex=n, user=name), Use()) for n, name in enumerate(["ann", "bob", "bob"])]
    late = replace(runs[0], run=replace(runs[0].run, state="TIMEOUT"))
    shared = [
        replace(one, shape=replace(one.shape, user=UserName("x"), partition=PartitionName("")))
        for one in evidence([*runs, late])
    ]
    (one,) = merged(shared)
    assert (one.runs, one.timed_out, one.time) == (4, 1, None), "who ran out of time is not forgotten"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


class Reader:
    """Tallies of a store, and how many runs were read for them."""

    def __init__(self, store: Store, rules: Rules | None = None) -> None:
        self.store, self.rules, self.spans = store, rules or Rules(), list[tuple[int, int]]()

    def runs(self, begin: int, end: int) -> Iterator[UsedRun]:
        self.spans.append((begin, end))
        return RunUses(self.store).runs(AVERY, begin, end)

    def of(self, begin: int, until: int, zone: str = ZONE) -> tuple[int, Tally]:
        return Tallies(self.store, AVERY, self.rules, self.runs).of(begin, until, zone)


def made(count: int = 60) -> list[UsedRun]:
    """A run each hour and a bit, for three days."""
    ends = [MIDNIGHT + n * 4321 for n in range(count)]
    return [
        UsedRun(
            run(dbindex=n, jobid=n, start=end - HOUR, end=end, elapsed=HOUR, alloc_tres="cpu=8,mem=64G,node=1"),
            Use(cpu=n * 1000, memory=n * GIB // 9),
        )
        for n, end in enumerate(ends)
    ]


UNTIL = MIDNIGHT + 60 * 4321


def test_days_add_up_and_are_read_once(store: Store) -> None:
    RunUses(store).take([AVERY], (MIDNIGHT, UNTIL), made())
    first = Reader(store)
    since, whole = first.of(MIDNIGHT - 5, UNTIL)
    assert since == MIDNIGHT
    assert whole == tally(made(), Rules())
    again = Reader(store)
    assert again.of(MIDNIGHT - 5, UNTIL) == (since, whole)
    assert again.spans == [(UNTIL - UNTIL % HOUR, UNTIL)], "the hour that is not over is read, and nothing else"
    later = Reader(store)
    begin, tail = later.of(MIDNIGHT + 1, UNTIL)
    assert begin == MIDNIGHT + DAY
    assert tail == tally([used for used in made() if used.run.end >= begin], Rules())


def test_a_run_that_is_told_late_is_in_it(store: Store) -> None:
    kept = RunUses(store)
    kept.take([AVERY], (MIDNIGHT, UNTIL), made())
    Reader(store).of(MIDNIGHT, UNTIL)
    late = UsedRun(run(dbindex=999, start=MIDNIGHT, end=MIDNIGHT + 5 * HOUR, elapsed=5 * HOUR), Use(cpu=1))
    kept.take([AVERY], (UNTIL, UNTIL), [late])
    reader = Reader(store)
    _, whole = reader.of(MIDNIGHT, UNTIL)
    assert whole == tally([*made(), late], Rules())
    assert (MIDNIGHT + 5 * HOUR, MIDNIGHT + 6 * HOUR) in reader.spans
    assert len(reader.spans) == 2, "of the day that it ended in only its hour is read"
    changed = replace(late, run=replace(late.run, end=MIDNIGHT + 30 * HOUR, elapsed=30 * HOUR))
    kept.take([AVERY], (UNTIL, UNTIL), [changed])
    assert Reader(store).of(MIDNIGHT, UNTIL)[1] == tally([*made(), changed], Rules())


def test_other_rules_make_it_anew(store: Store) -> None:
    RunUses(store).take([AVERY], (MIDNIGHT, UNTIL), made())
    Reader(store).of(MIDNIGHT, UNTIL)
    strict = Rules(cpu_below=0.01)
    assert Reader(store, strict).of(MIDNIGHT, UNTIL)[1] == tally(made(), strict)


def test_much_is_read_over_several_cycles_the_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally_kept, "AT_ONCE", 10)
    RunUses(store).take([AVERY], (MIDNIGHT, UNTIL), made())
    begins = []
    for _ in range(9):
        since, whole = Reader(store).of(MIDNIGHT, UNTIL)
        assert whole == tally([used for used in made() if used.run.end >= since], Rules())
        begins.append(since)
    assert begins[0] > begins[1] > begins[2]
    assert begins[-1] == MIDNIGHT


def test_what_is_damaged_is_made_anew(store: Store) -> None:
    RunUses(store).take([AVERY], (MIDNIGHT, UNTIL), made())
    Reader(store).of(MIDNIGHT, UNTIL)
    with store.transaction():
        store.execute("UPDATE use_tally SET data = x'00'")
    assert Reader(store).of(MIDNIGHT, UNTIL)[1] == tally(made(), Rules())


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
def test_in_any_zone(store: Store, zone: str) -> None:
    RunUses(store).take([AVERY], (MIDNIGHT, UNTIL), made())
    since, whole = Reader(store).of(MIDNIGHT, UNTIL, zone)
    assert whole == tally([used for used in made() if used.run.end >= since], Rules())
    assert Reader(store).of(MIDNIGHT, UNTIL, zone) == (since, whole)


def test_failures_in_a_row_are_of_one_user_and_a_sum() -> None:
    runs = [
        measured(dbindex=n, user=user, state="FAILED") for n, user in enumerate(["ann"] * 3 + ["bob"] * 2 + ["ann"] * 3)
    ]
    rules = Rules(failures_in_a_row=5)
    assert found_of(tally(runs, rules), rules)["failures", ""] == (6, 0), "bob's two are none, and part ann's not"
    near = [*runs[:4], measured(dbindex=99, user="ann"), *runs[4:]]
    assert ("failures", "") not in found_of(tally(near, rules), rules)
    assert ("failures", "") not in found_of(tally(runs, rules), Rules(failures_in_a_row=0))


def test_a_part_of_what_is_told_begins_with_an_hour_or_a_day(store: Store) -> None:
    begin = day_start(local_date(T0, "UTC"), "UTC")
    ends = [begin + hours * 3600 + 5 for hours in (1, 30, 47, 49)]
    runs = [measured(dbindex=n, end=end, start=end - 100, elapsed=100) for n, end in enumerate(ends)]
    until = begin + 50 * 3600

    def told(first: int, last: int) -> list[UsedRun]:
        return [used for used in runs if first <= used.run.end < last]

    kept = Tallies(store, AVERY, Rules(), told)
    for _ in range(2):  # the second time days are read whole
        kept.of(begin, until, "UTC")
        for hours, (start, count) in {48: (48, 1), 47: (47, 2), 30.5: (30, 3), 24: (24, 3), 0: (0, 4)}.items():
            part = kept.since(begin + int(hours * 3600))
            assert part is not None
            assert (part[0] - begin, part[1].runs) == (start * 3600, count)
        assert kept.since(begin - 1) is None
    store.execute("DELETE FROM use_tally WHERE until - begin = 3600 AND begin = ?", (begin + 40 * 3600,))
    kept.of(begin, until, "UTC")
    part = kept.since(begin + 30 * 3600)
    assert part is not None
    assert (part[0], part[1].runs) == (begin + 24 * 3600, 3), "a day, where an hour is missing"
