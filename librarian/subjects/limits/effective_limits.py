"""The limits of one QoS, put together from what Slurm tells of all QoS, of the partitions and of the accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from librarian.shared.names import AccountName
from librarian.subjects.limits.rules import Account, PartitionQos, QosLimits, Rules


@dataclass(frozen=True)
class Partition:
    """A partition: its QoS ("": none), and which QoS it lets in (`allowed` None: all but those that are `denied`)."""

    qos: str
    allowed: tuple[str, ...] | None = None
    denied: tuple[str, ...] = ()

    def admits(self, qos: str) -> bool:
        """Whether jobs of `qos` may run in it. Slurm's names of QoS are the same in any case."""
        if self.allowed is not None:
            return qos.lower() in (name.lower() for name in self.allowed)
        return qos.lower() not in (name.lower() for name in self.denied)


@dataclass(frozen=True)
class Branch:
    """An account in the tree of accounts: who is above it, which QoS may be used in it, what it may hold."""

    account: str
    parent: str
    qos: tuple[str, ...]
    rules: Rules


def compose(
    name: str,
    table: Mapping[str, QosLimits],
    partitions: Mapping[str, Partition],
    branches: Sequence[Branch],
) -> QosLimits | None:
    """What binds the QoS `name`, in any case of its letters; None where Slurm knows no such QoS.

    `table` holds what each QoS allows by itself. A QoS that a partition has and that sets nothing is left out.
    """
    by_name = {known.lower(): (known, limits) for known, limits in table.items()}
    if name.lower() not in by_name:
        return None
    own = by_name[name.lower()][1]
    admitting = {label: by_name.get(found.qos.lower()) for label, found in partitions.items() if found.admits(name)}
    special = {
        label: PartitionQos(found[0], found[1].rules, found[1].percent)
        for label, found in admitting.items()
        if found and found[1].rules and found[0].lower() != name.lower()
    }
    accounts, others = _accounts(name, branches)
    return replace(
        own, partitions=special, accounts=accounts, elsewhere=(len(special) < len(admitting) or not admitting, others)
    )


def _accounts(name: str, branches: Sequence[Branch]) -> tuple[tuple[Account, ...], bool]:
    """The accounts with limits where the QoS may be used or above such; and whether there are others without any."""
    tree = {branch.account: branch for branch in branches}
    holders = [branch.account for branch in branches if name.lower() in (qos.lower() for qos in branch.qos)]
    chains = {account: _ruled(tree, account) for account in holders}
    wanted: dict[str, Account] = {}
    for account, chain in chains.items():
        if not chain:
            continue
        # the holder itself leads to its chain even where it sets nothing
        whole = chain if chain[0] == account else [account, *chain]
        for step, above in zip(whole, [*whole[1:], ""], strict=True):
            wanted[step] = Account(AccountName(step), AccountName(above), tree[step].rules, step in chains)
    return tuple(wanted[account] for account in sorted(wanted)), not holders or not all(chains.values())


def _ruled(tree: Mapping[str, Branch], account: str) -> list[str]:
    """The account and those above it that set any limit, from below."""
    found, seen = [], set()
    while account in tree and account not in seen:
        seen.add(account)
        if tree[account].rules:
            found.append(account)
        account = tree[account].parent
    return found
