"""From Slurm to the store: what each QoS may hold, and how that came to be."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict

from librarian.errors import NoAnswerError, SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs.daily import Question, is_due, keep_answers
from librarian.subjects.jobs.look import look
from librarian.subjects.limits import accounts, partitions, qos, relative
from librarian.subjects.limits.effective_limits import Branch, Partition, compose
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.rules import pack, unpack
from librarian.subjects.subject import Asking

LIMITS, PARTITIONS, ACCOUNTS, NUMBERS = "limits", "partitions", "accounts", "relative limits"
log = logging.getLogger(__name__)


def observe(asking: Asking) -> list[SlurmError]:
    """Ask for the limits of QoS, accounts and partitions; returns what failed. The last known answers stay.

    Of the accounts those are kept in which one of the QoS that are watched may be used. Partitions are slurm.conf's:
    they are asked for once a day, and where the queue speaks against what is known of them. Where nobody answers a
    question, the others are not asked: each would wait as long.
    """
    slurm, store, now = asking.slurm, asking.store, asking.now
    names = [watched.name for watched in asking.watched]
    questions: tuple[Question, ...] = (
        (LIMITS, "limits", lambda: {name: pack(found) for name, found in qos.ask(slurm).items()}),
        (ACCOUNTS, "limits of accounts", lambda: _accounts(slurm, store, asking.cluster, names)),
    )
    failures = keep_answers(store, questions, now)
    if not any(isinstance(failure, NoAnswerError) for failure in failures):
        if is_due(store, PARTITIONS, now, full=asking.full) or _contradicted(asking):
            _observe_partitions(slurm, store, now)
        _observe_numbers(slurm, store, now)
    return failures


def _contradicted(asking: Asking) -> bool:
    """Whether the queue speaks against the partitions that are known: one is not among them, or runs what it does not
    let in."""
    try:
        rows = look(asking).rows
    except SlurmError:  # and so no witness
        return False
    known = known_partitions(asking.store)
    for row in rows:
        for name in row["Partition"].split(","):
            if name not in known or (row["State"] == "RUNNING" and not known[name].admits(row["QOS"])):
                return True
    return False


def _observe_partitions(slurm: Slurm, store: Store, now: int) -> None:
    """Ask slurmctld for the partitions. It may be down for a while as all else goes on: then they are as they were."""
    try:
        store.know(PARTITIONS, {name: asdict(found) for name, found in partitions.ask(slurm).items()}, now)
    except SlurmError as error:
        log.info("partitions: %s", error)


def _observe_numbers(slurm: Slurm, store: Store, now: int) -> None:
    """Ask slurmctld what the percentages of QoS come to; where it is silent, what it told last of these goes on."""
    try:
        told = relative.ask(slurm, _table(store))
    except SlurmError as error:
        log.info("limits that are percentages: %s", error)
        return
    if told or store.fact(NUMBERS):
        store.know(NUMBERS, {name: [dict(asked), dict(found)] for name, (asked, found) in told.items()}, now)


def _table(store: Store) -> dict[str, QosLimits]:
    return {known: unpack(found) for known, found in (store.fact(LIMITS) or {}).items()}


def _accounts(slurm: Slurm, store: Store, cluster: str, names: Collection[str]) -> list[dict[str, object]]:
    """The accounts that matter. Where some were known, an answer without any was lost, and is refused."""
    found = accounts.ask(slurm, cluster)
    if not found and store.fact(ACCOUNTS):
        raise SlurmError("sacctmgr names no account at all", trouble=Trouble.NOT_BELIEVED)
    return _plain(accounts.relevant(found, names))


def _plain(branches: Collection[Branch]) -> list[dict[str, object]]:
    return [asdict(branch) for branch in branches]


def keep_limits(store: Store, scope: Scope, overrides: Mapping[str, float], now: int) -> bool:
    """Note at `now` what the limits of a QoS follow from, if that has changed; tells whether it has.

    Where Slurm did not answer, what it told last goes on; before its first answer only overrides are known.
    """
    return LimitChanges(store).keep(scope, Change(now, known_limits(store, scope.qos), overrides))


def known_partitions(store: Store) -> dict[str, Partition]:
    """The partitions as Slurm last told them, by name."""
    return {
        label: Partition(
            found["qos"], None if found["allowed"] is None else tuple(found["allowed"]), tuple(found["denied"])
        )
        for label, found in (store.fact(PARTITIONS) or {}).items()
    }


def known_limits(store: Store, name: str) -> QosLimits | None:
    """The limits of a QoS as Slurm last told them, or None."""
    table = relative.in_numbers(_table(store), store.fact(NUMBERS) or {})
    branches = [
        Branch(found["account"], found["parent"], tuple(found["qos"]), found["rules"])
        for found in store.fact(ACCOUNTS) or ()
    ]
    return compose(name, table, known_partitions(store), branches)
