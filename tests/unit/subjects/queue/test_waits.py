"""Waiting times against a naive computation, on days of a clock change too."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.window import DAY, Window, isoformat, window_until
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.queue.waits import RANGES, Spread, Waits, waits_of
from librarian.subjects.usage.kinds import SIZES
from librarian.subjects.usage.starts import starts_of
from tests.places import ROOT
from tests.unit.reports import epoch
from tests.unit.tables import jobs_table

ZONES = ("US/Eastern", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
NOW = epoch("2026-11-03 14:10")  # two days after the clocks went back in New York
HOUR = 3600


def size_of(run: dict[str, Any]) -> tuple[str, str]:
    """Kind and size of a run, the slow way."""
    counts = dict(part.split("=") for part in run["alloc_tres"].split(","))
    kind = "gpu" if "gres/gpu" in counts else "cpu"
    amount = int(counts["gres/gpu" if kind == "gpu" else "cpu"])
    for name in SIZES[kind]:
        low, _, high = name.strip(">").partition("-")
        least, most = (int(low) + 1, 10**9) if name.startswith(">") else (int(low), int(high or low))
        if least <= amount <= most:
            return kind, name
    raise AssertionError(amount)


def naive(runs: list[dict[str, Any]], begin: int, end: int) -> dict[tuple[str | None, str, str | None], Spread]:
    groups: dict[tuple[str | None, str, str | None], list[int]] = {}
    for run in runs:
        if run["start"] != UNKNOWN and begin <= run["start"] < end:
            kind, size = size_of(run)
            since = run["submit"] if run["eligible"] == UNKNOWN else run["eligible"]
            for user in (None, run["user"]):
                for one in (None, size):
                    groups.setdefault((user, kind, one), []).append(max(0, run["start"] - since))
    return {key: Spread(len(waits), percentile(waits, 50), percentile(waits, 90)) for key, waits in groups.items()}


def percentile(waits: list[int], percent: int) -> int:
    """Interpolated and rounded, halves up, without a float; and near what numpy says."""
    place, rest = divmod((len(waits) - 1) * percent, 100)
    low, *above = sorted(waits)[place : place + 2]
    found = Fraction(low) + Fraction(rest, 100) * (above[0] - low if above else 0)
    assert abs(float(found) - float(np.percentile(waits, percent))) < 1e-6
    return floor(found + Fraction(1, 2))


def told_by(jobs: pd.DataFrame, window: Window) -> Waits:
    return waits_of(starts_of(jobs, window), window)


@st.composite
def some_runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(0, 25))):
        start = draw(st.one_of(st.just(UNKNOWN), st.integers(NOW - 8 * DAY, NOW), st.just(NOW - 6 * HOUR)))
        submit = (NOW if start == UNKNOWN else start) - draw(st.integers(0, 2 * DAY))
        eligible = draw(st.one_of(st.just(UNKNOWN), st.integers(submit, NOW)))
        cpus = draw(st.sampled_from([1, 2, 8, 9, 64, 65, 1000]))
        gpus = draw(st.sampled_from(["", "", ",gres/gpu=1", ",gres/gpu=4", ",gres/gpu=8", ",gres/gpu=9"]))
        tres = f"cpu={cpus}{gpus}"
        user = draw(st.sampled_from(["a", "b", "ü"]))
        found.append({"user": user, "start": start, "submit": submit, "eligible": eligible, "alloc_tres": tres})
    return found


@pytest.mark.slow
@given(some_runs(), st.sampled_from(ZONES))
def test_every_range_is_as_the_slow_way_says(runs: list[dict[str, Any]], zone: str) -> None:
    window = window_until(NOW, seconds=7 * DAY, bin_seconds=HOUR, zone=zone)
    found = told_by(jobs_table(*runs), window)
    assert list(found.ranges) == list(RANGES)
    for name, hours in RANGES.items():
        one = found.ranges[name]
        assert (one.start, one.end) == (max(window.start, NOW - hours * HOUR if hours else 0), NOW)
        told = {(row.user, row.kind, row.size): row.spread for row in one.rows}
        assert told == naive(runs, one.start, one.end)
        assert len(told) == len(one.rows)


@pytest.mark.slow
@given(some_runs(), st.sampled_from(ZONES))
def test_the_time_before_a_range_is_as_the_slow_way_says(runs: list[dict[str, Any]], zone: str) -> None:
    window = window_until(NOW, seconds=7 * DAY, bin_seconds=HOUR, zone=zone)
    found = told_by(jobs_table(*runs), window).before
    lengths = {name: hours * HOUR for name, hours in RANGES.items() if hours}
    assert list(found) == [name for name, length in lengths.items() if NOW - 2 * length >= window.start]
    assert {"6h", "3d"} <= set(found)
    assert "7d" not in found, "the window does not hold all of it"
    for name, one in found.items():
        assert (one.start, one.end) == (NOW - 2 * lengths[name], NOW - lengths[name])
        told = {(row.user, row.kind, row.size): row.spread for row in one.rows}
        by_kind = naive(runs, one.start, one.end)
        assert told == {key: by_kind[key] for key in by_kind if key[0] is None and key[2] is None}


@pytest.mark.slow
@given(some_runs(), st.sampled_from(ZONES))
def test_every_day_of_the_calendar_is_as_the_slow_way_says(runs: list[dict[str, Any]], zone: str) -> None:
    window = window_until(NOW, seconds=7 * DAY, bin_seconds=HOUR, zone=zone)
    trend = told_by(jobs_table(*runs), window).trend
    for day in trend:
        assert day.spread == naive(runs, day.start, day.end)[None, day.kind, None]
        assert day.start == window.start or "T00:00:00" in isoformat(day.start, zone)
        assert isoformat(day.start, zone)[:10] == isoformat(day.end - 1, zone)[:10]
    whole = naive(runs, window.start, NOW)
    for kind in ("cpu", "gpu"):
        jobs = sum(day.spread.jobs for day in trend if day.kind == kind)
        assert jobs == (whole[None, kind, None].jobs if (None, kind, None) in whole else 0)


def one_wait(**run: Any) -> list[Spread]:
    window = window_until(NOW, seconds=2 * DAY, bin_seconds=HOUR, zone="UTC")
    rows = told_by(jobs_table({"submit": NOW - 5000, "start": NOW - 1000, **run}), window).ranges["all"].rows
    return [row.spread for row in rows if row.user is None and row.size is None]


def test_from_when_on_a_job_waits() -> None:
    assert one_wait(eligible=NOW - 1600) == [Spread(1, 600, 600)]
    assert one_wait(eligible=UNKNOWN) == [Spread(1, 4000, 4000)], "where Slurm tells none, from its submission"
    assert one_wait(eligible=NOW) == [Spread(1, 0, 0)]
    assert one_wait(start=UNKNOWN, end=NOW, eligible=NOW - 1600) == []


def test_a_requeued_job_waits_again_and_a_resized_one_does_not() -> None:
    rows = [
        {"jobid": 7, "eligible": NOW - 9000, "start": NOW - 8000, "end": NOW - 7000, "state": "REQUEUED"},
        {"jobid": 7, "eligible": NOW - 6900, "start": NOW - 6800, "end": NOW - 6000, "state": "RESIZING"},
        {"jobid": 7, "eligible": NOW - 6000, "start": NOW - 6000, "end": NOW - 5000},
        {"jobid": 8, "eligible": NOW - 6000, "start": NOW - 6000, "end": NOW - 5000},
    ]
    window = window_until(NOW, seconds=2 * DAY, bin_seconds=HOUR, zone="UTC")
    first = told_by(jobs_table(*rows), window).ranges["all"].rows[0]
    assert first.spread == Spread(3, 100, 820)


def test_the_ranges_are_those_of_the_page() -> None:
    view = ROOT / "dashboard/common/range.js"
    text = view.read_text(encoding="utf-8")
    for name, hours in RANGES.items():
        assert hours is None or f'["{name}", {hours}]' in text


@pytest.mark.parametrize("zone", ZONES)
def test_nobody(zone: str) -> None:
    found = told_by(jobs_table(), window_until(NOW, seconds=DAY, bin_seconds=HOUR, zone=zone))
    assert found.trend == ()
    assert all(one.rows == () for one in found.ranges.values())


def test_what_never_ran_did_not_wait() -> None:
    """In databases of old a job that was cancelled while it was pending has the time of that for its start."""
    times = {"submit": NOW - 9000, "eligible": NOW - 9000, "start": NOW - 3600, "end": NOW - 3600}
    ran = {"dbindex": 1, **times, "alloc_tres": "cpu=1"}  # for less than a second
    jobs = jobs_table(
        ran,
        {**ran, "dbindex": 2, "alloc_tres": "", "state": "CANCELLED"},
        {**ran, "dbindex": 3, "alloc_tres": "", "state": "FAILED"},
        {**ran, "dbindex": 4, "alloc_tres": "", "state": "RUNNING", "end": UNKNOWN},
    )
    window = window_until(NOW, seconds=DAY, bin_seconds=HOUR, zone="UTC")
    assert starts_of(jobs, window).wait.tolist() == [5400, 5400]
