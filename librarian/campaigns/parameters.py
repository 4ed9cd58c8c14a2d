"""Parameters: how they are written on the command line and in files, and what becomes of them. Pure.

A value is text, and arrives in a task as that text, byte for byte. In JSON it is a number where it is written as one
and a reader's float or whole number is exactly it; else it is a string: NaN, 1e400, 007, a number of twenty digits.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, DecimalException

from librarian.errors import ConfigError

Row = Mapping[str, str]
"""The parameters of a task, by name."""
RESERVED = ("row", "repeat", "state", "tries")
LONGEST = 120_000  # bytes of a value: Linux takes no argument or variable beyond 131,072 (MAX_ARG_STRLEN)
LARGEST = 400_000  # bytes of all values of a task: they stand in the environment and the arguments, 2 MB at most
MOST = 1_000_000  # tasks of a campaign
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?")
_RANGE = re.compile(r"(-?[0-9]{1,12})\.\.(-?[0-9]{1,12})(?:\.\.([0-9]{1,12}))?")
_EXACT = 2**53  # beyond it whole numbers are none in the floats of many readers


def json_literal(text: str) -> str:
    """A value as JSON: the number as it is written where that is exact, else a string."""
    return text if _is_exact(text) else json.dumps(text)


def _is_exact(text: str) -> bool:
    match = _NUMBER.fullmatch(text) if len(text) <= 40 else None
    if match is None:
        return False
    if not match[2] and not match[3]:
        return abs(int(text)) <= _EXACT
    try:
        return Decimal(repr(float(text))) == Decimal(text)
    except (ValueError, DecimalException):  # 1e400 is infinite
        return False


def json_object(row: Row) -> str:
    """The parameters of a task as one line of JSON."""
    return "{" + ", ".join(f"{json.dumps(name)}: {json_literal(text)}" for name, text in row.items()) + "}"


def digest(row: Row, repeat: int) -> str:
    """What tells tasks apart: the hash of the canonical JSON of the parameters, and of which repetition it is."""
    canonical = json.dumps([dict(row), repeat], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def variable(name: str) -> str:
    """The environment variable of a parameter: `PARAM_lr`; what cannot stand in one becomes `_`."""
    return "PARAM_" + re.sub(r"[^A-Za-z0-9_]", "_", name)


def check_names(names: Sequence[str]) -> list[str]:
    """A sentence for each name that is another one in the environment. Raises `ConfigError` for one that cannot be."""
    seen: dict[str, str] = {}
    told = []
    for name in names:
        if not re.fullmatch(r"[^\W\d][\w.-]{0,99}", name):
            raise ConfigError(f"{name!r} is no name of a parameter", "letters, digits, and _ . - after the first")
        if name in RESERVED:
            raise ConfigError(
                f"a parameter cannot be called {name}", "the column is Librarian's", "call it another name"
            )
        key = variable(name)
        if key in seen:
            raise ConfigError(f"{seen[key]} and {name} are both {key} in the environment", todo="rename one")
        seen[key] = name
        if key != f"PARAM_{name}":
            told.append(f"{name} is {key} in the environment of tasks")
    return told


def check_values(row: Row) -> None:
    """Raises `ConfigError` for a value that cannot reach a task as it is."""
    total = 0
    for name, text in row.items():
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ConfigError(f"a value of {name} is not UTF-8", todo="put it into a file, and name the file") from None
        total += size + len(name)
        if "\0" in text:
            raise ConfigError(f"a value of {name} holds a zero byte", "neither an argument nor a variable can")
        if size > LONGEST:
            why = f"it has {size} bytes, and Linux takes no argument of more than {LONGEST}"
            raise ConfigError(f"a value of {name} is too long", why, "put it into a file, and name the file")
    if total > LARGEST:
        raise ConfigError("the parameters of a task are too long", f"{total} bytes", "put them into a file")


# from the command line


def axis(word: str, read: Callable[[str], str]) -> list[dict[str, str]]:
    """What one word says, as rows: `lr=0.1,0.2`, `seed=1..5`, `depth@file.csv`, `@rows.jsonl`.

    `read` gives the text of a file. In a list a comma that belongs to a value stands behind a backslash, and a
    backslash before a comma behind one too. Raises `ConfigError`.
    """
    equals, at = word.find("="), word.find("@")
    if at >= 0 and (equals < 0 or at < equals):
        return _from_file(word[:at], word[at + 1 :], read(word[at + 1 :]))
    if equals < 1:
        raise ConfigError(f"{word!r} is no parameter", "as in lr=0.1,0.2 seed=1..5 depth@file.csv @rows.jsonl")
    name, text = word[:equals], word[equals + 1 :]
    return [{name: value} for value in _values(text)]


def _values(text: str) -> list[str]:
    match = _RANGE.fullmatch(text)
    if match:
        low, high, step = int(match[1]), int(match[2]), int(match[3] or 1)
        if step < 1 or abs(high - low) // step >= MOST:
            raise ConfigError(f"the range {text} has no step, or too many numbers", f"{MOST} at most")
        return [str(number) for number in (range(low, high + 1, step) if low <= high else range(low, high - 1, -step))]
    parts, escaped = [""], False
    for sign in text:
        if escaped:
            parts[-1] += sign if sign in ",\\" else "\\" + sign
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == ",":
            parts.append("")
        else:
            parts[-1] += sign
    parts[-1] += "\\" if escaped else ""
    return parts


def _from_file(name: str, path: str, text: str) -> list[dict[str, str]]:
    rows = json_rows(text, path) if path.endswith((".json", ".jsonl", ".ndjson")) else csv_rows(text, path)
    if not name:
        return rows
    if any(name not in row for row in rows):
        raise ConfigError(f"{path} has no column {name}")
    return [{name: row[name]} for row in rows]


def csv_rows(text: str, path: str) -> list[dict[str, str]]:
    """The rows of CSV with a head. Raises `ConfigError`."""
    try:
        with _long_fields():
            head, *lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line] or [[]]
    except csv.Error as error:
        raise ConfigError(f"{path} is no CSV", str(error)) from error
    if not head or len(set(head)) != len(head):
        raise ConfigError(f"{path} has no head, or one with a name twice")
    for number, line in enumerate(lines, 2):
        if len(line) != len(head):
            raise ConfigError(f"{path} has {len(line)} cells in row {number}, and {len(head)} in its head")
    return [dict(zip(head, line, strict=True)) for line in lines]


class _long_fields:  # noqa: N801
    """csv reads cells of as many characters as a value may have."""

    def __enter__(self) -> None:
        self._before = csv.field_size_limit(4 * LONGEST)

    def __exit__(self, *_: object) -> None:
        csv.field_size_limit(self._before)


def json_rows(text: str, path: str) -> list[dict[str, str]]:
    """The rows of JSON lines, or of one list of objects. Raises `ConfigError`."""
    try:
        if text.lstrip().startswith("["):
            found = _loads(text)
        else:
            found = [_loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no JSON", str(error)) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ConfigError(f"{path} holds something else than objects", todo="write an object a line")
    return [{name: _text(value) for name, value in row.items()} for row in found]


class _Literal(str):
    """A number as it is written."""

    __slots__ = ()


def _loads(text: str) -> object:
    return json.loads(text, parse_float=_Literal, parse_int=_Literal, parse_constant=_Literal)


def _text(value: object) -> str:
    """A value of JSON as text: a string or a number as it is, all else as JSON."""
    return str(value) if isinstance(value, str) else json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: object) -> object:
    """A value of JSON with numbers in the place of literals."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return json.loads(value) if isinstance(value, _Literal) else value


def combined(axes: Sequence[Sequence[Row]], *, zipped: bool) -> Iterator[dict[str, str]]:
    """All combinations of the rows of `axes`, or their rows side by side. Raises `ConfigError`."""
    names = [name for rows in axes for name in (rows[0] if rows else ())]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ConfigError(f"{min(doubled)} is given twice", todo="write all its values in one word")
    if zipped and len({len(rows) for rows in axes}) > 1:
        counts = ", ".join(str(len(rows)) for rows in axes)
        raise ConfigError("--zip takes values of the same number", f"there are {counts}")
    total = 1
    for rows in axes:
        total *= len(rows)
    if not zipped and total > MOST:
        raise ConfigError(f"that makes {total} tasks", f"a campaign has {MOST} at most")
    for rows in zip(*axes, strict=True) if zipped else itertools.product(*axes):
        yield {name: value for row in rows for name, value in row.items()}
