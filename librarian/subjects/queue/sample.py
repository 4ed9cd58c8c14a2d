"""Looking at the queue, once a cycle for each QoS. What fails here stops nothing and makes no data old.

The usage is slurmdbd's, the queue is slurmctld's: when that does not answer, the queue that is known stays, with its
time and with what went wrong since.
"""

from __future__ import annotations

import logging

from librarian.errors import LibrarianError, NoAnswerError, SlurmError, Trouble
from librarian.subjects.jobs.collect import spelled
from librarian.subjects.limits.collect import known_limits
from librarian.subjects.queue import ask
from librarian.subjects.queue.ask import Question
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
    silent = asking.silent.get(CONTROLLER)
    told_of: LibrarianError | None = None  # once, of all scopes
    for scope in (watched.scope for watched in asking.watched):
        try:
            if silent is not None:
                raise silent
            named = spelled(asking.store, scope)
            told = ask.ask(asking.slurm, Question(named))
            partly = told.complaint
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
