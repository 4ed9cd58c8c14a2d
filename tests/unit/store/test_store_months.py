"""Months in the store: sums that equal the bins they come from and the jobs behind those, whatever the clock does."""

from __future__ import annotations

import itertools
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.shared.calendar import month_after, month_start, month_starts
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, window_until
from librarian.store import MIGRATIONS, Store, opened
from librarian.subjects.months import history
from librarian.subjects.months.keep import MonthSums
from librarian.subjects.months.model import Month
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.keep import Hours
from librarian.subjects.usage.rest import Unfinished
from librarian.subjects.usage.sums import RUNS, USAGE
from librarian.subjects.usage.unfinished import unfinished
from tests.unit.tables import jobs_table

AVERY = Scope("hpg", "avery")
HOUR = 3600
ZONES = ["US/Eastern", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
NOW = 1_793_590_000  # the evening of 2026-11-01 in the US, a day of 25 hours
nows = st.integers(1_743_000_000, 1_744_000_000) | st.integers(1_761_000_000, 1_763_000_000) | st.just(NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "hpg.sqlite", "hpg") as made:
        yield made


def keep(
    store: Store, jobs: pd.DataFrame, now: int, *, days: int = 30, bin_seconds: int = HOUR, zone: str = "UTC"
) -> Unfinished:
    """Keep what a cycle at `now` would."""
    window = window_until(now, seconds=days * DAY, bin_seconds=bin_seconds, zone=zone)
    known = jobs[jobs["start"] < now]
    usage = bin_jobs(known, window, OBSERVABLES)
    past = unfinished(AVERY, known, usage)
    if past.finished > window.start:
        Hours(store).keep(AVERY, usage, by_account(known, window))
    return past


def rows(store: Store, table: str) -> list[tuple[Any, ...]]:
    return store.all(f"SELECT * FROM {table} ORDER BY 2, 3, 4, 5")


def assert_sums_are_those_of_the_bins(store: Store, zone: str) -> None:
    """Month by month and day by day, counted here one row at a time."""
    months: dict[Any, float] = defaultdict(float)
    days: dict[Any, float] = defaultdict(float)
    for kind, table in (("user", "usage"), ("account", "account_usage")):
        for _, start, seconds, key, name, amount in rows(store, table):
            assert month_start(start, zone) == month_start(start + seconds - 1, zone)
            months[month_start(start, zone), kind, name, key] += amount
            if kind == "user":
                day = pd.Timestamp(start, unit="s", tz="UTC").tz_convert(zone).strftime("%Y-%m-%d")
                days[day, key] += amount
    assert {row[1:5]: row[5] for row in rows(store, "month_usage")} == pytest.approx(months, rel=1e-9)
    told = {
        (pd.Timestamp(begin, unit="s", tz="UTC").tz_convert(zone).strftime("%Y-%m-%d"), key): amount
        for _, begin, key, amount in store.all("SELECT * FROM day_usage")
    }
    assert told == pytest.approx(days, rel=1e-9)
    ended: Counter[Any] = Counter()
    for _, start, _, user, account, state, runs in rows(store, "ended"):
        ended[month_start(start, zone), user, account, state] += runs
    assert {row[1:5]: row[5] for row in rows(store, "month_ended")} == dict(ended)


def overlap(row: Any, begin: int, end: int) -> int:
    return max(0, min(row.end, end) - max(row.start, begin))


def assert_months_are_those_of_the_jobs(told: tuple[Month, ...], jobs: pd.DataFrame, past: Unfinished) -> None:
    now = past.now
    for month in told:
        begin, end = month.known_from, min(month.known_to, now)
        cpus: dict[str, float] = defaultdict(float)
        accounts: dict[str, float] = defaultdict(float)
        ended: dict[str, Counter[str]] = defaultdict(Counter)
        for row in jobs.itertuples():
            amount = int(str(row.alloc_tres).removeprefix("cpu=")) * overlap(row, begin, end) / 3600
            if amount:
                cpus[row.user] += amount
                accounts[row.account] += amount
            # an end at this very moment counts in a bin that is not over, and else in the next
            if begin <= row.end < end or row.end == end == now > past.finished:
                ended[row.user][row.state] += 1
        found = {name: totals.hours["NCPUS"] for name, totals in month.users.items() if totals.hours["NCPUS"]}
        assert found == pytest.approx(dict(cpus), rel=1e-9, abs=1e-7), "to seven places"
        found = {name: totals.hours["NCPUS"] for name, totals in month.accounts.items() if totals.hours["NCPUS"]}
        assert found == pytest.approx(dict(accounts), rel=1e-9, abs=1e-7)
        assert {name: dict(t.ended) for name, t in month.users.items() if t.ended} == {
            n: dict(c) for n, c in ended.items()
        }
        assert month.total.hours["NCPUS"] == pytest.approx(sum(cpus.values()), rel=1e-9, abs=1e-6)
        assert not month.lacking


@st.composite
def histories(draw: st.DrawFn, now: int) -> pd.DataFrame:
    """Runs of the last ten weeks of people in two accounts, all of which have ended by `now`."""
    table = []
    for _ in range(draw(st.integers(0, 8))):
        start = now - draw(st.integers(1, 70 * DAY))
        table.append(
            {
                "start": start,
                "end": start + draw(st.integers(0, now - start)),
                "user": draw(st.sampled_from(["ann", "bob", "=1+1"])),
                "account": draw(st.sampled_from(["lab", "class"])),
                "state": draw(st.sampled_from(["COMPLETED", "FAILED"])),
                "alloc_tres": f"cpu={draw(st.integers(1, 64))}",
            }
        )
    return jobs_table(*table)


def as_known_at(moment: int, jobs: pd.DataFrame) -> pd.DataFrame:
    """The runs that have started by then; those that go on have neither their end nor their last state."""
    known = jobs[jobs["start"] < moment].copy()
    going_on = known["end"] > moment
    known["end"] = known["end"].mask(going_on, -1)
    known["state"] = known["state"].astype(str).mask(going_on, "RUNNING").astype("category")
    return known


@pytest.mark.slow
@settings(max_examples=60)
@given(st.data(), nows, st.sampled_from(ZONES), st.sampled_from([900, HOUR, 6 * HOUR, DAY]))
def test_sums_are_those_of_the_bins_and_of_the_jobs(data: st.DataObject, now: int, zone: str, bin_seconds: int) -> None:
    """However often it was looked, and when: days of a clock change included."""
    jobs = data.draw(histories(now))
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "x.sqlite", "hpg") as store:
        moments = sorted(now - ago for ago in data.draw(st.lists(st.integers(0, 28 * DAY), max_size=3)))
        for moment in (now - 29 * DAY, *moments, now):
            past = keep(store, as_known_at(moment, jobs), moment, bin_seconds=bin_seconds, zone=zone)
            assert_sums_are_those_of_the_bins(store, zone)
        told = history.months_of(store, past)
        assert told[-1].known_to == now
        assert [month.begin for month in told] == month_starts(told[0].known_from, now - 1, zone)
        assert all(month.complete == (month.known_from == month.begin and month.end <= now) for month in told)
        assert_months_are_those_of_the_jobs(told, jobs, past)


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.data(),
    nows,
    st.lists(st.tuples(st.sampled_from([900, HOUR, 6 * HOUR, DAY]), st.sampled_from(ZONES)), min_size=2, max_size=4),
)
def test_other_bins_and_zones_count_nothing_twice(data: st.DataObject, now: int, forms: list[tuple[int, str]]) -> None:
    """No two bins overlap, and within the last window every one is exact."""
    jobs = data.draw(histories(now))
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "x.sqlite", "hpg") as store:
        for bin_seconds, zone in forms:
            past = keep(store, jobs, now, days=data.draw(st.integers(1, 40)), bin_seconds=bin_seconds, zone=zone)
        for table in ("usage", "account_usage"):
            bins = sorted({row[1:3] for row in rows(store, table)})
            assert all(one[0] + one[1] <= other[0] for one, other in itertools.pairwise(bins))
        told = history.months_of(store, past)
        begin = history.known(store, past, USAGE)[0][0]
        held = sum(int(row.alloc_tres[4:]) * overlap(row, begin, now) for row in jobs.itertuples()) / 3600
        assert sum(month.total.hours["NCPUS"] for month in told) == pytest.approx(held, rel=1e-6, abs=DAY * 64 / 3600)
        window = window_until(now, seconds=DAY, bin_seconds=forms[-1][0], zone=forms[-1][1])
        inside = Hours(store).usage(AVERY, window.start, past.finished)
        mine = bin_jobs(jobs, window, OBSERVABLES).integrals[..., : window.bins - (past.finished < now)]
        assert inside["amount"].sum() == pytest.approx(mine.sum(), rel=1e-9)


