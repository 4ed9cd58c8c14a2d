"""The last signs of life of runs whose end accounting does not know: when their steps began and ended.

One question for all of them, and only once for each: steps cost slurmdbd a query a job.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from librarian.errors import SlurmError, Trouble
from librarian.slurm.command import Slurm, complaint
from librarian.subjects.jobs.model import ints
from librarian.system.processes import Answer

_DELIMITER = "|"  # of numbers alone: no text can hold it
FIELDS = ("DBIndex", "Start", "End")
MOST = 500  # runs that are asked for at once


def arguments(cluster: str, jobs: Sequence[int], since: int, until: int) -> list[str]:
    """The arguments of sacct for all rows of these jobs, those of their steps too, between two UTC epochs."""
    return [
        *("-a", "-D", "-P", "-S", f"uts{since}", "-E", f"uts{until}", "-M", cluster),
        *("-j", ",".join(map(str, jobs)), "-o", ",".join(FIELDS)),
    ]


def ask(slurm: Slurm, cluster: str, runs: pd.DataFrame, now: int) -> dict[int, int]:
    """When each of `runs` (a jobs table) last gave a sign of life, by DBIndex. Raises `SlurmError`."""
    some = runs.sort_values("start", ascending=False).iloc[:MOST]
    since = int(ints(some, "start").min())
    told = slurm.run("sacct", arguments(cluster, sorted(set(ints(some, "jobid").tolist())), since, now))
    seen = parse(told, now)
    return {index: seen.get(index, 0) for index in some["dbindex"].tolist()}


def parse(answer: Answer, now: int) -> dict[int, int]:
    """The latest time of each run that is not after `now`, by DBIndex. Raises `SlurmError` where there is no table."""
    header, *lines = answer.text.split("\n")
    if header != _DELIMITER.join(FIELDS):
        raise SlurmError("sacct gave no table of steps", complaint(answer), trouble=Trouble.NOT_UNDERSTOOD)
    latest: dict[int, int] = {}
    for line in lines:
        index, *times = line.split(_DELIMITER)
        known = [int(time) for time in times if time.isascii() and time.isdigit() and len(time) < 13]
        if index.isascii() and index.isdigit() and len(index) < 21:
            past = [time for time in known if time <= now]
            latest[int(index)] = max([latest.get(int(index), 0), *past])
    return latest
