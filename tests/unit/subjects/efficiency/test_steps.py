"""From rows of steps to what a run used: every form, and unknown that is never 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.subjects.efficiency.model import Flag, Peak, Source, Use
from librarian.subjects.efficiency.steps import Row, parse_bytes, parse_cpu, use_of
from tests.unit.subjects.efficiency.used import row

IDLE = {"total": "00:00:00", "used_in": ""}


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [
        ("", None),
        ("00:00:00", 0),
        ("00:29.992", 29_992),
        ("00:29.9", 29_900),
        ("00:29.992999", 29_992),
        ("1-20:43:57", 161_037_000),
        ("125-00:00:00", 10_800_000_000),
        ("02:30:00", 9_000_000),
    ],
)
def test_cpu_times_of_every_form(text: str, thousandths: int | None) -> None:
    assert parse_cpu(text) == thousandths


@pytest.mark.parametrize(
    "text", ["213503982334-14:25:51", "x", "5", "-1:00", "1:-2", "١:٢", "Unknown", "1-00:00:00:00"]
)
def test_nonsense_is_no_cpu_time(text: str) -> None:
    with pytest.raises(ValueError):
        parse_cpu(text)


def test_sizes_are_bytes_unless_they_have_a_unit() -> None:
    assert [parse_bytes(text) for text in ("", "246075392", "240308K", "2.5G")] == [
        *(None, 246_075_392, 246_075_392, 2_684_354_560),
    ]
    for text in ("-1", "1e9", "9999999999999999999", "5X", "99P"):
        with pytest.raises(ValueError):
            parse_bytes(text)


def test_a_run_of_one_step() -> None:
    whole = row("", total="00:10.500", user="00:10.000", system="00:00.500", used_in="")
    step = row("batch", total="00:10.500", used_in="cpu=00:00:03,energy=0,fs/disk=7,mem=1000", out="fs/disk=9")
    assert use_of([whole, step]) == Use(
        **{"cpu": 10_500, "cpu_source": Source.STEPS, "user": 10_000, "system": 500, "read": 7, "written": 9},
        **{"memory": 1000, "memory_source": Source.STEPS, "peak": Peak.STEP},
    )


def test_the_sum_over_tasks_counts_and_not_the_largest_task() -> None:
    use = use_of([row("0", rss="61599744", tasks="4", used_in="mem=246075392")])
    assert (use.memory, use.peak) == (246_075_392, Peak.STEP)
    use = use_of([row("0", rss="61599744", tasks="4")])
    assert (use.memory, use.peak) == (61_599_744, Peak.TASK)


def test_steps_in_turn_count_once_and_together_they_add_up() -> None:
    batch = row("batch", 0, 100, used_in="mem=10")
    in_turn = [batch, row("0", 0, 50, used_in="mem=60"), row("1", 50, 100, used_in="mem=90")]
    assert (use_of(in_turn).memory, use_of(in_turn).peak) == (100, Peak.STEPS)
    together = [batch, row("0", 0, 51, used_in="mem=60"), row("1", 50, 100, used_in="mem=90")]
    assert use_of(together).memory == 160
    alone = [row("0", 0, 50, used_in="mem=60"), row("1", 50, 100, used_in="mem=90")]
    assert (use_of(alone).memory, use_of(alone).peak) == (90, Peak.STEP)
    assert use_of([row("0", None, None, used_in="mem=60"), row("1", 50, 100, used_in="mem=90")]).memory == 90


def test_a_job_too_short_for_a_sample_has_cpu_time_and_no_memory() -> None:
    use = use_of([row("", 5, 5, total="00:00.001", used_in=""), row("batch", 5, 5, total="00:00.001")])
    assert (use.cpu, use.memory, use.memory_source, use.flags) == (1, None, None, frozenset())
    idle = use_of([row("", total="00:00:00", used_in=""), row("batch", total="00:00:00")])
    assert (idle.cpu, idle.source) == (0, Source.STEPS)


def test_where_nothing_is_gathered_nothing_is_known() -> None:
    use = use_of([row("", **IDLE), row("batch", **IDLE), row("0", **IDLE)])
    assert use == Use(flags=frozenset({Flag.NOT_GATHERED}))


def test_of_purged_steps_nothing_is_known_but_what_the_run_itself_tells() -> None:
    assert use_of([row("", 0, 9000, **IDLE)]) == Use(flags=frozenset({Flag.NO_STEPS}))
    use = use_of([row("", 0, 9000, total="01:00:00", used_in="")])
    assert (use.cpu, use.memory, use.flags) == (3_600_000, None, {Flag.NO_STEPS})


def test_steps_alone_tell_what_a_runs_row_does_not() -> None:
    use = use_of([row("", total="", used_in=""), row("0", total="00:02.000"), row("1", total="00:03.000")])
    assert use.cpu == 5000


def test_a_step_that_is_not_measured_makes_the_rest_a_part() -> None:
    resized = [row("", total="00:00.001", used_in=""), row("batch", **IDLE), row("0", total="00:00.001")]
    assert use_of(resized).flags == {Flag.PARTLY}
    assert use_of([row(""), row("1"), row("2")]).flags == {Flag.PARTLY}, "the script of a resized job is told elsewhere"
    assert use_of([row(""), row("batch"), row("1")]).flags == frozenset()
    assert use_of([row(""), row("0"), row("1", 50, 50, **IDLE)]).flags == frozenset(), "one that took no time"


def test_what_only_extern_shows_is_no_memory_of_the_run() -> None:
    rows = [row("", total="00:05.000"), row("batch", total="00:05.000"), row("extern", used_in="mem=500")]
    assert use_of(rows).memory is None
    assert use_of([row("", total="00:05.000"), row("extern", used_in="mem=500")]).memory == 500


def test_values_that_cannot_be_are_unknown() -> None:
    use = use_of([row("batch", total="213503982334-14:25:51", used_in="mem=99999999999999999999,gres/gpuutil=x")], 1)
    assert (use.cpu, use.memory, use.gpu) == (None, None, None)
    assert Flag.NONSENSE in use.flags
    assert use_of([row("batch", used_in="mem")]).flags >= {Flag.NONSENSE}


def test_gpus_are_known_where_slurm_samples_them() -> None:
    steps = [row("batch", 0, 100), row("0", 0, 100, used_in="gres/gpumem=2048,gres/gpuutil=150,mem=1")]
    use = use_of(steps, 2)
    assert (use.gpu, use.gpu_source, use.gpu_memory, use.flags) == (150_000, Source.STEPS, 2048, {Flag.GPU_SAMPLE})
    assert use_of(steps).gpu is None, "a run without GPUs"
    assert use_of([row("batch", 0, 100)], 2).gpu is None, "no AutoDetect=nvml"


TIMES = st.sampled_from(["00:00:00", "", "00:01.500", "1-00:00:00", "x"])
USED = st.sampled_from(["", "energy=0", "energy=0,mem=100,fs/disk=3", "mem=70", "gres/gpuutil=50,mem=5", "bad"])
MOMENTS = st.one_of(st.none(), st.integers(0, 20))
ROWS = st.builds(
    Row,
    st.sampled_from(["", "batch", "extern", "0", "1", "2"]),
    *(MOMENTS, MOMENTS, TIMES, TIMES, TIMES),
    st.sampled_from(["", "50", "500"]),
    st.sampled_from(["", "1", "4"]),
    *(USED, USED),
)


@given(st.lists(ROWS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing_and_repeating_them_neither(rows: list[Row], random: object) -> None:
    mixed = [*rows, *rows]
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert use_of(mixed, 1) == use_of(rows, 1)


@given(st.lists(ROWS, max_size=8))
def test_memory_is_that_of_the_largest_step_at_least_and_of_all_at_most(rows: list[Row]) -> None:
    use = use_of(rows)
    steps = {
        one.step: use_of([one]).memory for one in sorted(rows, key=lambda one: (one.step, one.end or 0)) if one.step
    }
    if use.memory is not None and len(steps) == len([one for one in rows if one.step]):
        known = [memory for memory in steps.values() if memory is not None]
        assert max(known) <= use.memory <= sum(known)
