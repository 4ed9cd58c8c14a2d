"""Looking at the queue, once a cycle for each QoS. What fails here stops nothing and makes no data old.

The usage is slurmdbd's, the queue is slurmctld's: when that does not answer, the queue that is known stays, with its
time and with what went wrong since.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from librarian.errors import NoAnswerError, SlurmError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.queue import ask
from librarian.subjects.queue.ask import Question, Told
from librarian.subjects.queue.keep import QueueSamples
from librarian.subjects.queue.model import wanted

log = logging.getLogger(__name__)


def look(slurm: Slurm, store: Store, scopes: Sequence[Scope], *, cluster: str, now: int) -> list[SlurmError]:
    """Ask for the queue of each scope and keep it, with a sample of what is wanted `now`; returns what failed.

    Where nobody answers, the others are not asked: each would wait as long.
    """
    failures: list[SlurmError] = []
    silent: NoAnswerError | None = None
    for scope in scopes:
        try:
            if silent is not None:
                raise silent
            told = ask.ask(slurm, Question(scope.qos, scope.accounts, scope.partitions), cluster)
            QueueSamples(store).keep(scope, now, told.table, complaint(told))
            QueueSamples(store).add(scope, now, wanted(told.table, now))
        except SlurmError as error:
            QueueSamples(store).failed(scope, str(error))
            if error is not silent:
                log.warning("the queue of %s is not known now: %s", scope.qos, error)
                failures.append(error)
            silent = error if isinstance(error, NoAnswerError) else None
    return failures


def complaint(told: Told) -> str | None:
    """That rows are left out, in one line, or None."""
    if not told.rejects:
        return None
    many = "1 row" if len(told.rejects) == 1 else f"{len(told.rejects)} rows"
    return f"left out {many} of squeue's that are not understood: {told.rejects[0]}"
