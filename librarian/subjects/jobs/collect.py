"""From Slurm to the store: ask for what may have changed, and see that nothing is missed.

A cycle asks from shortly before the last complete answer. Three things could still slip through, and each is looked
for: a run that we hold for open and Slurm does not name any more (its end was recorded late, or it moved to another
QoS) is asked for again from its start; a window that begins before what we know, or a clock that went back, is read
whole; and once a day the window is read whole anyway, for records that came very late and for edits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.errors import LibrarianError, NoAnswerError, SlurmError, TooSlowError
from librarian.shared.scope import Scope
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import ask, pieces
from librarian.subjects.jobs.ask import Query, Runs, Sink
from librarian.subjects.jobs.keep import Asked, Coverage, JobRuns
from librarian.subjects.jobs.model import UNKNOWN, ints, joined
from librarian.subjects.subject import Asking, Watched
from librarian.system.host import stopwatch, user_name

OVERLAP = 3600  # slurmctld sends records in batches, and slurmdbd may have been down for a while
FULL_EVERY = 86400
TRACKED, PRIVATE, CLUSTERS = "gpus_tracked", "private_data", "clusters"

Question = tuple[str, str, Callable[[], object]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What to ask for next: all that had not ended before `since`; `full` when that is a whole window."""

    since: int
    full: bool


def plan(coverage: Coverage | None, now: int, begin: int, full: bool) -> Plan:
    """What to ask for at `now` when the window begins at `begin`; all UTC epochs."""
    if coverage is None:
        return Plan(begin, True)
    last = coverage.complete_at - OVERLAP
    gap = coverage.covered_from > begin or coverage.complete_at > now
    if full or gap or now - coverage.full_at >= FULL_EVERY:
        return Plan(min(begin, last), True)  # after a long pause the last answer lies before the window
    return Plan(last, False)


@dataclass(frozen=True)
class Request:
    """What is asked of whom: the runs of `scope` that had not ended before `begin`, up to `now`.

    `full`: whatever is known already. Times are UTC epochs.
    """

    scope: Scope
    now: int
    begin: int
    full: bool = False

    def query(self, store: Store) -> tuple[Plan, Query]:
        """The question, which is shorter where the store knows a part of the answer."""
        todo = plan(JobRuns(store).coverage(self.scope), self.now, self.begin, self.full)
        return todo, Query(self.scope.qos, todo.since, self.now, self.scope.accounts, self.scope.partitions)


def begin(slurm: Slurm, store: Store, request: Request) -> None:
    """Let Slurm begin with what `collect` is about to ask."""
    todo, query = request.query(store)
    if _longest(JobRuns(store).last_query(request.scope), todo, request.now, slurm.timeout) is None:
        ask.begin(slurm, query, request.scope.cluster)


def collect(slurm: Slurm, store: Store, request: Request, meanwhile: Callable[[], None] = lambda: None) -> Asked:
    """Ask Slurm for what changed in a scope and put it into the store; `meanwhile` is called once Slurm has answered.

    Raises `SlurmError` when the answer cannot be trusted; the store then only remembers the failure.
    """
    scope, cluster, now = request.scope, request.scope.cluster, request.now
    todo, query = request.query(store)
    started = ask.begun(slurm, query, cluster) or stopwatch()
    asked = Asked(todo.since, now, 0.0, full=todo.full)
    kept = JobRuns(store)
    longest, opened = _longest(kept.last_query(scope), todo, now, slurm.timeout), kept.open_runs(scope)
    try:
        _check_cluster(store, cluster)
        with kept.intake() as intake:
            runs = pieces.ask(slurm, query, cluster, longest, intake.take)
            runs, gone = _complete(runs, opened, lambda since: _again(slurm, query, cluster, since, intake.take))
            _check_hidden(store, gone, runs.jobs)
            asked = replace(asked, seconds=stopwatch() - started, rows=len(runs.jobs), rejects=len(runs.rejects))
            meanwhile()
            intake.complete(scope, asked, runs.jobs, runs.rejects, gone["dbindex"].tolist())
    except (SlurmError, TooSlowError) as error:
        kept.failed(scope, replace(asked, seconds=stopwatch() - started, error=str(error)))
        raise
    return asked


def _longest(last: Asked | None, todo: Plan, now: int, timeout: float) -> int | None:
    """How long one question may be: a window that hung the last time is asked for in quarters, each in less time."""
    hung = last and last.error and last.seconds >= timeout
    return (now - todo.since + 3) // 4 if hung and todo.full else None


def _check_cluster(store: Store, cluster: str) -> None:
    """Refuse a cluster that Slurm does not know: sacct would answer that it has no jobs."""
    known = store.fact(CLUSTERS)
    if known and cluster.lower() not in (name.lower() for name in known):
        raise SlurmError(f"Slurm knows no cluster {cluster}", f"it knows {', '.join(known)}", "correct [cluster] name")


