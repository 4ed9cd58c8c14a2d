"""What a backfill has to do: which time is asked for, of which QoS, in slices of what length."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.shared.slices import gaps
from librarian.shared.spans import Span
from librarian.shared.window import DAY, day_edges, window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store
from librarian.subjects.jobs import pieces
from librarian.subjects.jobs.unended import KnownRunaways, Unended
from librarian.subjects.usage.sums import USAGE

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
    """How it is asked and binned; `longest` is the length of a slice in seconds.

    `until` has pairs of a runaway's DBIndex and the time (UTC epoch) up to which it counts, see `jobs.unended`;
    `count_runaways`: they count as running.
    """

    cluster: str
    zone: str
    bin_seconds: int
    longest: int = SLICE
    until: Sequence[tuple[int, int]] = ()
    count_runaways: bool = False

    @property
    def unended(self) -> Unended:
        """What to make of runs without an end."""
        return Unended(dict(self.until), self.count_runaways)


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


def within(terms: Terms, archive: site.Archive) -> Terms:
    """The terms with slices no longer than slurmdbd answers, a bin more at each end included (`backfill.confirmed`)."""
    wider = pieces.MARGIN + 2 * terms.bin_seconds
    bound = max(1, archive.longest_query - wider) if archive.longest_query else terms.longest
    return replace(terms, longest=min(terms.longest, bound))


def with_runaways(terms: Terms, store: Store, scopes: Sequence[Scope]) -> Terms:
    """The terms with what the store knows of runaways."""
    known = [KnownRunaways(store).unended(scope) for scope in scopes]
    until = {index: until for unended in known for index, until in unended.until.items()}
    return replace(terms, until=tuple(until.items()), count_runaways=any(unended.counted for unended in known))


def bounds(terms: Terms, window_days: int, asked: tuple[int, int | None], now: int, archive: site.Archive) -> Span:
    """The time to fetch of what is `asked` for (None: all): whole bins up to the window, which the runs look after.

    What slurmdbd has purged is not asked for.
    """
    begin, end = asked
    window = window_until(now, seconds=window_days * DAY, bin_seconds=terms.bin_seconds, zone=terms.zone)
    if archive.kept is not None and begin < now - archive.kept:
        days = archive.kept // DAY
        log.warning("slurmdbd keeps jobs for %d days (PurgeJobAfter): older ones are not asked for", days)
        begin = now - archive.kept
    last = window.start if end is None else min(end, window.start)
    if begin >= last:
        return last, last
    edges = day_edges(begin, last, terms.bin_seconds, terms.zone)
    return int(edges[np.searchsorted(edges, begin)]), int(edges[np.searchsorted(edges, last, side="right") - 1])


def orders(store: Store, scopes: Sequence[Scope], span: Span) -> list[Order]:
    """What of `span` the store does not know, by QoS.

    Hours that it knows are left alone: Slurm may know less of them by now.
    """
    found = [Order(scope, tuple(gaps(store.known(scope, USAGE), *span))) for scope in scopes]
    return [order for order in found if order.spans]
