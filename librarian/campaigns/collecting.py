"""Results: what tasks write, and one table of all of them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from librarian.campaigns import parameters
from librarian.campaigns.model import Task
from librarian.campaigns.states import DONE, State
from librarian.errors import ConfigError, StoreError
from librarian.system import host

MANY = 5  # names of rows in a sentence
_FILE = re.compile(r"0*([0-9]{1,9})\.json")


@dataclass(frozen=True)
class Table:
    """One row a task, with its parameters, its state and its results; and what is wrong, a sentence each."""

    head: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]


def record(path: Path, words: Sequence[str]) -> None:
    """Add `key=value` to a task's results, in one step. Raises `ConfigError`, `StoreError`."""
    found: dict[str, Any] = {}
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ConfigError(f"{path} is no table of results", todo="write an object")
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read", str(error)) from error
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ConfigError(f"{word!r} is no result", "as in loss=0.25")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"the result {name} is not UTF-8") from None
        found[name] = json.loads(parameters.json_literal(text))
    try:
        host.write_atomic(path, (json.dumps(found) + "\n").encode())
    except OSError as error:
        raise StoreError(f"{path} cannot be written", error.strerror or str(error)) from error


def table(folder: Path, tasks: Sequence[Task], states: Mapping[int, State]) -> Table:
    """The results in a folder beside the tasks they are of."""
    results, problems = _read(folder, {task.row for task in tasks})
    names = list(tasks[0].parameters) if tasks else []
    keys = dict.fromkeys(key for row in results.values() for key in row)
    fixed = ["row", "repeat", *names, "state"]
    called = {key: f"result_{key}" if key in fixed else key for key in keys}
    problems += [
        f"the result {key} is called {new}: a column has its name" for key, new in called.items() if key != new
    ]
    rows = []
    for task in tasks:
        row: dict[str, Any] = {"row": task.row, "repeat": task.repeat}
        row |= {name: json.loads(parameters.json_literal(text)) for name, text in task.parameters.items()}
        row["state"] = states[task.row].kind
        row |= {called[key]: value for key, value in results.get(task.row, {}).items()}
        rows.append(row)
    done = [task.row for task in tasks if states[task.row].kind == DONE and task.row not in results]
    if done and results:
        problems.append(f"{_named(done)}: done, without a result")
    return Table((*fixed, *called.values()), tuple(rows), tuple(problems))


def _named(rows: Sequence[int]) -> str:
    words = ", ".join(str(row) for row in rows[:MANY])
    return f"task{'s' if len(rows) > 1 else ''} {words}" + (f" and {len(rows) - MANY} more" if len(rows) > MANY else "")


def _read(folder: Path, rows: set[int]) -> tuple[dict[int, dict[str, Any]], list[str]]:
    found: dict[int, dict[str, Any]] = {}
    problems = []
    for path in sorted(folder.glob("*.json")):
        match = _FILE.fullmatch(path.name)
        row = int(match[1]) if match else 0
        if row not in rows:
            problems.append(f"{path.name} is of no task")
            continue
        if row in found:
            problems.append(f"task {row} has two results; {path.name} is left out")
            continue
        try:
            value = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            problems.append(f"task {row}: {path.name} is torn, or no JSON")
            continue
        if not isinstance(value, dict):
            problems.append(f"task {row}: {path.name} is no object")
            continue
        found[row] = {str(key): item for key, item in value.items()}
    return found, problems


def to_csv(found: Table) -> bytes:
    """A table as CSV; what is not known is empty, what is no text or number stands as JSON."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(found.head)
    for row in found.rows:
        writer.writerow([_cell(row.get(name, "")) for name in found.head])
    return out.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: object) -> object:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else json.dumps(value)


def to_json(found: Table) -> bytes:
    """A table as a list of objects; what is not known is not in them."""
    return (json.dumps(list(found.rows), indent=1) + "\n").encode()
