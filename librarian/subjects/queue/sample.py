"""Looking at the queue, once a cycle for each QoS. What fails here stops nothing and makes no data old.

The usage is slurmdbd's, the queue is slurmctld's: when that does not answer, the queue that is known stays, with its
time and with what went wrong since.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pandas as pd

from librarian.errors import NoAnswerError, SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.words import counted
from librarian.slurm.command import Slurm
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.jobs.look import look as look_at_squeue
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
    answers: list[tuple[Scope, Told]] = []
    for scope in (watched.scope for watched in asking.watched):
        try:
            answers.append((scope, _told(asking, scope)))
        except SlurmError as error:
            kept.failed(scope, str(error), error.trouble)
            if not any(error is other for other in failures):  # once, of all scopes
                log.warning("the queue of %s is not known now: %s", scope.qos, error)
                failures.append(error)
    counted = counted_now(
        asking.slurm, [(scope, known_limits(asking.store, scope.qos), told.table) for scope, told in answers], now
    )
    for scope, told in answers:
        partly = complaint(told)
        if partly:
            log.info("of the queue of %s squeue's answer is not whole: %s", scope.qos, partly)
        # what counts in accounts would have to go by other names in public: `librarian queue` tells it
        places = counted.get(scope, {}).items()
        public = {place: amounts for place, amounts in places if not place.startswith("association ")}
        kept.keep(scope, now, told.table, partly, Trouble.LEFT_OUT if partly else None, public)
        kept.add(scope, now, wanted(told.table, now))
    return failures


def _told(asking: Asking, scope: Scope) -> Told:
    """The jobs of `scope` that wait. A scope that is a part of its QoS is asked for alone, as squeue narrows it."""
    if scope == scope.whole:
        return ask.told(look_at_squeue(asking), scope.qos)
    if CONTROLLER in asking.silent:
        raise asking.silent[CONTROLLER]
    try:
        return ask.ask(asking.slurm, Question(spelled(asking.store, scope)))
    except NoAnswerError as error:
        asking.silent[CONTROLLER] = error
        raise


def counted_now(
    slurm: Slurm, queues: Iterable[tuple[Scope, QosLimits | None, pd.DataFrame]], at: int
) -> dict[Scope, Counted]:
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
