"""JSON with its long rows as short texts, for the data that a page has inside or loads as a script.

    [1, 1, 1, 1.321111, 0, 0]               {"*": "1*3 4756/ 0*2"}
    [1795200000, 1795203600, 1795207200]    {"*": "1795200000~3600*3"}
    ["cpu", "cpu", null, "cpu"]             {"*": "0*2 1 0", "of": ["cpu", null]}
    ["2026-11-20T13:00:00-05:00", …]        {"*": "1795197600~3600*720", "minutes": "-300*720"}

`1*3` is three times 1. `4756/` is a 3600th part of 4756 to seven digits, as means of an hour are written. `a~b*n` are n
numbers from a on, each b more. Texts are numbers of those in `of`; times are seconds since 1970 with the minutes of
their offset. Rows of less than `LEAST` items stay. That is shorter, people and a few lines of script can read it, and a
small change of the data stays a small change of the text. A key of the data that is made of asterisks alone gets one
more, so `"*"` means nothing else. dashboard/page/run_length.js reads it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

LEAST = 16  # a row with fewer items stays as it is
_MARK = "*"
_OF = "of"
_MINUTES = "minutes"
_PLAIN = frozenset({int, float, type(None)})  # True is an int, and no number here
_TEXTS = frozenset({str, type(None)})
_ASTERISKS = re.compile(r"\*+")
_NUMBER = r"-?[0-9][0-9.e+-]*"
_RUN = rf"(?:null|-?[0-9]+/|{_NUMBER})(?:\*[0-9]+)?|-?[0-9]+~-?[0-9]+\*[0-9]+"
_ROW = re.compile(rf"(?:{_RUN})(?: (?:{_RUN}))*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_HOUR = 3600
_DIGITS = 7  # of `scalars.DIGITS`; the page knows it as well
_FEWEST_STEPS = 4


def encoded(value: Any) -> Any:
    """`value`, as `json.loads` gives it, with each row of `LEAST` or more finite numbers, texts or nulls as a text."""
    if isinstance(value, list):
        row = _encoded_row(value) if len(value) >= LEAST else None
        return [encoded(item) for item in value] if row is None else row
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
        return _decoded_row(value)
    return {key[1:] if _ASTERISKS.fullmatch(key) else key: decoded(item) for key, item in value.items()}


def _encoded_row(row: list[Any]) -> dict[str, Any] | None:
    """The row as such an object; None where it stays as it is."""
    types = set(map(type, row))
    if types <= _PLAIN:
        with contextlib.suppress(ValueError):  # NaN or infinity
            return {_MARK: _text(row)}
    elif types <= _TEXTS:
        return _times(row) or _few_texts(row)
    return None


def _decoded_row(value: dict[str, Any]) -> list[Any]:
    row = _row(value[_MARK])
    if set(value) == {_MARK}:
        return row
    try:
        if set(value) == {_MARK, _OF}:
            return [value[_OF][place] for place in row]
        if set(value) == {_MARK, _MINUTES}:
            return list(itertools.starmap(_time, zip(row, _row(value[_MINUTES]), strict=True)))
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError("not an encoded row") from error
    raise ValueError("not an encoded row")


# numbers


def _text(row: list[int | float | None]) -> str:
    """Numbers as JSON has them; what is written alike is one run, so 0 and -0.0 stay what they are.

    Raises `ValueError` for numbers that JSON does not have.
    """
    texts = json.dumps(row, separators=(",", ":"), allow_nan=False)[1:-1].split(",")
    runs = [(text, len(list(run))) for text, run in itertools.groupby(texts)]
    if len(runs) == len(row) and all(type(item) is int for item in row):
        stepped = list(_stepped(row))  # type: ignore[arg-type]  # all of them are int
        if 2 * len(stepped) <= len(row):
            return " ".join(stepped)
    return " ".join(_short(text) if count == 1 else f"{_short(text)}{_MARK}{count}" for text, count in runs)


def _stepped(row: list[int]) -> Iterator[str]:
    """Stretches of the row in which each number is as much more than the one before."""
    place = 0
    while place < len(row):
        end = place + 1
        while end < len(row) and row[end] - row[end - 1] == row[place + 1] - row[place]:
            end += 1
        if end - place >= _FEWEST_STEPS:
            yield f"{row[place]}~{row[place + 1] - row[place]}{_MARK}{end - place}"
            place = end
        else:
            yield str(row[place])
            place += 1


@functools.lru_cache(maxsize=65536)
def _short(text: str) -> str:
    """A number's text as a part of an hour, where that means the same and is shorter.

    No such part lies half way between two numbers of seven digits, where Python and a browser round in two ways: it
    would be an odd number of sixteenths, of four places, above 1000, and is no shorter then.
    """
    if "." not in text or "e" in text:
        return text
    part = round(float(text) * _HOUR)
    short = f"{part}/"
    return short if len(short) < len(text) and json.dumps(_hourly(part)) == text else text


def _hourly(part: int) -> float:
    return float(f"{part / _HOUR:.{_DIGITS}g}")


def _row(text: object) -> list[Any]:
    if not isinstance(text, str) or not _ROW.fullmatch(text):
        raise ValueError("not an encoded row")
    row: list[Any] = []
    for run in text.split(" "):
        item, _, count = run.partition(_MARK)
        begin, _, step = item.partition("~")
        times = int(count or 1)
        row.extend([int(begin) + int(step) * place for place in range(times)] if step else [_number(item)] * times)
    return row


def _number(text: str) -> int | float | None:
    if text == "null":
        return None
    if text.endswith("/"):
        return _hourly(int(text[:-1]))
    return int(text) if text.lstrip("-").isdigit() else float(text)


# texts and times


def _few_texts(row: list[str | None]) -> dict[str, Any] | None:
    """A row of few different texts."""
    places: dict[str | None, int] = {}
    numbers: list[int | float | None] = [places.setdefault(text, len(places)) for text in row]
    return {_MARK: _text(numbers), _OF: list(places)} if 2 * len(places) <= len(row) else None


def _times(row: list[str | None]) -> dict[str, Any] | None:
    """A row of times with offsets."""
    if not all(text and _TIME.fullmatch(text) for text in row):
        return None
    try:
        times = [datetime.fromisoformat(text or "") for text in row]
        epochs: list[Any] = [int(time.timestamp()) for time in times]
        minutes: list[Any] = [int((time.utcoffset() or timedelta()).total_seconds()) // 60 for time in times]
        if list(map(_time, epochs, minutes)) != row:
            return None
    except (ValueError, OverflowError):  # no such day, or none that a computer has
        return None
    return {_MARK: _text(epochs), _MINUTES: _text(minutes)}


def _time(epoch: int, minutes: int) -> str:
    return datetime.fromtimestamp(epoch, timezone(timedelta(minutes=minutes))).isoformat()
