"""Failures in a row: the same from pieces as from all runs at once."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.subjects.efficiency import streaks
from librarian.subjects.efficiency.job_list import UNSUCCESSFUL
from librarian.subjects.efficiency.streaks import Streak, counted, in_rows, joined, of


@pytest.mark.parametrize(
    ("states", "found"),
    [("FFF", 3), ("FF", 0), ("FFCFFFFC", 4), ("FFFXFFF", 6), ("CFFCFFC", 0), ("", 0)],
)
def test_rows_of_three(states: str, found: int) -> None:
    words = {"F": "FAILED", "C": "COMPLETED", "X": "CANCELLED"}
    assert counted([words[one] for one in states], 3) == found


STATES = st.lists(st.sampled_from(["FAILED", "TIMEOUT", "COMPLETED", "CANCELLED"]), min_size=1, max_size=30)


@given(STATES, st.integers(1, 6), st.data())
def test_pieces_add_up_in_whatever_order_they_are_joined(states: list[str], least: int, data: st.DataObject) -> None:
    parts: list[Streak] = [of(state) for state in states]
    while len(parts) > 1:
        place = data.draw(st.integers(0, len(parts) - 2))
        parts[place : place + 2] = [joined(parts[place], parts[place + 1], least)]
    assert in_rows(parts[0], least) == counted(states, least)
    assert reduce(lambda one, later: joined(one, later, least), map(of, states)) == parts[0]


def test_what_a_failure_is_stands_in_the_list_of_jobs_too() -> None:
    assert set(streaks.FAILURES) == set(UNSUCCESSFUL)
