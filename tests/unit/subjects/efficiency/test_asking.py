"""What to ask for next time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.subjects.efficiency.asking import evidence, in_words, memory_to_ask, slurm_time, time_to_ask
from librarian.subjects.efficiency.model import GIB, Use, UsedRun
from tests.unit.subjects.efficiency.test_findings import a_run, lasting, used

PLACE = "cpu=1,mem=64G,node=1"


def like(count: int, seconds: int = 478, memory: float | None = 11, limit: int = 1440) -> list[UsedRun]:
    peak = None if memory is None else int(memory * GIB)
    runs = (lasting(seconds - place, alloc_tres=PLACE, limit=limit) for place in range(count))
    return [used(run, memory=peak) for run in runs]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (600, "10:00"), (3599, "59:59"), (3600, "1:00:00"), (86399, "23:59:59"), (86400, "1-00:00:00")],
)
def test_times_are_what_sbatch_takes(seconds: int, text: str) -> None:
    assert slurm_time(seconds) == text


@given(st.integers(0, 10**7), st.integers(0, 2**50))
def test_never_less_than_what_was_needed(seconds: int, memory: int) -> None:
    assert time_to_ask(seconds) >= 1.2 * seconds
    assert memory_to_ask(memory) * GIB >= 1.2 * memory
    assert time_to_ask(seconds) > 0 < memory_to_ask(memory)


@given(st.integers(0, 10**6))
def test_more_needed_is_more_to_ask_for(seconds: int) -> None:
    assert time_to_ask(seconds + 1) >= time_to_ask(seconds)


def test_it_says_on_how_much_it_rests() -> None:
    (found,) = evidence(like(90))
    assert in_words(found) == (
        "90 jobs like this: longest 7:58 of 24:00, largest 11 of 64 GiB. Ask for --time=10:00 and --mem=14G."
    )


def test_two_are_no_evidence() -> None:
    (found,) = evidence(like(2))
    assert in_words(found) == "2 jobs like this: not enough evidence."
    assert (found.time, found.gib) == (None, None)
    assert evidence(like(3))[0].time == 600


def test_where_some_needed_more_nobody_is_told_to_ask_for_less() -> None:
    runs = like(5)
    late = replace(runs[0], run=replace(runs[0].run, state="TIMEOUT"))
    full = replace(runs[1], run=replace(runs[1].run, state="OUT_OF_MEMORY"))
    (found,) = evidence([late, full, *runs])
    assert (found.time, found.gib) == (None, None)
    assert in_words(found).endswith("1 job ran out of time and 1 job ran out of memory: ask for more there.")


def test_the_longest_counts_however_it_ended() -> None:
    (found,) = evidence([*like(4), used(lasting(1000, alloc_tres=PLACE, limit=1440, state="CANCELLED"))])
    assert (found.longest, found.time) == (1000, 1200)


def test_memory_that_few_have_told_is_no_evidence() -> None:
    (found,) = evidence([*like(3), *like(4, memory=None)])
    assert found.gib is None
    assert "(known of 3)" in in_words(found)
    (found,) = evidence([*like(3), *like(3, memory=None)])
    assert found.gib == 14
    (found,) = evidence(like(3, memory=None))
    assert found.memory is None
    assert "GiB" not in in_words(found)


def test_what_fits_is_left_alone() -> None:
    (found,) = evidence(like(3, seconds=1300, memory=60))
    assert in_words(found).endswith("That fits.")


def test_other_sizes_are_other_jobs() -> None:
    larger = UsedRun(a_run(alloc_tres="cpu=2,mem=64G,node=1"), Use())
    assert [one.runs for one in evidence([*like(3), larger])] == [3, 1]


def test_on_several_nodes_no_memory_is_advised() -> None:
    wide = [used(lasting(478, alloc_tres="cpu=1,mem=64G,node=2", limit=1440), memory=GIB) for _ in range(3)]
    assert evidence(wide)[0].gib is None
