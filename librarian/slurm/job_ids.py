"""Ids of jobs and exit codes as Slurm writes them: `12`, `12_3` a task of a job array, `12_[0-8:2,77%4]` its tasks that
are pending, `12+1` a component of a heterogeneous job; `1:0` an exit status and a signal."""

from __future__ import annotations

import re
from typing import NamedTuple

NO_ARRAY = 0  # in the place of the id of a job array: no job has that number
NOT_TOLD = -1
_TASKS = re.compile(r"[^\[]*\[(?P<list>[0-9,:-]+)(?:%[0-9]+)?\]")
_IN_ARRAY = re.compile(r"(?P<array>[0-9]{1,10})_(?:(?P<task>[0-9]{1,10})|\[.*\])", re.ASCII)
_EXIT = re.compile(r"(?P<status>[0-9]{1,3}):(?P<signal>[0-9]{1,3})", re.ASCII)
_MOST = 2**31  # tasks of an array: no site allows as many


class InArray(NamedTuple):
    """What an id tells of job arrays: of which one (`NO_ARRAY`: of none), which task of it (`NOT_TOLD`: of none, or
    several), and for how many tasks the row stands. `NOT_TOLD` is what nobody knows."""

    array: int
    task: int
    tasks: int


ALONE, UNTOLD = InArray(NO_ARRAY, NOT_TOLD, 1), InArray(NOT_TOLD, NOT_TOLD, NOT_TOLD)


def in_array(job: str) -> InArray:
    """The place of `job` (sacct's JobID) in a job array; never raises, what cannot be read is not told."""
    if "_" not in job:
        return ALONE if job else UNTOLD
    found = _IN_ARRAY.fullmatch(job)
    if not found:
        return UNTOLD
    if found["task"]:
        return InArray(int(found["array"]), int(found["task"]), 1)
    try:
        tasks = count_tasks(job)
    except (ValueError, OverflowError):
        tasks = NOT_TOLD
    return InArray(int(found["array"]), NOT_TOLD, tasks if tasks < _MOST else NOT_TOLD)


def exit_code(text: str) -> int:
    """sacct's ExitCode as one number, 256 × exit status + signal; `NOT_TOLD` where it is none."""
    found = _EXIT.fullmatch(text)
    if not found or int(found["status"]) > 255 or int(found["signal"]) > 255:
        return NOT_TOLD
    return 256 * int(found["status"]) + int(found["signal"])


def exit_words(code: int) -> str:
    """The same in Slurm's words, `1:0`; "" where it is not told."""
    return "" if code == NOT_TOLD else f"{code // 256}:{code % 256}"


def count_tasks(job: str) -> int:
    """How many tasks of an array `12_[0-8:2,77%4]` names; 1 for a job. Raises `ValueError` where the list is cut."""
    if "[" not in job:
        return 1
    found = _TASKS.fullmatch(job)
    if not found:
        raise ValueError(f"the tasks of an array are not understood: {job[:60]!r}")
    return sum(_span(part) for part in found["list"].split(","))


def _span(part: str) -> int:
    ends, _, step = part.partition(":")
    first, dash, last = ends.partition("-")
    return len(range(int(first), int(last if dash else first) + 1, int(step or 1)))
