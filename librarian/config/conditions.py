"""The condition of a rule, as in `pressure.NGPUS.share > 0.95 for 6h`: a path into the report's JSON, a comparison, a
number, and for how long. Read with a grammar of its own; nothing of it is ever run. Pure.

    condition = path comparison number [ "for" duration ]
    path      = step { "." step | "[" whole number "]" }
    step      = name | '"' any text '"'
    duration  = whole number ( "m" | "h" | "d" | "w" )
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
LARGEST = 1e300  # what is more, or not a number at all, is none that anything can be said of
LONGEST = 400  # characters
LONGEST_DURATION = 366 * 86400
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"([0-9]{1,6})([mhdw])", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})", re.ASCII)
_COMPARISON = re.compile(r">=|<=|==|!=|>|<")
_NAME = re.compile(r"[A-Za-z0-9_][\w:@+-]*", re.ASCII)
_QUOTED = re.compile(r'"([^"]{1,200})"')
_PLACE = re.compile(r"\[(-?[0-9]{1,6})\]", re.ASCII)


@dataclass(frozen=True)
class Condition:
    """Met while the number at `path` compares with `level`, for `seconds` without a break."""

    path: Path
    comparison: str
    level: float
    seconds: int = 0


class _Reader:
    """What is left of a text to read."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found

    def needed(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = self.take(pattern)
        if found is None:
            raise ValueError(f"{what} is expected {self.here()}")
        return found

    def here(self) -> str:
        rest = self.text[self.at :]
        return f'at "{rest[:20]}"' if rest else "at the end"


def parse(text: str) -> Condition:
    """Read a condition. Raises `ValueError` that says what is expected, and where."""
    if len(text) > LONGEST or not text.isprintable():
        raise ValueError(f"a condition is one line of at most {LONGEST} characters")
    reader = _Reader(text)
    reader.blanks()
    path = _path(reader)
    reader.blanks()
    comparison = reader.needed(_COMPARISON, f"a comparison ({' '.join(COMPARISONS)})").group()
    reader.blanks()
    level = float(reader.needed(_NUMBER, "a number").group())
    reader.blanks()
    seconds = 0
    if reader.at < len(text):
        reader.needed(re.compile(r"for +"), '"for" and a duration such as 6h')
        seconds = _seconds(reader.needed(_DURATION, "a duration such as 30m, 6h, 2d or 1w"))
        reader.blanks()
    if reader.at < len(text):
        raise ValueError(f"nothing more is expected {reader.here()}")
    return Condition(path, comparison, level, seconds)


def _path(reader: _Reader) -> Path:
    steps: list[str | int] = [_step(reader)]
    while True:
        place = reader.take(_PLACE)
        if place:
            steps.append(int(place.group(1)))
        elif reader.take(re.compile(r"\.")):
            steps.append(_step(reader))
        else:
            return tuple(steps)


def _step(reader: _Reader) -> str:
    quoted = reader.take(_QUOTED)
    if quoted:
        return quoted.group(1)
    return reader.needed(_NAME, "a name of the report's JSON, as in pressure.NGPUS.share,").group()


def _seconds(found: re.Match[str]) -> int:
    seconds = int(found.group(1)) * _UNITS[found.group(2)]
    if seconds > LONGEST_DURATION:
        raise ValueError("a duration is at most 366 days")
    return seconds


def written(path: Path) -> str:
    """A path as it is written in a condition."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _NAME.fullmatch(step) else f'"{step}"')
    return text


def number_at(data: object, path: Path) -> float | None:
    """The number at a path of JSON; None where there is none, or it is null."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(data, list) or not -len(data) <= step < len(data):
                return None
            data = data[step]
        elif isinstance(data, dict):
            data = data.get(step)
        else:
            return None
    if isinstance(data, bool) or not isinstance(data, int | float):
        return None
    return float(data) if abs(data) <= LARGEST else None
