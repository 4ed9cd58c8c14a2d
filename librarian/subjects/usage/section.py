"""Who holds what: the arrays of use by bin, and small tables of now and of the window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from librarian.shared.names import UserName
from librarian.shared.report import Note, Section
from librarian.shared.resources import ByKey, Observable
from librarian.subjects.jobs.section import JobsFacts
from librarian.subjects.usage import rest, summary
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Tally
from librarian.subjects.usage.rest import Unfinished
from librarian.subjects.usage.totals import Totals


@dataclass(frozen=True)
class UsageFacts:
    """What runs came to in the window, and what of it is not yet among the hours that are kept for good."""

    tally: Tally
    unfinished: Unfinished

    @property
    def usage(self) -> Usage:
        """What was held."""
        return self.tally.usage


@dataclass(frozen=True)
class UsageSection(Section):
    """`usage` holds the arrays; all else is small.

    `now` and `totals` are by user, then by key of the resource. `users` are those of `totals`, largest share first.
    `ended` holds the runs that ended by bin, and its sums are those of `totals`. `untracked` are the keys of resources
    that Slurm does not record here, `remarks` what the reader must know.
    """

    usage: Usage
    users: tuple[UserName, ...]
    now: Mapping[UserName, ByKey]
    now_total: ByKey
    totals: Mapping[UserName, Totals]
    total: Totals
    ended: summary.Ended
    untracked: frozenset[str]
    remarks: tuple[Note, ...]

    @property
    def people(self) -> Iterable[UserName]:
        """Those who held something or had a run end, largest share first."""
        return self.users

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the reader must know to read the numbers right."""
        return self.remarks

    @property
    def pictured(self) -> tuple[Observable, ...]:
        """The resources that have charts."""
        return tuple(observable for observable in self.usage.observables if observable.pictured)

    @property
    def tracked(self) -> tuple[Observable, ...]:
        """The resources that Slurm records here."""
        return tuple(observable for observable in self.usage.observables if observable.key not in self.untracked)


def build(jobs: JobsFacts, facts: UsageFacts, others: UserName | None = None) -> UsageSection:
    """The section from renamed facts; `others`, many under one name, come behind everybody else."""
    usage, tally = facts.usage, facts.tally
    totals = summary.totals_by_user(usage, summary.ended_states(tally.ended))
    ranked = summary.ranking([usage])
    users = dict.fromkeys((*ranked, *totals))
    if others in users:
        users[others] = users.pop(others)
    return UsageSection(
        usage=usage,
        users=tuple(users),
        now=summary.now_by_user(usage),
        now_total=summary.now_total(usage),
        totals=totals,
        total=summary.totals_of_all(totals.values(), usage),
        ended=tally.ended,
        untracked=untracked(usage, jobs.gpus_tracked),
        remarks=tuple(_remarks(jobs, tally)),
    )


def _remarks(jobs: JobsFacts, tally: Tally) -> Iterator[Note]:
    alone = set(tally.usage.users) <= {jobs.reader}
    if "untold" in jobs.hidden and alone:
        yield Note(
            "private_data",
            f"No jobs of anybody but {jobs.reader or 'the reporting user'} are seen. Slurm may hide them "
            "(PrivateData=jobs): this version does not tell.",
        )
    if "jobs" in jobs.hidden and alone:
        yield Note(
            "private_data",
            f"Slurm shows {jobs.reader or 'the reporting user'} no jobs of others here (PrivateData=jobs): "
            "the use of everybody else is missing.",
        )
    if untracked(tally.usage, jobs.gpus_tracked):
        yield Note("gpus_untracked", "GPUs are not tracked on this cluster: Slurm's accounting does not record them.")
    if tally.paused.any():
        yield Note(
            "suspended",
            "Some jobs were suspended. Their CPUs do not count in that time, all else does. Slurm tells for how long, "
            "not when, so the pause is spread over the run.",
        )


def untracked(usage: Usage, gpus_tracked: bool | None) -> frozenset[str]:
    """The keys of resources that Slurm does not record here.

    GPUs that a job was seen with are tracked, whatever Slurm's configuration says.
    """
    return rest.untracked(gpus_tracked, gpus_seen(usage))


def gpus_seen(usage: Usage) -> bool:
    """Whether any job was seen with GPUs."""
    return bool(usage.integrals[usage.row("NGPUS")].any())
