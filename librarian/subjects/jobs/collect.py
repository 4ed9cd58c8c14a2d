"""From Slurm to the store: ask for what may have changed, and see that nothing is missed.

A cycle asks from shortly before the last complete answer. Three things could still slip through, and each is looked
for: a run that we hold for open and Slurm does not name any more (its end was recorded late, or it moved to another
QoS) is asked for again from its start; a window that begins before what we know, or a clock that went back, is read
whole; and once a day the window is read whole anyway, for records that came very late and for edits.

An empty answer looks like one that was lost. So a question reaches back to a run that it must name (see `doubts`);
where none is known, the window is read whole a second time before an answer without any run counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from librarian.errors import LibrarianError, NoAnswerError, SlurmError, TooSlowError, Trouble
from librarian.shared.scope import Scope, Watched
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import ask, daily, pieces, running
from librarian.subjects.jobs.ask import Runs, Sink
from librarian.subjects.jobs.covered import TRACKED, Coverage
from librarian.subjects.jobs.daily import CLUSTERS, PRIVATE
from librarian.subjects.jobs.doubts import AGAIN, Doubt, doubt, named_in
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import ints, joined
from librarian.subjects.jobs.question import Query
from librarian.subjects.jobs.states import UNKNOWN, Reject
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.subjects.subject import Asking
from librarian.system.host import stopwatch, user_name

OVERLAP = 3600  # slurmctld sends records in batches, and slurmdbd may have been down for a while
FULL_EVERY = 86400

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NextQuestion:
    """What to ask for next: all that had not ended before `since`; `full` when that is a whole window."""

    since: int
    full: bool


def plan(coverage: Coverage | None, now: int, begin: int, full: bool) -> NextQuestion:
    """What to ask for at `now` when the window begins at `begin`; all UTC epochs."""
    if coverage is None:
        return NextQuestion(begin, True)
    last = coverage.complete_at - OVERLAP
    gap = coverage.covered_from > begin or coverage.complete_at > now
    if full or gap or now - coverage.full_at >= FULL_EVERY:
        return NextQuestion(min(begin, last), True)  # after a long pause the last answer lies before the window
    return NextQuestion(last, False)


@dataclass(frozen=True)
class Request:
    """What is asked of whom: the runs of `scope` that had not ended before `begin`, up to `now`.

    `full`: whatever is known already. Times are UTC epochs.
    """

    scope: Scope
    now: int
    begin: int
    full: bool = False

    def query(self, store: Store) -> tuple[NextQuestion, Query]:
        """The question, which is shorter where the store knows a part of the answer."""
        kept = JobRuns(store)
        full = self.full or kept.unconfirmed(self.scope) is not None
        question = plan(kept.coverage(self.scope), self.now, self.begin, full)
        if not question.full and not kept.has_open(self.scope):
            question = replace(question, since=self._witnessed(kept, question.since))
        return question, Query(spelled(store, self.scope), question.since, self.now)

    def witnesses(self, kept: JobRuns, since: int) -> list[int]:
        """DBIndexes of ended runs of which the answer to a question that begins with `since` must name one at least."""
        coverage = kept.coverage(self.scope)
        if coverage is None or coverage.complete_at > self.now:  # the clock went back: they may not have begun yet
            return []
        return kept.ended_since(self.scope, max(since, self._witnessed(kept, coverage.complete_at - OVERLAP)))

    def _witnessed(self, kept: JobRuns, since: int) -> int:
        """`since`, or so much earlier that a run of the window is known to have ended after it."""
        newest = kept.newest_end(self.scope, self.begin)
        return since if newest is None else min(since, newest)


def begin(slurm: Slurm, store: Store, request: Request) -> None:
    """Let Slurm begin with what `collect` is about to ask."""
    question, query = request.query(store)
    if _longest(JobRuns(store).last_query(request.scope), question, request.now, slurm.timeout) is None:
        ask.begin(slurm, query)


def collect(slurm: Slurm, store: Store, request: Request, meanwhile: Callable[[], None] = lambda: None) -> Asked:
    """Ask Slurm for what changed in a scope and put it into the store; `meanwhile` is called once Slurm has answered.

    Raises `SlurmError` when the answer cannot be trusted; the store then only remembers the failure.
    """
    scope, now = request.scope, request.now
    rejects: tuple[Reject, ...] = ()
    found: Doubt | None = None
    facts: dict[str, object] = {}  # which are known whatever becomes of the answer
    question, query = request.query(store)
    started = ask.begun(slurm, query) or stopwatch()
    asked = Asked(question.since, now, 0.0, full=question.full)
    kept = JobRuns(store)
    longest, doubted = _longest(kept.last_query(scope), question, now, slurm.timeout), kept.doubted_since(scope)
    try:
        _check_cluster(store, scope.cluster)
        with kept.intake() as intake:
            answer = _read(slurm, query, longest, kept.open_runs(scope), intake.take)
            rejects, jobs = answer.runs.rejects, answer.runs.jobs
            facts |= _contradicted(slurm, store, request, query, answer)
            _check_cluster(store, scope.cluster)
            _check_hidden(store, answer.gone, jobs)
            found = _doubt(slurm, store, request, query, answer)
            told = daily.again(slurm, store, (PRIVATE, CLUSTERS), now) if found else {}
            if told:
                facts |= told
                _check_cluster(store, scope.cluster)
                found = _doubt(slurm, store, request, query, answer)
            _check(found, doubted, now)
            asked = replace(asked, seconds=stopwatch() - started, rows=len(jobs), rejects=len(rejects))
            meanwhile()
            kept.doubt(scope, None)
            kept.confirm(scope, _unconfirmed(kept, request, question, answer.runs))
            intake.complete(scope, asked, jobs, rejects, answer.gone["dbindex"].tolist())
    except (SlurmError, TooSlowError) as error:
        failed = replace(asked, seconds=stopwatch() - started, error=str(error), trouble=error.trouble)
        for name, value in facts.items():
            store.know(name, value, now)
        kept.failed(scope, failed, rejects)
        if found:
            kept.doubt(scope, _first(doubted, now))
        raise
    return asked


@dataclass(frozen=True)
class _Answer:
    """Runs that sacct named, and those it was to name: the rows that were open, and which of these it names no more."""

    runs: Runs
    opened: pd.DataFrame
    gone: pd.DataFrame


def _read(slurm: Slurm, query: Query, longest: int | None, opened: pd.DataFrame, sink: Sink) -> _Answer:
    """The answer to `query`, and to a second question where runs that were open are not in it."""
    runs = pieces.ask(slurm, query, longest, sink)
    runs, gone = _complete(runs, opened, lambda since: _again(slurm, query, since, sink))
    return _Answer(runs, opened, gone)


def _contradicted(slurm: Slurm, store: Store, request: Request, query: Query, answer: _Answer) -> dict[str, object]:
    """Ask again for what is asked once a day where the answer speaks against it; returns the facts that were told.

    GPUs that are not tracked; runs that must be in it and are not; nobody but ourselves in it, where there were others:
    they may be hidden now. Or others in it, where they were hidden.
    """
    jobs, kept, me = answer.runs.jobs, JobRuns(store), user_name()
    left = bool(len(answer.gone)) or bool({*kept.ended_since(query.scope, query.since + 1)} - named_in(answer.runs))
    others = bool((jobs["user"] != me).any())
    hidden = "jobs" in (store.fact(PRIVATE) or ()) if others else kept.has_others(query.scope, me)
    gpus = store.fact(TRACKED) is False and any("gres/gpu" in text for text in jobs["alloc_tres"].unique())
    names = (*([TRACKED] if gpus else []), *([PRIVATE] if left or hidden else []), *([CLUSTERS] if left else []))
    return daily.again(slurm, store, names, request.now)


def _doubt(slurm: Slurm, store: Store, request: Request, query: Query, answer: _Answer) -> Doubt | None:
    """Why the answer cannot be true; squeue is asked only where it is strange."""
    strange = not len(answer.runs.jobs) or bool(len(answer.gone))
    shown = _running(slurm, store, query.scope) if strange else None
    ended = request.witnesses(JobRuns(store), query.since)
    settled = KnownRunaways(store).unended(request.scope).settled(answer.runs.jobs)
    return doubt(replace(answer.runs, jobs=settled), answer.opened, ended, shown, request.now)


def _longest(last: Asked | None, question: NextQuestion, now: int, timeout: float) -> int | None:
    """How long one question may be: a window that hung the last time is asked for in quarters, each in less time."""
    hung = last and last.error and last.seconds >= timeout
    return (now - question.since + 3) // 4 if hung and question.full else None


def _check_cluster(store: Store, cluster: str) -> None:
    """Refuse a cluster that Slurm does not know: sacct would answer that it has no jobs."""
    known = store.fact(CLUSTERS)
    if known and cluster.lower() not in (name.lower() for name in known):
        what, why = f"Slurm knows no cluster {cluster}", f"it knows {', '.join(known)}"
        raise SlurmError(what, why, "correct [cluster] name", trouble=Trouble.NO_SUCH_NAME)


def spelled(store: Store, scope: Scope) -> Scope:
    """`scope` with its cluster as Slurm spells it, as far as that is known."""
    same = (name for name in store.fact(CLUSTERS) or () if name.lower() == scope.cluster.lower())
    return replace(scope, cluster=next(same, scope.cluster))


def _check(found: Doubt | None, doubted: int | None, now: int) -> None:
    """Refuse an answer that is in doubt, until it has been the same since `doubted` for long enough."""
    if found is None:
        return
    if now - _first(doubted, now) < found.seconds:
        todo = "it is asked again; the last good data stay"
        raise SlurmError("sacct's answer is refused", found.why, todo, trouble=Trouble.NOT_BELIEVED)
    log.warning("sacct's answer is taken, though %s: it has been so for %d s", found.why, found.seconds)


def _first(doubted: int | None, now: int) -> int:
    return now if doubted is None else min(doubted, now)


def _running(slurm: Slurm, store: Store, scope: Scope) -> tuple[int, ...] | None:
    """When what squeue names started; None where it does not answer. Where sacct hides jobs it is no witness."""
    if hides_jobs(store):
        return ()
    try:
        return running.started(slurm, scope)
    except SlurmError as error:
        log.info("squeue cannot tell whether sacct is right: %s", error)
        return None


def hides_jobs(store: Store) -> bool:
    """Whether Slurm keeps jobs of others from us, or may do so."""
    return bool({"jobs", site.UNTOLD} & set(store.fact(PRIVATE) or ()))


def _unconfirmed(kept: JobRuns, request: Request, question: NextQuestion, runs: Runs) -> int | None:
    """When the first answer came that named no run of a time of which nothing is known; None where this one is sure."""
    if len(runs.jobs) or not question.full:
        return None
    coverage, before, now = kept.coverage(request.scope), kept.unconfirmed(request.scope), request.now
    if before is not None and before <= now:
        return None if now - before >= AGAIN else before
    return now if coverage is None or now - coverage.complete_at > FULL_EVERY else None


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
        todo = "ask its admins for a way to see the QoS's jobs"
        raise SlurmError("Slurm hides the jobs of others now", why, todo, trouble=Trouble.HIDDEN)


def _again(slurm: Slurm, query: Query, since: int, sink: Sink) -> Runs:
    log.info("asking sacct for %s again, from the start of runs that it did not name", query.scope.qos)
    return pieces.ask(slurm, replace(query, since=since), sink=sink)


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
    return known[~known["dbindex"].isin(named_in(runs))]


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
                unasked = Asked(asking.now, asking.now, 0.0, error=str(nobody), trouble=nobody.trouble)
                JobRuns(store).failed(request.scope, unasked)
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
        return error.of(f"QoS {name}")
    log.info("%s: %d runs, %d rejected, %.1f s", name, asked.rows, asked.rejects, asked.seconds)
    return None
