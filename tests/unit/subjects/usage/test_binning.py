"""Binning: the laws that must hold for any jobs, and the cases of accounting one by one."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import Window, window_until
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.usage.binning import Usage, bin_jobs, exactly
from librarian.subjects.usage.summary import ended_by_bin, ended_states
from tests.unit.tables import jobs_table

NOW = 1_793_570_400 + 1234  # in the week of the autumn clock change
WINDOW = window_until(NOW, seconds=7 * 86400, bin_seconds=3600, zone="US/Eastern")
START = WINDOW.start


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.one_of(st.just(UNKNOWN), st.integers(START - 90_000, NOW)))
    length = draw(st.one_of(st.just(0), st.just(3600), st.integers(0, 8 * 86400)))
    open_ended = draw(st.booleans())
    end = UNKNOWN if open_ended else max(start, START) + length
    cpus, mem = draw(st.integers(1, 128)), draw(st.integers(1, 4096))
    return {
        **{"start": start, "end": end, "user": draw(st.sampled_from("abcde"))},
        **{"suspended": draw(st.sampled_from([0, 0, 7, 5000])), "alloc_tres": f"cpu={cpus},mem={mem}M,node=1"},
    }


tables = st.lists(runs(), max_size=30)


def usage_of(*rows: dict[str, Any], window: Window = WINDOW) -> Usage:
    table = jobs_table(*rows)
    return bin_jobs(table, window, (*OBSERVABLES, *gpu_observables(table)))


def integral(rows: list[dict[str, Any]], window: Window, begin: int, end: int) -> dict[str, float]:
    """CPU-, GiB- and job-seconds in [begin, end), the plain way: a run at a time. A pause stops the CPUs alone."""
    total = dict.fromkeys(("NCPUS", "MEMORY", "NJOBS"), 0.0)
    for row in rows:
        if row["start"] == UNKNOWN:
            continue
        stop = window.now if row["end"] == UNKNOWN else row["end"]
        whole = max(stop - row["start"], 1)
        share = 1 - min(row["suspended"] / whole, 1)
        cpus, mem, _ = (int(part.split("=")[1].rstrip("M")) for part in row["alloc_tres"].split(","))
        seconds = max(0, min(stop, end, window.now) - max(row["start"], begin))
        for key, amount in (("NCPUS", cpus * share), ("MEMORY", mem / 1024), ("NJOBS", 1)):
            total[key] += amount * seconds
    return total


@given(tables)
def test_bins_add_up_to_the_integral_of_the_jobs(rows: list[dict[str, Any]]) -> None:
    usage = usage_of(*rows)
    for key, expected in integral(rows, WINDOW, START, NOW).items():
        assert usage.integrals[usage.row(key)].sum() == pytest.approx(expected, rel=1e-9, abs=1e-3)


@settings(max_examples=40)
@given(tables, st.integers(0, WINDOW.bins - 1))
def test_each_bin_holds_what_overlaps_it(rows: list[dict[str, Any]], place: int) -> None:
    usage = usage_of(*rows)
    for key, expected in integral(rows, WINDOW, int(WINDOW.edges[place]), int(WINDOW.edges[place + 1])).items():
        found = usage.integrals[usage.row(key), :, place].sum()
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-3)
    assert (usage.integrals >= 0).all()


@pytest.mark.slow
@given(tables, st.randoms())
def test_the_order_of_rows_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    one = usage_of(*rows)
    random.shuffle(rows)
    other = usage_of(*rows)
    assert one.users == other.users
    np.testing.assert_allclose(one.integrals, other.integrals, rtol=1e-12, atol=1e-6)
    np.testing.assert_array_equal(one.holding, other.holding)


@pytest.mark.slow
@given(tables, st.integers(0, 30))
def test_two_parts_add_up_to_the_whole(rows: list[dict[str, Any]], cut: int) -> None:
    def by_user(usage: Usage) -> pd.DataFrame:
        return pd.DataFrame(usage.hours[usage.row("MEMORY")], index=list(usage.users))

    parts = by_user(usage_of(*rows[:cut])).add(by_user(usage_of(*rows[cut:])), fill_value=0)
    whole = by_user(usage_of(*rows))
    np.testing.assert_allclose(parts.loc[whole.index].to_numpy(), whole.to_numpy(), rtol=1e-9, atol=1e-6)


@pytest.mark.slow
@given(tables)
def test_finished_bins_do_not_change_with_time(rows: list[dict[str, Any]]) -> None:
    later = window_until(NOW + 3600, seconds=7 * 86400, bin_seconds=3600, zone="US/Eastern")
    ended = [row for row in rows if row["end"] != UNKNOWN and row["end"] <= NOW]
    one, other = usage_of(*ended), usage_of(*ended, window=later)
    users = [other.users.index(user) for user in one.users if user in other.users]
    kept = [user for user, name in enumerate(one.users) if name in other.users]
    np.testing.assert_allclose(one.integrals[:, kept, 1:-1], other.integrals[:, users, : WINDOW.bins - 2], atol=1e-6)


def mean(usage: Usage, key: str, place: int = -1) -> float:
    return float(usage.means[usage.row(key), :, place].sum())


def test_the_unfinished_hour_is_divided_by_what_has_passed() -> None:
    usage = usage_of({"start": START, "alloc_tres": "cpu=8,mem=4G"})
    assert WINDOW.passed[-1] == 1234
    assert (mean(usage, "NCPUS"), mean(usage, "MEMORY"), mean(usage, "NJOBS")) == (8, 4, 1)
    assert mean(usage, "NCPUS", 0) == 8


def test_a_run_counts_to_the_second() -> None:
    usage = usage_of({"start": START + 900, "end": START + 4500, "alloc_tres": "cpu=4"})
    row = usage.means[usage.row("NCPUS"), 0]
    assert row[:3].tolist() == [3, 1, 0]


def test_never_started_counts_nothing_and_still_ended() -> None:
    cancelled = {"start": UNKNOWN, "end": NOW - 50, "state": "CANCELLED", "alloc_tres": ""}
    refused = {"start": NOW - 9, "end": NOW - 9, "state": "FAILED", "alloc_tres": ""}
    assert usage_of(cancelled, refused).users == ()
    assert ended_states(ended_by_bin(jobs_table(cancelled, refused), WINDOW)) == {
        "alice": {"CANCELLED": 1, "FAILED": 1}
    }


def test_every_run_of_a_requeued_resized_or_het_job_counts() -> None:
    usage = usage_of(
        {"jobid": 5, "start": START, "end": START + 1800, "state": "REQUEUED", "alloc_tres": "cpu=2"},
        {"jobid": 5, "start": START + 1800, "end": START + 3600, "state": "RESIZING", "alloc_tres": "cpu=6"},
        {"jobid": 6, "start": START, "end": START + 3600, "state": "COMPLETED", "alloc_tres": "cpu=1"},
    )
    assert mean(usage, "NCPUS", 0) == 1 + 3 + 1
    assert mean(usage, "NJOBS", 0) == 2


def test_a_pause_is_spread_over_the_run_and_stops_cpus_alone() -> None:
    held = "billing=6,cpu=4,gres/gpu=1,gres/gpu:a100=1,mem=2G"
    usage = usage_of({"start": START, "end": START + 7200, "suspended": 1800, "alloc_tres": held})
    means = {o.key: usage.means[row, 0, :2].tolist() for row, o in enumerate(usage.observables)}
    whole = {"NGPUS": [1, 1], "NGPUS:a100": [1, 1], "MEMORY": [2, 2], "NJOBS": [1, 1], "BILLING": [6, 6]}
    assert means == {"NCPUS": [3, 3], **whole}


def test_a_suspended_job_holds_all_but_its_cpus_now() -> None:
    held = "billing=70,cpu=64,gres/gpu=2,gres/gpu:a100=2,mem=2G"
    usage = usage_of({"start": NOW - 100, "state": "SUSPENDED", "alloc_tres": held, "suspended": 100})
    now = {o.key: usage.holding[row].sum() for row, o in enumerate(usage.observables)}
    assert now == {"NCPUS": 0, "NGPUS": 2, "NGPUS:a100": 2, "MEMORY": 2, "NJOBS": 1, "BILLING": 70}


def test_half_an_hour_with_a_pause_comes_to_what_sreport_says_of_it() -> None:
    """What Slurm's sreport told of such a job: 1,800 CPU-seconds, 7,200 GPU-seconds, 5,400,000 MB-seconds."""
    held = "billing=2,cpu=2,gres/gpu=4,mem=3000M,node=1"
    run = {"start": START + 600, "end": START + 2400, "suspended": 900, "elapsed": 900, "alloc_tres": held}
    usage = usage_of({**run, "state": "COMPLETED"})
    cpus, gpus, memory = (usage.integrals[usage.row(key)].sum() for key in ("NCPUS", "NGPUS", "MEMORY"))
    assert (cpus, gpus, memory * 1024) == (1800, 7200, 5_400_000)


