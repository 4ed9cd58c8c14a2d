"""Years back: the hours and ended runs from before the window, fetched slice by slice and kept for good.

A slice is asked of sacct by itself, binned, and its bins put into the store in one transaction with the note that they
are known; the runs are dropped again. So a backfill that is ended, in whatever way, goes on where it was, and bins that
are known already are never asked for. A run that overlaps several slices is told in each, and adds to the bins of each
what lies in it; it counts as ended in the one slice in which it ended.

The newest slice comes first: what is nearest is wanted most, and the months that are known stay in one piece.

slurmdbd may have purged what is old, and tells nothing of it then, as of a time in which nothing ran. So a slice is
believed only when it, or an older one, has a run that ended: what purges goes from the oldest. The others stay unknown.
One without any run is asked for twice, see `backfill.confirmed`.

One question is asked at a time, and after each there is a pause as long as the answer took. A slice that takes long, or
is too wide for slurmdbd, makes the next ones shorter.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from librarian.backfill.confirmed import confirmed
from librarian.backfill.orders import Order, Terms
from librarian.errors import BusyError, NoAnswerError, SlurmError, TimedOutError, TooWideError, Trouble
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.slices import newest
from librarian.shared.spans import Span
from librarian.shared.window import DAY, Epochs, Window, day_edges, isoformat
from librarian.shared.words import counted
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs import pieces
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.ask import Query, Runs
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import UNKNOWN, ints
from librarian.subjects.usage.accounts import ByAccount, by_account
from librarian.subjects.usage.binning import Usage, bin_jobs
from librarian.subjects.usage.keep import Hours
from librarian.system.host import clock, pause, stopwatch
from librarian.system.lock import locked

LONGEST_PAUSE = 60.0
_SLOW, _QUICK = 30.0, 10.0  # seconds that an answer may take before slices get shorter, or longer again
_TRY_AGAIN = 2.0  # seconds between two looks whether the lock is free
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Slice:
    """A slice: its bins by user and by account, who is in it, and whether an ended run is (`sure`)."""

    span: Span
    usage: Usage
    accounts: ByAccount
    people: tuple[str, ...]
    sure: bool


@dataclass(frozen=True)
class Progress:
    """How far it is: seconds of history done, of all; the slice that comes next; runs and rejects so far."""

    done: int
    whole: int
    scope: Scope
    span: Span
    runs: int = 0
    rejects: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of it. `since`: by QoS, from when on it was fetched; None where Slurm tells of no ended run."""

    runs: int = 0
    rejects: int = 0
    slices: int = 0
    since: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Hands:
    """What the work needs of the world; tests give others."""

    clock: Callable[[], int] = clock
    stopwatch: Callable[[], float] = stopwatch
    pause: Callable[[float], None] = pause
    tell: Callable[[Progress], None] = lambda progress: None


Keep = Callable[[Scope, Slice], None]


@dataclass(frozen=True)
class Target:
    """The store that all comes into, and the lock of the runs, each of which may hold it for `run_seconds`."""

    path: Path
    cluster: str
    lock: Path
    run_seconds: int

    @contextlib.contextmanager
    def opened(self, hands: Hands) -> Iterator[Store]:
        """The store, under the lock."""
        with _patient(self, hands), opened(self.path, self.cluster) as store:
            yield store


def into_store(target: Target, hands: Hands) -> Keep:
    """Puts slices into the store, under the lock of the runs for that moment only: they go on meanwhile."""

    def keep(scope: Scope, found: Slice) -> None:
        with target.opened(hands) as store:
            put(store, scope, found)

    return keep


def put(store: Store, scope: Scope, found: Slice) -> None:
    """Put a slice into a store."""
    JobRuns(store).meet(found.people)  # before their hours: whoever is told of must be known to be one
    Hours(store).keep(scope, found.usage, found.accounts)


@contextlib.contextmanager
def _patient(target: Target, hands: Hands) -> Iterator[None]:
    """The lock of the runs, waited for as long as one may take, and once more."""
    end = hands.stopwatch() + 2 * target.run_seconds
    while True:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(target.lock, "a backfill"))
            except BusyError:
                if hands.stopwatch() > end:
                    raise
                hands.pause(_TRY_AGAIN)
                continue
            yield
            return


def fill(slurm: Slurm, todo: Sequence[Order], terms: Terms, keep: Keep, hands: Hands, *, hold: bool = True) -> Outcome:
    """Fetch all of `todo`, slice by slice, newest first; each is kept before the next is asked for.

    With `hold` those that are not believed yet wait for an older one that is. Raises `SlurmError` when Slurm does not
    answer, and what was kept by then stays; and, when all else is fetched, where an answer was refused: those hours
    stay unknown.
    """
    return _Work(slurm, terms, keep, hands, sum(order.seconds for order in todo)).all(todo, hold)


