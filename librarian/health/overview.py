"""`librarian status`: how things stand, from the status that the last run left. It needs no store and no renderer."""

from __future__ import annotations

from dataclasses import replace

from librarian.config.setup import Setup
from librarian.health import status as values
from librarian.health import statusfile
from librarian.health.verdict import judged
from librarian.system import lock


def describe(setup: Setup, now: int) -> tuple[list[str], int]:
    """Lines for a person, and a status: 0 all is fresh, 1 something is old or failed, 2 something has no data at all,
    or nothing has gone well for long. The first line is that of a monitoring plugin.
    """
    facts = {"store": str(setup.places.store), "site": str(setup.places.site)}
    owner = lock.owner_of(setup.places.lock)
    if owner:
        facts["at work"] = owner
    status = _known(setup)
    if setup.config.publish and not status.publishers:
        facts["publishers"] = "nothing was published yet"
    return judged(status, now, setup.zone, facts)


def as_json(setup: Setup, now: int) -> tuple[str, int]:
    """The status as JSON, and the same number."""
    status = _known(setup)
    return values.to_json(status).decode("ascii").rstrip("\n"), judged(status, now, setup.zone)[1]


def _known(setup: Setup) -> values.Status:
    """The status; a QoS that was configured since the last run has no data yet."""
    status = statusfile.read(setup)
    known = {row.name: row for row in status.qos}
    rows = tuple(known.get(entry.name, values.QosStatus(name=entry.name)) for entry in setup.config.qos)
    interval, published = setup.config.report.interval_seconds, tuple(statusfile.publishers(setup))
    return replace(status, qos=rows, publishers=published, interval_seconds=interval)
