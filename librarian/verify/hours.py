"""Hours by user here beside those of sreport, for the time that both know."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytz

from librarian.errors import SlurmError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.spans import Span, Spans, clipped
from librarian.shared.window import Window, day_edges
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import pieces
from librarian.subjects.jobs.ask import NAMELESS, Query
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import joined
from librarian.subjects.jobs.unended import KnownRunaways, Unended
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.sums import USAGE, HourSums
from librarian.verify import reasons, sreport
from librarian.verify.compare import ByUser, Line, added, explained, lines
from librarian.verify.sreport import HOUR, Question

_LATELY = 6 * HOUR  # sums that are older are no word of today


@dataclass(frozen=True)
class Terms:
    """How Librarian counts: the zone and the length of its bins in seconds."""

    zone: str
    bin_seconds: int


@dataclass(frozen=True)
class Hours:
    """What came of it for one QoS.

    `spans` (UTC epochs) were compared; where there are none `why` says why. `reach` is up to when sreport has hours,
    `split` whether it tells QoS apart, `hidden` names users of whom it tells this account nothing. `whole`: all of the
    time that was asked for was compared, as far as sreport has it.
    """

    scope: Scope
    spans: Spans
    reach: int
    split: bool = True
    lines: tuple[Line, ...] = ()
    hidden: tuple[str, ...] = ()
    why: str = ""
    whole: bool = False

    @property
    def compared(self) -> bool:
        """Whether anything was: that nothing was used, here and there, is an answer too."""
        return bool(self.spans) and bool(self.lines or not self.hidden) and not self.why

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return not all(line.agrees for line in self.lines)

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and all of it is the same."""
        return self.compared and not self.differs


@dataclass
class Comparison:
    """Asks for one QoS after the other; what two of them need is asked for once."""

    slurm: Slurm
    store: Store
    terms: Terms
    now: int
    user: str
    _answers: dict[object, pd.DataFrame] = field(default_factory=dict)
    _private: frozenset[str] | None = None

    def of(self, scope: Scope, asked: Span) -> Hours:
        """Compare what is known of `asked`. Raises `SlurmError`, `StoreError`."""
        zone = self.terms.zone
        reach = sreport.rolled_up(self.slurm, Question(scope.cluster, (), zone), self.now)
        end = min(asked[1], reach)
        spans = whole(clipped(self.store.known(scope, USAGE), asked[0], end), self.terms)
        if not spans:
            why = "sreport has no hours for the last days" if not reach else "no full hour of that time was collected"
            return Hours(scope, (), reach, why=why)
        ours, accounts = self._ours(scope, spans)
        found = None if scope.partitions else self._of_qos(scope, spans, ours)
        if found is None or found.differs:
            # hours from before slurmdbd kept their QoS are told of no QoS, so a difference is looked at in this way too
            try:
                found = self._together(scope, spans, ours, accounts, found)
            except SlurmError:
                if found is None:  # else what differs is known already, if not why
                    raise
        all_of_it = reach > self.now - _LATELY and spans == whole(((asked[0], end),), self.terms)
        return replace(found, reach=reach, whole=all_of_it)

    def _together(self, scope: Scope, spans: Spans, ours: ByUser, accounts: set[str], found: Hours | None) -> Hours:
        """All QoS beside what sreport tells of all, or where that differs too what was `found`, with reasons."""
        accounts = accounts | self._fresh_accounts(scope, spans)
        if not accounts:
            return found or Hours(scope, spans, 0, split=False)
        question = Question(scope.cluster, tuple(sorted(accounts)), self.terms.zone)
        runs = self._runs(scope, question.accounts, spans)
        together = self._of_all(scope, question, spans, ours, runs)
        found = together if found is None or not together.differs else found
        return self._explained(found, runs) if found.differs else found

    def _fresh_accounts(self, scope: Scope, spans: Spans) -> set[str]:
        """Those that sacct tells of the QoS now: an account whose runs are all missing here must not be missed."""
        parts = [pieces.ask(self.slurm, Query(scope, *span)).jobs for span in spans]
        return {str(name) for part in parts for name in part["account"].unique()}

    def _of_qos(self, scope: Scope, spans: Spans, ours: ByUser) -> Hours | None:
        """Beside what sreport tells of the QoS alone; None where it tells all QoS as one."""
        question, parts = Question(scope.cluster, scope.accounts, self.terms.zone), []
        for span in spans:
            part = sreport.used_of_qos(self.slurm, question, span, scope.qos)
            if part is None:
                return None
            parts.append(part)
        return self._compared(Hours(scope, spans, 0), ours, {}, added(parts))

    def _of_all(self, scope: Scope, question: Question, spans: Spans, ours: ByUser, runs: pd.DataFrame) -> Hours:
        """Beside what sreport tells of all QoS, with what the others had by sacct."""
        theirs = added(sreport.used(self.slurm, question, span) for span in spans)
        # Slurm's own sums count a run without an end on, whatever its state
        others = _held(Unended(counted=True).settled(runs[~_within(runs, scope)]), spans, self.terms)
        return self._compared(Hours(scope, spans, 0, split=False), ours, others, theirs)

    def _compared(self, found: Hours, ours: ByUser, others: ByUser, theirs: ByUser) -> Hours:
        hidden = self._hidden({*ours, *others} - theirs.keys())
        ours, others = (_without(amounts, {NAMELESS, *hidden}) for amounts in (ours, others))
        return replace(found, lines=lines(ours, others, theirs), hidden=hidden)

    def _ours(self, scope: Scope, spans: Spans) -> tuple[ByUser, set[str]]:
        """Unit-seconds by user and resource, and the accounts that used anything."""
        sums: dict[str, dict[str, float]] = {}
        accounts = set(scope.accounts)
        for span in spans:
            for kind, name, key, amount in HourSums(self.store).month(scope, *span)[0]:
                if kind == "account":
                    accounts.add(name)
                else:
                    by = sums.setdefault(name, {})
                    by[key] = by.get(key, 0.0) + amount
        return sums, accounts

    def _runs(self, scope: Scope, accounts: tuple[str, ...], spans: Spans) -> pd.DataFrame:
        """The runs of all QoS of these accounts: one question a span, since sreport tells all QoS as one."""
        key = (accounts, spans)
        if key not in self._answers:
            every = Scope(scope.cluster, "", accounts)
            parts = [pieces.ask(self.slurm, Query(every, *span, every_qos=True)).jobs for span in spans]
            self._answers[key] = joined(parts)
        return self._answers[key]

    def _hidden(self, missing: Iterable[str]) -> tuple[str, ...]:
        """Which of the users whom sreport does not name it hides from this account (PrivateData=usage, or users)."""
        if self._private is None:
            self._private = site.private_data(self.slurm)
        if not self._private & {"usage", "users", site.UNTOLD}:
            return ()
        return tuple(sorted({*missing} - {self.user, NAMELESS}))

    def _explained(self, found: Hours, runs: pd.DataFrame) -> Hours:
        """With what may be the reason for each difference; `runs` are those that sacct tells now."""
        scope, spans = found.scope, found.spans
        mine = KnownRunaways(self.store).unended(scope).settled(runs[_within(runs, scope)])
        # what is known here of a run counts: which ones are runaways, say
        known = joined([mine if found.split else runs, JobRuns(self.store).jobs(scope, spans[0][0])])
        fresh = _held(mine, spans, self.terms)
        reserved = reasons.reserved(self.slurm, scope.cluster, (spans[0][0], spans[-1][1]))
        differing = [line for line in found.lines if not line.agrees]
        return replace(found, lines=explained(found.lines, reasons.of(differing, known, fresh, spans, reserved)))


