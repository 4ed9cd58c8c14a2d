"""When cron and Slurm's scrontab fire: whether a schedule is one that both understand. Pure."""

from __future__ import annotations

import re

ALLOWED = "five fields as of cron (minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-7), or @hourly and the like"
_NICKNAMES = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_OF_SLURM = ("@fika", "@teatime", "@noon", "@elevenses")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    (0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?:\*|([0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?)(?:/([0-9]{1,3}))?")


def is_schedule(value: object) -> bool:
    """Whether `value` is a schedule."""
    if not isinstance(value, str):
        return False
    fields = value.lower().split(" ")
    if len(fields) == 1:
        return value in _NICKNAMES or value in _OF_SLURM
    return len(fields) == len(_FIELDS) and all(map(_is_field, fields, _FIELDS))


def _is_field(text: str, rule: tuple[int, int, dict[str, int]]) -> bool:
    return all(_is_part(part, *rule) for part in text.split(","))


def _is_part(text: str, low: int, high: int, names: dict[str, int]) -> bool:
    """`*`, a number or a range of numbers, and the step of those."""
    found = _PART.fullmatch(text)
    if found is None or (found[3] is not None and not 1 <= int(found[3]) <= high):
        return False
    numbers = [_number(word, names) for word in found.group(1, 2) if word is not None]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _number(word: str, names: dict[str, int]) -> int:
    """-1 for what is none."""
    return int(word) if word.isdigit() else names.get(word, -1)
