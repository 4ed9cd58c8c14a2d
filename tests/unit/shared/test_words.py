"""Numbers read the same wherever they stand: the cases are those of the page's test too."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared import words
from tests.places import ROOT

CASES = json.loads((ROOT / "tests/data/numbers.json").read_text(encoding="utf-8"))
TELLERS: dict[str, Callable[..., str]] = {
    "amount": words.amount,
    "percent": words.percent,
    "lasting": words.lasting,
    "counted": words.counted,
}
SOME = st.floats(0, 1e15) | st.integers(0, 10**12) | st.integers(0, 10**7).map(lambda n: n / 1000)


@pytest.mark.parametrize("name", list(CASES))
def test_numbers_read_as_in_the_cases(name: str) -> None:
    assert CASES[name]
    for *told, text in CASES[name]:
        assert TELLERS[name](*told) == text, told


def test_what_is_no_number_is_not_told_as_one() -> None:
    assert [words.amount(value) for value in (float("nan"), float("inf"), -float("inf"))] == ["–", "–", "–"]
    assert words.percent(float("nan"), 1) == "–"


def half_up(value: Fraction, places: int) -> Fraction:
    """Rounded as taught at school; `value` is not below 0."""
    scaled = value * 10**places + Fraction(1, 2)
    return Fraction(scaled.numerator // scaled.denominator, 10**places)


def read(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def shortest(value: float) -> Fraction:
    return Fraction(repr(float(value)))


@given(SOME)
def test_amounts_are_rounded_as_decimals(value: float) -> None:
    exact = shortest(value)
    rounded = half_up(exact, 0 if exact >= 100 else 1 if exact >= 10 else 2)
    text = words.amount(value)
    if value and not rounded:
        assert text == "< 0.01"
    else:
        assert read(text) == rounded
        assert "." not in text or text[-1] not in "0."
        assert all(len(part) == 3 for part in text.partition(".")[0].split(",")[1:])
    assert words.amount(-value) != text or not value


@given(SOME, SOME)
def test_shares_are_rounded_as_decimals(part: float, whole: float) -> None:
    text = words.percent(part, whole)
    if not whole or math.isinf(float(part) / float(whole)):
        assert text == "–"
        return
    share = shortest(float(part) / float(whole)) * 100
    rounded = half_up(share, 0 if share >= 10 else 1)
    assert text.endswith(" %")
    number = text.removesuffix(" %")
    if part and share < Fraction(1, 10):
        assert number == "< 0.1"
    elif rounded == 100 and abs(share - 100) > Fraction(1, 10**10):
        assert number == ("> 99" if share < 100 else "> 100")
    else:
        assert read(number) == rounded
    assert (number == "0") == (not part)


@given(SOME, st.sampled_from(["amount", "percent", "lasting"]))
def test_only_nothing_reads_as_nothing(value: float, name: str) -> None:
    told: Any = words.percent(value, 1e15) if name == "percent" else TELLERS[name](value)
    assert (told.split()[0] == "0") == (value == 0)