def _check_hidden(store: Store, gone: pd.DataFrame, answered: pd.DataFrame) -> None:
    """Refuse an answer from which others' running jobs have vanished where Slurm hides them: they have not gone.

    Where Slurm does not tell what it hides, an answer without anybody else is taken for that.
    """
    hidden, me = store.fact(PRIVATE) or (), user_name()
    if not (gone["user"] != me).any():
        return
    why = ""
    if "jobs" in hidden:
        why = "PrivateData=jobs is set"
    elif site.UNTOLD in hidden and not (answered["user"] != me).any():
        why = "Slurm does not tell its PrivateData"
    if why:
        why += ", and running jobs that were seen before are not told any more"
        raise SlurmError("Slurm hides the jobs of others now", why, "ask its admins for a way to see the QoS's jobs")


def _again(slurm: Slurm, query: Query, cluster: str, since: int, sink: Sink) -> Runs:
    log.info("asking sacct for %s again, from the start of runs that it did not name", query.qos)
    return pieces.ask(slurm, replace(query, since=since), cluster, sink=sink)


def _complete(runs: Runs, opened: pd.DataFrame, ask_from: Callable[[int], Runs]) -> tuple[Runs, pd.DataFrame]:
    """Runs of an answer, completed by those that were open and are not in it; and the rows of those that left."""
    missing = _missing(opened, runs)
    if not len(missing):
        return runs, missing
    start, submit = ints(missing, "start"), ints(missing, "submit")
    more = ask_from(int(np.where(start == UNKNOWN, submit, start).min()))
    gone = _missing(missing, more)
    rejects = {reject.key: reject for reject in (*runs.rejects, *more.rejects)}
    return Runs(joined([runs.jobs, more.jobs]), tuple(rejects.values())), gone


def _missing(known: pd.DataFrame, runs: Runs) -> pd.DataFrame:
    """Rows of `known` that the answer does not name, neither as a run nor as a reject."""
    named = [*runs.jobs["dbindex"].tolist(), *(int(r.key[4:]) for r in runs.rejects if r.key.startswith("run "))]
    return known[~known["dbindex"].isin(named)]


def observe_cluster(slurm: Slurm, store: Store, now: int) -> list[SlurmError]:
    """Ask what is tracked, what is hidden, and which clusters there are; returns what failed.

    As `keep_answers` does it.
    """
    questions: tuple[Question, ...] = (
        (TRACKED, "what is tracked", lambda: site.gpus_tracked(slurm)),
        (PRIVATE, "what is hidden", lambda: sorted(site.private_data(slurm))),
        (CLUSTERS, "clusters", lambda: site.clusters(slurm)),
    )
    return keep_answers(store, questions, now)


def keep_answers(
    store: Store, questions: Sequence[tuple[str, str, Callable[[], object]]], now: int
) -> list[SlurmError]:
    """Ask, and keep each answer as a fact of `now`: `questions` are (the fact, what it is in words, how to ask).

    Returns what failed; the last known answers stay. Where nobody answers a question, the others are not asked: each
    would wait as long.
    """
    failures: list[SlurmError] = []
    for name, words, question in questions:
        try:
            store.know(name, question(), now)
        except SlurmError as error:
            failures.append(type(error)(f"{words}: {error.what}", error.why, error.todo))
            if isinstance(error, NoAnswerError):
                break
    return failures


def collect_all(asking: Asking) -> list[LibrarianError]:
    """Bring the runs of each QoS up to now; returns what failed, a QoS at a time. Raises `StoreError`.

    When nobody answers for a QoS, the others are not asked: each would wait as long. Those that failed last time come
    last, so that one which always fails does not keep the others from being asked. slurmdbd begins with the next QoS
    while the store takes one in.
    """
    slurm, store = asking.slurm, asking.store
    problems: list[LibrarianError] = []
    nobody: LibrarianError | None = None
    requests = sorted(map(_request(asking), asking.watched), key=lambda request: _has_failed(store, request.scope))
    with slurm.ending():
        for request, following in zip(requests, [*requests[1:], None], strict=True):
            if nobody:
                JobRuns(store).failed(request.scope, Asked(asking.now, asking.now, 0.0, error=str(nobody)))
                problems.append(NoAnswerError(f"QoS {request.scope.qos} was not asked for", str(nobody)))
                continue
            failure = _collect_one(slurm, store, request, following)
            problems += [failure] if failure else []
            nobody = failure if isinstance(failure, NoAnswerError) else None
    return problems


def _request(asking: Asking) -> Callable[[Watched], Request]:
    return lambda watched: Request(watched.scope, asking.now, asking.begin, asking.full)


def _has_failed(store: Store, scope: Scope) -> bool:
    """Whether the last question failed; one that was not asked took no time."""
    last = JobRuns(store).last_query(scope)
    return bool(last and last.error and last.seconds)


def _collect_one(slurm: Slurm, store: Store, request: Request, following: Request | None) -> SlurmError | None:
    """Collect one QoS; Slurm answers for the `following` one while the store takes this one in."""
    name = request.scope.qos

    def meanwhile() -> None:
        if following:
            begin(slurm, store, following)

    log.info("%s: asking sacct", name)
    try:
        asked = collect(slurm, store, request, meanwhile)
    except SlurmError as error:
        return type(error)(f"QoS {name}: {error.what}", error.why, error.todo)
    log.info("%s: %d runs, %d rejected, %.1f s", name, asked.rows, asked.rejects, asked.seconds)
    return None
