"""What changes seldom is asked once a day: what the cluster records and hides, which clusters there are.

It is asked again at once when an answer speaks against it (see `collect`), when the clock went back, and when
everything is to be read again. Where a question fails, what is known stays with its time, so that it is asked in the
next cycle again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from librarian.errors import NoAnswerError, SlurmError
from librarian.shared.window import DAY
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs.covered import TRACKED
from librarian.subjects.subject import Asking

PRIVATE, CLUSTERS = "private_data", "clusters"
EVERY = DAY

Question = tuple[str, str, Callable[[], object]]
"""The fact that is asked for, what it is in words, how to ask."""
log = logging.getLogger(__name__)


def is_due(store: Store, name: str, now: int, *, full: bool = False) -> bool:
    """Whether a fact is to be asked for at `now` (UTC epoch): it is a day old or not known, or, with `full`, not of
    this very cycle."""
    seen = store.seen(name)
    return seen is None or not 0 <= now - seen < EVERY or (full and seen != now)


def observe(asking: Asking) -> list[SlurmError]:
    """Ask for what is due; returns what failed."""
    store, now = asking.store, asking.now
    known = store.fact(CLUSTERS) or ()
    unknown = {CLUSTERS} if asking.cluster.lower() not in (name.lower() for name in known) else set()
    due = {name for name in (TRACKED, PRIVATE, CLUSTERS) if is_due(store, name, now, full=asking.full)}
    return observe_cluster(asking.slurm, store, now, due | unknown)


def observe_cluster(
    slurm: Slurm, store: Store, now: int, names: Collection[str] = (TRACKED, PRIVATE, CLUSTERS)
) -> list[SlurmError]:
    """Ask what is tracked, what is hidden, and which clusters there are, as far as it is in `names`; returns what
    failed, as `keep_answers` does it."""
    questions: tuple[Question, ...] = (
        (TRACKED, "what is tracked", lambda: site.gpus_tracked(slurm)),
        (PRIVATE, "what is hidden", lambda: sorted(site.private_data(slurm))),
        (CLUSTERS, "clusters", lambda: site.clusters(slurm)),
    )
    return keep_answers(store, [question for question in questions if question[0] in names], now)


def again(slurm: Slurm, store: Store, names: Collection[str], now: int) -> dict[str, object]:
    """Ask again for facts that an answer speaks against, but for those of this very cycle; returns what was told.

    Raises `NoAnswerError` where nobody answers: what is known is in doubt, and nothing is known in its place.
    """
    old = [name for name in names if store.seen(name) != now]
    for failure in observe_cluster(slurm, store, now, old):
        if isinstance(failure, NoAnswerError):
            raise failure
        log.warning("%s; what was known before goes on", failure)
    return {name: store.fact(name) for name in old if store.seen(name) == now}


def keep_answers(store: Store, questions: Sequence[Question], now: int) -> list[SlurmError]:
    """Ask, and keep each answer as a fact of `now`.

    Returns what failed; the last known answers stay. Where nobody answers a question, the others are not asked: each
    would wait as long.
    """
    failures: list[SlurmError] = []
    for name, words, question in questions:
        try:
            store.know(name, question(), now)
        except SlurmError as error:
            failures.append(error.of(words))
            if isinstance(error, NoAnswerError):
                break
    return failures