class _Work:
    def __init__(self, slurm: Slurm, terms: Terms, keep: Keep, hands: Hands, whole: int) -> None:
        self._slurm, self._terms, self._keep, self._hands = slurm, terms, keep, hands
        self._length = terms.longest
        self._whole, self._done = whole, 0
        self._outcome = Outcome()
        self._refused: list[SlurmError] = []

    def all(self, todo: Sequence[Order], hold: bool) -> Outcome:
        for order in todo:
            self._order(order, hold)
        if self._refused:
            first, others = self._refused[0], len(self._refused) - 1
            more = f", and {counted(others, 'other slice')}" if others else ""
            raise SlurmError(first.what + more, first.why, first.todo, trouble=first.trouble)
        return self._outcome

    def _order(self, order: Order, hold: bool) -> None:
        since: int | None = None
        held: list[Slice] = []
        for found in self._slices(order):
            held.append(found)
            if found.sure or not hold:
                for one in held:
                    self._keep(order.scope, one)
                held, since = [], found.span[0]
        self._outcome.since[order.scope.qos] = since

    def _slices(self, order: Order) -> Iterator[Slice]:
        for gap in reversed(order.spans):
            edges = day_edges(*gap, self._terms.bin_seconds, self._terms.zone)
            end = gap[1]
            while gap[0] < end:
                span = newest((gap[0], end), self._length, edges)
                self._tell(order.scope, span)
                try:
                    found = self._slice(order.scope, span, edges)
                except SlurmError as error:
                    if error.trouble is not Trouble.NOT_BELIEVED:
                        raise
                    # older hours, and other QoS, do not wait for it
                    self._refused.append(self._told(error, order.scope, span))
                else:
                    if found is None:  # to be asked for less
                        continue
                    yield found
                end = span[0]
                self._done += span[1] - span[0]
        self._tell(order.scope, order.spans[0])

    def _told(self, error: SlurmError, scope: Scope, span: Span) -> SlurmError:
        begin, end = (isoformat(moment, self._terms.zone) for moment in span)
        return error.of(f"QoS {scope.qos}, {begin} to {end}")

    def _slice(self, scope: Scope, span: Span, edges: Epochs) -> Slice | None:
        now, started = self._hands.clock(), self._hands.stopwatch()
        one_bin = not ((edges > span[0]) & (edges < span[1])).any()
        try:
            runs = self._ask(Query(scope, *span), one_bin)
        except TooWideError:
            if one_bin:  # less cannot be asked for
                raise
            self._hands.pause(min(LONGEST_PAUSE, self._hands.stopwatch() - started))
            self._length = (span[1] - span[0]) // 2
            self._terms = replace(self._terms, longest=self._length)
            log.info("slices of %d s are too wide for slurmdbd", span[1] - span[0])
            return None
        except NoAnswerError as error:
            if not isinstance(error.__cause__, TimedOutError) or span[1] - span[0] <= DAY:
                raise
            self._length = (span[1] - span[0]) // 2
            log.info("slurmdbd takes too long for %d s: slices get shorter", span[1] - span[0])
            self._hands.pause(LONGEST_PAUSE)
            return None
        usage, accounts = binned(runs.jobs, span, edges, now, self._terms)
        people = tuple(str(name) for name in runs.jobs["user"].unique())
        found = Slice(span, usage, accounts, people, bool((ints(runs.jobs, "end") != UNKNOWN).any()))
        self._count(runs)
        self._rest(self._hands.stopwatch() - started)
        return found

    def _ask(self, query: Query, one_bin: bool) -> Runs:
        ask = pieces.ask if one_bin else accounting.ask
        return confirmed(lambda query: ask(self._slurm, query), query, self._terms.bin_seconds)

    def _count(self, runs: Runs) -> None:
        for reject in runs.rejects:
            log.info("a row is left out, as it %s", reject.reason)
        before = self._outcome
        self._outcome = replace(
            before,
            runs=before.runs + len(runs.jobs),
            rejects=before.rejects + len(runs.rejects),
            slices=before.slices + 1,
        )

    def _rest(self, seconds: float) -> None:
        """Leave slurmdbd in peace for as long as it was kept busy, and make slices fit."""
        if seconds > _SLOW:
            self._length = max(min(DAY, self._length), self._length // 2)
        elif seconds < _QUICK:
            self._length = min(self._terms.longest, self._length * 2)
        self._hands.pause(min(LONGEST_PAUSE, seconds))

    def _tell(self, scope: Scope, span: Span) -> None:
        it = self._outcome
        self._hands.tell(Progress(self._done, self._whole, scope, span, it.runs, it.rejects))


def binned(jobs: pd.DataFrame, span: Span, edges: Epochs, now: int, terms: Terms) -> tuple[Usage, ByAccount]:
    """The bins of `span` from all runs that overlap it, asked for at `now`.

    A last bin reaches from the span to beyond now, so that of runs which go on, or were suspended, the same part counts
    as in any other slice; it is not finished, and so is never kept.
    """
    begin, end = span
    jobs = terms.unended.settled(jobs)
    inner = edges[(edges > begin) & (edges < end)]
    beyond = end + ((now - end) // terms.bin_seconds + 1) * terms.bin_seconds
    window = Window(np.array([begin, *inner.tolist(), end, beyond], dtype=np.int64), now, terms.zone, terms.bin_seconds)
    return bin_jobs(jobs, window, (*OBSERVABLES, *gpu_observables(jobs))), by_account(jobs, window)
