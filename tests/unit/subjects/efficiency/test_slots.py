"""What runs come to: exact sums that are the same in any order, in which nothing is clamped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.window import window_until
from librarian.subjects.efficiency.facts import binned, by_user, group
from librarian.subjects.efficiency.model import (
    FRACTION,
    Flag,
    Hours,
    Peak,
    Source,
    Total,
    Use,
    UsedRun,
    hours_of,
    judged,
)
from librarian.subjects.efficiency.slots import SLOT, spread, sums
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import GIB, measured, run

HOUR = 3600


def test_a_run_comes_to_what_it_held_and_what_it_used() -> None:
    found = hours_of(measured(cpu=200_000, memory=GIB))
    assert found["NCPUS"] == Hours(400 * FRACTION, 400 * FRACTION, 200 * FRACTION)
    assert found["MEMORY"] == Hours(400 * FRACTION, 400 * FRACTION, 100 * FRACTION)
    assert "NGPUS" not in found
    assert found["NCPUS"].efficiency == 0.5
    assert found["NCPUS"].in_hours() == (400 / HOUR, 400 / HOUR, 200 / HOUR)


def test_unknown_is_not_measured_and_not_nothing() -> None:
    found = hours_of(measured(cpu=None, memory=None, alloc_tres="cpu=4,gres/gpu=1,mem=1G"))
    assert {key: (hours.measured, hours.used) for key, hours in found.items()} == dict.fromkeys(found, (0, 0))
    assert all(hours.allocated and hours.efficiency is None and hours.coverage == 0 for hours in found.values())


def test_what_is_known_of_some_steps_only_measures_no_run() -> None:
    partly = measured()
    found = hours_of(UsedRun(partly.run, partly.use.flagged(Flag.PARTLY)))
    assert (found["NCPUS"].measured, found["MEMORY"].measured) == (0, 0)


def test_the_memory_of_the_largest_task_alone_measures_no_run() -> None:
    known = measured()
    found = hours_of(UsedRun(known.run, replace(known.use, peak=Peak.TASK)))
    assert (found["NCPUS"].measured > 0, found["MEMORY"].measured) == (True, 0)


def test_a_pause_gives_cpus_back_and_no_memory() -> None:
    found = hours_of(measured(elapsed=40))
    assert (found["NCPUS"].allocated, found["MEMORY"].allocated) == (160 * FRACTION, 400 * FRACTION)


def test_gpus_by_type_where_one_type_alone_can_have_been_busy() -> None:
    use = Use(gpu=100_000, gpu_source=Source.JOBSTATS)
    one = UsedRun(run(alloc_tres="cpu=1,gres/gpu=2,gres/gpu:a100=2"), use)
    found = {key: hours for (_, _, key), hours in sums([one]).items()}
    assert found["NGPUS"] == found["NGPUS:a100"] == Hours(200 * FRACTION, 200 * FRACTION, 100 * FRACTION)
    two = UsedRun(run(alloc_tres="cpu=1,gres/gpu=2,gres/gpu:a100=1,gres/gpu:b200=1"), use)
    found = {key: hours for (_, _, key), hours in sums([two]).items()}
    assert found["NGPUS"].used == 100 * FRACTION
    assert found["NGPUS:a100"] == found["NGPUS:b200"] == Hours(100 * FRACTION)


def test_beyond_what_was_allocated_there_is_a_flag_and_no_clamp() -> None:
    used = judged(measured(cpu=405_000, memory=5 * GIB))
    assert used.use.flags == {Flag.MORE_CPU, Flag.MORE_MEMORY}
    assert hours_of(used)["NCPUS"].used == 405 * FRACTION
    assert judged(measured(cpu=403_900, memory=4 * GIB)).use.flags == frozenset(), "Slurm counts whole seconds"
    busy = UsedRun(run(alloc_tres="gres/gpu=1"), Use(gpu=102_000, gpu_source=Source.STEPS))
    assert judged(busy).use.flags == {Flag.MORE_GPU}


def test_what_no_machine_can_have_used_is_not_known() -> None:
    used = judged(measured(cpu=2**51, memory=2**51))
    assert (used.use.cpu, used.use.memory, used.use.source, used.use.flags) == (None, None, None, {Flag.NONSENSE})


def test_a_run_is_spread_evenly_over_its_time() -> None:
    begin = T0 - T0 % SLOT + SLOT - 100
    parts = {
        slot: hours
        for (slot, _, key), hours in spread(measured(start=begin, end=begin + 400, elapsed=400))
        if key == "NCPUS"
    }
    assert [hours.used for hours in parts.values()] == [50 * FRACTION, 150 * FRACTION]


def test_a_run_without_duration_held_nothing() -> None:
    assert sums([measured(end=T0, elapsed=0, cpu=5)]) == {}


USERS = st.sampled_from(["alice", "bob"])
AMOUNTS = st.one_of(st.none(), st.integers(0, 10**7))
RUNS = st.lists(
    st.builds(
        lambda user, start, length, pause, cpu, memory, tres: measured(
            cpu=cpu, memory=memory, user=user, start=T0 + start, end=T0 + start + length,
            elapsed=max(length - pause, 0), alloc_tres=tres,
        ),
        *(USERS, st.integers(0, 10_000), st.integers(0, 20_000), st.integers(0, 5000), AMOUNTS, AMOUNTS),
        st.sampled_from(["cpu=1,mem=1M", "cpu=3,gres/gpu=2,mem=2.50G", "cpu=2,gres/gpu=1,gres/gpu:a100=1", ""]),
    ),
    max_size=6,
)  # fmt: skip


@given(RUNS, st.randoms(use_true_random=False))
def test_order_changes_nothing(runs: list[UsedRun], random: object) -> None:
    mixed = list(runs)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert sums(mixed) == sums(runs)


@given(RUNS, st.integers(0, 6))
def test_slices_add_up_and_what_comes_and_goes_leaves_no_trace(runs: list[UsedRun], cut: int) -> None:
    whole, (one, two) = sums(runs), (sums(runs[:cut]), sums(runs[cut:]))
    together = {place: one.get(place, Hours()) + two.get(place, Hours()) for place in {*one, *two}}
    assert {place: hours for place, hours in together.items() if hours != Hours()} == whole
    assert sums(runs, runs) == {}


@given(RUNS)
def test_measured_is_no_more_than_allocated_in_any_slot_and_nothing_is_lost(runs: list[UsedRun]) -> None:
    found = sums(runs)
    assert all(0 <= hours.measured <= hours.allocated and hours.used >= 0 for hours in found.values())
    for key in ("NCPUS", "MEMORY"):
        whole = sum((hours_of(used).get(key, Hours()) for used in runs), Hours())
        assert sum((hours for (_, _, name), hours in found.items() if name == key), Hours()) == whole


@given(RUNS)
def test_hours_by_user_add_up_to_the_groups(runs: list[UsedRun]) -> None:
    totals = [Total(who.user, who.account, who.partition, key, hours) for (_, who, key), hours in sums(runs).items()]
    added: dict[str, Hours] = {}
    for mine in by_user(totals).values():
        for key, hours in mine.items():
            added[key] = added.get(key, Hours()) + hours
    assert added == group(totals)


@pytest.mark.parametrize("zone", ["UTC", "US/Eastern", "Asia/Kolkata", "Asia/Kathmandu"])
def test_bins_hold_all_of_it(zone: str) -> None:
    now = T0 - T0 % 86400 + 86400
    window = window_until(now, seconds=86400, bin_seconds=HOUR, zone=zone)
    runs = [measured(start=now - 50_000, end=now - 30_000, elapsed=20_000, cpu=7_000_000)]
    slots = {slot: hours for (slot, _, key), hours in sums(runs).items() if key == "NCPUS"}
    means = binned(slots, window)
    assert (means * window.passed).sum(axis=1) == pytest.approx([80_000, 80_000, 7000], abs=0.1)
    full = (window.edges[:-1] >= now - 50_000 + HOUR) & (window.edges[1:] <= now - 30_000 - HOUR)
    assert np.all(np.abs(means[0, full] - 4) < 1e-6)
    assert binned({}, window).shape == (3, window.bins)


def test_what_lies_before_the_window_is_not_in_it() -> None:
    now = T0 - T0 % 86400
    window = window_until(now, seconds=86400, bin_seconds=HOUR, zone="UTC")
    slots = {window.start - SLOT: Hours(FRACTION * SLOT), window.start: Hours(FRACTION * SLOT)}
    assert (binned(slots, window)[0] * window.passed).sum() == pytest.approx(SLOT)
