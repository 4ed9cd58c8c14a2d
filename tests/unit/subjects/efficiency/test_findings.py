"""What is found of a run: each rule with a job that triggers it, and one that just does not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.subjects.efficiency.findings import Finding, failed_in_a_row, findings
from librarian.subjects.efficiency.model import GIB, Run, Use, UsedRun
from librarian.subjects.efficiency.options import Rules

HOUR = 3600


def a_run(**changes: Any) -> Run:
    known: dict[str, Any] = {
        "dbindex": 1,
        "jobid": 7,
        "user": UserName("ada"),
        "account": AccountName("lab"),
        "qos": "avery",
        "partition": PartitionName("hpg"),
        "state": "COMPLETED",
        "start": 1_700_000_000,
        "end": 1_700_000_000 + HOUR,
        "elapsed": HOUR,
        "limit": 2 * HOUR,
        "alloc_tres": "cpu=4,mem=64G,node=1",
    }
    return Run(**{**known, **changes})


def used(run: Run | None = None, **use: Any) -> UsedRun:
    return UsedRun(run or a_run(), Use(**use))


def rules_of(found: UsedRun) -> list[str]:
    return [one.rule for one in findings(found, Rules())]


def lasting(seconds: int, **changes: Any) -> Run:
    start = 1_700_000_000
    return a_run(start=start, end=start + seconds, elapsed=seconds, **changes)


GPUS = "cpu=1,gres/gpu=2,mem=4G,node=1"
CASES = [
    # rule; a run that triggers it; a near miss
    (
        "cpu-low",
        used(cpu=int(0.59 * 4 * HOUR * 1000)),
        used(cpu=int(0.6 * 4 * HOUR * 1000)),
    ),
    (
        "serial",
        used(a_run(alloc_tres="cpu=16,node=1"), cpu=HOUR * 1000),
        used(a_run(alloc_tres="cpu=1,node=1"), cpu=HOUR * 1000),
    ),
    ("gpu-idle", used(a_run(alloc_tres=GPUS), gpu=0), used(a_run(alloc_tres=GPUS), gpu=None)),
    (
        "gpu-low",
        used(a_run(alloc_tres=GPUS), gpu=int(0.24 * 2 * HOUR * 1000)),
        used(a_run(alloc_tres=GPUS), gpu=int(0.25 * 2 * HOUR * 1000)),
    ),
    ("memory-low", used(memory=int(0.34 * 64 * GIB)), used(memory=math.ceil(0.35 * 64 * GIB))),
    ("time-low", used(a_run(limit=6 * HOUR)), used(a_run(limit=5 * HOUR))),
    ("out-of-memory", used(a_run(state="OUT_OF_MEMORY")), used(a_run(state="FAILED"))),
    ("time-out", used(a_run(state="TIMEOUT")), used(a_run(state="CANCELLED"))),
    ("short", used(lasting(59)), used(lasting(60))),
]


@pytest.mark.parametrize(("rule", "hit", "miss"), CASES, ids=[case[0] for case in CASES])
def test_a_rule_finds_its_job_and_not_the_one_beside_it(rule: str, hit: UsedRun, miss: UsedRun) -> None:
    assert rules_of(hit) == [rule]
    assert rule not in rules_of(miss)


@pytest.mark.parametrize("seconds", [1, 599])
def test_nothing_is_said_of_how_a_brief_run_used_what_it_held(seconds: int) -> None:
    idle = Use(cpu=0, memory=1, gpu=0)
    run = lasting(seconds, alloc_tres="cpu=8,gres/gpu=1,mem=200G,node=1", limit=86400)
    assert rules_of(UsedRun(run, idle)) == (["short"] if seconds < 60 else [])
    assert rules_of(UsedRun(replace(run, end=run.start + 600, elapsed=600), idle)) == [
        *("gpu-idle", "cpu-low", "memory-low", "time-low"),
    ]


def test_of_what_is_not_known_nothing_is_found() -> None:
    run = a_run(alloc_tres="cpu=64,gres/gpu=8,mem=900G,node=2", limit=None)
    assert rules_of(UsedRun(run, Use())) == []


def test_memory_that_stands_beside_gpus_anyway_is_no_waste() -> None:
    beside = a_run(alloc_tres="cpu=1,gres/gpu=2,mem=100G,node=1")
    assert rules_of(used(beside, memory=GIB, gpu=2 * HOUR * 1000)) == []
    more = a_run(alloc_tres="cpu=1,gres/gpu=2,mem=101G,node=1")
    assert rules_of(used(more, memory=GIB, gpu=2 * HOUR * 1000)) == ["memory-low"]


def test_who_ran_out_of_memory_is_not_told_to_ask_for_less() -> None:
    (found,) = findings(used(a_run(state="OUT_OF_MEMORY"), memory=GIB), Rules())
    assert "--mem=77G" in found.advice, "a fifth more than the 64 GiB that were not enough"


def told(found: UsedRun) -> Finding:
    (one,) = findings(found, Rules())
    return one


def test_in_words() -> None:
    one = told(used(cpu=2 * HOUR * 1000))
    assert one.words == "Of 4 CPUs, 50 % were busy on average."
    assert one.advice == "Ask for 2 CPUs, or see what the program waits for."
    assert (one.value, one.threshold) == (0.5, 0.6)
    one = told(used(memory=int(11 * GIB)))
    assert one.words == "At most 11 GiB of 64 GiB of memory were used."
    assert "--mem=14G" in one.advice
    one = told(used(a_run(alloc_tres=GPUS), gpu=0))
    assert one.words == "The 2 GPUs were never used."
    one = told(used(lasting(1200, limit=86400)))
    assert "--time=25:00" in one.advice


def test_on_several_nodes_memory_of_one_is_not_known() -> None:
    one = told(used(a_run(alloc_tres="cpu=4,mem=64G,node=2"), memory=GIB))
    assert "--mem" not in one.advice


def test_failures_in_a_row_are_those_up_to_the_newest() -> None:
    bad = ("FAILED", "TIMEOUT")
    assert failed_in_a_row(["FAILED", "COMPLETED", "FAILED", "TIMEOUT"], bad) == 2
    assert failed_in_a_row(["FAILED", "COMPLETED"], bad) == 0
    assert failed_in_a_row([], bad) == 0
