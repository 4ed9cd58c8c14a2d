"""The limits of a QoS and what counts against them at this moment, asked of Slurm; the store is not touched."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from librarian.errors import SlurmError, Trouble
from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.ask import Query
from librarian.subjects.jobs.model import goes_on
from librarian.subjects.limits import accounts, counted, partitions, qos, relative
from librarian.subjects.limits.effective_limits import compose
from librarian.subjects.limits.policy import OWN, Held, LimitRow, held_now, rows
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.subject import Watched
from librarian.subjects.usage.places import places_of, seen_at
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
    query = Query(entry.scope, now - 60, now)
    jobs = accounting.ask(slurm, query).jobs
    window = window_until(now, seconds=3600, bin_seconds=3600, zone="UTC")
    observables = (*OBSERVABLES, *gpu_observables(jobs))
    told = rows(
        entry.name,
        limits,
        entry.overrides,
        places_of(seen_at(jobs.loc[goes_on(jobs)], window, observables)),
        _held(slurm, now, entry.name, limits, jobs),
    )
    return Headroom(entry.name, told)


def _held(slurm: Slurm, now: int, name: str, limits: QosLimits, jobs: pd.DataFrame) -> Mapping[str, Held]:
    """What slurmctld counts; where it does not tell, what the QoS's jobs hold in accounting."""
    try:
        told = counted.ask(slurm, name, limits, login_of)
        if OWN in told:
            return told
    except SlurmError as error:
        log.info("%s: %s", name, error)
    tracked = site.gpus_tracked(slurm)
    observables = (*OBSERVABLES, *gpu_observables(jobs))
    return {OWN: held_now(jobs, now, [o for o in observables if tracked or not o.key.startswith("NGPUS")])}
