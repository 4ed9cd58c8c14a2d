"""The limits of a QoS and what counts against them at this moment, asked of Slurm; the store is not touched."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from librarian.errors import SlurmError, Trouble
from librarian.shared.names import AccountName, PartitionName, Place, Places
from librarian.shared.resources import JOBS, OBSERVABLES, Observable, gpus_in
from librarian.shared.scope import Watched
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import rows as accounting
from librarian.subjects.jobs.question import Query
from librarian.subjects.jobs.rows import Run
from librarian.subjects.jobs.states import goes_on, under_way
from librarian.subjects.limits import accounts, counted, partitions, qos, relative
from librarian.subjects.limits.effective_limits import compose
from librarian.subjects.limits.policy import OWN, Held, LimitRow, rows
from librarian.subjects.limits.rules import QosLimits
from librarian.system.host import login_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Headroom:
    """The limits of one QoS, as `policy` orders them; none where nothing limits it."""

    qos: str
    rows: tuple[LimitRow, ...]


def ask(slurm: Slurm, cluster: str, wanted: Sequence[Watched], now: int) -> list[Headroom]:
    """The limits on the QoS that are `wanted` and their use at `now` (UTC epoch).

    Raises `SlurmError` when Slurm does not answer or knows no such QoS. What slurmctld does not tell is taken from
    accounting, as far as that can tell it.
    """
    table = qos.ask(slurm)
    known = policies(slurm, cluster, table, [entry.name for entry in wanted])
    found = []
    for entry in wanted:
        if entry.name not in known:
            why = f"it knows {', '.join(sorted(table))}"
            raise SlurmError(f"Slurm knows no QoS {entry.name}", why, trouble=Trouble.NO_SUCH_NAME)
        found.append(_one(slurm, now, entry, known[entry.name]))
    return found


def policies(slurm: Slurm, cluster: str, table: Mapping[str, QosLimits], names: Sequence[str]) -> dict[str, QosLimits]:
    """What binds each QoS of these `names`; those that are not in `table`, what Slurm says of all QoS, are left out.

    Raises `SlurmError` when Slurm does not tell of the accounts.
    """
    tree = accounts.relevant(accounts.ask(slurm, cluster), names)
    try:
        places = partitions.ask(slurm)
    except SlurmError as error:
        log.info("partitions: %s", error)
        places = {}
    try:
        table = relative.in_numbers(table, relative.ask(slurm, table))
    except SlurmError as error:
        log.info("limits that are percentages: %s", error)
    found = {name: compose(name, table, places, tree) for name in names}
    return {name: limits for name, limits in found.items() if limits is not None}


def _one(slurm: Slurm, now: int, entry: Watched, limits: QosLimits) -> Headroom:
    runs = accounting.ask(slurm, Query(entry.scope, now - 60, now)).runs
    places = places_now(runs, now, (*OBSERVABLES, *gpus_in(run.alloc_tres for run in runs)))
    told = rows(entry.name, limits, entry.overrides, places, _held(slurm, now, entry.name, limits, runs))
    return Headroom(entry.name, told)


def places_now(runs: Iterable[Run], now: int, observables: Sequence[Observable]) -> Places:
    """The partitions and accounts in which runs that go on hold each resource."""
    found: dict[str, set[Place]] = {}
    for run in runs:
        if run.start < now and goes_on(run.start, run.end, run.state):
            place = PartitionName(run.partition), AccountName(run.account)
            for observable in observables:
                if observable.of(run.alloc_tres) > 0:
                    found.setdefault(observable.resource or JOBS, set()).add(place)
    return {resource: frozenset(places) for resource, places in found.items()}


def _held(slurm: Slurm, now: int, name: str, limits: QosLimits, runs: Sequence[Run]) -> Mapping[str, Held]:
    """What slurmctld counts; where it does not tell, what the QoS's jobs hold in accounting."""
    try:
        told = counted.ask(slurm, name, limits, login_of)
        if OWN in told:
            return told
    except SlurmError as error:
        log.info("%s: %s", name, error)
    tracked = site.gpus_tracked(slurm)
    observables = (*OBSERVABLES, *gpus_in(run.alloc_tres for run in runs))
    return {OWN: held_by(runs, now, [o for o in observables if tracked or not o.key.startswith("NGPUS")])}


def held_by(runs: Iterable[Run], now: int, observables: Sequence[Observable]) -> Held:
    """What Slurm counts at `now` (UTC epoch) against the limits of a QoS: `held.held_now`, of rows."""
    counting = [run for run in runs if under_way(run.start, run.end, run.state, now)]
    return Held(
        _sums(counting, observables),
        {user: _sums(their, observables) for user, their in _by(counting, "user").items()},
        {account: _sums(their, observables) for account, their in _by(counting, "account").items()},
    )


def _by(runs: Iterable[Run], column: str) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(getattr(run, column), []).append(run)
    return found


def _sums(runs: Sequence[Run], observables: Sequence[Observable]) -> dict[str, float]:
    return {o.resource or JOBS: math.fsum(o.of(run.alloc_tres) for run in runs) for o in observables}
