"""What the store knows of each member in a week or a month, by real names: read once for all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from librarian.digests.model import Member, Members, Wait
from librarian.digests.period import Period
from librarian.shared.names import UserName
from librarian.shared.scope import Scope
from librarian.shared.spans import Span, clipped
from librarian.store import Store
from librarian.subjects.efficiency.asking import Evidence, evidence
from librarian.subjects.efficiency.costs import Costly, costliest
from librarian.subjects.efficiency.job_list import started
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import KEYS, Hours, UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.jobs.covered import coverage
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.reasons import explain_in
from librarian.subjects.queue.table import understood
from librarian.subjects.usage.sums import USAGE, HourSums

MOST_FOUND = 30  # of which those go that were told lately
MOST_WAITS = 2


def members(
    store: Store, scopes: Sequence[Scope], period: Period, rules: Rules | None, only: Collection[str] | None = None
) -> Members:
    """What is known of each member, or of those in `only`; without `rules` what they used is not told. Raises
    `StoreError`."""
    found = _All(len(period.before), only)
    span = (period.begin, period.end)
    for scope in scopes:
        _held(store, scope, period, found)
        _waits(store, scope, span, found)
        if rules is not None:
            for total in RunUses(store).totals(scope, *span):
                if total.resource in KEYS and (one := found.of(total.user)):
                    one.used[total.resource] = one.used.get(total.resource, Hours()) + total.hours
    if rules is not None:
        _found(store, scopes, span, rules, found)
    for one in found.by_user.values():
        one.waited = sorted(one.waited, key=lambda wait: -wait.seconds)[:MOST_WAITS]
        one.waiting = sorted(one.waiting, key=lambda wait: -wait.seconds)[:MOST_WAITS]
    whole = all(_covers(store, scope, span) for scope in scopes)
    use = rules is not None and all(clipped(RunUses(store).known(scope), *span) == (span,) for scope in scopes)
    return Members(period, found.by_user, whole, use)


class _All:
    """Members by name, made when they are first told of."""

    def __init__(self, before: int, only: Collection[str] | None) -> None:
        self.by_user: dict[UserName, Member] = {}
        self._before, self._only = before, None if only is None else frozenset(only)

    def of(self, user: str) -> Member | None:
        if not user or (self._only is not None and user not in self._only):
            return None
        name = UserName(user)
        if name not in self.by_user:
            self.by_user[name] = Member(name, before=[{} for _ in range(self._before)])
        return self.by_user[name]


def _covers(store: Store, scope: Scope, span: Span) -> bool:
    known = coverage(store, scope)
    return known is not None and known.complete_at >= span[1] and clipped(store.known(scope, USAGE), *span) == (span,)


def _held(store: Store, scope: Scope, period: Period, found: _All) -> None:
    sums = HourSums(store)
    hours, ended = sums.month(scope, period.begin, period.end)  # of any span
    for kind, user, key, amount in hours:
        if kind == "user" and ":" not in key and (one := found.of(user)):
            one.held[key] = one.held.get(key, 0.0) + amount / 3600
    for user, _, state, runs in ended:
        if one := found.of(user):
            one.ended[state] = one.ended.get(state, 0) + runs
    known = store.known(scope, USAGE)
    for place, span in enumerate(period.before):
        is_known = clipped(known, *span) == (span,)
        _before(found, place, sums.month(scope, *span)[0] if is_known else None)


def _before(found: _All, place: int, rows: Sequence[Sequence[Any]] | None) -> None:
    """Add the hours of a time before to those who are told of; None where these are not known, or not all of them."""
    totals: dict[str, dict[str, float]] = {}
    for kind, user, key, amount in rows or ():
        if kind == "user":
            totals.setdefault(user, {})[key] = amount / 3600
    for user, one in found.by_user.items():
        mine = one.before[place]
        if rows is None or mine is None:
            one.before[place] = None
            continue
        for key, value in totals.get(user, {}).items():
            mine[key] = mine.get(key, 0.0) + value


def _waits(store: Store, scope: Scope, span: Span, found: _All) -> None:
    longest: dict[str, list[Wait]] = {}
    for row in started(store, scope, *span):
        seconds = max(0, row.start - row.eligible)
        mine = longest.setdefault(row.user, [])
        mine.append(Wait(str(row.jobid), seconds, max(0, row.eligible - row.submit)))
        if len(mine) > 50:
            longest[row.user] = sorted(mine, key=lambda wait: -wait.seconds)[:MOST_WAITS]
    for user, waits in longest.items():
        if one := found.of(user):
            one.waited += waits
    last = QueueSamples(store).last(scope)
    for job in understood(last.table, last.at) if last.at is not None else ():
        if one := found.of(job.row.user):
            why = explain_in(job.name, job.group)
            one.waiting.append(Wait(job.row.job, max(0, (last.at or 0) - job.since), 0, why.words, why.todo))


def _found(store: Store, scopes: Sequence[Scope], span: Span, rules: Rules, found: _All) -> None:
    runs: dict[str, dict[int, UsedRun]] = {}
    for scope in scopes:
        for used in RunUses(store).runs(scope, *span):
            runs.setdefault(used.run.user, {})[used.run.dbindex] = used
    for user, mine in runs.items():
        if one := found.of(user):
            one.found, one.shapes = _judged(mine.values(), rules)


def _judged(runs: Iterable[UsedRun], rules: Rules) -> tuple[tuple[Costly, ...], tuple[Evidence, ...]]:
    every = list(runs)
    shapes = tuple(one for one in evidence(every) if one.time is not None or one.gib is not None)
    return costliest(every, rules, MOST_FOUND), shapes
