"""What is told of runaways: how many there are and what of them is left out, and each of them for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from librarian.shared.resources import by_key
from librarian.shared.scope import Scope
from librarian.shared.text import visible
from librarian.shared.words import amount, lasting
from librarian.store import Store, opened
from librarian.subjects.jobs.amounts import Weights, weights_of
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import ints
from librarian.subjects.jobs.section import Runaways
from librarian.subjects.jobs.unended import KnownRunaways


def runaways(store: Store, scope: Scope, begin: int, now: int) -> Runaways:
    """What there is to tell of a window from `begin` to `now` (UTC epochs)."""
    runs, until = _known(store, scope)
    hours = np.maximum(now - np.maximum(until, begin), 0) / 3600
    cpu, gpu = (float((_held(key, runs) * hours).sum()) for key in ("NCPUS", "NGPUS"))
    return Runaways(len(runs), cpu, gpu, KnownRunaways(store).counted)


def _known(store: Store, scope: Scope) -> tuple[pd.DataFrame, Weights]:
    """The runaways as accounting tells them (a jobs table), and up to when each counts."""
    until = KnownRunaways(store).unended(scope).until
    runs = JobRuns(store).open_runs(scope)
    runs = runs[runs["dbindex"].isin(list(until))]
    return runs, np.array([until[index] for index in runs["dbindex"].tolist()], dtype=float)


def _held(key: str, runs: pd.DataFrame) -> Weights:
    return weights_of(by_key(key), runs)


def lines(path: Path, scopes: Sequence[Scope], now: int) -> list[str]:
    """A line for each runaway in the store `path`, those that are longest dead first. Raises `StoreError` when it
    cannot be read."""
    if not scopes or not path.is_file():
        return []
    with opened(path, scopes[0].cluster) as store:
        return [line for scope in scopes for line in _lines(store, scope, now)]


def _lines(store: Store, scope: Scope, now: int) -> list[str]:
    runs, until = _known(store, scope)
    cpus, gpus = _held("NCPUS", runs), _held("NGPUS", runs)
    told = []
    for place in np.argsort(until, kind="stable").tolist():
        row, dead = runs.iloc[place], max(0.0, now - until[place])
        held = f"{amount(cpus[place] * dead / 3600)} CPU-hours"
        held += f" and {amount(gpus[place] * dead / 3600)} GPU-hours" if gpus[place] else ""
        lived = until[place] - ints(runs, "start")[place]
        user, state = (visible(str(row[name])) for name in ("user", "state"))
        who = f"{scope.qos}: job {row['jobid']} of {user}, {state} in accounting"
        told.append(f"{who}: no sign of life for {lasting(dead)}, after {lasting(lived)}; {held} since")
    return told
