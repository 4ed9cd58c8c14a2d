"""`librarian status`: how things stand, from the status that the last run left. It needs no store and no renderer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from librarian.errors import Trouble
from librarian.health import status as values
from librarian.health.statusfile import StatusFile
from librarian.health.verdict import judged


def describe(file: StatusFile, now: int, zone: str, facts: Mapping[str, str]) -> tuple[list[str], int]:
    """Lines for a person in `zone`, and a status: 0 all is fresh, 1 something is old or failed, 2 something has no data
    at all, or nothing has gone well for long. The first line is that of a monitoring plugin. `facts` are told with it.
    """
    status = _known(file)
    unpublished = {"publishers": file.unpublished()} if file.deliveries and not status.publishers else {}
    return judged(status, now, zone, {**facts, **unpublished})


def as_json(file: StatusFile, now: int, zone: str) -> tuple[str, int]:
    """The status as JSON, and the same number."""
    status = _known(file)
    return values.to_json(status).decode("ascii").rstrip("\n"), judged(status, now, zone)[1]


def _known(file: StatusFile) -> values.Status:
    """The status; a QoS that was configured since the last run has no data yet. Where it cannot be read nothing is
    known, which is not the same as that nothing was run."""
    status, why = file.read(), file.unreadable()
    if why:
        error = f"the state cannot be read: {why}"
        return replace(status, state=values.FAILED, error=error, troubles=(Trouble.FAILED,))
    known = {row.name: row for row in status.qos}
    rows = tuple(known.get(name, values.QosStatus(name=name)) for name in file.qos)
    return replace(status, qos=rows, publishers=tuple(file.publishers()), interval_seconds=file.interval_seconds)
