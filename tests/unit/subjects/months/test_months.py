"""Calendar months: where they begin, what is known of them, what they come to."""

from __future__ import annotations

import itertools
from datetime import date, datetime

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared import calendar
from librarian.shared.calendar import is_month, midnights, month_after, month_name, month_start, month_starts
from librarian.shared.spans import Spans, clipped, joined
from librarian.shared.window import isoformat
from librarian.subjects.months import model
from librarian.subjects.usage import totals
from librarian.subjects.usage.rest import Sums

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
    kept = Sums(
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
    rest = Sums(OCTOBER, users={"bob": {"NCPUS": 3600.0}}, accounts={"lab": {"NCPUS": 3600.0}})
    known = ((OCTOBER, NOVEMBER),)
    (month,) = model.months([kept, rest], known, known, "US/Eastern")
    assert (month.name, month.complete, month.runs_from) == ("2026-10", True, OCTOBER)
    assert list(month.users) == ["ann", "bob", "eve"]
    assert month.users["bob"].hours == {"NCPUS": 7, "NGPUS": 0, "MEMORY": 0, "NJOBS": 0, "BILLING": 0}
    assert month.total.hours["NCPUS"] == 9
    assert month.total.ended == {"CANCELLED": 2, "COMPLETED": 3, "NODE_FAIL": 1, "TIMEOUT": 1}
    assert (totals.jobs_ended(month.total), totals.jobs_failed(month.total)) == (7, 2)
    assert month.accounts["lab"].ended == month.total.ended
    assert month.lacking == {}


@pytest.mark.parametrize("state", ["CANCELLED", "PREEMPTED", "REQUEUED", "COMPLETED", "RESIZING", "REVOKED"])
def test_what_somebody_ended_did_not_fail(state: str) -> None:
    assert state not in totals.FAILED


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
    kept = Sums(OCTOBER, users={"ann": {"NCPUS": 7200.0}}, accounts={"lab": {"NCPUS": 1800.0}})
    (month,) = model.months([kept], ((OCTOBER, NOVEMBER),), ((NOVEMBER - 60, NOVEMBER),), "US/Eastern")
    assert month.lacking["NCPUS"] == 1.5
    assert month.runs_from == NOVEMBER - 60


def test_hours_of_the_older_rule_are_told_up_to_the_last_of_them() -> None:
    day = 86400
    known = ((OCTOBER, DECEMBER),)
    pauses = ((OCTOBER + day, OCTOBER + 3 * day), (OCTOBER + 5 * day, DECEMBER))
    october, november = model.months([], known, known, "US/Eastern", pauses)
    assert (october.older_rule_to, november.older_rule_to) == (OCTOBER + 5 * day, None)
    assert [month.older_rule_to for month in model.months([], known, known, "US/Eastern", ())] == [NOVEMBER, DECEMBER]
    some = ((OCTOBER, OCTOBER + day), (OCTOBER + 9 * day, NOVEMBER))
    (gap,) = model.months([], some, some, "US/Eastern", ((OCTOBER + 9 * day, NOVEMBER),))
    assert gap.older_rule_to == OCTOBER + day, "of the time between nothing is known"


# where each rule begins and ends


@pytest.mark.parametrize("state", ["BOOT_FAIL", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"])
def test_what_failed(state: str) -> None:
    kept = Sums(OCTOBER, ended={("ann", "lab", state): 3, ("bob", "lab", "COMPLETED"): 4})
    (month,) = model.months([kept], ((OCTOBER, NOVEMBER),), (), "US/Eastern")
    assert (totals.jobs_failed(month.total), totals.jobs_ended(month.total)) == (3, 7)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 5), (5, 9)], ((0, 9),)),  # they touch
        ([(0, 5), (6, 9)], ((0, 5), (6, 9))),
        ([(6, 9), (0, 5)], ((0, 5), (6, 9))),
        ([(0, 9), (2, 5)], ((0, 9),)),
        ([(0, 9), (2, 9)], ((0, 9),)),
        ([(0, 5), (0, 9)], ((0, 9),)),
        ([(3, 3), (4, 5)], ((4, 5),)),
        ([(5, 3)], ()),
        ([(3, 4)], ((3, 4),)),
        ([], ()),
    ],
)
def test_spans_are_joined_where_they_touch(spans: list[tuple[int, int]], expected: Spans) -> None:
    assert joined(spans) == expected


