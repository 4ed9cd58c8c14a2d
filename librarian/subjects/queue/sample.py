"""Looking at the queue, once a cycle for each QoS. What fails here stops nothing and makes no data old.

The usage is slurmdbd's, the queue is slurmctld's: when that does not answer, the queue that is known stays, with its
time and with what went wrong since.
"""

from __future__ import annotations

import logging

import pandas as pd

from librarian.errors import LibrarianError, NoAnswerError, SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.words import counted
from librarian.slurm.command import Slurm
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.limits import counted as limits_counted
from librarian.subjects.limits.collect import known_limits
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.queue import ask
from librarian.subjects.queue.ask import Question, Told
from librarian.subjects.queue.blocking import Counted, needs_counts, places_of
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.model import understood, wanted
from librarian.subjects.queue.reasons import explain_in
from librarian.subjects.subject import CONTROLLER, Asking

log = logging.getLogger(__name__)


def look(asking: Asking) -> list[SlurmError]:
    """Ask for the queue of each scope and keep it, with a sample of what is wanted now; returns what failed.

    Where nobody answers, the others are not asked: each would wait as long.
    """
    kept, now = QueueSamples(asking.store), asking.now
    failures: list[SlurmError] = []
    silent = asking.silent.get(CONTROLLER)
    told_of: LibrarianError | None = None  # once, of all scopes
    for scope in (watched.scope for watched in asking.watched):
        try:
            if silent is not None:
                raise silent
            named = spelled(asking.store, scope)
            told = ask.ask(asking.slurm, Question(named))
            partly = complaint(told)
            if partly:
                log.info("of the queue of %s squeue's answer is not whole: %s", scope.qos, partly)
            counted = counted_now(asking.slurm, named, known_limits(asking.store, scope.qos), told.table, now)
            # what counts in accounts would have to go by other names in public: `librarian queue` tells it
            public = {place: amounts for place, amounts in counted.items() if not place.startswith("association ")}
            kept.keep(scope, now, told.table, partly, Trouble.LEFT_OUT if partly else None, public)
            kept.add(scope, now, wanted(told.table, now))
        except SlurmError as error:
            kept.failed(scope, str(error), error.trouble)
            if error is not told_of:
                log.warning("the queue of %s is not known now: %s", scope.qos, error)
                failures.append(error)
            silent = told_of = error if isinstance(error, NoAnswerError) else None
    return failures


def counted_now(slurm: Slurm, scope: Scope, policy: QosLimits | None, table: pd.DataFrame, at: int) -> Counted:
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


def _others_count(scope: Scope, policy: QosLimits, table: pd.DataFrame, at: int) -> bool:
    for _, row in understood(table, at).drop_duplicates(["name", "group", "partition", "account"]).iterrows():
        limit = explain_in(row["name"], row["group"]).limit
        if limit is None or not limit.running:
            continue
        waiting = places_of([row["partition"]], [row["account"]])
        if scope != scope.whole or needs_counts(policy, limit.resource, limit.per, waiting):
            return True
    return False


def complaint(told: Told) -> str | None:
    """That rows are left out, in one line, or None."""
    if not told.rejects:
        return None
    return f"left out {counted(len(told.rejects), 'row')} of squeue's that are not understood: {told.rejects[0]}"
