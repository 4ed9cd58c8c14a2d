"""What a backfill has to do: which time is asked for, of which QoS, in slices of what length."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from librarian.config.setup import Setup
from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.shared.slices import gaps
from librarian.shared.spans import Span
from librarian.shared.window import DAY, day_edges, window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import pieces
from librarian.subjects.usage.keep import USAGE

SLICE = 7 * DAY
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What is to be fetched of one QoS: spans of time in order, UTC epochs."""

    scope: Scope
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> int:
        """How much time that is."""
        return sum(end - begin for begin, end in self.spans)


@dataclass(frozen=True)
class Terms:
    """How it is asked and binned; `longest` is the length of a slice in seconds."""

    cluster: str
    zone: str
    bin_seconds: int
    longest: int = SLICE


def look(slurm: Slurm, cluster: str) -> site.Archive:
    """What there is to know before years are asked for. Raises `SlurmError` when that would give nothing, or a part.

    sacct takes a cluster that does not exist for one without jobs.
    """
    known = site.clusters(slurm)
    if cluster.lower() not in (name.lower() for name in known):
        raise SlurmError(f"Slurm knows no cluster {cluster}", f"it knows {', '.join(known)}", "correct [cluster] name")
    if "jobs" in site.private_data(slurm):
        log.warning("Slurm hides the jobs of others (PrivateData=jobs): what is fetched is what you may see")
    return site.archive(slurm)


def terms_of(setup: Setup, archive: site.Archive, longest: int = SLICE) -> Terms:
    """How `setup` has it asked; slices are not longer than slurmdbd answers."""
    bound = max(1, archive.longest_query - pieces.MARGIN) if archive.longest_query else longest
    return Terms(setup.config.cluster.name, setup.zone, setup.config.report.bin_seconds, min(longest, bound))


def bounds(setup: Setup, begin: int, end: int | None, now: int, archive: site.Archive) -> Span:
    """The time to fetch: whole bins from `begin` to `end`, at most up to the window, which the runs look after.

    What slurmdbd has purged is not asked for.
    """
    options = setup.config.report
    window = window_until(now, seconds=options.window_days * DAY, bin_seconds=options.bin_seconds, zone=setup.zone)
    if archive.kept is not None and begin < now - archive.kept:
        days = archive.kept // DAY
        log.warning("slurmdbd keeps jobs for %d days (PurgeJobAfter): older ones are not asked for", days)
        begin = now - archive.kept
    last = window.start if end is None else min(end, window.start)
    if begin >= last:
        return last, last
    edges = day_edges(begin, last, options.bin_seconds, setup.zone)
    return int(edges[np.searchsorted(edges, begin)]), int(edges[np.searchsorted(edges, last, side="right") - 1])


def orders(store: Store, scopes: Sequence[Scope], span: Span) -> list[Order]:
    """What of `span` the store does not know, by QoS.

    Hours that it knows are left alone: Slurm may know less of them by now.
    """
    found = [Order(scope, tuple(gaps(store.known(scope, USAGE), *span))) for scope in scopes]
    return [order for order in found if order.spans]
