"""Ids of jobs and exit codes, as sacct writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.slurm.job_ids import ALONE, UNTOLD, InArray, exit_code, exit_words, in_array


@pytest.mark.parametrize(
    ("job", "place"),
    [
        ("12", ALONE),
        ("12+1", ALONE),
        ("12_0", InArray(12, 0, 1)),
        ("12_[0-8:2,77%4]", InArray(12, -1, 6)),
        ("12_[0-8,...]", InArray(12, -1, -1)),
        ("12_[1-3:0]", InArray(12, -1, -1)),
        ("12_[1-99999999999999999999]", InArray(12, -1, -1)),
        ("", UNTOLD),
        ("x_1", UNTOLD),
        ("12_1_2", UNTOLD),
        ("12_٣", UNTOLD),
    ],
)
def test_the_place_in_a_job_array(job: str, place: InArray) -> None:
    assert in_array(job) == place


@given(st.integers(0, 255), st.integers(0, 255))
def test_an_exit_code_comes_back_as_it_was(status: int, signal: int) -> None:
    text = f"{status}:{signal}"
    assert exit_words(exit_code(text)) == text


@pytest.mark.parametrize("text", ["", "1", "256:0", "0:256", "-1:0", "1:0:0", "a:b", "٣:0"])
def test_what_is_no_exit_code_is_not_told_and_not_0(text: str) -> None:
    assert exit_code(text) == -1
    assert exit_words(-1) == ""


@given(st.text(st.sampled_from("0123456789_[]-,:%+x."), max_size=30))
def test_no_id_raises(job: str) -> None:
    assert len(in_array(job)) == 3
