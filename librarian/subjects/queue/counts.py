"""What Slurm counts against the limits for which jobs wait, where others fill them too."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.limits import counted as limits_counted
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.queue.blocking import Counted, needs_counts
from librarian.subjects.queue.reasons import explain_in
from librarian.subjects.queue.table import Table, understood

log = logging.getLogger(__name__)


def counted_now(slurm: Slurm, queues: Iterable[tuple[Scope, QosLimits | None, Table]], at: int) -> dict[Scope, Counted]:
    """What Slurm counts at the places that limit each QoS, in one question; nothing where it does not tell.

    `queues` are scopes, their limits and their queue tables. It is asked only of those of which jobs wait `at` (UTC
    epoch) for a limit that others fill too: jobs of other QoS, or those of the QoS that the scope leaves out.
    """
    wanted = {scope: policy for scope, policy, table in queues if policy and _others_count(scope, policy, table, at)}
    if not wanted:
        return {}
    try:
        told = limits_counted.ask_all(slurm, {scope.qos: policy for scope, policy in wanted.items()}, str)
    except SlurmError as error:
        log.info("%s: %s", ", ".join(scope.qos for scope in wanted), error)
        return {}
    return {scope: {place: dict(held.total) for place, held in told[scope.qos].items()} for scope in wanted}


def _others_count(scope: Scope, policy: QosLimits, table: Table, at: int) -> bool:
    distinct = {(one.name, one.group, one.place) for one in understood(table, at)}
    for name, group, waiting in distinct:
        limit = explain_in(name, group).limit
        if limit is None or not limit.running:
            continue
        if scope != scope.whole or needs_counts(policy, limit.resource, limit.per, waiting):
            return True
    return False