def test_what_is_clipped_to_nothing_is_left_out() -> None:
    known = ((0, 10), (20, 30))
    assert clipped(known, 10, 20) == ()
    assert clipped(known, 9, 21) == ((9, 10), (20, 21))
    assert clipped(known, 0, 30) == known


def test_a_month_is_complete_when_the_last_second_of_it_is_known() -> None:
    for since, until, whole in ((0, 0, True), (1, 0, False), (0, 1, False)):
        known = ((OCTOBER + since, NOVEMBER - until),)
        (month,) = model.months([], known, known, "US/Eastern")
        assert (month.complete, month.known_seconds) == (whole, NOVEMBER - OCTOBER - since - until)
        assert (month.begin, month.end) == (OCTOBER, NOVEMBER)


def test_one_second_of_a_month_is_known() -> None:
    known = ((OCTOBER, NOVEMBER + 1),)
    first, second = model.months([], known, known, "US/Eastern")
    assert (first.complete, second.complete, second.known_seconds, second.runs_from) == (True, False, 1, NOVEMBER)


def test_runs_are_known_from_the_first_that_is_known_of_them() -> None:
    known = ((OCTOBER + 10, OCTOBER + 20), (OCTOBER + 30, OCTOBER + 40))
    (month,) = model.months([], ((OCTOBER, NOVEMBER),), known, "US/Eastern")
    assert month.runs_from == OCTOBER + 10


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 1, 1), date(2025, 12, 1)),
        (date(2026, 2, 1), date(2026, 1, 1)),
        (date(2026, 3, 1), date(2026, 2, 1)),
        (date(2026, 11, 1), date(2026, 10, 1)),
        (date(2026, 12, 1), date(2026, 11, 1)),
    ],
)
def test_before_the_midnight_that_counts_it_is_the_month_before(
    monkeypatch: pytest.MonkeyPatch, day: date, before: date
) -> None:
    """Where a clock goes back across the first midnight, and the second one counts."""
    starts = {day: 3000, before: 1000}
    monkeypatch.setattr(calendar, "local_date", lambda epoch, zone: day)
    monkeypatch.setattr(calendar, "day_start", lambda day, zone: starts[day])
    assert (month_start(2999, "UTC"), month_start(3000, "UTC"), month_start(3001, "UTC")) == (1000, 3000, 3000)


def lacking(users: dict[str, float], accounts: dict[str, float]) -> dict[str, float]:
    """What no account is known for, of hours of these observables."""
    seconds = [{"x": {key: hours * 3600 for key, hours in amounts.items()}} for amounts in (users, accounts)]
    known = ((OCTOBER, NOVEMBER),)
    (month,) = model.months([Sums(OCTOBER, seconds[0], seconds[1])], known, known, "US/Eastern")
    return {key: hours for key, hours in month.lacking.items() if hours}


def test_a_rest_that_is_a_matter_of_rounding_is_none() -> None:
    million = 1_048_576.0
    assert lacking({"NCPUS": million}, {"NCPUS": million - 1}) == {}
    assert lacking({"NCPUS": million}, {"NCPUS": million - 2}) == {"NCPUS": pytest.approx(2)}
    assert lacking({"NCPUS": 0.5}, {"NCPUS": 0.5 - 2**-20}) == {}
    assert lacking({"NCPUS": 0.5}, {"NCPUS": 0.5 - 2**-19}) == {"NCPUS": pytest.approx(2**-19, abs=1e-7)}


def test_accounts_that_hold_more_than_the_users_lack_nothing() -> None:
    assert lacking({"NCPUS": 5.0, "NGPUS": 4.0}, {"NCPUS": 7.0, "NGPUS": 1.0}) == {"NGPUS": 3}
    assert lacking({"NCPUS": 5.0}, {"NCPUS": 7.0}) == {}


