"""A yearly allocation: its period, what was used of it, where it leads."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.calendar import midnights
from librarian.shared.spans import joined
from librarian.shared.window import DAY, day_start, local_date
from librarian.subjects.months.allocation import Pace, pace, period
from librarian.subjects.months.grants import Allocation

ZONES = ["US/Eastern", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo"]
BEGIN = day_start(date(2026, 7, 1), "US/Eastern")
END = day_start(date(2027, 7, 1), "US/Eastern")
GPU = Allocation("NGPUS", 8760.0, date(2026, 7, 1), ("avery",))


def told(by_day: dict[int, float], known: tuple[tuple[int, int], ...], now: int, allocation: Allocation = GPU) -> Pace:
    made = pace(allocation, by_day, known, now, "US/Eastern")
    assert made
    return made


@given(st.dates(date(1990, 1, 1), date(2030, 12, 31)), st.integers(800_000_000, 2_000_000_000), st.sampled_from(ZONES))
def test_the_running_year_holds_now_and_begins_on_its_day(start: date, now: int, zone: str) -> None:
    found = period(start, now, zone)
    if local_date(now, zone) < start:
        assert found is None
        return
    assert found
    assert found[0] <= now < found[1]
    days = [local_date(at, zone) for at in found]
    leap = (start.month, start.day) == (2, 29)
    assert all((day.month, day.day) in ((start.month, start.day), *([(3, 1)] if leap else [])) for day in days)
    assert days[1].year == days[0].year + 1


@pytest.mark.parametrize(
    ("start", "now", "begin", "hours"),
    [
        (date(2026, 7, 1), date(2026, 11, 20), date(2026, 7, 1), 8760),
        (date(2020, 7, 1), date(2027, 7, 1), date(2027, 7, 1), 8784),
        (date(2024, 2, 29), date(2026, 2, 28), date(2025, 3, 1), 8760),
        (date(2024, 2, 29), date(2028, 2, 29), date(2028, 2, 29), 8784),
    ],
)
def test_a_gpu_year_has_the_hours_of_its_year(start: date, now: date, begin: date, hours: int) -> None:
    at = day_start(now, "US/Eastern") + 12 * 3600
    made = told({}, ((0, at),), at, Allocation("NGPUS", 2.0, start, ("avery",), always=True))
    assert (local_date(made.begin, "US/Eastern"), made.amount) == (begin, 2 * hours)


def test_even_use_is_on_its_way_to_the_amount() -> None:
    now = BEGIN + 73 * DAY + 3600
    days = {day: 86400.0 for day in midnights(BEGIN, now, "US/Eastern")[:73]}
    made = told(days, ((BEGIN, now),), now)
    assert made.used == 73 * 24
    assert made.even == pytest.approx(8760 * (now - BEGIN) / (END - BEGIN))
    assert made.projected == pytest.approx(made.used * (END - BEGIN) / (now - BEGIN))
    assert (made.days[0], made.days[-1], len(made.days)) == (BEGIN, now, 75)
    assert made.cumulative[:3] == (0, 24, 48)
    assert (made.name, made.unit) == ("GPU allocation", "GPU-hours")


def test_what_was_before_is_not_known_and_not_invented() -> None:
    now, since = BEGIN + 100 * DAY, BEGIN + 90 * DAY + 7200
    days = {day: 7200.0 for day in midnights(since, now, "US/Eastern")}
    made = told({**days, BEGIN: 1e9}, ((since, now),), now)
    assert (made.known_from, made.used) == (since, 20)
    assert made.days[0] == since
    assert made.projected == pytest.approx(made.used + made.used / (now - since) * (END - now))
    assert made.even > made.used


def test_what_took_place_in_a_gap_changes_the_pace_by_known_time_alone() -> None:
    now = BEGIN + 40 * DAY
    days = {day: 86400.0 for day in midnights(BEGIN, now, "US/Eastern")[:10]}
    made = told(days, ((BEGIN, BEGIN + 10 * DAY), (now - DAY, now)), now)
    assert made.projected == pytest.approx(240 + 240 / (11 * DAY) * (END - now))


def test_no_pace_before_a_day_is_known_nor_before_the_first_year() -> None:
    assert told({}, ((BEGIN, BEGIN + 3600),), BEGIN + 3600).projected is None
    assert pace(GPU, {}, ((0, BEGIN - 1),), BEGIN - 1, "US/Eastern") is None
    assert pace(GPU, {}, ((0, BEGIN),), BEGIN + 3600, "US/Eastern") is None


@given(
    st.integers(1_700_000_000, 1_800_000_000),
    st.lists(st.tuples(st.integers(0, 400 * DAY), st.integers(0, 60 * DAY)), min_size=1, max_size=4),
    st.sampled_from(ZONES),
    st.dates(date(2000, 1, 1), date(2023, 1, 1)),
)
def test_the_line_rises_day_by_day_to_what_was_used(
    now: int, known: list[tuple[int, int]], zone: str, start: date
) -> None:
    """One unit-second is used in each second that is known."""
    spans = joined((now - ago, min(now, now - ago + length)) for ago, length in known)
    by_day: dict[int, float] = {}
    for begin, end in spans:
        edges = midnights(begin, end, zone)
        for day, after in itertools.pairwise(edges):
            by_day[day] = by_day.get(day, 0.0) + max(0, min(end, after) - max(begin, day))
    year = period(start, now, zone)
    assert year
    used = sum(max(0, end - max(begin, year[0])) for begin, end in spans)
    made = pace(Allocation("NCPUS", 100.0, start, ("a",)), by_day, spans, now, zone)
    if not used:
        assert made is None
        return
    assert made
    assert made.used == pytest.approx(used / 3600, abs=1e-7)
    assert list(made.cumulative) == sorted(made.cumulative)
    assert list(made.days) == sorted(set(made.days))
    assert len(made.days) == len(made.cumulative)
    assert all(day_start(local_date(day, zone), zone) == day for day in made.days[1:-1])
    assert timedelta(days=364) < timedelta(seconds=made.end - made.begin) < timedelta(days=367)
