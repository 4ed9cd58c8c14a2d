"""Whether an answer of sacct's can be true. One that contradicts what is known is no answer.

sacct prints its header, complains of nothing and exits 0 where slurmdbd's query was aborted or a table is missing (seen
on 22.05 and 24.11), just as it does where nothing ran. So each question reaches back to a run that is known (see
`collect.Request`), and an answer that names none of those it must name is refused, as is one of rejected rows alone.
Where it names some, but not all that run, squeue is the witness.

What is refused for long becomes the truth: runs do move to another QoS, and sites do purge.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from librarian.shared.calendar import DAY
from librarian.shared.words import amount, counted
from librarian.subjects.jobs.ask import Runs
from librarian.subjects.jobs.model import goes_on

LAG = 900
"""Seconds after which slurmdbd should have been told of a start; it hears of them in batches."""
AGAIN = 300
"""Seconds after which a second answer counts as another one."""


@dataclass(frozen=True)
class Doubt:
    """Why an answer is refused, in words, and for how many seconds: after them the same answer is taken."""

    why: str
    seconds: int


def doubt(
    runs: Runs, opened: pd.DataFrame, ended: Collection[int], running: Sequence[int] | None, now: int
) -> Doubt | None:
    """Whether `runs`, told at `now`, contradict what is known.

    `opened` are the runs that had not ended when sacct was last asked (a jobs table), `ended` the DBIndexes of those
    that had, but not before the moment that the question begins with; `running` is when the jobs that squeue names
    started (UTC epochs), or None where it was not asked or did not answer.
    """
    if not len(runs.jobs) and runs.rejects:
        return Doubt(f"none of its {amount(len(runs.rejects))} rows is understood", 2**62)
    told = int(goes_on(runs.jobs).sum()) + len(runs.rejects)
    long = sum(start <= now - LAG for start in running or ())
    known = [*opened["dbindex"].tolist(), *ended]
    if known and not named_in(runs).intersection(known):
        many = "the run" if len(known) == 1 else f"none of the {amount(len(known))} runs"
        names = "it does not name" if len(known) == 1 else "it names"
        left = running is not None and not ended and long <= told  # they may have moved to another QoS
        return Doubt(f"{names} {many} that it must name", AGAIN if left else DAY)
    if long > told:
        return Doubt(f"squeue shows {counted(long, 'running job')}, sacct {amount(told)}", DAY)
    return None


def named_in(runs: Runs) -> set[int]:
    """The DBIndexes that an answer names, as runs or as rejects."""
    rejected = (int(reject.key[4:]) for reject in runs.rejects if reject.key.startswith("run "))
    return {*runs.jobs["dbindex"].tolist(), *rejected}
