"""Sums of use over some time, and what the bin that is not over comes to, which is not kept yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from librarian.shared.calendar import month_start
from librarian.shared.names import AccountName, UserName
from librarian.shared.scope import Scope
from librarian.shared.window import Window
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import Usage

Amounts = Mapping[UserName, Mapping[str, float]]  # unit-seconds by user, then by key of the resource
ByAccounts = Mapping[AccountName, Mapping[str, float]]
EndedBy = Mapping[tuple[UserName, AccountName, str], int]  # number of runs that ended, by (user, account, state)


@dataclass(frozen=True)
class Sums:
    """Sums over some time that begins at `begin` (UTC epoch)."""

    begin: int
    users: Amounts = field(default_factory=dict)
    accounts: ByAccounts = field(default_factory=dict)
    ended: EndedBy = field(default_factory=dict)


@dataclass(frozen=True)
class Unfinished:
    """Hours of `scope` are kept up to `finished`; of the bin that began then and is not over at `now` (UTC epochs)
    there is `rest`, as a part of its month; None where all bins are over."""

    scope: Scope
    finished: int
    now: int
    zone: str
    rest: Sums | None


def unfinished(scope: Scope, jobs: pd.DataFrame, usage: Usage) -> Unfinished:
    """What the bin that is not over comes to so far; `usage` was made of `jobs`, the runs of `scope`."""
    window = usage.window
    whole = int(window.edges[-1]) == window.now
    finished = window.now if whole else int(window.edges[-2])
    return Unfinished(scope, finished, window.now, window.zone, None if whole else _rest(jobs, usage))


def _rest(jobs: pd.DataFrame, usage: Usage) -> Sums:
    window = usage.window
    last = Window(window.edges[-2:], window.now, window.zone, window.bin_seconds)
    accounts = by_account(jobs, last)
    ended = {(UserName(user), AccountName(account), state): runs for _, user, account, state, runs in accounts.ended}
    users, held = _sums(usage), _sums(accounts.usage)
    by_accounts = {AccountName(name): sums for name, sums in held.items()}
    return Sums(month_start(last.start, window.zone), users, by_accounts, ended)


def _sums(usage: Usage) -> dict[UserName, dict[str, float]]:
    """Unit-seconds in the last bin, by user and key of the resource."""
    last = usage.integrals[:, :, -1]
    return {
        user: {o.key: float(last[row, column]) for row, o in enumerate(usage.observables)}
        for column, user in enumerate(usage.users)
        if last[:, column].any()
    }
