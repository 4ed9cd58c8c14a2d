"""`librarian report`: months and allocations, from sums that are kept; without pandas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from librarian.errors import ConfigError, StoreError
from librarian.shared.calendar import is_month
from librarian.shared.scope import Watched
from librarian.store import Store
from librarian.subjects.jobs.covered import TRACKED, coverage
from librarian.subjects.months import history
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.tables import Statement
from librarian.subjects.months.use import uses
from librarian.subjects.usage import rest, rest_kept
from librarian.subjects.usage.rest import Unfinished

ALL = "all"


def check(month: str | None) -> None:
    """Raise `ConfigError` for what is no month."""
    if month and month.lower() != ALL and not is_month(month):
        raise ConfigError(f"{month} is not a month", todo="write it as in 2026-10, or all")


def statements(every: Sequence[Statement], month: str | None, names: Sequence[str]) -> list[Statement]:
    """What is known of `month` (2026-10, `ALL`; None is the newest known) of the QoS `names`; `every` has all months.

    Of a QoS that knows nothing of the month there is a statement without months, as long as another one does. Raises
    `ConfigError` for a month that is not known, `StoreError` when nothing was collected yet.
    """
    found = [one for one in every if one.qos in names]
    known = sorted({month.name for one in found for month in one.months})
    if not known:
        raise StoreError("nothing was collected yet", f"of {', '.join(names)}", "run: librarian run")
    chosen = known[-1] if month is None else month.lower()
    if chosen != ALL and chosen not in known:
        raise ConfigError(f"nothing is known of {chosen}", f"months that are known: {', '.join(known)}")
    return [_of_month(one, chosen) for one in found]


def with_use(store: Store, watched: Sequence[Watched], every: Iterable[Statement]) -> list[Statement]:
    """The same with what jobs used beside what was allocated to them, as far as it is known."""
    scopes = {one.name: one.scope for one in watched}
    return [
        replace(told, use=uses(store, scopes[told.qos], told.months) if told.qos in scopes else None) for told in every
    ]


def _of_month(told: Statement, chosen: str) -> Statement:
    """The allocations go with the month that they stand in: the one that goes on."""
    months = tuple(one for one in told.months if chosen in (ALL, one.name))
    running = any(one.begin <= told.now <= one.end for one in months)
    return replace(told, months=months, paces=told.paces if running else ())


def kept(
    store: Store, watched: Sequence[Watched], zone: str, allocations: Iterable[Allocation]
) -> list[Statement] | None:
    """All months of each QoS that was collected, from sums that are kept; None where those of the last bin are not, or
    are old."""
    found: dict[str, Statement] = {}
    pasts: dict[str, Unfinished] = {}
    for one in watched:
        covered = coverage(store, one.scope)
        if covered is None:
            continue
        past = rest_kept.kept(store, one.scope, covered.complete_at, zone)
        if past is None:
            return None
        pasts[one.name], gpus_seen = past
        untracked = rest.untracked(store.fact(TRACKED), gpus_seen)
        months = history.months_of(store, pasts[one.name])
        cluster, now = one.scope.cluster, covered.complete_at
        found[one.name] = Statement(one.name, one.title, cluster, zone, now, months, untracked=untracked)
    paces = history.paces(store, allocations, pasts)
    return [replace(statement, paces=paces.get(name, ())) for name, statement in found.items()]
