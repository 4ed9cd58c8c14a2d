"""JSON with its long rows of numbers as short texts, for the data that a page has inside.

A row of numbers becomes `{"*": "1*6 1.321111 0*13"}`: six times 1, once 1.321111, thirteen times 0. That is shorter,
people and a few lines of script can read it, and a small change of the data stays a small change of the text. A key of
the data that is made of asterisks alone gets one more, so `"*"` means nothing else. dashboard/page/run_length.js reads
it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from typing import Any

LEAST = 16  # a row with fewer numbers stays as it is
_MARK = "*"
_PLAIN = frozenset({int, float, type(None)})  # True is an int, and no number here
_ASTERISKS = re.compile(r"\*+")
_ROW = re.compile(r"(?:null|-?[0-9][0-9.e+-]*)(?:\*[0-9]+)?(?: (?:null|-?[0-9][0-9.e+-]*)(?:\*[0-9]+)?)*")


def encoded(value: Any) -> Any:
    """`value`, as `json.loads` gives it, with each row of `LEAST` or more finite numbers and nulls as a text."""
    if isinstance(value, list):
        if len(value) >= LEAST and _PLAIN.issuperset(map(type, value)):
            with contextlib.suppress(ValueError):  # NaN or infinity
                return {_MARK: _text(value)}
        return [encoded(item) for item in value]
    if isinstance(value, dict):
        return {_MARK + key if _ASTERISKS.fullmatch(key) else key: encoded(item) for key, item in value.items()}
    return value


def decoded(value: Any) -> Any:
    """What `encoded` made the value of. Raises `ValueError` for what it never makes."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _MARK in value:
        return _row(value)
    return {key[1:] if _ASTERISKS.fullmatch(key) else key: decoded(item) for key, item in value.items()}


def _text(row: list[int | float | None]) -> str:
    """Numbers as JSON has them; what is written alike is one run, so 0 and -0.0 stay what they are.

    Raises `ValueError` for numbers that JSON does not have.
    """
    texts = json.dumps(row, separators=(",", ":"), allow_nan=False)[1:-1].split(",")
    runs = ((text, len(list(run))) for text, run in itertools.groupby(texts))
    return " ".join(text if count == 1 else f"{text}{_MARK}{count}" for text, count in runs)


def _row(value: dict[str, Any]) -> list[int | float | None]:
    text = value[_MARK]
    if len(value) > 1 or not isinstance(text, str) or not _ROW.fullmatch(text):
        raise ValueError("not a encoded row of numbers")
    runs = (run.partition(_MARK) for run in text.split(" "))
    return [item for text, _, count in runs for item in [_number(text)] * int(count or 1)]


def _number(text: str) -> int | float | None:
    if text == "null":
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)