def whole(spans: Spans, terms: Terms) -> Spans:
    """What of `spans` begins and ends with a bin and with a full hour, as sreport tells it.

    Of an hour that the clock tells twice sreport takes the first for both, so no span begins or ends with the second.
    """
    found = []
    for begin, end in spans:
        edges = day_edges(begin, end, math.lcm(HOUR, terms.bin_seconds), terms.zone)
        inside = [edge for edge in edges.tolist() if begin <= edge <= end and not _is_second(edge, terms.zone)]
        found += [(inside[0], inside[-1])] if len(inside) > 1 else []
    return tuple(found)


def _is_second(edge: int, zone: str) -> bool:
    """Whether the clock of the zone said the same an hour before."""
    told, before = (datetime.fromtimestamp(epoch, pytz.timezone(zone)) for epoch in (edge, edge - HOUR))
    return told.replace(tzinfo=None) == before.replace(tzinfo=None)


def _within(runs: pd.DataFrame, scope: Scope) -> pd.Series:
    """Which runs of a jobs table belong to the scope."""
    found: pd.Series = runs["qos"].astype(str).str.lower() == scope.qos.lower()
    if scope.accounts:  # Slurm knows them in small letters
        found &= runs["account"].astype(str).str.lower().isin([name.lower() for name in scope.accounts])
    if scope.partitions:
        found &= runs["partition"].astype(str).isin(scope.partitions)
    return found


def _held(runs: pd.DataFrame, spans: Spans, terms: Terms) -> ByUser:
    """What users held in the spans, in unit-seconds. A run without an end goes on, as in Slurm's own sums."""
    found: dict[str, dict[str, float]] = {}
    for begin, end in spans:
        window = Window(np.array([begin, end], dtype=np.int64), end, terms.zone, terms.bin_seconds)
        usage = bin_jobs(runs, window, OBSERVABLES)
        for row, observable in enumerate(usage.observables):
            for column, user in enumerate(usage.users):
                by = found.setdefault(str(user), {})
                by[observable.key] = by.get(observable.key, 0.0) + float(usage.integrals[row, column, 0])
    return found


def _without(amounts: Mapping[str, Mapping[str, float]], users: Iterable[str]) -> dict[str, Mapping[str, float]]:
    left_out = set(users)
    return {user: counts for user, counts in amounts.items() if user not in left_out}
