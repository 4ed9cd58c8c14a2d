"""What the bin that is not over comes to."""

from __future__ import annotations

import pandas as pd

from librarian.shared.calendar import month_start
from librarian.shared.names import AccountName, UserName
from librarian.shared.scope import Scope
from librarian.shared.window import Window
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.rest import Sums, Unfinished


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