def test_sacct_may_speak_of_a_later_time_than_the_report() -> None:
    """It is asked at NOW and answers 50 s later; one job is paused at that time, the other was before."""
    paused = {"start": NOW - 100, "state": "SUSPENDED", "elapsed": 30, "suspended": 120, "alloc_tres": "cpu=10"}
    resumed = {"start": NOW - 100, "user": "bob", "elapsed": 90, "suspended": 60, "alloc_tres": "cpu=10"}
    usage = usage_of(paused, resumed)
    assert (usage.hours[usage.row("NCPUS")] * 3600).tolist() == pytest.approx([300, 400])


def test_now_is_what_runs_at_this_moment() -> None:
    usage = usage_of(
        {"start": NOW - 10, "alloc_tres": "cpu=3,gres/gpu:a100=1,gres/gpu=1"},
        {"start": NOW - 900, "end": NOW - 1, "alloc_tres": "cpu=50", "state": "COMPLETED"},
        {"start": NOW - 50, "user": "bob", "alloc_tres": "cpu=2", "state": "COMPLETING"},
        {"start": UNKNOWN, "state": "PENDING", "alloc_tres": ""},
    )
    assert usage.users == ("alice", "bob")
    assert usage.holding[usage.row("NCPUS")].tolist() == [3, 2]
    assert usage.holding[usage.row("NGPUS:a100")].tolist() == [1, 0]


def test_no_jobs() -> None:
    usage = usage_of()
    assert usage.integrals.shape == (len(OBSERVABLES), 0, WINDOW.bins)
    assert ended_by_bin(jobs_table(), WINDOW) == {}


weights = st.floats(0, 1000)
terms = st.lists(st.tuples(weights | weights.map(round).map(float), st.integers(0, 2**18)), max_size=30)


@given(terms, st.randoms())
def test_a_sum_is_the_same_in_any_order_and_near_the_true_one(
    terms: list[tuple[float, int]], shuffler: random.Random
) -> None:
    shuffled = terms.copy()
    shuffler.shuffle(shuffled)

    def total(of: list[tuple[float, int]]) -> float:
        weight, times = np.array([w for w, _ in of], dtype=float), np.array([t for _, t in of], dtype=float)
        return float(exactly(weight, lambda part: np.array([sum((part * times).tolist())]))[0])

    assert total(terms) == total(shuffled)
    assert total(terms) == pytest.approx(float(sum(Fraction(w) * t for w, t in terms)), rel=1e-12, abs=1e-5)