@pytest.mark.slow
def test_a_new_length_of_bins_takes_the_place_of_the_old(store: Store) -> None:
    jobs = jobs_table({"start": NOW - 20 * DAY, "end": NOW - DAY, "alloc_tres": "cpu=2"})
    for bin_seconds in (HOUR, DAY, 900, HOUR):
        past = keep(store, jobs, NOW, bin_seconds=bin_seconds)
        assert sum(month.total.hours["NCPUS"] for month in history.months_of(store, past)) == pytest.approx(2 * 19 * 24)
        assert_sums_are_those_of_the_bins(store, "UTC")


def test_a_new_zone_moves_the_edges_of_all_months(store: Store) -> None:
    jobs = jobs_table({"start": NOW - 60 * DAY, "end": NOW, "alloc_tres": "cpu=1"})
    keep(store, jobs, NOW - 29 * DAY, zone="US/Eastern")
    for zone in ("US/Eastern", "Europe/Berlin"):
        past = keep(store, jobs, NOW, zone=zone)
        told = history.months_of(store, past)
        assert [month.begin for month in told] == month_starts(NOW - 59 * DAY, NOW, zone)
        whole = [month for month in told if month.complete]
        assert [month.name for month in whole] == ["2026-10"]
        for month in whole:
            assert month.total.hours["NCPUS"] == pytest.approx((month.end - month.begin) / 3600)


