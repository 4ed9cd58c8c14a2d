"""The demo's group: believable, within its limits at every moment, and with a history that stays as it was."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import pytest

from librarian.demo.group import EACH, LENT, LIMITS, RULES, changes_of_limits, limits_at, simulate
from librarian.demo.runs import Run, as_of
from librarian.demo.slurm import DemoSlurm
from librarian.demo.weeks import CYCLE, DAY, HOUR, WEEK, bounds, cycle_of, monday
from librarian.shared import tres
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.ask import Query

MONTH = 30 * DAY
AFTERNOON = monday(4 * 110 + 2) + 3 * DAY + 15 * HOUR  # a Thursday, in the third week of a cycle
# and a night two weeks later, across a maintenance, and a moment during one
MOMENTS = [AFTERNOON, AFTERNOON + 17 * DAY + 8 * HOUR, bounds(cycle_of(AFTERNOON))[0] + HOUR]
Held = tuple[float, float, float]


@cache
def history(now: int) -> tuple[Run, ...]:
    return tuple(simulate(now))


def month(now: int) -> list[Run]:
    return [run for run in history(now) if run.end is None or run.end >= now - MONTH]


def size(text: str) -> Held:
    counts = tres.parse_tres(text)
    return tres.cpus(counts), tres.gpus(counts), tres.memory_gib(counts)


def levels(runs: list[Run] | tuple[Run, ...], qos: str, now: int) -> list[tuple[int, Held]]:
    """What the QoS holds from each moment of change on. What ends at a moment is gone before what starts then."""
    changes = []
    for run in runs:
        if run.qos == qos and run.start is not None and run.alloc_tres:
            held = size(run.alloc_tres)
            changes.append((run.start, 1, held))
            changes.append((now + 1 if run.end is None else run.end, -1, held))
    found: list[tuple[int, Held]] = []
    total = [0.0, 0.0, 0.0]
    for when, sign, held in sorted(changes):
        for index in range(3):
            total[index] += sign * held[index]
        found.append((when, (total[0], total[1], total[2])))
    return found


def hours_above(runs: list[Run], now: int, index: int, level: float) -> float:
    """Hours in which avery held more than `level` of a resource."""
    steps = levels(runs, "avery", now)
    return sum(after - when for (when, held), (after, _) in pairwise(steps) if held[index] > level) / HOUR


@pytest.mark.slow
@pytest.mark.parametrize("now", MOMENTS)
def test_limits_hold_at_every_moment(now: int) -> None:
    for qos, (text, _) in LIMITS.items():
        limits = size(text)
        for when, held in levels(history(now), qos, now):
            assert all(0 <= amount <= limit for amount, limit in zip(held, limits, strict=True)), (qos, when)


def test_limits_change_while_the_cluster_is_empty_and_hold_too() -> None:
    now = AFTERNOON + CYCLE
    (changed,) = changes_of_limits(AFTERNOON, now)
    before, after = (size(limits_at(when)["avery"][0]) for when in (changed - 1, changed))
    assert before == size(LIMITS["avery"][0])
    assert (after[0], after[1], after[2]) == (before[0], before[1] - LENT, before[2])
    steps = levels(history(now), "avery", now)
    assert [held for when, held in steps if when <= changed][-1] == (0, 0, 0)
    assert all(held[1] <= after[1] for when, held in steps if when >= changed)
    assert max(held[1] for when, held in steps if when >= changed) > after[1] - 2


@pytest.mark.parametrize("now", MOMENTS)
def test_every_window_of_a_month_has_a_change_of_limits(now: int) -> None:
    assert changes_of_limits(now - MONTH, now)
    assert limits_at(now)["avery"] != limits_at(changes_of_limits(now - MONTH, now)[-1] - 1)["avery"]


@pytest.mark.slow
@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize("later", [600, DAY, CYCLE // 3])
def test_what_is_over_never_changes(now: int, later: int) -> None:
    before = {run.dbindex: run for run in history(now) if run.end is not None and run.end >= now + later - 45 * DAY}
    after = {run.dbindex: run for run in history(now + later) if run.end is not None and run.end <= now}
    assert after == before


@pytest.mark.slow
@pytest.mark.parametrize("now", MOMENTS)
def test_a_later_history_shows_now_as_it_was(now: int) -> None:
    """Asked later for a time that has passed, the demo's Slurm tells what it told then of all that had started."""
    told = [as_of(run, now) for run in history(now + DAY)]
    runs = {run.dbindex: run for run in told if run is not None and run.start is not None}
    assert {run.dbindex for run in history(now) if run.end is None and run.start is not None} <= set(runs)
    for run in history(now):
        if run.start is not None and (run.end is None or run.end >= now - 44 * DAY):
            assert runs[run.dbindex] == run


@pytest.mark.parametrize("now", MOMENTS)
def test_every_run_is_possible(now: int) -> None:
    runs = history(now)
    assert len({run.dbindex for run in runs}) == len(runs)
    for run in runs:
        assert run.submit <= now, run
        assert run.start is None or (run.submit <= run.start <= now and run.eligible is not None), run
        assert run.end is None or run.submit <= run.end <= now, run
        assert run.start is None or run.end is None or run.start + run.suspended <= run.end, run
        assert (run.state in ("PENDING", "RUNNING", "SUSPENDED")) is (run.end is None), run
        assert bool(run.alloc_tres) is (run.start is not None and run.start != run.end), run


