"""The limits of a QoS and what counts against them at this moment, asked of Slurm; the store is not touched."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from librarian.errors import SlurmError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.ask import Query
from librarian.subjects.limits import accounts, counted, partitions, qos
from librarian.subjects.limits.effective_limits import compose
from librarian.subjects.limits.policy import OWN, Held, Row, held_now, rows
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.subject import Watched
from librarian.subjects.usage.places import places_of, seen_at
from librarian.system.host import login_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Headroom:
    """The limits of one QoS, as `policy` orders them; none where nothing limits it."""

    qos: str
    rows: tuple[Row, ...]


def ask(slurm: Slurm, cluster: str, wanted: Sequence[Watched], now: int) -> list[Headroom]:
    """The limits on the QoS that are `wanted` and their use at `now` (UTC epoch).

    Raises `SlurmError` when Slurm does not answer or knows no such QoS. What slurmctld does not tell is taken from
    accounting, as far as that can tell it.
    """
    table = qos.ask(slurm)
    tree = accounts.relevant(accounts.ask(slurm, cluster), [entry.name for entry in wanted])
    try:
        places = partitions.ask(slurm)
    except SlurmError as error:
        log.info("partitions: %s", error)
        places = {}
    found = []
    for entry in wanted:
        limits = compose(entry.name, table, places, tree)
        if limits is None:
            raise SlurmError(f"Slurm knows no QoS {entry.name}", f"it knows {', '.join(sorted(table))}")
        found.append(_one(slurm, cluster, now, entry, limits))
    return found


def _one(slurm: Slurm, cluster: str, now: int, entry: Watched, limits: QosLimits) -> Headroom:
    query = Query(entry.name, now - 60, now, entry.scope.accounts, entry.scope.partitions)
    jobs = accounting.ask(slurm, query, cluster).jobs
    window = window_until(now, seconds=3600, bin_seconds=3600, zone="UTC")
    observables = (*OBSERVABLES, *gpu_observables(jobs))
    told = rows(
        entry.name,
        limits,
        entry.overrides,
        places_of(seen_at(_open(jobs), window, observables)),
        _held(slurm, now, entry.name, limits, jobs),
    )
    return Headroom(entry.name, told)


def _open(jobs: pd.DataFrame) -> pd.DataFrame:
    return jobs.loc[jobs["end"] == -1]


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
