"""Calendar months: where they begin, what is known of them, what they come to."""

from __future__ import annotations

import itertools
from datetime import datetime

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.calendar import month_after, month_name, month_start, month_starts
from librarian.shared.spans import clipped, joined
from librarian.shared.window import isoformat
from librarian.subjects.months import model
from librarian.subjects.usage.unfinished import Hours

ZONES = ["US/Eastern", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana", "Asia/Beirut"]
times = st.integers(1_000_000_000, 1_900_000_000)
spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda two: (two[0], two[0] + two[1])))
OCTOBER, NOVEMBER, DECEMBER = month_starts(1_791_000_000, 1_796_500_000, "US/Eastern")


@given(times, st.sampled_from(ZONES))
def test_a_month_is_that_of_the_calendar(now: int, zone: str) -> None:
    begin = month_start(now, zone)
    end = month_after(begin, zone)
    assert begin <= now < end
    assert month_start(begin, zone) == begin == month_start(end - 1, zone)
    assert month_start(end, zone) == end
    assert month_name(begin, zone) == datetime.fromtimestamp(now, pytz.timezone(zone)).strftime("%Y-%m")
    assert month_starts(begin, end, zone) == [begin, end]


def test_the_month_of_a_clock_change_is_an_hour_longer() -> None:
    assert isoformat(NOVEMBER, "US/Eastern") == "2026-11-01T00:00:00-04:00"
    assert isoformat(DECEMBER, "US/Eastern") == "2026-12-01T00:00:00-05:00"
    assert DECEMBER - NOVEMBER == (30 * 24 + 1) * 3600


@given(spans, spans)
def test_spans_hold_the_time_that_they_were_made_of(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    found = joined([*one, *other])
    assert {at for a, b in found for at in range(a, b)} == {at for a, b in (*one, *other) for at in range(a, b)}
    assert all(a < b for a, b in found)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(found))
    assert {at for a, b in clipped(found, 20, 40) for at in range(a, b)} == {
        at for a, b in found for at in range(a, b) if 20 <= at < 40
    }


def test_sums_shares_and_what_failed() -> None:
    kept = Hours(
        OCTOBER,
        users={"ann": {"NCPUS": 7200.0, "NGPUS": 3600.0, "NGPUS:a100": 3600.0}, "bob": {"NCPUS": 21600.0}},
        accounts={"lab": {"NCPUS": 28800.0, "NGPUS": 3600.0}},
        ended={
            ("ann", "lab", "COMPLETED"): 3,
            ("ann", "lab", "TIMEOUT"): 1,
            ("eve", "lab", "CANCELLED"): 2,
            ("bob", "lab", "NODE_FAIL"): 1,
        },
    )
    rest = Hours(OCTOBER, users={"bob": {"NCPUS": 3600.0}}, accounts={"lab": {"NCPUS": 3600.0}})
    known = ((OCTOBER, NOVEMBER),)
    (month,) = model.months([kept, rest], known, known, "US/Eastern")
    assert (month.name, month.complete, month.runs_from) == ("2026-10", True, OCTOBER)
    assert list(month.users) == ["ann", "bob", "eve"]
    assert month.users["bob"].hours == {"NCPUS": 7, "NGPUS": 0, "MEMORY": 0, "NJOBS": 0, "BILLING": 0}
    assert month.total.hours["NCPUS"] == 9
    assert month.total.ended == {"CANCELLED": 2, "COMPLETED": 3, "NODE_FAIL": 1, "TIMEOUT": 1}
    assert (model.jobs_ended(month.total), model.jobs_failed(month.total)) == (7, 2)
    assert month.accounts["lab"].ended == month.total.ended
    assert month.lacking == {}


@pytest.mark.parametrize("state", ["CANCELLED", "PREEMPTED", "REQUEUED", "COMPLETED", "RESIZING", "REVOKED"])
def test_what_somebody_ended_did_not_fail(state: str) -> None:
    assert state not in model.FAILED


def test_known_time_is_told_as_it_is() -> None:
    day = 86400
    known = ((OCTOBER + day, OCTOBER + 2 * day), (OCTOBER + 5 * day, NOVEMBER + day))
    first, second = model.months([], known, (), "US/Eastern")
    assert (first.known_from, first.known_to, first.complete) == (OCTOBER + day, NOVEMBER, False)
    assert first.known_seconds == NOVEMBER - OCTOBER - 4 * day
    assert (second.known_from, second.known_to, second.complete) == (NOVEMBER, NOVEMBER + day, False)
    assert (first.runs_from, first.users, first.total.hours["NCPUS"]) == (None, {}, 0)
    assert model.months([], (), (), "UTC") == ()


def test_a_month_of_which_nothing_is_known_is_left_out() -> None:
    known = ((OCTOBER, OCTOBER + 5), (DECEMBER, DECEMBER + 5))
    assert [month.name for month in model.months([], known, known, "US/Eastern")] == ["2026-10", "2026-12"]


def test_hours_of_no_known_account_are_told_apart() -> None:
    kept = Hours(OCTOBER, users={"ann": {"NCPUS": 7200.0}}, accounts={"lab": {"NCPUS": 1800.0}})
    (month,) = model.months([kept], ((OCTOBER, NOVEMBER),), ((NOVEMBER - 60, NOVEMBER),), "US/Eastern")
    assert month.lacking["NCPUS"] == 1.5
    assert month.runs_from == NOVEMBER - 60
