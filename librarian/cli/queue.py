"""`librarian queue`: who waits now, for what and why. Asks Slurm alone, without the store and its lock."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.errors import ConfigError
from librarian.system import host

if TYPE_CHECKING:
    import pandas as pd

    from librarian.config.setup import Setup
    from librarian.shared.scope import Scope
    from librarian.slurm.command import Slurm
    from librarian.subjects.limits.model import QosLimits
    from librarian.subjects.queue.model import Queue


def queue(options: argparse.Namespace) -> int:
    """Print the queue of each QoS as tables, or as JSON."""
    from librarian.cli.queue_text import lines
    from librarian.subjects.limits import qos
    from librarian.subjects.limits.now import policies

    setup = common.setup_of(options)
    slurm = common.slurm_of(setup)
    table = qos.ask(slurm)
    scopes = [_scope(setup, name) for name in options.qos or [entry.name for entry in setup.config.qos]]
    unknown = [scope.qos for scope in scopes if scope.qos.lower() not in (name.lower() for name in table)]
    if unknown:
        raise ConfigError(f"Slurm knows no QoS {unknown[0]}", f"it knows {', '.join(sorted(table))}")
    limits = policies(slurm, setup.config.cluster.name, table, [scope.qos for scope in scopes])
    now, width = host.clock(), shutil.get_terminal_size().columns
    told = [_ask(slurm, setup, scope, limits[scope.qos], now) for scope in scopes]
    if options.json:
        print(json.dumps([_json(scope, *found) for scope, found in zip(scopes, told, strict=True)], indent=1))
        return 0
    for place, (scope, (found, _)) in enumerate(zip(scopes, told, strict=True)):
        print("\n".join([*([""] if place else []), *lines(scope.qos, found, now, setup.zone, width)]))
    return 0


def _scope(setup: Setup, name: str) -> Scope:
    """A configured QoS with its accounts and partitions, any other one whole."""
    from librarian.shared.scope import Scope

    configured = [entry for entry in setup.config.qos if entry.name.lower() == name.lower()]
    return setup.config.scope(configured[0]) if configured else Scope(setup.config.cluster.name, name)


def _ask(slurm: Slurm, setup: Setup, scope: Scope, limits: QosLimits, now: int) -> tuple[Queue, pd.DataFrame]:
    """The queue, with what the running jobs of the QoS hold, and its rows."""
    from librarian.shared.resources import OBSERVABLES
    from librarian.subjects.jobs.amounts import gpu_observables
    from librarian.subjects.limits import model as core_limits
    from librarian.subjects.queue import model
    from librarian.subjects.queue.ask import Question, ask
    from librarian.subjects.queue.blocking import Bounds
    from librarian.subjects.queue.sample import complaint, counted_now

    question = Question(scope, (*model.WAITING, *model.HOLDING))
    told = ask(slurm, question)
    observables = (*OBSERVABLES, *gpu_observables(model.as_jobs(told.table)))
    overrides = next((entry.limits for entry in setup.config.qos if entry.name.lower() == scope.qos.lower()), {})
    places = model.held_at(told.table, observables)
    found = core_limits.limits_of(observables, limits, overrides, places)
    counted = counted_now(slurm, [(scope, limits, told.table)], now).get(scope, {})
    seen = model.LastQueue(now, told.table, complaint(told), counted=counted)
    held = model.held(told.table, observables)
    return model.summarise(seen, Bounds(found, held, limits, places, whole=scope == scope.whole)), told.table


def _json(scope: Scope, found: Queue, table: pd.DataFrame) -> dict[str, object]:
    from librarian.subjects.queue.model import WAITING
    from librarian.subjects.queue.to_json import queue_json

    rows = table[table["state"].isin(WAITING)].drop(columns=["state", "qos"]).to_dict("records")
    times = ("submit", "eligible", "start")
    waiting = [{key: None if key in times and value < 0 else value for key, value in row.items()} for row in rows]
    return {"qos": scope.qos, **queue_json(found), "error": found.error, "waiting": waiting}
