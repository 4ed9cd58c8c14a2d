"""From Slurm to the store: what ended since the last answer, in slices, within a time of its own.

One question a cluster in a usual cycle, for all QoS that stand at the same moment. Where much ended meanwhile it is cut
into slices of so many runs, as those that sacct told without steps say; when the time is used up the rest waits for the
next cycle. What fails here makes no other data old and no run a failed one: it is noted, and asked for again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from librarian.errors import NoAnswerError, SlurmError, TooWideError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.words import counted
from librarian.store import Store
from librarian.subjects.efficiency import ask, late
from librarian.subjects.efficiency.ask import Question, Told
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.jobs.collect import hides_jobs, spelled
from librarian.subjects.jobs.daily import PRIVATE
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.subject import ACCOUNTING, Asking
from librarian.system.host import stopwatch, user_name

OVERLAP = 900  # seconds; slurmctld sends records in batches, those of steps too
FIRST = 86400  # how far the first question reaches back
RUNS_AT_ONCE = 3000  # of a slice: some seconds of slurmdbd's time
FEWEST_AT_ONCE = 20  # where a slice takes all of the time
SHORTEST = 60  # seconds; a slice that is too much and no longer is left out: its time stays unknown

log = logging.getLogger(__name__)


@dataclass
class Time:
    """What there is for asking, in seconds; a new slice, of so many `runs`, is begun only where one as long as the last
    fits in."""

    seconds: float
    began: float
    runs: int
    last: float = 0.0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.began + self.seconds - stopwatch()

    def allows(self) -> bool:
        """Whether another slice may begin."""
        return self.left > max(self.last, 0.0)

    def spent(self, seconds: float) -> None:
        """A slice took so long."""
        self.last = seconds

    def next_runs(self, failures: Sequence[SlurmError]) -> int:
        """How many runs a slice may have in the next cycle: fewer where one took all of the time."""
        if failures and self.left <= 0:
            return max(self.runs // 2, FEWEST_AT_ONCE)
        return min(self.runs * 2, RUNS_AT_ONCE)


def collect(asking: Asking, seconds: float) -> list[SlurmError]:
    """Ask for what ended and keep it, in so many seconds; returns what failed."""
    if ACCOUNTING in asking.silent:
        return []
    kept = RunUses(asking.store)
    time = Time(seconds, stopwatch(), kept.last().get("runs_at_once", RUNS_AT_ONCE))
    failures: list[SlurmError] = []
    rejects: dict[str, int] = {}
    taken = 0
    for since, scopes in _groups(asking, kept):
        try:
            for told in _slices(asking, kept, scopes, since, time):
                taken += len(told.runs)
                rejects |= {reason: rejects.get(reason, 0) + number for reason, number in told.rejects.items()}
        except SlurmError as error:
            failures.append(error)
            log.warning("what jobs used is not known now, and is asked for again: %s", error)
            break  # the others would fare no better
    if not failures:
        try:
            taken += _late(asking, kept, time)
        except SlurmError as error:
            log.warning("what runs used that were recorded late is asked for again: %s", error)
            failures.append(error)
    at_once, seconds = time.next_runs(failures), round(time.seconds - time.left, 3)
    told_of = {"seconds": seconds, "runs": taken, "rejects": rejects, "error": _words(failures)}
    kept.note({**told_of, "runs_at_once": at_once}, asking.now)
    log.info("use of %s asked for, %.1f s", counted(taken, "run that ended", "runs that ended"), seconds)
    return failures


def _words(failures: Sequence[SlurmError]) -> str | None:
    return failures[0].trouble.value if failures else None


def _groups(asking: Asking, kept: RunUses) -> Iterator[tuple[int, tuple[Scope, ...]]]:
    """The scopes that stand at the same moment, which one question is about, with the begin of that question.

    Those of which sacct told no runs in this cycle are left out: a QoS that it does not know would spoil the question.
    """
    scopes = _told_now(asking)
    since = {scope: _since(kept, scope, asking.now) for scope in scopes}
    ordered = sorted(scopes, key=lambda scope: (-since[scope], scope.key))
    for begin, group in groupby(ordered, key=lambda scope: since[scope]):
        if begin < asking.now:
            yield begin, tuple(spelled(asking.store, scope) for scope in group)


def _told_now(asking: Asking) -> list[Scope]:
    return [one.scope for one in asking.watched if _is_told(JobRuns(asking.store), one.scope, asking.now)]


def _is_told(runs: JobRuns, scope: Scope, now: int) -> bool:
    last = runs.last_query(scope)
    return last is not None and last.error is None and last.until == now


def _since(kept: RunUses, scope: Scope, now: int) -> int:
    until = kept.until(scope)
    if until is None or until > now:  # the clock went back
        return max(now - FIRST, kept.forgotten())
    return max(until - OVERLAP, kept.forgotten())


def _slices(asking: Asking, kept: RunUses, scopes: tuple[Scope, ...], since: int, time: Time) -> Iterator[Told]:
    """The answers, one slice after the other, each in the store when it is given. Raises `SlurmError`.

    What is too much for one answer, of runs or of time (MaxQueryTimeRange), is asked in halves. What is too much and
    cannot be shorter is left out: it counts as asked for, and stays unknown.
    """
    longest = asking.now - since
    while since < asking.now and time.allows():
        until = min(_end(asking, scopes, since, time.runs), since + longest)
        began = stopwatch()
        try:
            told = _told(asking, Question(scopes, since, until), time.left)
        except TooWideError:
            if until - since > SHORTEST:
                longest = (until - since) // 2
                continue
            log.warning("use of jobs that ended within %d s stays unknown: too much for one answer", until - since)
            kept.take(scopes, (since, until), (), everybody=False)
            since, longest = until, asking.now - until
            continue
        finally:
            time.spent(stopwatch() - began)
        kept.take(scopes, (since, until), told.runs.values(), everybody=is_everybody(asking.store, scopes, told))
        since = until
        yield told


def _late(asking: Asking, kept: RunUses, time: Time) -> int:
    """Ask for runs that Slurm recorded late, within what is left of the time; returns how many came. Raises
    `SlurmError`."""
    scopes = _told_now(asking)
    if not scopes or not time.allows():
        return 0
    wanted = late.missing(asking.store, scopes, asking.now)
    named = tuple(spelled(asking.store, scope) for scope in scopes)
    taken = 0
    for begin, end in late.questions(wanted.values()):
        if not time.allows():
            break
        began = stopwatch()
        told = ask.ask(replace(asking.slurm, timeout=_limit(asking, time.left)), Question(named, begin, end))
        time.spent(stopwatch() - began)
        taken += kept.take_late(told.runs.values())
        asked_for = {index: moment for index, moment in wanted.items() if begin <= moment < end}
        kept.know_late({**kept.late(), **asked_for}, asking.now)
    return taken


def _limit(asking: Asking, seconds: float) -> float:
    return max(1.0, min(asking.slurm.timeout, seconds))


def _told(asking: Asking, question: Question, seconds: float) -> Told:
    """An answer that can be true. Raises `SlurmError`."""
    limit = _limit(asking, seconds)
    began = stopwatch()
    try:
        told = ask.ask(replace(asking.slurm, timeout=limit), question)
    except NoAnswerError as error:
        if limit == asking.slurm.timeout or stopwatch() - began < limit:
            raise
        todo = "[efficiency] collect_seconds says how long it may take"
        raise NoAnswerError("sacct did not answer", f"stopped after {limit:.0f} s", todo) from error
    hidden = hides_jobs(asking.store)  # since a moment ago, maybe
    if not told.rows and not hidden and _ended(asking, question.scopes, question.since, question.until):
        why = "it names no run, though some have ended"
        raise SlurmError("sacct's answer on steps is refused", why, trouble=Trouble.NOT_BELIEVED)
    return told


def _end(asking: Asking, scopes: Sequence[Scope], since: int, at_once: int) -> int:
    """The end of a slice that begins with `since` and has about so many runs."""
    ends = sorted(end for scope in scopes for end in JobRuns(asking.store).ends(scope, since, asking.now, at_once))
    return min(max(ends[at_once - 1], since + 1), asking.now) if len(ends) >= at_once else asking.now


def _ended(asking: Asking, scopes: Sequence[Scope], since: int, until: int) -> int:
    """How many runs are known that ended in a slice, its bounds left out."""
    return sum(len(JobRuns(asking.store).ends(scope, since + 1, until, RUNS_AT_ONCE)) for scope in scopes)


def is_everybody(store: Store, scopes: Sequence[Scope], told: Told) -> bool:
    """Whether an answer is of all users: where Slurm hides jobs of others (PrivateData), only if others are in it."""
    me = user_name()
    if not hides_jobs(store):
        return True
    if "jobs" in (store.fact(PRIVATE) or ()):
        return any(used.run.user != me for used in told.runs.values())
    has_others: Callable[[Scope], bool] = lambda scope: JobRuns(store).has_others(scope, me)  # noqa: E731
    return all(map(has_others, scopes))
