"""Runs that accounting has open though Slurm does not run them (`sacctmgr show runaway` calls them runaway jobs).

slurmdbd is told of a run's end by slurmctld. Where that was lost, the row stays open for good: RUNNING, or over by its
state and yet without an end. Taken for a run that goes on it would count for ever, so it ends here where it was last
known to live. Who finds them is `runaways`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass, field

import numpy as np
import pandas as pd

from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.jobs.changes import NEVER
from librarian.subjects.jobs.model import Mask, coded, codes, ints, stuck
from librarian.subjects.jobs.runaway_facts import RUNS, Runaway, kept, runaways
from librarian.subjects.jobs.states import RUNAWAY, UNKNOWN

_COUNTED = "runaways counted"  # a fact


@dataclass(frozen=True)
class Unended:
    """What to make of runs without an end: `until` is up to when a runaway counts, by DBIndex (UTC epochs).

    `counted`: they count as Slurm's own sums have it, in which a run without an end goes on, whatever its state.
    """

    until: Mapping[int, int] = field(default_factory=dict)
    counted: bool = False

    def settled(self, jobs: pd.DataFrame) -> pd.DataFrame:
        """The same runs (a jobs table), where those alone have no end that go on."""
        over = stuck(jobs)
        if self.counted:
            return _called(jobs, over, "RUNNING")
        left = over | ((ints(jobs, "end") == UNKNOWN) & _named(jobs, self.until))
        end, start = ints(jobs, "end").copy(), ints(jobs, "start")
        for place in np.flatnonzero(left).tolist():
            end[place] = max(self.until.get(int(jobs["dbindex"].iloc[place]), 0), start[place])
        return _called(jobs.assign(end=end), left, RUNAWAY) if left.any() else jobs


def _named(jobs: pd.DataFrame, indexes: Collection[int]) -> Mask:
    return np.asarray(jobs["dbindex"].isin(list(indexes))) if indexes else np.zeros(len(jobs), dtype=bool)


def _called(jobs: pd.DataFrame, which: Mask, state: str) -> pd.DataFrame:
    """The same table with another state of some rows."""
    if not which.any():
        return jobs
    code, texts = codes(jobs, "state")
    texts = texts if state in texts else [*texts, state]
    code[which] = texts.index(state)
    return jobs.assign(state=coded(code, texts))


class KnownRunaways:
    """What is known of runaways, in an open store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, scope: Scope) -> tuple[Runaway, ...]:
        """The runs of `scope` that are missing from squeue, those that are not sure included."""
        return runaways(self._store, scope)

    def sure(self, scope: Scope) -> tuple[Runaway, ...]:
        """The runaways of `scope`."""
        return tuple(run for run in self.of(scope) if run.sure)

    def looked(self, scope: Scope) -> int | None:
        """When (UTC epoch) squeue was last asked which runs of `scope` there are, and answered."""
        looked = kept(self._store, scope)["looked"]
        return looked if isinstance(looked, int) else None

    @property
    def counted(self) -> bool:
        """Whether runaways count as Slurm's own sums have it."""
        return self._store.fact(_COUNTED) is True

    def unended(self, scope: Scope) -> Unended:
        """What to make of the runs of `scope` that have no end."""
        return Unended({run.dbindex: run.until for run in self.sure(scope)}, self.counted)

    def count(self, counted: bool, now: int) -> None:
        """Let runaways count as Slurm has it, or not: what was computed of runs holds no more where that is new."""
        if counted != self.counted:
            with self._store.transaction():
                self._store.know(_COUNTED, counted, now)
                self._store.runs_changed(0)

    def keep(self, scope: Scope, runs: Collection[Runaway], looked: int | None, now: int) -> None:
        """Keep what was found of `scope` at `now`; bins are computed anew from the start of each run that is new."""
        before, after = self.sure(scope), [run for run in runs if run.sure]
        known = {run.dbindex: run.until for run in before} if not self.counted else {}
        wanted = {run.dbindex: run.until for run in after} if not self.counted else {}
        moments = [run.start for run in (*before, *after) if known.get(run.dbindex) != wanted.get(run.dbindex)]
        fact = {"looked": looked, "runs": [astuple(run) for run in runs]}
        with self._store.transaction():
            if runs or looked is not None or self.of(scope):
                self._store.know(f"{RUNS} {scope.key}", fact, now)
            if moments:
                self._store.runs_changed(min(moments))

    def release(self, scope: Scope, opened: Collection[int], now: int) -> int:
        """Forget those that have an end now, or left: not among the DBIndexes `opened`; from when on bins are wrong."""
        runs = self.of(scope)
        left = [run for run in runs if run.dbindex not in opened]
        if left:
            rest = [astuple(run) for run in runs if run.dbindex in opened]
            self._store.know(f"{RUNS} {scope.key}", {**kept(self._store, scope), "runs": rest}, now)
        return min((run.start for run in left if run.sure), default=NEVER)
