"""What jobs used in a month beside what was allocated to them, from sums that are kept for good; without pandas."""

from __future__ import annotations

from collections.abc import Mapping

from librarian.shared.names import AccountName, UserName
from librarian.shared.scope import Scope
from librarian.shared.spans import Spans, clipped
from librarian.store import Store
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import KEYS, Hours
from librarian.subjects.months.model import Month, MonthUse


def uses(store: Store, scope: Scope, months: tuple[Month, ...]) -> Mapping[str, MonthUse] | None:
    """By the month's name, of those of which anything is known; None where it was never asked what jobs used."""
    kept = RunUses(store)
    if kept.until(scope) is None:
        return None
    known = kept.known(scope)
    found = {month.name: _use(kept, scope, month, known) for month in months}
    return {name: use for name, use in found.items() if use.known or use.total}


def _use(kept: RunUses, scope: Scope, month: Month, known: Spans) -> MonthUse:
    total: dict[str, Hours] = {}
    users: dict[UserName, dict[str, Hours]] = {}
    accounts: dict[AccountName, dict[str, Hours]] = {}
    for one in kept.totals(scope, month.begin, month.end):
        if one.resource in KEYS:
            for sums in (total, users.setdefault(one.user, {}), accounts.setdefault(one.account, {})):
                sums[one.resource] = sums.get(one.resource, Hours()) + one.hours
    return MonthUse(clipped(known, month.begin, month.end), total, users, accounts)
