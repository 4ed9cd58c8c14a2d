"""`Report`: everything that one QoS shows, built first and rendered afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from librarian.shared.resources import Observable
from librarian.shared.window import Window
from librarian.subjects.jobs.model import Reject
from librarian.subjects.limits import model as core_limits
from librarian.subjects.limits import policy
from librarian.subjects.limits.pressure import Pressures, pressures
from librarian.subjects.months.allocation import Pace
from librarian.subjects.months.model import Month
from librarian.subjects.queue.demand import Samples, Wanted, by_bin
from librarian.subjects.queue.model import Queue, Seen, summarise
from librarian.subjects.queue.waits import Waits, waits_of
from librarian.subjects.usage import summary
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Measured, Tally


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
    """What collection left to report on, as complete as it was at `as_of`, and what went with it.

    `jobs` is the jobs table of the runs that count against limits then, and maybe others. `limits` is None where Slurm
    could not be asked, `limit_changes` is how they came to be, in order of time; `gpus_tracked` None where it did not
    tell. `hidden` is what Slurm keeps from ordinary users (PrivateData), "untold" where it does not tell that, `reader`
    the user who asked. `queue` is what squeue told last, `samples` what the jobs in it wanted over time.
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
    queue: Seen = field(default_factory=Seen)
    samples: Samples = field(default_factory=Samples)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Users who wait or waited, by name."""
        return tuple(sorted({*map(str, self.queue.table["user"]), *map(str, self.samples.sums["user"])}))

    months: tuple[Month, ...] = ()
    paces: tuple[Pace, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything one QoS shows. `usage` holds the arrays; all else is small.

    `now` and `totals` are by user, then by observable key; `limits`, and their `history` in the window, by observable
    key. `policy` has every limit that is set anywhere, `flags` those of the QoS (None: not known); `counted` is what
    Slurm counts against its limits now, by key of what is tracked, and `pressure` how near they were. `users` are those
    of `totals`, largest share first. `ended` holds the runs that ended by bin, and its sums are those of `totals`.
    `untracked` holds the keys of observables that Slurm does not record here. `queue` is who waits,
    `wanted` what was waited for by bin, `waits` how long it took to start. `months` go back further than the window,
    oldest first; `paces` are the allocations that this QoS uses.
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
    policy: tuple[policy.Row, ...]
    flags: tuple[str, ...] | None
    counted: summary.ByKey
    pressure: Pressures
    rejects: tuple[Reject, ...]
    staleness: Staleness
    notes: tuple[Note, ...]
    untracked: frozenset[str]
    colours: Mapping[str, str]
    queue: Queue
    wanted: Wanted
    waits: Waits

    @property
    def everybody(self) -> tuple[str, ...]:
        """`users`, then by name those who only wait or waited."""
        waiting = {*self.wanted.users, *(waiter.user for waiter in self.queue.users)}
        return (*self.users, *sorted(waiting - set(self.users)))

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


def limits_in(
    tally: Tally, collected: Collected, overrides: Mapping[str, float]
) -> tuple[Mapping[str, core_limits.Limit], Mapping[str, core_limits.History]]:
    """The limits of now, and as they were in the window, by observable key; `overrides` are the configuration's."""
    observables, window, places = tally.usage.observables, tally.window, tally.places
    limits = core_limits.limits_of(observables, collected.limits, overrides, places)
    span = (window.start, window.now)
    return limits, core_limits.histories(observables, collected.limit_changes, limits, span, places)


def build(
    header: Header, collected: Collected, measured: Measured, overrides: Mapping[str, float], colours: Mapping[str, str]
) -> Report:
    """Put the report of one QoS together; `overrides` are the configuration's limits, `colours` by user."""
    usage, tally = measured.usage, measured.tally
    limits, history = limits_in(tally, collected, overrides)
    unseen = untracked(usage, collected.gpus_tracked)
    tracked = [observable for observable in usage.observables if observable.key not in unseen]
    held = policy.held_now(collected.jobs, usage.window.now, tracked)
    totals = summary.totals_by_user(usage, summary.ended_states(tally.ended))
    ranked = summary.ranking([usage])
    now = summary.now_by_user(usage)
    return Report(
        header=header,
        usage=usage,
        users=(*ranked, *(user for user in totals if user not in set(ranked))),
        now=now,
        now_total=summary.now_total(usage),
        totals=totals,
        total=summary.totals_of_all(totals.values(), usage),
        ended=tally.ended,
        limits=limits,
        history=history,
        policy=policy.rows(header.qos, collected.limits, overrides, tally.places, {policy.OWN: held}),
        flags=collected.limits.flags if collected.limits else None,
        counted={o.key: held.total[o.resource or core_limits.JOBS] for o in tracked},
        pressure=pressures(measured.pressed),
        rejects=collected.rejects,
        staleness=collected.staleness,
        notes=(*collected.notes, *_notes(collected, tally)),
        untracked=unseen,
        colours=colours,
        queue=summarise(collected.queue, limits, now),
        wanted=by_bin(collected.samples, usage.window),
        waits=waits_of(tally.starts, usage.window),
        months=collected.months,
        paces=collected.paces,
    )


def _notes(collected: Collected, tally: Tally) -> Iterator[Note]:
    usage = tally.usage
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
    if tally.paused.any():
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
