"""Sums of use over some time, and what the bin that is not over comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from librarian.shared.names import AccountName, UserName
from librarian.shared.scope import Scope

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


def untracked(gpus_tracked: bool | None, seen: bool) -> frozenset[str]:
    """The keys of resources that Slurm does not record here, where GPUs were `seen` or not."""
    return frozenset({"NGPUS"}) if gpus_tracked is False and not seen else frozenset()