def test_a_clock_that_went_back_counts_nothing_that_is_to_come(store: Store) -> None:
    jobs = jobs_table({"start": NOW - 10 * DAY, "end": NOW, "alloc_tres": "cpu=1"})
    keep(store, jobs, NOW)
    back = jobs_table({"start": NOW - 10 * DAY, "alloc_tres": "cpu=1"})
    past = keep(store, back, NOW - 5 * DAY - 600)
    told = history.months_of(store, past)
    assert told[-1].known_to == NOW - 5 * DAY - 600
    assert sum(month.total.hours["NCPUS"] for month in told) == pytest.approx(5 * 24 - 1 / 6)
    days = MonthSums(store).days(AVERY, "NCPUS", 0, past.finished)
    assert sum(days.values()) == pytest.approx(past.finished - (NOW - 10 * DAY))
    assert sum(month.total.hours["NCPUS"] for month in history.months_of(store, keep(store, jobs, NOW))) == 240


def test_time_that_nobody_looked_at_is_not_known(store: Store) -> None:
    keep(store, jobs_table(), NOW - 70 * DAY, days=10)
    past = keep(store, jobs_table(), NOW, days=10)
    assert [(month.name, month.complete, month.known_seconds) for month in history.months_of(store, past)] == [
        ("2026-08", False, pytest.approx(9.66 * DAY, rel=0.1)),
        ("2026-10", False, pytest.approx(9 * DAY, rel=0.1)),
        ("2026-11", False, NOW - month_start(NOW, "UTC")),
    ]


