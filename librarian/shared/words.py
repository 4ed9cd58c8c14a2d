"""Numbers and tables as a person reads them in text: the one place that rounds for readers.

The page has the same in dashboard/common/format.js; both are held to the cases in tests/data/numbers.json. Rounded is
half away from zero, on the shortest decimal that stands for the float (0.145 is that, not the binary number below it).
What is not 0 never reads as 0, and what is not all of something never as 100 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

_DASH = "–"
_TURNED = str.maketrans("<>", "><")
_ENOUGH = Context(prec=700, rounding=ROUND_HALF_UP)  # digits for any float in full
_EQUAL = 1e-12  # what the sums of floats leave of a difference that is none


@dataclass(frozen=True)
class TextTable:
    """A table as text: names of columns, a row for each line (its first cell is a name), and a last row of sums."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...] = ()


def amount(value: float) -> str:
    """A number for people: whole from 100 on, two places below 10."""
    number = float(value)
    if not math.isfinite(number):
        return _DASH
    exact = Decimal(repr(abs(number)))
    text = _rounded(exact, 0 if exact >= 100 else 1 if exact >= 10 else 2)
    return _signed(number, "< 0.01" if text == "0" and number else text)


def percent(part: float, whole: float) -> str:
    """A share for people: whole from 10 % on, one place below. 100 % is said only where it is all, and no more."""
    share = float(part) / float(whole) if whole > 0 else math.nan
    if not math.isfinite(share):
        return _DASH
    size = abs(share)
    text = _rounded(_ENOUGH.scaleb(Decimal(repr(size)), 2), 0 if size >= 0.1 else 1)
    if size < 0.001:
        text = "< 0.1" if part else "0"
    elif text == "100" and abs(size - 1) > _EQUAL:
        text = "> 99" if size < 1 else "> 100"
    return f"{_signed(share, text)} %"


def _rounded(exact: Decimal, places: int) -> str:
    """Half away from zero, with commas, and without zeros at the end."""
    text = f"{exact.quantize(Decimal(1).scaleb(-places), context=_ENOUGH):,f}"
    return text.rstrip("0").rstrip(".") if places else text


def _signed(number: float, text: str) -> str:
    """The text of `number` from that of its size."""
    if number >= 0:
        return text
    bound, space, size = text.rpartition(" ")
    return f"{bound.translate(_TURNED)}{space}-{size}"


def counted(count: float, thing: str, things: str | None = None) -> str:
    """A number of things: "1 job", "2 jobs"."""
    told = amount(count)
    return f"{told} {thing if told == '1' else things or f'{thing}s'}"


def lasting(seconds: float) -> str:
    """How long something lasts: "45 s", "12 min", "3 h 20 min", "2 d 4 h"."""
    if 0 < seconds < 0.5:
        return "< 1 s"
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    big, small, one, other = (3600, 60, "h", "min") if whole < 86400 else (86400, 3600, "d", "h")
    rest = whole % big // small
    return f"{amount(whole // big)} {one}" + (f" {rest} {other}" if rest else "")
