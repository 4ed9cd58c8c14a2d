"""What the bin that is not over comes to, in an open store.

That is no hour yet, and is kept beside the bins for who asks before the next cycle and must not wait for pandas.
"""

from __future__ import annotations

import json
from typing import Any

from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.usage.rest import Sums, Unfinished

_KEPT = "rest"


def keep(store: Store, past: Unfinished, gpus_seen: bool, edition: int) -> None:
    """Keep what is known up to now, computed from the runs of that `edition`, and whether GPUs were seen in use."""
    told: dict[str, Any] = {"finished": past.finished, "zone": past.zone, "gpus": gpus_seen, "rest": None}
    if past.rest:
        ended = [[*names, runs] for names, runs in past.rest.ended.items()]
        told["rest"] = [past.rest.begin, past.rest.users, past.rest.accounts, ended]
    data = json.dumps(told).encode()
    if store.kept_bins(past.scope, _KEPT) != (past.now, data):
        store.keep_bins(past.scope, _KEPT, past.now, data, edition)


def kept(store: Store, scope: Scope, now: int, zone: str) -> tuple[Unfinished, bool] | None:
    """What `keep` kept at `now`, if nothing that was told of runs since changes it; else None."""
    row = store.kept_bins(scope, _KEPT)
    if row is None or row[0] != now:  # a change of the runs takes the time back to which it holds
        return None
    try:
        return _read(scope, now, zone, json.loads(row[1]))
    except (ValueError, KeyError, TypeError):  # damaged, or of another version: it is computed anew
        return None


def _read(scope: Scope, now: int, zone: str, told: dict[str, Any]) -> tuple[Unfinished, bool] | None:
    if told["zone"] != zone:
        return None
    rest = None
    if told["rest"]:
        begin, users, accounts, ended = told["rest"]
        rest = Sums(begin, users, accounts, {(user, account, state): runs for user, account, state, runs in ended})
    return Unfinished(scope, told["finished"], now, zone, rest), bool(told["gpus"])
