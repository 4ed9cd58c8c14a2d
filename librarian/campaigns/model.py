"""A campaign as values: what it is, its tasks, what was submitted of it. Pure; text in, values out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from librarian.campaigns import arrays, parameters
from librarian.errors import ConfigError, StoreError

VERSION = 1
SLURM, LOCAL = "slurm", "local"
_ID, _JOB = re.compile(r"[0-9a-f]{12}"), re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class Campaign:
    """What `campaign.json` holds. `workdir` is where tasks run, `origin` where the script came from; `commit` is ""
    where there is no git, `dirty` whether the tree had changes; `created` is a UTC epoch."""

    name: str
    description: str
    script_sha256: str
    origin: str
    workdir: str
    arguments: str
    output: str
    commit: str
    dirty: bool
    created: int
    by: str
    version: int = VERSION


@dataclass(frozen=True)
class Task:
    """A row of `tasks.csv`: its number from 1 on, which repetition it is, its parameters as text."""

    row: int
    repeat: int
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Array:
    """Rows that were handed on together. Row `rows[i]` is the task with index i.

    `job` is Slurm's id ("": not known yet, or local). A `void` one came to nothing, so its rows were never submitted.
    `settled`: it is known whether Slurm took it.
    """

    id: str
    kind: str
    rows: tuple[int, ...]
    by: str
    at: int
    options: tuple[str, ...] = ()
    name: str = ""
    job: str = ""
    void: bool = False
    commit: str = ""

    @property
    def settled(self) -> bool:
        return self.void or bool(self.job) or self.kind == LOCAL


@dataclass(frozen=True)
class History:
    """What `submissions.jsonl` tells: arrays in their order, and whether the campaign is paused."""

    arrays: tuple[Array, ...] = ()
    paused: bool = False

    def tries(self) -> dict[int, list[tuple[Array, int]]]:
        """For each row that was handed on the arrays that it is in, oldest first, with its index there."""
        found: dict[int, list[tuple[Array, int]]] = {}
        for array in self.arrays:
            if not array.void:
                for index, row in enumerate(array.rows):
                    found.setdefault(row, []).append((array, index))
        return found


def tasks_to_csv(tasks: Sequence[Task]) -> bytes:
    """`tasks.csv`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # a lone \r must be quoted too
    names = list(tasks[0].parameters) if tasks else []
    writer.writerow(["row", "repeat", *names])
    for task in tasks:
        writer.writerow([task.row, task.repeat, *(task.parameters[name] for name in names)])
    return out.getvalue().encode()


def tasks_of_csv(data: bytes, path: str) -> list[Task]:
    """Read `tasks.csv`. Raises `StoreError`."""
    try:
        rows = parameters.csv_rows(data.decode(), path)
        tasks = []
        for row in rows:
            number, repeat = int(row.pop("row")), int(row.pop("repeat"))
            tasks.append(Task(number, repeat, row))
        if [task.row for task in tasks] != list(range(1, len(tasks) + 1)):
            raise ValueError("its rows are not numbered from 1 on")
        return tasks
    except Exception as error:
        raise StoreError(f"{path} cannot be read", str(error), "put back what was changed in it") from error


def added(tasks: Sequence[Task], rows: Iterable[Mapping[str, str]], repeat: int) -> tuple[list[Task], int]:
    """New tasks for `rows`, `repeat` of each, numbered on from `tasks`; and how many of them are there already.

    Raises `ConfigError` for names or values that cannot be.
    """
    known = {parameters.digest(task.parameters, task.repeat) for task in tasks}
    names = list(tasks[0].parameters) if tasks else None
    new: list[Task] = []
    doubled = 0
    for row in rows:
        if names is None:
            names = list(row)
        if set(row) != set(names):
            raise ConfigError(
                f"the tasks of a campaign have the same parameters: {', '.join(names)}",
                f"these have {', '.join(row) or 'none'}",
                "begin another campaign",
            )
        parameters.check_values(row)
        ordered = {name: row[name] for name in names}
        for number in range(1, repeat + 1):
            key = parameters.digest(ordered, number)
            if key in known:
                doubled += 1
                continue
            known.add(key)
            new.append(Task(len(tasks) + len(new) + 1, number, ordered))
    return new, doubled


def array_event(array: Array) -> dict[str, Any]:
    """The line that says that an array is about to be handed on."""
    return {
        "event": "array",
        "id": array.id,
        "kind": array.kind,
        "rows": arrays.ranges(array.rows),
        "by": array.by,
        "at": array.at,
        "options": list(array.options),
        "name": array.name,
        "commit": array.commit,
    }


def history_of(text: str, path: str) -> History:
    """Read `submissions.jsonl`; a last line without its end was never whole. Raises `StoreError`."""
    found: dict[str, Array] = {}
    paused = False
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            table = json.loads(line)
            event = table["event"]
            if event == "array":
                found[table["id"]] = _array(table)
            elif event == "job":
                found[table["id"]] = replace(found[table["id"]], job=_checked(_JOB, table["job"]), void=False)
            elif event == "void":
                found[table["id"]] = replace(found[table["id"]], void=True)
            elif event in ("pause", "resume"):
                paused = event == "pause"
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{path} cannot be read", f"line {number}: {error}", "put back what was changed"
            ) from error
    return History(tuple(found.values()), paused)


def _checked(form: re.Pattern[str], text: object) -> str:
    """A text that becomes a path or an argument, where it has the form of one of ours. Raises `ValueError`."""
    if not isinstance(text, str) or not form.fullmatch(text):
        raise ValueError(f"{str(text)[:40]!r} is not what Librarian writes there")
    return text


def _array(table: Mapping[str, Any]) -> Array:
    return Array(
        id=_checked(_ID, table["id"]),
        kind=str(table["kind"]),
        rows=tuple(arrays.numbers(table["rows"])),
        by=str(table["by"]),
        at=int(table["at"]),
        options=tuple(str(option) for option in table.get("options", ())),
        name=str(table.get("name", "")),
        commit=str(table.get("commit", "")),
    )