@pytest.mark.parametrize("now", MOMENTS)
def test_a_month_has_a_believable_size_and_all_that_happens(now: int) -> None:
    runs = month(now)
    assert 3000 <= len(runs) <= 8000
    assert 13 <= len({run.user for run in runs}) <= 16
    assert {run.qos for run in runs} == set(LIMITS)
    assert all(not size(run.alloc_tres)[1] for run in runs if run.qos == "avery-b")
    states = Counter(run.state.split()[0] for run in runs)
    assert set(states) >= {"COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "CANCELLED", "NODE_FAIL", "RESIZING"}
    assert states["COMPLETED"] > 0.8 * len(runs)
    cancelled = [run for run in runs if run.state.startswith("CANCELLED by ")]
    assert {run.start is None for run in cancelled} == {True, False}
    assert any(run.suspended for run in runs)
    assert any("+1" in run.job for run in runs)
    assert any("_" in run.job for run in runs)
    kinds = {kind for run in runs for kind in tres.gpu_types(tres.parse_tres(run.alloc_tres))}
    assert kinds == {"a100", "b200"}


def test_requeued_jobs_have_several_rows_and_exclusive_ones_hold_more_than_they_asked_for() -> None:
    runs = month(AFTERNOON)
    rows: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        rows[run.jobid].append(run)
    again = [
        same for same in rows.values() if {"NODE_FAIL", "REQUEUED"} & {run.state for run in same} and len(same) > 1
    ]
    assert again
    for same in again:
        first, second = sorted(same, key=lambda run: run.submit)[:2]
        assert first.end is not None
        assert second.submit >= first.end
    assert any(run.alloc_tres and size(run.req_tres)[0] < size(run.alloc_tres)[0] for run in runs)


def test_avery_meets_its_limits_and_something_waits() -> None:
    runs = month(AFTERNOON)
    running = [size(run.alloc_tres) for run in runs if run.end is None and run.qos == "avery" and run.alloc_tres]
    assert sum(held[0] for held in running) > 400
    assert sum(run.state == "PENDING" for run in runs) >= 2
    assert hours_above(runs, AFTERNOON, 0, 425) > 24
    assert hours_above(runs, AFTERNOON, 1, 37) > 12


def test_people_come_and_go() -> None:
    runs = month(AFTERNOON)
    last, first = {run.user: run.submit for run in runs}, {run.user: run.submit for run in reversed(runs)}
    assert any(AFTERNOON - when > 10 * DAY for when in last.values())  # has left
    assert any(AFTERNOON - when < 10 * DAY for when in first.values())  # is new


def test_most_is_submitted_on_working_days_and_by_day() -> None:
    at = [(run.submit - monday(0)) % WEEK for run in month(AFTERNOON) if "_" not in run.job]
    working = [when for when in at if when < 5 * DAY]
    assert len(working) > 0.85 * len(at)
    assert sum(8 * HOUR <= when % DAY < 19 * HOUR for when in working) > 0.8 * len(working)


def test_the_beginners_jobs_fail_mostly() -> None:
    states = Counter(run.state for run in month(AFTERNOON) if run.user == "tnguyen")
    assert states["FAILED"] > states["COMPLETED"] > 0


@pytest.mark.slow
def test_seed_and_days_choose() -> None:
    runs = history(AFTERNOON)
    assert simulate(AFTERNOON) == list(runs)
    assert simulate(AFTERNOON, seed=2) != list(runs)
    short = simulate(AFTERNOON, days=7)
    assert short == [run for run in runs if run.end is None or run.end >= AFTERNOON - 7 * DAY]


@pytest.mark.parametrize("qos", LIMITS)
def test_the_answers_are_read_without_a_reject(qos: str) -> None:
    slurm = Slurm(runner=DemoSlurm(history(AFTERNOON), now=AFTERNOON))
    answer = ask.ask(slurm, Query(Scope("demo", qos), AFTERNOON - MONTH, AFTERNOON))
    expected = [run for run in month(AFTERNOON) if run.qos == qos and run.eligible is not None]
    assert answer.rejects == ()
    assert sorted(answer.jobs["dbindex"].tolist()) == sorted(
        run.dbindex for run in expected if run.eligible is not None and run.eligible < AFTERNOON
    )


def test_no_week_is_like_another() -> None:
    begins = [monday(4 * 110 + week) for week in (0, 1)]
    weeks = [{run.submit - begin for run in history(AFTERNOON) if 0 <= run.submit - begin < WEEK} for begin in begins]
    assert len(weeks[0] & weeks[1]) < 0.1 * len(weeks[0])


@pytest.mark.parametrize("now", MOMENTS)
def test_no_user_holds_more_than_each_may(now: int) -> None:
    """And somebody comes near it: the limit is of use."""
    most = 0.0
    for user in {run.user for run in history(now)}:
        mine = [run for run in history(now) if run.user == user]
        for _, held in levels(mine, "avery", now):
            assert all(amount <= limit for amount, limit in zip(held, EACH["avery"], strict=True)), user
            most = max(most, held[0] / EACH["avery"][0])
    assert most > 0.9


def test_the_limits_of_the_group_are_told_as_they_are_kept() -> None:
    cpus, gpus, _ = EACH["avery"]
    assert RULES.qos["avery"]["MaxTRESPU"] == f"cpu={cpus},gres/gpu={gpus}"
