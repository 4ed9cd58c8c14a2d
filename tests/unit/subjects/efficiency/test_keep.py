"""Use of runs in the store: what comes again changes nothing, what changes leaves no trace."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from librarian.shared.scope import Scope
from librarian.store import Store, keep_copy, opened
from librarian.subjects.efficiency.facts import group
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Flag, Hours, Peak, Source, Use, UsedRun
from librarian.subjects.efficiency.slots import SLOT, sums
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import measured, run

AVERY, KIM = Scope("demo", "avery"), Scope("demo", "kim")
SPAN = (T0, T0 + 1000)
ALWAYS = (0, 2**40)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def test_a_run_comes_out_as_it_went_in(store: Store) -> None:
    use = Use(
        **{"cpu": 1, "cpu_source": Source.STEPS, "user": 2, "system": 3, "memory": 2**49, "peak": Peak.TASK},
        **{"memory_source": Source.JOBSTATS, "gpu": 5, "gpu_source": Source.JOBSTATS, "gpu_memory": 6, "read": 7},
        **{"written": 8, "flags": frozenset({Flag.MORE_CPU, Flag.PARTLY, Flag.SHORT})},
    )
    full = UsedRun(run(dbindex=2**64 - 1, user="ü'|\"", limit=None), use)
    bare = UsedRun(run(dbindex=2, jobid=9, qos="AVERY", end=T0 + 50), Use())
    assert RunUses(store).take([AVERY], SPAN, [full, bare]) == 2
    assert list(RunUses(store).runs(AVERY, T0, T0 + 1000)) == [bare, full]
    assert list(RunUses(store).runs(KIM, *ALWAYS)) == []
    assert list(RunUses(store).runs(Scope("demo", "avery", ("b",)), *ALWAYS)) == []
    assert list(RunUses(store).run(9)) == [bare]
    assert RunUses(store).people() == {"alice", "ü'|\""}


def test_what_comes_again_changes_nothing_and_what_changed_leaves_no_trace(store: Store) -> None:
    kept = RunUses(store)
    kept.take([AVERY], SPAN, [measured(cpu=None), measured(dbindex=8)])
    before = kept.totals(AVERY, *ALWAYS)
    assert kept.take([AVERY], SPAN, [measured(cpu=None)]) == 0
    assert kept.totals(AVERY, *ALWAYS) == before
    late = measured(cpu=9000, end=T0 + 50, elapsed=50, user="bob")
    assert kept.take([AVERY], SPAN, [late]) == 1
    assert kept.totals(AVERY, *ALWAYS) == _totals([late, measured(dbindex=8)])


def _totals(runs: list[UsedRun]) -> object:
    with _fresh() as store:
        RunUses(store).take([AVERY], SPAN, runs)
        return RunUses(store).totals(AVERY, *ALWAYS)


@contextlib.contextmanager
def _fresh() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "demo.sqlite", "demo") as store:
        yield store


def test_time_is_known_from_the_first_answer_on(store: Store) -> None:
    kept = RunUses(store)
    assert (kept.until(AVERY), kept.known(AVERY)) == (None, ())
    kept.take([AVERY, KIM], SPAN, [])
    kept.take([AVERY], (T0 + 900, T0 + 2000), [], everybody=False)
    assert (kept.until(AVERY), kept.known(AVERY)) == (T0 + 2000, (SPAN,)), "others' runs may be hidden there"
    assert (kept.until(KIM), kept.known(KIM)) == (T0 + 1000, (SPAN,))
    kept.take([AVERY], (T0 - 500, T0), [])
    assert (kept.until(AVERY), kept.known(AVERY)) == (T0, ((T0 - 500, T0 + 1000),)), "the clock went back"


def test_what_is_dropped_stays_in_the_sums_and_does_not_come_in_again(store: Store) -> None:
    kept = RunUses(store)
    old, young = measured(), measured(dbindex=8, end=T0 + 900, elapsed=900)
    kept.take([AVERY], SPAN, [old, young])
    before = kept.totals(AVERY, *ALWAYS)
    assert kept.forget(T0 + 500) == 1
    assert list(kept.runs(AVERY, *ALWAYS)) == [young]
    kept.take([AVERY], SPAN, [old, young])
    assert kept.totals(AVERY, *ALWAYS) == before


def test_a_clock_far_ahead_keeps_no_later_run_out(store: Store) -> None:
    kept = RunUses(store)
    old, young = measured(), measured(dbindex=8, end=T0 + 900, elapsed=900)
    kept.take([AVERY], SPAN, [old, young])
    before = kept.totals(AVERY, *ALWAYS)
    assert kept.forget(T0 + 10**9) == 1
    assert kept.forget(T0 + 10**9) == 0
    later = measured(dbindex=9, end=T0 + 1900, elapsed=900)
    assert kept.take([AVERY], (T0 + 1000, T0 + 2000), [old, young, later]) == 1
    assert list(kept.runs(AVERY, *ALWAYS)) == [young, later]
    assert sum(total.hours.allocated for total in kept.totals(AVERY, *ALWAYS)) > sum(
        total.hours.allocated for total in before
    )


def test_a_copy_of_the_store_counts_no_run_twice(store: Store) -> None:
    RunUses(store).take([AVERY], SPAN, [measured()])
    before = RunUses(store).totals(AVERY, *ALWAYS)
    copy = keep_copy(store, T0 + 2000)
    assert copy
    with opened(copy, "demo") as other:
        RunUses(other).take([AVERY], SPAN, [measured()])
        assert RunUses(other).totals(AVERY, *ALWAYS) == before


def test_slots_of_a_time(store: Store) -> None:
    RunUses(store).take([AVERY], SPAN, [measured()])
    found = RunUses(store).by_slot(AVERY, T0, T0 + 100)
    expected = {slot: hours for (slot, _, key), hours in sums([measured()]).items() if key == "NCPUS"}
    assert found["NCPUS"] == expected
    assert RunUses(store).by_slot(KIM, *ALWAYS) == {}
    assert RunUses(store).by_slot(AVERY, T0 + 5000, T0 + 9000) == {}


def test_how_asking_has_fared(store: Store) -> None:
    assert RunUses(store).last() == {}
    RunUses(store).note({"runs": 5}, T0)
    assert RunUses(store).last() == {"runs": 5}


@pytest.mark.parametrize(("begin", "end"), [(0, 9), (3, 97), (-5, 48), (48, 96), (1, 200), (20, 20)])
def test_totals_of_any_time_are_those_of_its_slots(store: Store, begin: int, end: int) -> None:
    day = T0 - T0 % 86400
    runs = [
        measured(dbindex=n, user=f"u{n % 3}", start=day + 7000 * n, end=day + 90_000 + n, elapsed=5000)
        for n in range(9)
    ]
    RunUses(store).take([AVERY], (day, day + 10**6), runs)
    span = (day + begin * SLOT, day + end * SLOT)
    expected: dict[tuple[str, str], Hours] = {}
    for (slot, whose, key), hours in sums(runs).items():
        if span[0] <= slot < span[1]:
            expected[whose.user, key] = expected.get((whose.user, key), Hours()) + hours
    found = RunUses(store).totals(AVERY, *span)
    assert {(total.user, total.resource): total.hours for total in found} == expected
    slots = RunUses(store).by_slot(AVERY, *span)
    assert {key: sum(each.values(), Hours()) for key, each in slots.items()} == dict(group(found))


RUNS = st.lists(
    st.builds(
        lambda index, length, cpu: measured(dbindex=index, cpu=cpu, end=T0 + length, elapsed=length),
        *(st.integers(0, 4), st.integers(0, 9000), st.one_of(st.none(), st.integers(0, 10**6))),
    ),
    max_size=8,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(RUNS, st.lists(st.integers(0, 8), max_size=3))
def test_however_it_comes_the_sums_are_those_of_the_last_word_on_each_run(runs: list[UsedRun], cuts: list[int]) -> None:
    marks = [0, *sorted(cuts), len(runs)]
    with _fresh() as store:
        for begin, end in itertools.pairwise(marks):
            RunUses(store).take([AVERY], SPAN, runs[begin:end])
        last = {used.run.dbindex: used for used in runs}
        whole = sum((hours for (_, _, key), hours in sums(last.values()).items() if key == "NCPUS"), Hours())
        assert group(RunUses(store).totals(AVERY, *ALWAYS)).get("NCPUS", Hours()) == whole
        assert {used.run.dbindex: used for used in RunUses(store).runs(AVERY, *ALWAYS)} == last
