"""`librarian jobs`: what became of somebody's jobs, from the store; Slurm is not asked, and no lock is taken."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.errors import ConfigError, StoreError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.subjects.efficiency.ask_job import Told


def jobs(options: argparse.Namespace) -> int:
    """Print the jobs that ended since a moment, run or are pending, as a table, CSV or JSON."""
    from librarian.cli import jobs_text

    setup, now = common.setup_of(options), host.clock()
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    since, user = _since(options.since, setup.zone, now), _whose(options)
    told, as_of = _read(setup, options.qos, since, user)
    rules = setup.config.efficiency.rules
    if options.failed:
        told = _failed(told)
    if options.format == "json":
        print(jobs_text.as_json(told, rules, since=since, as_of=as_of, user=user), flush=True)
    elif options.format == "csv":
        print(jobs_text.as_csv(told, rules), end="", flush=True)
    else:
        print("\n".join(jobs_text.lines(told, setup.zone, since, as_of, user, by_task=options.tasks)), flush=True)
    return 0


def _whose(options: argparse.Namespace) -> str | None:
    """The user whose jobs are wanted; None for everybody."""
    return None if options.everybody else options.user or host.user_name()


def _since(wanted: date | int, zone: str, now: int) -> int:
    from librarian.shared.calendar import day_start

    return now - wanted if isinstance(wanted, int) else day_start(wanted, zone)


def _failed(told: Sequence[Told]) -> list[Told]:
    from librarian.subjects.efficiency.job_list import UNSUCCESSFUL

    return [one for one in told if one.used.run.state in UNSUCCESSFUL]


def _read(setup: Setup, names: Sequence[str], since: int, user: str | None) -> tuple[list[Told], int]:
    """The jobs of the QoS in their order, each once, and as of when all of them are known (UTC epoch)."""
    from librarian.cycle.parts import watched
    from librarian.shared.calendar import clock
    from librarian.store import opened
    from librarian.subjects.efficiency.job_list import in_order, listed
    from librarian.subjects.jobs.covered import coverage

    known = {one.name.lower(): one.scope for one in watched(setup)}
    strange = [name for name in names if name.lower() not in known]
    if strange:
        raise ConfigError(f"{strange[0]} is not a configured QoS", f"there are {', '.join(known)}")
    told: dict[int, Told] = {}
    as_of: list[int] = []
    with opened(setup.places.store, setup.config.cluster.name) as store:
        for scope in [known[name.lower()] for name in names] or known.values():
            covered = coverage(store, scope)
            if covered is None:
                print(f"librarian: no data yet for {scope.qos}", file=sys.stderr)
                continue
            if covered.covered_from > since:
                begin = clock(covered.covered_from, setup.zone)
                print(f"librarian: jobs of {scope.qos} are known only since {begin}", file=sys.stderr)
            as_of.append(covered.complete_at)
            found = listed(store, scope, since, covered.complete_at, user)
            told |= {one.used.run.dbindex: one for one in found}
    if not as_of:
        raise StoreError("nothing was collected yet", "no QoS has had a complete answer", "run: librarian run")
    return in_order(told.values()), min(as_of)
