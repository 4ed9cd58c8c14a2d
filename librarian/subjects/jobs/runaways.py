"""Finding the runs that accounting has open though Slurm does not run them, without the rights of an admin.

After each answer of sacct's squeue is asked which jobs there are. An open run that it does not name, and does not name
the next time either, runs no more; a record of its end may only be late the first time. Where jobs of others are
hidden, or squeue does not answer, those alone are found whose state says that they are over.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from librarian.errors import NoAnswerError, SlurmError
from librarian.shared.scope import Scope
from librarian.subjects.jobs import signs
from librarian.subjects.jobs.collect import hides_jobs, spelled
from librarian.subjects.jobs.doubts import AGAIN
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.look import look as look_at_squeue
from librarian.subjects.jobs.model import Mask, goes_on, ints, started, stuck
from librarian.subjects.jobs.runaway_facts import Runaway
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.subjects.subject import CONTROLLER, Asking

_STEPS = "the steps of runs"  # in `Asking.silent`: they can be slow where runs are not
log = logging.getLogger(__name__)


def look(asking: Asking) -> None:
    """Look for runaways of each QoS whose runs are known up to now. What fails is told in the log, and makes no data
    old: what is known of them stays."""
    KnownRunaways(asking.store).count(asking.count_runaways, asking.now)
    for scope in (watched.scope for watched in asking.watched):
        coverage = JobRuns(asking.store).coverage(scope)
        if coverage and coverage.complete_at == asking.now:
            _look_at(asking, scope)


def _look_at(asking: Asking, scope: Scope) -> None:
    store, now, known = asking.store, asking.now, KnownRunaways(asking.store)
    opened = JobRuns(store).open_runs(scope)
    going = opened[goes_on(opened)]
    shown = _shown(asking, scope, going) if len(going) else None
    found = compared(opened, known.of(scope), shown, known.looked(scope), now)
    found = _with_signs(asking, scope, opened, found)
    known.keep(scope, found, known.looked(scope) if shown is None else now, now)


def _shown(asking: Asking, scope: Scope, going: pd.DataFrame) -> frozenset[int] | None:
    """Numbers of the jobs that squeue names in the QoS of the runs `going`; None where it is no witness."""
    if CONTROLLER in asking.silent or hides_jobs(asking.store):
        return None
    try:
        return look_at_squeue(asking).running({str(name) for name in going["qos"]})
    except SlurmError as error:
        log.info("squeue cannot tell which runs of %s go on: %s", scope.qos, error)
        return None


def compared(
    opened: pd.DataFrame, before: tuple[Runaway, ...], shown: frozenset[int] | None, looked: int | None, now: int
) -> tuple[Runaway, ...]:
    """Which of the runs without an end (`opened`, a jobs table) run no more.

    `before` were missing already, `shown` are the numbers of the jobs that squeue names at `now` (None: not known),
    `looked` is when it was asked before.
    """
    was = {run.dbindex: run for run in before}
    over, going = stuck(opened), goes_on(opened)
    alive = _alive(opened, shown) if shown is not None else going
    found = []
    for place in np.flatnonzero(over | going).tolist():
        index, start = int(opened["dbindex"].iloc[place]), int(opened["start"].iloc[place])
        old = was.get(index)
        if going[place] and shown is None:
            found += [old] if old else []
        elif over[place] or not alive[place]:
            since = min(old.since, now) if old else now
            life = old.life if old else looked if looked is not None and start <= looked <= now else None
            sure = bool(over[place]) or bool(old and old.sure) or now - since >= AGAIN
            found.append(Runaway(index, start, since, life, sure))
    return tuple(found)


def _alive(opened: pd.DataFrame, shown: frozenset[int]) -> Mask:
    """The runs that squeue names. A job has one run at a time: of several open ones that which began last."""
    number, start = ints(opened, "jobid"), np.where(started(opened), ints(opened, "start"), 0)
    last = pd.Series(start).groupby(number).transform("max").to_numpy()
    named: Mask = np.isin(number, np.array(sorted(shown), dtype=np.int64)) & (start == last)
    return named


def _with_signs(asking: Asking, scope: Scope, opened: pd.DataFrame, found: tuple[Runaway, ...]) -> tuple[Runaway, ...]:
    """The same with the last signs of life of those that squeue was never seen to name, from their steps."""
    wanted = {run.dbindex for run in found if run.sure and run.life is None}
    if not wanted or _STEPS in asking.silent:
        return found
    try:
        seen = signs.ask(
            asking.slurm,
            spelled(asking.store, scope).cluster,
            opened[opened["dbindex"].isin(list(wanted))],
            asking.now,
        )
    except SlurmError as error:
        log.info("sacct does not tell the steps of runaways of %s: %s", scope.qos, error)
        if isinstance(error, NoAnswerError):  # the next one would wait as long
            asking.silent[_STEPS] = error
        return found
    lives = {run.dbindex: max(seen[run.dbindex], run.start) for run in found if run.dbindex in seen}
    return tuple(
        Runaway(run.dbindex, run.start, run.since, lives.get(run.dbindex, run.life), run.sure) for run in found
    )
