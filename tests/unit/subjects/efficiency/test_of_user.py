"""What a user is told of their own runs: what cost most hours, and what to ask for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.names import UserName
from librarian.shared.scope import Scope
from librarian.store import Store, opened
from librarian.subjects.efficiency.asking import in_words
from librarian.subjects.efficiency.costs import costliest, costs
from librarian.subjects.efficiency.findings import findings
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import GIB, Flag, Peak, Source, Use, UsedRun
from librarian.subjects.efficiency.of_user import of_user
from librarian.subjects.efficiency.options import Rules
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import run

AVERY = Scope("demo", "avery")
HOUR = 3600
ADA = UserName("ada")
SPAN = (T0, T0 + 100 * HOUR)
ALL = Rules(min_hours=0, min_gpu_hours=0, min_gib_hours=0)


def job(number: int, tres: str, hours: float = 10, **use: Any) -> UsedRun:
    changes = {name: use.pop(name) for name in ("state", "user", "limit") if name in use}
    changes = {"user": ADA, "limit": None, **changes}
    seconds = int(hours * HOUR)
    times = {"start": T0, "end": T0 + seconds, "elapsed": seconds}
    sources = {f"{name}_source": Source.STEPS for name in ("cpu", "gpu", "memory") if use.get(name) is not None}
    return UsedRun(run(dbindex=number, jobid=number, alloc_tres=tres, **times, **changes), Use(**use, **sources))


def busy(cpus: float, hours: float = 10) -> int:
    return int(1000 * cpus * hours * HOUR)


JOBS = [
    job(1, "cpu=16,node=1", cpu=busy(4)),  # 120 CPU-hours unused
    job(2, "cpu=16,node=1", cpu=busy(2)),  # 140
    job(3, "cpu=1,gres/gpu=4,node=1", gpu=0),  # 40 GPU-hours
    job(4, "cpu=1,mem=300G,node=1", memory=GIB),  # 2990 GiB-hours
    job(5, "cpu=1,gres/gpu=1,node=1", state="TIMEOUT"),  # 10 GPU-hours
    job(6, "cpu=2,node=1", cpu=busy(1)),  # serial: 10 CPU-hours, too few to be named for
]


def test_three_that_cost_most_each_in_its_own_unit() -> None:
    told = costliest(JOBS, Rules())
    assert [(one.rule, one.resource, one.runs, one.hours) for one in told] == [
        ("cpu-low", "NCPUS", 2, 260.0),  # 5.2 times what somebody is named for
        ("gpu-idle", "NGPUS", 1, 40.0),  # 4 times
        ("memory-low", "MEMORY", 1, 2990.0),  # 3 times
    ]
    assert told[0].worst == 2
    assert told[0].words == "Of 16 CPUs, 13 % were busy on average."
    assert told[0].advice == "Ask for 2 CPUs, or see what the program waits for."
    assert told[0].threshold == 0.6


def test_nobody_is_named_for_few_hours() -> None:
    assert costliest(JOBS[5:], Rules()) == ()
    assert [one.rule for one in costliest(JOBS[5:], Rules(min_hours=10))] == ["serial"]
    assert costliest(JOBS[5:], Rules(min_hours=10.1)) == ()
    assert [one.rule for one in costliest(JOBS, ALL, most=9)] == [
        *("cpu-low", "gpu-idle", "memory-low", "time-out", "serial"),
    ]


def test_what_was_killed_may_have_lost_all_that_it_held() -> None:
    (told,) = costliest([JOBS[4]], Rules())
    assert (told.rule, told.resource, told.hours, told.killed) == ("time-out", "NGPUS", 10.0, True)
    (told,) = costliest([job(1, "cpu=8,node=1", state="OUT_OF_MEMORY")], ALL)
    assert (told.rule, told.resource, told.hours, told.killed) == ("out-of-memory", "NCPUS", 80.0, True)


def test_what_costs_no_hours_is_not_among_them() -> None:
    slack = job(1, "cpu=1,node=1", limit=10 * 86400)
    assert [(one.rule, cost.resource) for one, cost in costs(slack, Rules())] == [("time-low", "")]
    assert costliest([slack], ALL) == ()


@pytest.mark.parametrize(
    "use",
    [
        {"memory": GIB, "peak": Peak.TASK},
        {"memory": GIB, "cpu": 0, "flags": frozenset({Flag.PARTLY})},
        {"gpu": 0, "flags": frozenset({Flag.GPU_SAMPLE})},
    ],
)
def test_nothing_is_found_on_what_may_be_more(use: dict[str, Any]) -> None:
    doubtful = job(1, "cpu=16,mem=300G,gres/gpu=1,node=1", **use)
    assert findings(doubtful, Rules()) == ()
    surely = replace(doubtful, use=replace(doubtful.use, peak=None, flags=frozenset()))
    assert findings(surely, Rules())


@given(st.permutations(JOBS), st.lists(st.sampled_from(JOBS), max_size=3))
def test_order_changes_nothing(ordered: list[UsedRun], more: list[UsedRun]) -> None:
    assert costliest([*ordered, *more], ALL, 9) == costliest([*more, *JOBS], ALL, 9)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def test_from_the_store_only_their_own_and_only_of_that_time(store: Store) -> None:
    others = [job(20 + n, "cpu=64,node=1", cpu=0, user="bob") for n in range(3)]
    late = [job(30, "cpu=64,node=1", hours=200, cpu=0)]
    like = [job(40 + n, "cpu=1,mem=64G,node=1", hours=0.5 - n / 100, memory=11 * GIB, limit=86400) for n in range(3)]
    runs = [*JOBS, *others, *late, *like]
    random.Random(1).shuffle(runs)
    RunUses(store).take([AVERY], (T0, T0 + 50 * HOUR), runs)
    told = of_user(store, AVERY, ADA, *SPAN, Rules())
    assert told.runs == len(JOBS) + len(like)
    assert told.findings == costliest([*JOBS, *like], Rules())
    assert told.known == ((T0, T0 + 50 * HOUR),)
    (shape,) = told.shapes
    assert in_words(shape) == (
        "3 jobs like this: longest 30:00 of 1-00:00:00, largest 11 of 64 GiB. Ask for --time=40:00 and --mem=14G."
    )
    nobody = of_user(store, AVERY, UserName("eve"), *SPAN, Rules())
    assert (nobody.runs, nobody.findings, nobody.shapes) == (0, (), ())


def test_two_runs_are_no_evidence(store: Store) -> None:
    like = [job(40 + n, "cpu=1,mem=64G,node=1", hours=0.5, memory=11 * GIB, limit=86400) for n in range(2)]
    RunUses(store).take([AVERY], SPAN, like)
    assert of_user(store, AVERY, ADA, *SPAN, Rules()).shapes == ()
