"""`Report`: everything that one QoS shows, built first and rendered afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from librarian.core import limits as core_limits
from librarian.core import summary
from librarian.core.allocation import Pace
from librarian.core.jobs import Reject, ints
from librarian.core.months import Month
from librarian.core.observables import OBSERVABLES, Observable, gpu_observables
from librarian.core.usage import Usage, bin_jobs
from librarian.core.window import Window


@dataclass(frozen=True)
class Staleness:
    """Whether the data are older than they should be: `since` when (UTC epoch), and why in one line."""

    stale: bool = False
    since: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Note:
    """Something the reader must know to read the numbers right. `kind` is for programs, `text` for people."""

    kind: str
    text: str


@dataclass(frozen=True)
class Header:
    """Which QoS this is, where, and how it is shown."""

    qos: str
    title: str
    cluster: str
    zone: str
    refresh_seconds: int
    top_users: int


@dataclass(frozen=True)
class Collected:
    """What collection left to report on: the jobs table, as complete as it was at `as_of`, and what went with it.

    `limits` is None where Slurm could not be asked, `limit_changes` is how they came to be, in order of time;
    `gpus_tracked` None where it did not tell. `hidden` is what Slurm
    keeps from ordinary users (PrivateData), "untold" where it does not tell that, `reader` the user who asked.
    """

    jobs: pd.DataFrame
    as_of: int
    limits: core_limits.QosLimits | None
    rejects: tuple[Reject, ...] = ()
    staleness: Staleness = Staleness()
    notes: tuple[Note, ...] = ()
    gpus_tracked: bool | None = None
    hidden: frozenset[str] = frozenset()
    reader: str = ""
    limit_changes: tuple[core_limits.Change, ...] = ()
    months: tuple[Month, ...] = ()
    paces: tuple[Pace, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything one QoS shows. `usage` holds the arrays; all else is small.

    `now` and `totals` are by user, then by observable key; `limits`, and their `history` in the window, by observable
    key. `users` are those of `totals`, largest share first. `ended` holds the runs that ended by bin, and its sums are
    those of `totals`. `untracked` holds the keys of observables that Slurm does not record here. `months` go back
    further than the window, oldest first; `paces` are the allocations that this QoS uses.
    """

    header: Header
    usage: Usage
    users: tuple[str, ...]
    now: Mapping[str, summary.ByKey]
    now_total: summary.ByKey
    totals: Mapping[str, summary.Totals]
    total: summary.Totals
    ended: summary.Ended
    limits: Mapping[str, core_limits.Limit]
    history: Mapping[str, core_limits.History]
    rejects: tuple[Reject, ...]
    staleness: Staleness
    notes: tuple[Note, ...]
    untracked: frozenset[str]
    colours: Mapping[str, str]
    months: tuple[Month, ...] = ()
    paces: tuple[Pace, ...] = ()

    @property
    def window(self) -> Window:
        """The time axis; its `now` is when the data were complete."""
        return self.usage.window

    @property
    def pictured(self) -> tuple[Observable, ...]:
        """The observables that have charts."""
        return tuple(observable for observable in self.usage.observables if observable.pictured)


def measure(jobs: pd.DataFrame, window: Window) -> Usage:
    """Bin all observables, those of the GPU types that occur included."""
    return bin_jobs(jobs, window, (*OBSERVABLES, *gpu_observables(jobs)))


def build(
    header: Header, collected: Collected, usage: Usage, overrides: Mapping[str, float], colours: Mapping[str, str]
) -> Report:
    """Put the report of one QoS together; `overrides` are the configuration's limits, `colours` by user."""
    ended = summary.ended_by_bin(collected.jobs, usage.window)
    limits = core_limits.limits_of(usage.observables, collected.limits, overrides)
    start, end = usage.window.start, usage.window.now
    totals = summary.totals_by_user(usage, summary.ended_states(ended))
    ranked = summary.ranking([usage])
    return Report(
        header=header,
        usage=usage,
        users=(*ranked, *(user for user in totals if user not in set(ranked))),
        now=summary.now_by_user(usage),
        now_total=summary.now_total(usage),
        totals=totals,
        total=summary.totals_of_all(totals.values(), usage),
        ended=ended,
        limits=limits,
        history=core_limits.histories(usage.observables, collected.limit_changes, limits, start, end),
        rejects=collected.rejects,
        staleness=collected.staleness,
        notes=(*collected.notes, *_notes(collected, usage)),
        untracked=untracked(usage, collected.gpus_tracked),
        colours=colours,
        months=collected.months,
        paces=collected.paces,
    )


def _notes(collected: Collected, usage: Usage) -> Iterator[Note]:
    alone = set(usage.users) <= {collected.reader}
    if "untold" in collected.hidden and alone:
        yield Note(
            "private_data",
            f"No jobs of anybody but {collected.reader or 'the reporting user'} are seen. Slurm may hide them "
            "(PrivateData=jobs): this version does not tell.",
        )
    if "jobs" in collected.hidden and alone:
        yield Note(
            "private_data",
            f"Slurm shows {collected.reader or 'the reporting user'} no jobs of others here (PrivateData=jobs): "
            "the use of everybody else is missing.",
        )
    if untracked(usage, collected.gpus_tracked):
        yield Note("gpus_untracked", "GPUs are not tracked on this cluster: Slurm's accounting does not record them.")
    if (ints(collected.jobs, "suspended") > 0).any():
        yield Note(
            "suspended",
            "Some jobs were suspended. Slurm tells for how long, not when, so their pause is spread over their run.",
        )


def untracked(usage: Usage, gpus_tracked: bool | None) -> frozenset[str]:
    """The keys of observables that Slurm does not record here.

    GPUs that a job was seen with are tracked, whatever Slurm's configuration says.
    """
    seen = bool(usage.integrals[usage.row("NGPUS")].any())
    return frozenset({"NGPUS"}) if gpus_tracked is False and not seen else frozenset()
