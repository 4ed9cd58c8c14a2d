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
    from librarian.config.setup import Setup
    from librarian.shared.scope import Scope
    from librarian.slurm.command import Slurm
    from librarian.subjects.limits.model import QosLimits
    from librarian.subjects.queue.model import Queue
    from librarian.subjects.queue.table import Row, Table


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


def _ask(slurm: Slurm, setup: Setup, scope: Scope, limits: QosLimits, now: int) -> tuple[Queue, Table]:
    """The queue, with what the running jobs of the QoS hold, and its rows."""
    from librarian.shared.resources import OBSERVABLES, gpus_in
    from librarian.subjects.limits.model import limits_of
    from librarian.subjects.queue import model, table
    from librarian.subjects.queue.ask import Question, ask
    from librarian.subjects.queue.blocking import Bounds
    from librarian.subjects.queue.counts import counted_now

    told = ask(slurm, Question(scope, (*table.WAITING, *table.HOLDING)))
    observables = (*OBSERVABLES, *gpus_in(row.tres for row in told.table))
    overrides = next((entry.limits for entry in setup.config.qos if entry.name.lower() == scope.qos.lower()), {})
    places = table.held_at(told.table, observables)
    found = limits_of(observables, limits, overrides, places)
    counted = counted_now(slurm, [(scope, limits, told.table)], now).get(scope, {})
    seen = model.LastQueue(now, told.table, told.complaint, counted=counted)
    bounds = Bounds(found, table.held(told.table, observables), limits, places, whole=scope == scope.whole)
    return model.summarise(seen, bounds), told.table


def _json(scope: Scope, found: Queue, table: Table) -> dict[str, object]:
    from librarian.subjects.queue.now_json import queue_json
    from librarian.subjects.queue.table import WAITING

    waiting = [_row(row) for row in table if row.state in WAITING]
    return {"qos": scope.qos, **queue_json(found), "error": found.error, "waiting": waiting}


def _row(row: Row) -> dict[str, object]:
    """A job that waits; a time that is not known is None."""
    from librarian.subjects.queue.table import TIMES

    told = {key: value for key, value in row._asdict().items() if key not in ("state", "qos")}
    return told | {key: None for key in TIMES if told[key] < 0}
