"""What Slurm counts against the limits for which jobs wait, where others fill them too."""

from __future__ import annotations

import logging

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.limits import counted as limits_counted
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.queue.blocking import Counted, needs_counts
from librarian.subjects.queue.reasons import explain_in
from librarian.subjects.queue.table import Table, understood

log = logging.getLogger(__name__)


def counted_now(slurm: Slurm, scope: Scope, policy: QosLimits | None, table: Table, at: int) -> Counted:
    """What Slurm counts at the places that limit the QoS; nothing where it does not tell.

    It is asked only where jobs wait `at` (UTC epoch) for a limit that others fill too: jobs of other QoS, or those of
    the QoS that the scope leaves out.
    """
    if policy is None or not _others_count(scope, policy, table, at):
        return {}
    try:
        told = limits_counted.ask(slurm, scope.qos, policy, str)
    except SlurmError as error:
        log.info("%s: %s", scope.qos, error)
        return {}
    return {place: dict(held.total) for place, held in told.items()}


def _others_count(scope: Scope, policy: QosLimits, table: Table, at: int) -> bool:
    distinct = {(one.name, one.group, one.place) for one in understood(table, at)}
    for name, group, waiting in distinct:
        limit = explain_in(name, group).limit
        if limit is None or not limit.running:
            continue
        if scope != scope.whole or needs_counts(policy, limit.resource, limit.per, waiting):
            return True
    return False
