"""The jobs table: one row a job run, in columns; and what becomes of rows that are not understood.

A run is one allocation of a job: a requeued job has several, a resized one a row for each size, a heterogeneous one a
row for each component, an array a row for each task that started. Key of a run: (cluster, dbindex).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from librarian.subjects.jobs.states import GOING_ON, RUNAWAY, TIMES, UNKNOWN, Reject

__all__ = [
    "COLUMNS",
    "NUMBERS",
    "PLACE",
    "RUNAWAY",
    "TEXTS",
    "TIMES",
    "UNKNOWN",
    "Mask",
    "Reject",
    "coded",
    "codes",
    "counting",
    "empty_jobs",
    "ended",
    "goes_on",
    "in_state",
    "ints",
    "joined",
    "newest",
    "started",
    "stuck",
    "under_way",
]

# Column -> dtype. `jobid` is sacct's JobIDRaw. Times are UTC epochs in seconds or UNKNOWN; `elapsed`
# (sacct's ElapsedRaw, without pauses) and `suspended` are seconds, of a run that goes on as of the time of the answer.
# `array` is the number of the job array, 0 for a job of none; `task` the one of its tasks, `tasks` how many of them the
# row stands for: of those that are pending there is one row. `exit_code` is 256 × exit status + signal. -1: not told,
# as of runs that were kept before this was asked for.
# `alloc_tres` is what the run holds; what it asked for (ReqTRES) can be far less, as with --exclusive.
NUMBERS = {"dbindex": "uint64", "jobid": "int64", **dict.fromkeys(TIMES, "int64")}
NUMBERS |= {"elapsed": "int64", "suspended": "int64"}
PLACE = ("array", "task", "tasks")
NUMBERS |= dict.fromkeys((*PLACE, "exit_code"), "int64")
TEXTS = ("user", "account", "qos", "partition", "state", "alloc_tres")
COLUMNS = (*NUMBERS, *TEXTS)

Mask = npt.NDArray[np.bool_]


def empty_jobs() -> pd.DataFrame:
    """A jobs table without rows."""
    return _empty().copy()


@cache
def _empty() -> pd.DataFrame:
    """Made once: putting its columns together takes far longer than a copy, and a cycle asks for a dozen."""
    columns: dict[str, pd.Series] = {name: pd.Series([], dtype=dtype) for name, dtype in NUMBERS.items()}
    columns |= {name: pd.Series(pd.Categorical([], categories=[""])) for name in TEXTS}
    return pd.DataFrame(columns)


def coded(codes: npt.NDArray[np.integer[Any]], texts: list[str]) -> pd.Categorical:
    """A text column from the code of each row and the distinct texts by code."""
    return pd.Categorical.from_codes(cast("Any", codes), categories=cast("Any", texts))


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all tables in their order; of several rows with one DBIndex the last counts."""
    some = [table for table in tables if len(table)]
    if not some:
        return empty_jobs()
    if len(some) == 1:
        return newest(some[0])
    columns: dict[str, Any] = {name: np.concatenate([table[name].to_numpy() for table in some]) for name in NUMBERS}
    for name in TEXTS:
        columns[name] = union_categoricals([table[name].array for table in some], sort_categories=True)
    return newest(pd.DataFrame(columns))


def newest(jobs: pd.DataFrame) -> pd.DataFrame:
    """Each run once: of several rows with one DBIndex the last counts."""
    again = jobs["dbindex"].duplicated(keep="last")
    return jobs[~again].reset_index(drop=True) if again.any() else jobs


def ints(jobs: pd.DataFrame, column: str) -> npt.NDArray[np.int64]:
    """A column of whole numbers as an array, shape (rows,)."""
    return jobs[column].to_numpy()


def codes(jobs: pd.DataFrame, column: str) -> tuple[npt.NDArray[np.intp], list[str]]:
    """A text column as (code of each row, texts by code)."""
    categories = jobs[column].cat
    return categories.codes.to_numpy().astype(np.intp), [str(text) for text in categories.categories]


def started(jobs: pd.DataFrame) -> Mask:
    """Runs that began. Judged by the start time alone: states come and go, times stay."""
    return ints(jobs, "start") != UNKNOWN


def goes_on(jobs: pd.DataFrame) -> Mask:
    """Runs that began and have no end because they run, or are suspended.

    A row that is over by its state, and has no end all the same, is one whose end was lost: it does not go on.
    """
    return started(jobs) & (ints(jobs, "end") == UNKNOWN) & in_state(jobs, *GOING_ON)


def stuck(jobs: pd.DataFrame) -> Mask:
    """Runs that began, have no end, and are over by their state."""
    return started(jobs) & (ints(jobs, "end") == UNKNOWN) & ~in_state(jobs, "PENDING", *GOING_ON)


def under_way(jobs: pd.DataFrame, now: int) -> Mask:
    """Runs that have an allocation at `now`: those that are suspended too."""
    start, end = ints(jobs, "start"), ints(jobs, "end")
    return (start != UNKNOWN) & (start <= now) & (goes_on(jobs) | (end > now))


def ended(jobs: pd.DataFrame, begin: int, end: int) -> Mask:
    """Runs that ended in [begin, end], those that never started included; of a runaway nobody knows when and how."""
    ends = ints(jobs, "end")
    return (ends != UNKNOWN) & (ends >= begin) & (ends <= end) & ~in_state(jobs, RUNAWAY)


def in_state(jobs: pd.DataFrame, *wanted: str) -> Mask:
    """Runs that Slurm calls by one of these states."""
    code, states = codes(jobs, "state")
    return np.array([text in wanted for text in states] or [False])[code] if len(code) else np.zeros(0, bool)


def counting(jobs: pd.DataFrame, now: int) -> pd.DataFrame:
    """The runs that count against limits at `now` (UTC epoch), and no text that none of them has."""
    jobs = jobs.loc[under_way(jobs, now)]
    return jobs.assign(**{name: jobs[name].cat.remove_unused_categories() for name in TEXTS})
