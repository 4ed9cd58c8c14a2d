"""The time axis: aligned to the zone, whole through clock changes, the same whenever it is asked for."""

from __future__ import annotations

from datetime import date, datetime, timezone

import numpy as np
import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.window import DAY, Window, day_edges, day_start, isoformat, window_until

ZONES = [
    "US/Eastern",
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Beirut",
]
times = st.integers(1_400_000_000, 1_900_000_000)


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_thirty_days_of_hours_end_with_the_hour_that_goes_on() -> None:
    now = epoch("2026-11-20T14:10:00-05:00")
    window = window_until(now, seconds=30 * DAY, bin_seconds=3600, zone="US/Eastern")
    assert window.bins == 720
    assert isoformat(int(window.starts[-1]), "US/Eastern") == "2026-11-20T14:00:00-05:00"
    assert window.passed[-1] == 600
    assert set(window.passed[:-1]) == {3600}


def test_on_the_hour_the_hour_before_is_the_last_and_whole() -> None:
    now = epoch("2026-11-20T14:00:00-05:00")
    window = window_until(now, seconds=DAY, bin_seconds=3600, zone="US/Eastern")
    assert window.edges[-1] == now
    assert window.passed[-1] == 3600
    assert window.start == now - DAY


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-11-02", 24)])
def test_a_day_of_a_clock_change_has_23_or_25_hours(day: str, hours: int) -> None:
    noon = epoch(f"{day}T12:00:00-05:00")
    edges = day_edges(noon, noon, 3600, "US/Eastern")
    assert len(edges) - 1 == hours


def test_six_hour_bins_start_again_at_midnight_after_a_clock_change() -> None:
    noon = epoch("2026-11-01T12:00:00-05:00")
    edges = day_edges(noon, noon, 6 * 3600, "US/Eastern")
    assert np.diff(edges).tolist() == [21600, 21600, 21600, 21600, 3600]


def test_midnights_that_are_skipped_or_come_twice() -> None:
    # Brazil's clocks once jumped from 00:00 to 01:00; Beirut's once went back from 00:00 to 23:00
    assert (
        isoformat(day_start(date(2018, 11, 4), "America/Sao_Paulo"), "America/Sao_Paulo") == "2018-11-04T01:00:00-02:00"
    )
    start = day_start(date(2021, 10, 31), "Asia/Beirut")
    assert datetime.fromtimestamp(start, timezone.utc) == datetime(2021, 10, 30, 22, tzinfo=timezone.utc)


@given(times, st.sampled_from(ZONES), st.sampled_from([900, 3600, 21600, DAY]), st.integers(1, 40))
def test_every_window_is_whole_and_aligned(now: int, zone: str, bin_seconds: int, days: int) -> None:
    window = window_until(now, seconds=days * DAY, bin_seconds=bin_seconds, zone=zone)
    assert window.edges[-2] < now <= window.edges[-1]
    assert window.start >= now - days * DAY
    assert window.passed.sum() == now - window.start
    assert np.diff(window.edges).max() <= bin_seconds
    tz = pytz.timezone(zone)
    midnights = {int(e) for e in window.edges if datetime.fromtimestamp(int(e), tz).strftime("%H%M%S") == "000000"}
    assert len(midnights) >= days - 1


@given(times, st.sampled_from(ZONES), st.integers(0, 20 * DAY))
def test_edges_do_not_depend_on_when_one_asks(now: int, zone: str, later: int) -> None:
    one = window_until(now, seconds=10 * DAY, bin_seconds=3600, zone=zone).edges
    other = window_until(now + later, seconds=31 * DAY, bin_seconds=3600, zone=zone).edges
    common = one[one >= other[0]]
    assert np.isin(common, other).all()


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="rising"):
        Window(np.array([5, 5]), 5, "UTC", 3600)
    with pytest.raises(ValueError, match="last bin"):
        Window(np.array([0, 3600, 7200]), 3600, "UTC", 3600)
    with pytest.raises(ValueError, match="divides a day"):
        window_until(10**9, seconds=DAY, bin_seconds=7000, zone="UTC")
