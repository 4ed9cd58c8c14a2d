"""What made-up runs used, as the store would tell it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pandas as pd

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.window import Window
from librarian.subjects.efficiency.facts import EfficiencyFacts, binned
from librarian.subjects.efficiency.model import GIB, Hours, Run, Source, Total, Use, UsedRun
from librarian.subjects.efficiency.section import begins
from librarian.subjects.efficiency.slots import Sums, sums
from librarian.subjects.jobs.model import UNKNOWN


def used_runs(jobs: pd.DataFrame) -> Iterator[UsedRun]:
    """The runs of a jobs table that ended, each with habits of its user; every seventh is not measured."""
    for row in jobs.itertuples():
        if UNKNOWN in (row.start, row.end) or row.end < row.start:
            continue
        run = Run(
            dbindex=int(row.dbindex),
            jobid=int(row.jobid),
            user=UserName(str(row.user)),
            account=AccountName(str(row.account)),
            qos=str(row.qos),
            partition=PartitionName(str(row.partition)),
            state=str(row.state),
            start=int(row.start),
            end=int(row.end),
            elapsed=int(row.end - row.start),
            limit=None,
            alloc_tres=str(row.alloc_tres),
        )
        yield UsedRun(run, Use() if run.dbindex % 7 == 0 else use_of(run))


def use_of(run: Run) -> Use:
    """A share of what it held, the same for all runs of a user; nothing is known of its GPUs."""
    share = 0.2 + 0.7 * (zlib.crc32(run.user.encode("utf-8", "surrogateescape")) % 100) / 100
    return Use(
        cpu=int(1000 * share * run.held("NCPUS") * run.seconds("NCPUS")),
        cpu_source=Source.STEPS,
        memory=int(share * run.held("MEMORY") * GIB),
        memory_source=Source.STEPS,
    )


def facts_of(jobs: pd.DataFrame, window: Window) -> EfficiencyFacts:
    """The facts of a report on these runs."""
    spread = sums(used_runs(jobs))
    slots: dict[str, dict[int, Hours]] = {}
    for (start, _, key), hours in spread.items():
        by_start = slots.setdefault(key, {})
        by_start[start] = by_start.get(start, Hours()) + hours
    return EfficiencyFacts(
        known=((window.start, window.now),),
        until=window.now,
        totals=totals_of(spread, window.start, window.now),
        ranges={name: totals_of(spread, since, window.now) for name, since in begins(window).items()},
        bins={key: binned(by_start, window) for key, by_start in slots.items()},
    )


def totals_of(spread: Sums, begin: int, end: int) -> tuple[Total, ...]:
    """What all came to in the slots that begin in [begin, end)."""
    return tuple(
        Total(who.user, who.account, who.partition, key, hours)
        for (start, who, key), hours in sorted(spread.items(), key=lambda item: item[0])
        if begin <= start < end
    )
