"""Runs: what the cycle asks of this subject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from librarian.errors import NoAnswerError, Trouble
from librarian.shared.names import UserName
from librarian.shared.rejects import too_many
from librarian.shared.report import Report, Staleness
from librarian.shared.scope import Watched
from librarian.store import Store
from librarian.subjects.jobs import collect, daily, runaway_lines, runaways
from librarian.subjects.jobs.covered import TRACKED
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import counting
from librarian.subjects.jobs.section import JobsFacts, JobsSection
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.subjects.subject import (
    ACCOUNTING,
    Asked,
    Asking,
    Facts,
    Ground,
    Json,
    Problems,
    Reading,
    Subject,
    Tidying,
)


class Jobs(Subject):
    """The runs of each QoS, from sacct: the ground of most other subjects."""

    key = "jobs"
    needed = True
    fields = ("rejects",)
    first = fields

    def collect(self, asking: Asking) -> Problems:
        """Ask for what changed of the runs of each QoS, for what the cluster tracks and hides, and what really runs."""
        problems = [*daily.observe(asking), *collect.collect_all(asking)]
        for problem in problems:
            if isinstance(problem, NoAnswerError):
                asking.silent[ACCOUNTING] = problem
        runaways.look(asking)
        return problems

    def ground(self, store: Store, watched: Watched) -> Ground | None:
        """When the runs of a QoS were complete."""
        coverage, last = JobRuns(store).coverage(watched.scope), JobRuns(store).last_query(watched.scope)
        failed = last.trouble if last else None
        reason = failed or Trouble.NOTHING_YET
        if coverage is None:
            return Ground(None, Staleness(), reason)
        staleness = Staleness(True, coverage.complete_at, failed) if failed else Staleness()
        return Ground(coverage.complete_at, staleness, reason)

    def asked(self, store: Store, watched: Watched) -> Asked | None:
        """How asking sacct for a QoS has fared."""
        runs, scope = JobRuns(store), watched.scope
        coverage, last = runs.coverage(scope), runs.last_query(scope)
        return Asked(
            last_try=last.until if last else None,
            complete_at=coverage.complete_at if coverage else None,
            seconds=last.seconds if last else None,
            error=last.error if last else None,
            trouble=last.trouble if last else None,
            rows=last.rows if last else None,
            rejects=tuple(reject.reason for reject in runs.rejects(scope)),
            runaways=len(KnownRunaways(store).sure(scope)),
        )

    def people(self, store: Store) -> frozenset[str]:
        """Every user who was ever told of."""
        return JobRuns(store).people()

    def read(self, reading: Reading) -> JobsFacts:
        """The runs that hold something now, and the rows that were left out."""
        runs, now = JobRuns(reading.store), reading.window.now
        hidden = frozenset(reading.store.fact(daily.PRIVATE) or ())
        rejects, last = runs.rejects(reading.scope), runs.last_query(reading.scope)
        return JobsFacts(
            counting=counting(runs.jobs(reading.scope, now), now),
            rejects=rejects,
            gpus_tracked=reading.store.fact(TRACKED),
            hidden=hidden,
            reader=UserName(reading.reader),
            many_rejects=too_many(len(rejects), last.rows if last else None),
            unconfirmed="jobs" not in hidden and runs.unconfirmed(reading.scope) is not None,
            runaways=runaway_lines.runaways(reading.store, reading.scope, reading.window.start, now),
        )

    def build(self, facts: Facts, report: Report) -> JobsSection:
        """The rows that were left out, and what makes the numbers less than sure."""
        runs = facts[JobsFacts]
        return JobsSection(runs.rejects, runs.many_rejects, runs.unconfirmed, runs.runaways)

    def to_json(self, report: Report) -> Json:
        """`rejects`: how many rows, by reason."""
        rejects = report[JobsSection].rejects
        reasons: Mapping[str, int] = Counter(reject.reason for reject in rejects)
        return {"rejects": {"count": len(rejects), "reasons": dict(sorted(reasons.items()))}}

    def tidy(self, tidying: Tidying) -> int:
        """Drop runs that ended long ago, and those of QoS that nobody asks for any more."""
        runs = JobRuns(tidying.store)
        dropped = runs.forget_strangers(tuple(watched.name for watched in tidying.watched), tidying.before)
        for watched in tidying.watched:
            dropped += runs.forget_runs(watched.scope, tidying.before, tidying.written(watched.scope))
        runs.forget_texts()
        return dropped
