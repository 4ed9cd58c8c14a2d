"""The watchdog's decisions: each way in which entries get stuck, and what is left alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.scrontab.watch import CronJob, Decision, Memory, Seen, decide, remembered

NOW = 1_800_000_000
RUN, DOG = "librarian-run-x", "librarian-watchdog-x"
WAITS = CronJob("1", RUN, "PENDING", "BeginTime", NOW + 300)
ITSELF = CronJob("2", DOG, "RUNNING", "None", NOW - 3, 3)


def seen(*jobs: CronJob, **changes: Any) -> Seen:
    plain: dict[str, Any] = {"block": "whole", "jobs": jobs or (WAITS, ITSELF), "expected": (RUN, DOG)}
    return Seen(**{**plain, "limit_seconds": 480, "interval": 600, "last_success": NOW - 700, **changes})


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
def test_each_way_to_be_stuck(what: Seen, action: str, why: str) -> None:
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
