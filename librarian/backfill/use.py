"""What jobs used, for the past: asked of sacct with steps, slice by slice, and kept in sums for good.

A slice is the runs that ended in it. It comes into the store in one transaction with the note that it is known, so a
backfill that is ended, in whatever way, goes on where it was, and nothing that is known is asked for again. Cycles go
on meanwhile: they ask from where they stand, which a backfill does not move.

With steps slurmdbd does a query a run, about a thousand a second: slices begin with a day, become shorter where an
answer takes long, and after each there is a pause as long as it took. The newest comes first. Steps that slurmdbd has
purged leave their runs "not measured". Where it tells of no run at all, a question without steps is the witness; and
the slice counts only once an older one has a run, since what was purged tells nothing either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from librarian.backfill.slices import LONGEST_PAUSE, Hands, Outcome, Progress, Target
from librarian.errors import NoAnswerError, SlurmError, TimedOutError, TooWideError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.spans import Span, Spans
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.slurm.site import Archive
from librarian.store import Store
from librarian.subjects.efficiency import ask
from librarian.subjects.efficiency.ask import Question, Told
from librarian.subjects.efficiency.collect import SHORTEST, is_everybody
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs import pieces
from librarian.subjects.jobs.ask import Query
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.jobs.model import UNKNOWN, ints

FIRST_SLICE = DAY
_SLOW, _QUICK = 30.0, 10.0  # seconds that an answer may take before slices get shorter, or longer again
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UseOrder:
    """What is to be asked for at once of these QoS: spans of time in order, UTC epochs."""

    scopes: tuple[Scope, ...]
    spans: Spans

    @property
    def seconds(self) -> int:
        """How much time that is."""
        return sum(end - begin for begin, end in self.spans)

    @property
    def shown(self) -> Scope:
        """A scope that names all the QoS, to be told of on the terminal."""
        return replace(self.scopes[0], qos=", ".join(scope.qos for scope in self.scopes))


@dataclass(frozen=True)
class UseSlice:
    """An answer about the runs that ended in a span."""

    span: Span
    told: Told


Keep = Callable[[Sequence[Scope], UseSlice], None]


def use_orders(store: Store, scopes: Sequence[Scope], span: Span) -> tuple[list[UseOrder], list[Scope]]:
    """What of `span` is not known, those QoS together that lack the same time; and those of which no cycle has asked
    yet what jobs used, which are left to it first."""
    kept = RunUses(store)
    together: dict[Spans, list[Scope]] = {}
    for scope in scopes:
        together.setdefault(kept.open_to(scope, span), []).append(spelled(store, scope))
    made = [UseOrder(tuple(members), spans) for spans, members in together.items() if spans]
    return made, [scope for scope in scopes if kept.until(scope) is None]


def use_bounds(asked: tuple[int, int | None], now: int, archive: Archive) -> Span:
    """The time to ask for, no older than what slurmdbd keeps."""
    begin, end = asked
    if archive.kept is not None and begin < now - archive.kept:
        log.warning(
            "slurmdbd keeps jobs for %d days (PurgeJobAfter): older ones are not asked for", archive.kept // DAY
        )
        begin = now - archive.kept
    return begin, now if end is None else min(end, now)


def longest_slice(asked: int, archive: Archive) -> int:
    """Seconds of the longest slice, where `asked` is what the user wants."""
    return min(asked, max(1, archive.longest_query - pieces.MARGIN)) if archive.longest_query else asked


def use_into_store(target: Target, hands: Hands) -> Keep:
    """Puts slices into the store, under the lock of the runs for that moment only."""

    def keep(scopes: Sequence[Scope], found: UseSlice) -> None:
        with target.opened(hands) as store:
            everybody = is_everybody(store, scopes, found.told)
            RunUses(store).take_past(scopes, found.span, found.told.runs.values(), everybody=everybody)

    return keep


def fill_use(slurm: Slurm, todo: Sequence[UseOrder], longest: int, keep: Keep, hands: Hands) -> Outcome:
    """Ask for all of `todo`, the newest slices first; each is kept before the next is asked for.

    Raises `SlurmError` when Slurm does not answer, and what was kept by then stays; and, when all else is there, where
    an answer was refused.
    """
    return _Work(slurm, longest, keep, hands, sum(order.seconds for order in todo)).all(todo)


class _Work:
    def __init__(self, slurm: Slurm, longest: int, keep: Keep, hands: Hands, whole: int) -> None:
        self._slurm, self._longest, self._keep, self._hands = slurm, longest, keep, hands
        self._length = min(FIRST_SLICE, longest)
        self._whole, self._done = whole, 0
        self._outcome = Outcome()
        self._refused: SlurmError | None = None

    def all(self, todo: Sequence[UseOrder]) -> Outcome:
        for order in todo:
            self._order(order)
        if self._refused:
            raise self._refused
        return self._outcome

    def _order(self, order: UseOrder) -> None:
        since: int | None = None
        held: list[UseSlice] = []
        for found in self._slices(order):
            held.append(found)
            if found.told.rows:
                for one in held:
                    self._keep(order.scopes, one)
                held, since = [], found.span[0]
        self._outcome.since.update(dict.fromkeys((scope.qos for scope in order.scopes), since))

    def _slices(self, order: UseOrder) -> Iterator[UseSlice]:
        for begin, until in reversed(order.spans):
            end = until
            while begin < end:
                span = max(begin, end - self._length), end
                self._tell(order, span)
                try:
                    told = self._told(order.scopes, span)
                except SlurmError as error:
                    if error.trouble is not Trouble.NOT_BELIEVED:
                        raise
                    self._refused = self._refused or error  # older hours do not wait for it
                else:
                    if told is None:  # to be asked for less
                        continue
                    yield UseSlice(span, told)
                end = span[0]
                self._done += span[1] - span[0]
        self._tell(order, order.spans[0])

    def _told(self, scopes: tuple[Scope, ...], span: Span) -> Told | None:
        """An answer that can be true; None where the span is too long."""
        started = self._hands.stopwatch()
        try:
            told = ask.ask(self._slurm, Question(scopes, *span))
            if not told.rows and any(self._has_ended(scope, span) for scope in scopes):
                why = "it names no run, though some have ended; the same command asks for them again"
                raise SlurmError("sacct's answer on steps is refused", why, trouble=Trouble.NOT_BELIEVED)
        except (TooWideError, NoAnswerError) as error:
            late = isinstance(error.__cause__, TimedOutError)
            if not (late or isinstance(error, TooWideError)) or span[1] - span[0] <= SHORTEST:
                raise
            self._length = max(SHORTEST, (span[1] - span[0]) // 2)
            log.info("%d s are too much for one answer: slices get shorter", span[1] - span[0])
            self._hands.pause(LONGEST_PAUSE if late else min(LONGEST_PAUSE, self._hands.stopwatch() - started))
            return None
        self._count(told, span)
        self._rest(self._hands.stopwatch() - started)
        return told

    def _has_ended(self, scope: Scope, span: Span) -> bool:
        """Whether sacct, asked without steps, tells of a run that held something and ended within the span."""
        jobs = accounting.ask(self._slurm, Query(scope, *span)).jobs
        start, end = ints(jobs, "start"), ints(jobs, "end")
        held = (start != UNKNOWN) & (end != UNKNOWN) & (end > start)
        return bool((held & (end > span[0]) & (end < span[1])).any())

    def _count(self, told: Told, span: Span) -> None:
        for reason, number in told.rejects.items():
            log.info("rows are left out (%d): %s", number, reason)
        ended = sum(span[0] <= used.run.end < span[1] for used in told.runs.values())
        before = self._outcome
        self._outcome = replace(
            before,
            runs=before.runs + ended,
            rejects=before.rejects + sum(told.rejects.values()),
            slices=before.slices + 1,
        )

    def _rest(self, seconds: float) -> None:
        """Leave slurmdbd in peace for as long as it was kept busy, and make slices fit."""
        if seconds > _SLOW:
            self._length = max(SHORTEST, self._length // 2)
        elif seconds < _QUICK:
            self._length = min(self._longest, self._length * 2)
        self._hands.pause(min(LONGEST_PAUSE, seconds))

    def _tell(self, order: UseOrder, span: Span) -> None:
        it = self._outcome
        self._hands.tell(Progress(self._done, self._whole, order.shown, span, it.runs, it.rejects))
