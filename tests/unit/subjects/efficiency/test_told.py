"""Findings, distribution and what to ask for, in the JSON: sums name nobody, shapes are by the names readers see."""

from __future__ import annotations

import json
from collections.abc import Sequence

from librarian.subjects.efficiency import plain
from librarian.subjects.efficiency.facts import Tallied
from librarian.subjects.efficiency.model import GIB, Source, Use, UsedRun
from librarian.subjects.efficiency.options import Prices, Rules
from librarian.subjects.efficiency.tally import evidence_of, tally
from librarian.subjects.efficiency.told import prices_json, told_json, words_of
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import run

HOUR = 3600


def some(user: str, count: int = 3, **changes: object) -> list[UsedRun]:
    times = {"start": T0, "end": T0 + HOUR, "elapsed": HOUR}
    fields = {**times, "user": user, "limit": 86400, "alloc_tres": "cpu=8,mem=64G,node=1", **changes}
    use = Use(cpu=HOUR * 1000, cpu_source=Source.STEPS, memory=GIB, memory_source=Source.STEPS)
    return [UsedRun(run(dbindex=n, jobid=n, **fields), use) for n in range(count)]


def told(runs: Sequence[UsedRun], rules: Rules | None = None) -> Tallied:
    whole = tally(runs, rules or Rules())
    shapes = tuple(evidence_of(place, needed) for place, needed in whole.shapes.items())
    return Tallied(T0, T0 + HOUR, rules or Rules(), whole.runs, whole.found, whole.spread, shapes)


def test_findings_are_sums_of_nobody() -> None:
    found = json.loads(json.dumps(told_json(told([*some("ann"), *some("bob")]))))
    rules = found["findings"]["rules"]
    assert [(one["rule"], one["jobs"], one["resource"], one["hours"]) for one in rules] == [
        ("serial", 6, "NCPUS", 42),
        ("memory-low", 6, "MEMORY", 378),
        ("time-low", 6, None, None),
    ]
    assert rules[1]["words"] == "Used less than 35 % of their memory"
    assert "ann" not in json.dumps(found["findings"])
    assert sum(found["distribution"]["resources"]["NCPUS"]["hours"]) == 48
    assert found["distribution"]["resources"]["NCPUS"]["jobs"][1] == 6


def test_shapes_rest_on_three_jobs() -> None:
    (one,) = told_json(told([*some("ann"), *some("bob", 2)]))["ask_next"]["shapes"]  # type: ignore[index]
    assert (one["user"], one["jobs"], one["time"], one["memory"]) == ("ann", 3, "1:15:00", "2G")


def test_words_follow_the_thresholds() -> None:
    assert words_of("cpu-low", Rules(cpu_below=0.5))[0] == "Used less than 50 % of the CPU time"
    assert words_of("short", Rules(short_seconds=30))[0] == "Completed in less than 30 s"


def test_prices_are_told_where_there_are_any() -> None:
    assert prices_json(Prices()) == {}
    told_of = prices_json(Prices("EUR", price_gpu_hour=2, co2_cpu_hour=0))
    assert told_of == {"prices": {"currency": "EUR", "hour": {"NGPUS": 2}, "co2_hour": {"NCPUS": 0}}}


def test_the_plain_page_has_the_gravest_in_a_line() -> None:
    data = {"units": {"NCPUS": {"hours": "CPU-hours"}, "MEMORY": {"hours": "GiB-hours"}}}
    line = plain._found(data, told_json(told(some("ann"))))
    assert line == (
        "kept one of their CPUs busy (3 jobs, 21 CPU-hours unused); used less than 35 % of their memory "
        "(3 jobs, 189 GiB-hours unused); needed less than 20 % of their time limit (3 jobs)"
    )
    assert plain._found(data, {}) == ""
