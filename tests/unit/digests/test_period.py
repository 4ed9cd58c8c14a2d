"""Which week or month a digest tells of, and when it is due, whatever clocks do."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from librarian.digests.period import is_due, last

ZONES = ["UTC", "US/Eastern", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut"]


def at(text: str, zone: str = "UTC") -> int:
    return int(pytz.timezone(zone).localize(datetime.fromisoformat(text)).timestamp())


def test_a_week_is_that_of_the_calendar() -> None:
    week = last("week", at("2026-11-30T13:40"), "US/Eastern")
    assert (week.key, week.title) == ("2026-W48", "23–29 Nov 2026")
    assert (week.begin, week.end) == (at("2026-11-23T00:00", "US/Eastern"), at("2026-11-30T00:00", "US/Eastern"))
    assert [end for _, end in week.before] == [week.begin, *(begin for begin, _ in week.before[:-1])]
    assert len(week.before) == 4


def test_the_week_in_which_the_clock_goes_back_is_an_hour_longer() -> None:
    week = last("week", at("2026-11-02T08:00", "US/Eastern"), "US/Eastern")
    assert week.end - week.begin == 7 * 86400 + 3600
    assert last("week", at("2027-01-04T08:00"), "UTC").key == "2026-W53"


def test_a_month() -> None:
    month = last("month", at("2027-01-04T08:00"), "UTC")
    assert (month.key, month.title) == ("2026-12", "Dec 2026")
    assert (month.begin, month.end) == (at("2026-12-01T00:00"), at("2027-01-01T00:00"))
    assert month.before[0] == (at("2026-11-01T00:00"), at("2026-12-01T00:00"))


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2026-11-30T07:59", False),  # a Monday
        ("2026-11-30T08:00", True),
        ("2026-12-06T23:59", True),  # a machine that was down all week
        ("2026-12-07T00:00", False),
    ],
)
def test_due_from_monday_at_eight_on(moment: str, due: bool) -> None:
    assert is_due("week", "monday", 8, at(moment, "US/Eastern"), "US/Eastern") is due


def test_of_a_month_on_its_first_monday() -> None:
    assert not is_due("month", "monday", 8, at("2026-12-06T20:00"), "UTC")
    assert is_due("month", "monday", 8, at("2026-12-07T08:00"), "UTC")
    assert is_due("month", "monday", 8, at("2026-12-31T00:00"), "UTC")


@given(st.integers(1_600_000_000, 1_900_000_000), st.sampled_from(ZONES), st.sampled_from(["week", "month"]),
       st.integers(0, 23))  # fmt: skip
def test_looked_at_each_hour_every_week_is_due_once(start: int, zone: str, kind: str, hour: int) -> None:
    """Clocks that skip the hour, or have it twice, change nothing: each key is due at some full hour, and in order."""
    begin = start - start % 3600
    keys = [
        last(kind, now, zone).key
        for now in range(begin, begin + 70 * 86400, 3600)
        if is_due(kind, "monday", hour, now, zone)
    ]
    seen = list(dict.fromkeys(keys))
    wanted = list(dict.fromkeys(last(kind, now, zone).key for now in range(begin, begin + 61 * 86400, 3600)))
    assert seen == sorted(seen)
    assert set(wanted[:-1]) <= {*seen, last(kind, begin, zone).key}


def test_eight_that_comes_twice_and_eight_that_never_comes() -> None:
    back = datetime(2026, 11, 1, 5, 30, tzinfo=timezone.utc)  # 01:30 in New York, the first of two
    first = int(back.timestamp())
    for moment in (first, first + 3600):
        assert is_due("week", "sunday", 1, moment, "US/Eastern")
        assert last("week", moment, "US/Eastern").key == last("week", first, "US/Eastern").key
    skipped = int(datetime(2026, 3, 8, 7, 0, tzinfo=timezone.utc).timestamp())  # 03:00: 02:00 was skipped
    assert is_due("week", "sunday", 2, skipped, "US/Eastern")
    assert not is_due("week", "sunday", 2, skipped - 1, "US/Eastern")
