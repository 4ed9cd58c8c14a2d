"""The watchdog's decisions: each way in which entries get stuck, and what is left alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.scrontab.watch import CronJob, Decision, Memory, Observation, decide, remembered

NOW = 1_800_000_000
RUN, DOG = "librarian-run-x", "librarian-watchdog-x"
WAITS = CronJob("1", RUN, "PENDING", "BeginTime", NOW + 300)
ITSELF = CronJob("2", DOG, "RUNNING", "None", NOW - 3, 3)


def seen(*jobs: CronJob, **changes: Any) -> Observation:
    plain: dict[str, Any] = {"block": "whole", "jobs": jobs or (WAITS, ITSELF), "expected": (RUN, DOG)}
    return Observation(**{**plain, "limit_seconds": 480, "interval": 600, "last_success": NOW - 700, **changes})


def job(state: str, reason: str, start: int | None = None, running: int | None = None) -> CronJob:
    return CronJob("1", RUN, state, reason, start, running)


def test_all_is_well() -> None:
    assert decide(seen(), Memory(), NOW) == Decision("none", "all is well", trouble=False)


@pytest.mark.parametrize(
    ("what", "action", "why"),
    [
        (seen(ITSELF, block="missing"), "put", "gone from the table"),
        (seen(block="missing"), "none", f"but {RUN} waits: a strange answer"),
        (seen(block="empty"), "none", f"but {RUN} waits: a strange answer"),
        (seen(ITSELF, block="empty"), "none", "waiting whether it stays so"),
        (seen(block="disabled"), "put", "disabled"),
        (seen(block="changed"), "none", "changed by hand"),
        (seen(job("PENDING", "user env retrieval failed requeued held"), ITSELF), "put", "is held"),
        (seen(job("PENDING", "launch failed requeued held"), ITSELF), "put", "is held"),
        (seen(job("PENDING", "job requeued in held state"), ITSELF), "put", "is held"),
        (seen(job("PENDING", "JobHeldAdmin"), ITSELF), "put", "is held"),
        (seen(job("RUNNING", "None", NOW - 601, 601), ITSELF), "requeue", "hangs"),
        (seen(job("RUNNING", "None", NOW - 599, 599), ITSELF), "none", "all is well"),
        (seen(job("PENDING", "BeginTime", NOW - 3601), ITSELF), "none", "nothing to repair"),
        (seen(job("PENDING", "Priority", NOW - 30), ITSELF), "none", "nothing to repair"),
        (seen(job("PENDING", "Resources", None), ITSELF), "none", "nothing to repair"),
        (seen(job("PENDING", "QOSMaxJobsPerUserLimit", None), ITSELF), "none", "nothing to repair"),
        (seen(ITSELF), "none", "waiting whether one comes"),
        (seen(last_success=NOW - 3601), "none", "no run has succeeded"),
        (seen(last_success=None, known_since=NOW - 3601), "none", "no run has succeeded"),
        (seen(last_success=None, known_since=NOW - 60), "none", "all is well"),
        (seen(last_success=NOW - 99_999, known_since=NOW - 60), "none", "all is well"),
        (seen(last_success=NOW - 3601, known_since=NOW - 99_999), "none", "no run has succeeded for 3601 s"),
    ],
)
def test_each_way_to_be_stuck(what: Observation, action: str, why: str) -> None:
    decision = decide(what, Memory(), NOW)
    assert (decision.action, why in decision.why) == (action, True), decision
    assert decision.trouble == (why != "all is well")


def test_an_entry_without_a_job_is_given_an_interval() -> None:
    alone, memory = seen(ITSELF), Memory()
    memory = remembered(memory, alone, decide(alone, memory, NOW), NOW)
    assert memory.missing_since == NOW
    assert decide(alone, memory, NOW + 599).action == "none"
    assert decide(alone, memory, NOW + 600).action == "put"
    assert remembered(memory, seen(), decide(seen(), memory, NOW + 60), NOW + 60).missing_since is None


def test_an_empty_table_is_looked_at_twice() -> None:
    empty, memory = seen(ITSELF, block="empty"), Memory()
    memory = remembered(memory, empty, decide(empty, memory, NOW), NOW)
    assert decide(empty, memory, NOW + 599).action == "none"
    assert decide(empty, memory, NOW + 600) == Decision("put", "our entries are gone from the table")
    assert remembered(memory, seen(), decide(seen(), memory, NOW + 60), NOW + 60).empty_since is None


def test_an_entry_that_had_no_job_says_nothing_of_an_empty_table() -> None:
    alone, empty, memory = seen(ITSELF), seen(ITSELF, block="empty"), Memory()
    memory = remembered(memory, alone, decide(alone, memory, NOW), NOW)
    first = decide(empty, memory, NOW + 600)
    assert first.action == "none"
    memory = remembered(memory, empty, first, NOW + 600)
    assert (memory.missing_since, memory.empty_since) == (None, NOW + 600)
    assert decide(alone, memory, NOW + 1200).action == "none"


def test_the_hung_job_is_named() -> None:
    hung = CronJob("17", RUN, "RUNNING", "None", NOW - 9000, 9000)
    assert decide(seen(hung, ITSELF), Memory(), NOW).job == "17"


@given(st.lists(st.integers(1, 900), min_size=1, max_size=400))
def test_it_acts_at_most_once_an_interval_and_a_few_times_a_day(steps: list[int]) -> None:
    memory, moment, acted = Memory(), NOW, []
    for step in steps:
        moment += step
        decision = decide(seen(ITSELF, block="missing"), memory, moment)
        memory = remembered(memory, seen(ITSELF, block="missing"), decision, moment)
        if decision.action != "none":
            acted.append(moment)
    assert all(after - before >= 600 for before, after in pairwise(acted))
    assert all(len([m for m in acted if moment - 86400 < m <= moment]) <= 12 for moment in acted)


def test_what_does_not_help_is_done_less_and_less_often() -> None:
    memory, acted = Memory(), []
    for moment in range(NOW, NOW + 86400, 300):
        decision = decide(seen(ITSELF, block="missing"), memory, moment)
        memory = remembered(memory, seen(ITSELF, block="missing"), decision, moment)
        acted += [moment] if decision.action == "put" else []
    gaps = [after - before for before, after in pairwise(acted)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 600
    assert len(acted) <= 12


def test_a_clock_that_went_back_does_not_stop_it() -> None:
    later = Memory(acted=(NOW + 9000,))
    assert decide(seen(ITSELF, block="missing"), later, NOW).action == "put"


# where each rule begins and ends

GONE = seen(ITSELF, block="missing")


def moments(*, since: int = NOW, until: int, step: int = 60) -> list[int]:
    """When it acts, from `since` to `until`, where nothing that it does helps and it looks every `step` seconds."""
    memory, acted = Memory(), []
    for moment in range(since, until + 1, step):
        decision = decide(GONE, memory, moment)
        memory = remembered(memory, GONE, decision, moment)
        acted += [moment] if decision.action == "put" else []
    return acted


def test_each_pause_is_twice_the_one_before_up_to_six_hours() -> None:
    acted = moments(until=NOW + 86_340)
    gaps = [after - before for before, after in pairwise(acted)]
    assert gaps == [600, 1200, 2400, 4800, 9600, 19_200, 21_600, 21_600]


@pytest.mark.parametrize(
    ("acted", "pause"),
    [
        ([0], 600),
        ([0, 2399], 1200),
        ([0, 2400], 600),  # four times the pause went well: it begins anew
        ([0, 600, 5399], 2400),
        ([0, 600, 5400], 600),
        ([0, 600, 1800, 11_399], 4800),
        ([0, 600, 1800, 11_400, 12_000], 1200),
        ([0, 600, 1800, 4200, 9000, 18_600, 37_800], 21_600),
    ],
)
def test_a_pause_grows_where_a_recovery_follows_soon_on_the_one_before(acted: list[int], pause: int) -> None:
    memory = Memory(acted=tuple(NOW + moment for moment in acted))
    last = NOW + acted[-1]
    early = decide(GONE, memory, last + pause - 1)
    assert early.action == "none"
    assert early.why.endswith(f"it was put right {pause - 1} s ago, and gets {pause} s")
    assert early.trouble
    assert decide(GONE, memory, last + pause).action == "put"


def often(number: int, first: int) -> Memory:
    """As many recoveries, far enough apart to ask for no longer pause; the first of them is so many seconds ago."""
    return Memory(acted=tuple(NOW - first + place * 7000 for place in range(number)))


def test_after_twelve_recoveries_within_a_day_it_is_left_alone() -> None:
    day = 86_400
    assert decide(GONE, often(11, day - 1), NOW).action == "put"
    full = decide(GONE, often(12, day - 1), NOW)
    assert (full.action, full.trouble) == ("none", True)
    assert full.why.endswith("it was put right 12 times within a day, and is left alone now")
    assert decide(GONE, often(12, day), NOW).action == "put", "the first of them is a day ago and counts no more"
    assert decide(GONE, often(13, day), NOW).action == "none"


def test_what_it_remembers_is_the_last_day() -> None:
    memory = Memory(acted=(NOW - 86_400, NOW - 86_399, NOW, NOW + 1))
    well = seen()
    assert remembered(memory, well, decide(well, memory, NOW), NOW).acted == (NOW - 86_399, NOW)
    assert remembered(memory, GONE, Decision("put", ""), NOW + 60).acted == (NOW, NOW + 1, NOW + 60)


def test_a_recovery_forgets_what_it_waited_for() -> None:
    waited = Memory(missing_since=NOW - 700, empty_since=NOW - 700)
    for what in (seen(ITSELF), seen(ITSELF, block="empty")):
        done = remembered(waited, what, Decision("put", ""), NOW)
        assert done == Memory(acted=(NOW,))


def test_an_entry_without_a_job_counts_in_a_whole_table_only() -> None:
    for block in ("disabled", "changed", "missing", "empty"):
        what = seen(ITSELF, block=block)
        assert remembered(Memory(), what, Decision("none", ""), NOW).missing_since is None, block
    assert remembered(Memory(), seen(ITSELF), Decision("none", ""), NOW).missing_since == NOW


def test_where_nothing_is_to_be_done_nothing_is_said_of_a_pause() -> None:
    lately = Memory(acted=(NOW - 10,))
    assert decide(seen(), lately, NOW) == Decision("none", "all is well", trouble=False)
    changed = decide(seen(block="changed"), lately, NOW)
    assert changed == decide(seen(block="changed"), Memory(), NOW)


def test_a_moment_that_is_now_counts_and_one_to_come_does_not() -> None:
    assert decide(GONE, Memory(acted=(NOW,)), NOW).action == "none"
    assert decide(GONE, Memory(acted=(NOW + 1,)), NOW).action == "put"
    assert decide(GONE, Memory(acted=(NOW - 700, NOW + 1)), NOW).action == "put"


@pytest.mark.parametrize(
    ("what", "action", "why"),
    [
        (seen(job("RUNNING", "None", NOW - 600, 600), ITSELF), "none", "all is well"),  # 480 s, and 120 to be ended in
        (seen(job("RUNNING", "None", NOW - 601, 601), ITSELF), "requeue", "has run for 601 s"),
        (seen(job("RUNNING", "None", NOW, 0), ITSELF), "none", "all is well"),
        (seen(job("RUNNING", "None", NOW - 601, 601), ITSELF, block="missing"), "requeue", "hangs"),
        (seen(job("PENDING", "BeginTime", NOW - 3600), ITSELF), "none", "all is well"),  # six intervals, and no more
        (seen(job("PENDING", "BeginTime", NOW - 3601), ITSELF), "none", "nothing to repair"),
        (seen(job("RUNNING", "BeginTime", NOW - 3601, 60), ITSELF), "none", "all is well"),
        (seen(job("PENDING", "None", None), ITSELF), "none", "all is well"),
        (seen(job("PENDING", "", None), ITSELF), "none", "all is well"),
        (seen(job("RUNNING", "Priority", NOW - 30, 30), ITSELF), "none", "all is well"),
        (seen(job("RUNNING", "JobHeldUser", NOW - 30, 30), ITSELF), "none", "all is well"),
        (seen(last_success=NOW - 3600), "none", "all is well"),
        (seen(last_success=NOW - 3601), "none", "no run has succeeded for 3601 s"),
        (seen(last_success=NOW - 3600, known_since=NOW - 3601), "none", "all is well"),
        (seen(last_success=None, known_since=None), "none", "all is well"),
    ],
)
def test_the_borders_of_each_rule(what: Observation, action: str, why: str) -> None:
    decision = decide(what, Memory(), NOW)
    assert (decision.action, why in decision.why) == (action, True), decision
    assert decision.trouble == (why != "all is well")


def test_how_long_an_entry_has_had_no_job_is_said() -> None:
    what, memory = seen(ITSELF), Memory(missing_since=NOW - 600)
    assert decide(what, memory, NOW) == Decision("put", f"{RUN} has had no job since 600 s")


def test_it_remembers_since_when_and_not_when_it_looked_last() -> None:
    memory, alone, empty = Memory(), seen(ITSELF), seen(ITSELF, block="empty")
    for moment in (NOW, NOW + 300, NOW + 599):
        memory = remembered(memory, alone, decide(alone, memory, moment), moment)
        assert memory == Memory(missing_since=NOW)
    for moment in (NOW + 900, NOW + 1200):
        memory = remembered(memory, empty, decide(empty, memory, moment), moment)
        assert memory == Memory(empty_since=NOW + 900)


def test_of_several_the_first_is_named() -> None:
    neither = seen(CronJob("9", "other", "RUNNING", "None", NOW, 1))
    assert decide(neither, Memory(), NOW).why.startswith(f"{RUN} has no job")
    assert decide(neither, Memory(missing_since=NOW - 600), NOW).why.startswith(f"{RUN} has had no job")
    both = seen(WAITS, CronJob("2", DOG, "PENDING", "BeginTime", NOW + 300), block="missing")
    assert f"but {RUN} waits" in decide(both, Memory(), NOW).why