def test_a_late_end_and_years_of_backfill_change_just_their_months(store: Store) -> None:
    first = jobs_table({"start": NOW - 20 * DAY, "end": NOW - 19 * DAY, "alloc_tres": "cpu=1"})
    keep(store, first, NOW)
    late = jobs_table({"start": NOW - 20 * DAY, "end": NOW - 18 * DAY, "alloc_tres": "cpu=1"})
    old = jobs_table({"start": NOW - 400 * DAY, "end": NOW - 399 * DAY, "user": "old", "alloc_tres": "cpu=3"})
    keep(store, old, NOW - 380 * DAY, days=30)
    past = keep(store, late, NOW)
    told = {month.name: month for month in history.months_of(store, past)}
    assert told["2025-09"].users["old"].hours["NCPUS"] == 72
    assert told["2026-10"].total.hours["NCPUS"] == 48
    assert_sums_are_those_of_the_bins(store, "UTC")


def test_a_store_of_an_older_release_knows_users_but_no_accounts(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    begin = month_start(NOW - 80 * DAY, "UTC")
    jobs = jobs_table({"start": begin, "end": NOW - DAY, "user": "ann", "account": "lab", "alloc_tres": "cpu=1"})
    with sqlite3.connect(path) as connection:
        connection.executescript("".join(MIGRATIONS[:2]) + "PRAGMA user_version = 2;")
        hours = [('["avery", [], []]', start, HOUR, "NCPUS", "ann", 3600.0) for start in range(begin, NOW - DAY, HOUR)]
        connection.executemany("INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?)", hours)
    connection.close()
    with opened(path, "hpg") as store:
        past = keep(store, jobs, NOW)
        told = history.months_of(store, past)
        assert store.known(AVERY, RUNS)[0][0] == NOW // HOUR * HOUR - 30 * DAY + HOUR
        old, partly = told[0], told[-2]
        assert (old.complete, old.runs_from, old.accounts) == (True, None, {})
        assert (old.older_rule_to, partly.older_rule_to, told[-1].older_rule_to) == (old.end, partly.runs_from, None)
        assert old.lacking["NCPUS"] == old.total.hours["NCPUS"] == (month_after(begin, "UTC") - begin) / 3600
        assert partly.runs_from is not None and partly.begin < partly.runs_from
        assert partly.accounts["lab"].hours["NCPUS"] + partly.lacking["NCPUS"] == pytest.approx(
            partly.users["ann"].hours["NCPUS"]
        )
        assert told[-1].users["ann"].ended == told[-1].accounts["lab"].ended == {"RUNNING": 1}


def test_a_cycle_in_which_nothing_ended_touches_no_month(store: Store) -> None:
    jobs = jobs_table({"start": NOW - DAY, "alloc_tres": "cpu=1"})
    keep(store, jobs, NOW)
    before = store.one("SELECT total_changes()")
    keep(store, jobs, NOW + 60)
    assert store.one("SELECT total_changes()") == before


def test_the_runs_of_a_bin_are_counted_once_by_user_account_and_state() -> None:
    window = window_until(NOW, seconds=DAY, bin_seconds=HOUR, zone="UTC")
    edge = int(window.edges[3])
    table = jobs_table(
        {"start": edge - 60, "end": edge, "user": "b", "account": "x", "state": "FAILED"},
        {"start": edge - 60, "end": edge, "user": "b", "account": "x", "state": "FAILED"},
        {"start": edge - 60, "end": edge - 1, "user": "a", "account": "y", "state": "COMPLETED"},
        {"start": -1, "end": NOW, "user": "a", "account": "x", "state": "CANCELLED"},
        {"start": edge, "end": -1, "user": "a", "account": "x"},
    )
    assert by_account(table, window).ended == (
        (2, "a", "y", "COMPLETED", 1),
        (3, "b", "x", "FAILED", 2),
        (window.bins - 1, "a", "x", "CANCELLED", 1),
    )