def test_who_has_the_largest_share_of_anything_that_is_drawn_comes_first() -> None:
    users = {
        "ann": {"NCPUS": 60.0, "BILLING": 1.0},
        "bob": {"NCPUS": 40.0, "NGPUS": 7.0, "BILLING": 1.0},
        "cat": {"NGPUS": 3.0},
        "dan": {"BILLING": 98.0},  # which has no chart
        "abe": {"NCPUS": 0.0},
    }
    (month,) = model.months([Sums(OCTOBER, users)], ((OCTOBER, NOVEMBER),), (), "US/Eastern")
    assert list(month.users) == ["bob", "ann", "cat", "abe", "dan"]


def test_what_comes_twice_of_a_month_adds_up_and_other_months_do_not() -> None:
    one = Sums(OCTOBER, {"ann": {"NCPUS": 3600.0}}, {"lab": {"NCPUS": 3600.0}}, {("ann", "lab", "FAILED"): 1})
    other = Sums(NOVEMBER, {"ann": {"NCPUS": 36000.0}}, {}, {("ann", "lab", "FAILED"): 5})
    both = Sums(OCTOBER, {"ann": {"NCPUS": 7200.0}}, {}, {("ann", "lib", "FAILED"): 2, ("bob", "lab", "FAILED"): 4})
    known = ((OCTOBER, DECEMBER),)
    october, november = model.months([one, other, both], known, known, "US/Eastern")
    assert (october.users["ann"].hours["NCPUS"], november.users["ann"].hours["NCPUS"]) == (3, 10)
    assert {name: dict(it.ended) for name, it in october.users.items()} == {"ann": {"FAILED": 3}, "bob": {"FAILED": 4}}
    assert {name: dict(it.ended) for name, it in october.accounts.items()} == {
        "lab": {"FAILED": 5},
        "lib": {"FAILED": 2},
    }
    assert october.total.ended == {"FAILED": 7}


def test_states_are_in_order() -> None:
    ended = {("ann", "lab", state): 1 for state in ("TIMEOUT", "COMPLETED", "FAILED")}
    (month,) = model.months([Sums(OCTOBER, ended=ended)], ((OCTOBER, NOVEMBER),), (), "US/Eastern")
    assert list(month.users["ann"].ended) == list(month.total.ended) == ["COMPLETED", "FAILED", "TIMEOUT"]
    apart = {("ann", "lab", "TIMEOUT"): 1, ("bob", "lab", "COMPLETED"): 1}
    (month,) = model.months([Sums(OCTOBER, ended=apart)], ((OCTOBER, NOVEMBER),), (), "US/Eastern")
    assert list(month.total.ended) == ["COMPLETED", "TIMEOUT"]


@pytest.mark.parametrize("text", ["2026-01", "2026-09", "2026-10", "2026-12", "0001-11"])
def test_names_of_months(text: str) -> None:
    assert is_month(text)


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "2026-20", "2026-1", "26-11", "2026-11-01", "2026/11", "", "x"])
def test_what_names_no_month(text: str) -> None:
    assert not is_month(text)


def test_midnights_go_to_that_after_the_end() -> None:
    day = 86400
    assert midnights(OCTOBER, OCTOBER, "US/Eastern") == [OCTOBER, OCTOBER + day]
    assert midnights(OCTOBER + day - 1, OCTOBER + day, "US/Eastern") == [OCTOBER + k * day for k in range(3)]
    november = midnights(NOVEMBER, DECEMBER - 1, "US/Eastern")
    assert (november[0], november[-1], len(november)) == (NOVEMBER, DECEMBER, 31)
    assert november[1] - november[0] == 25 * 3600


@pytest.mark.parametrize("zone", [*ZONES, "UTC", "Pacific/Apia"])
def test_the_months_of_many_years_follow_on_each_other(zone: str) -> None:
    starts = month_starts(1_262_400_000, 1_893_000_000, zone)  # January 2010 to December 2029
    names = [month_name(begin, zone) for begin in starts]
    assert names == [f"{year}-{month:02}" for year in range(2010, 2030) for month in range(1, 13)]
    assert [month_after(begin, zone) for begin in starts[:-1]] == starts[1:]
