"""Looking at the queue, once a cycle for each QoS. What fails here stops nothing and makes no data old.

The usage is slurmdbd's, the queue is slurmctld's: when that does not answer, the queue that is known stays, with its
time and with what went wrong since.
"""

from __future__ import annotations

import logging

from librarian.errors import NoAnswerError, SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.jobs.look import look as look_at_squeue
from librarian.subjects.limits.collect import known_limits
from librarian.subjects.queue import ask
from librarian.subjects.queue.ask import Question, Told
from librarian.subjects.queue.counts import counted_now
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.model import wanted
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
        partly = told.complaint
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
        found = look_at_squeue(asking)
        return ask.told(found.pending(scope.qos), found.broken)
    if CONTROLLER in asking.silent:
        raise asking.silent[CONTROLLER]
    try:
        return ask.ask(asking.slurm, Question(spelled(asking.store, scope)))
    except NoAnswerError as error:
        asking.silent[CONTROLLER] = error
        raise
