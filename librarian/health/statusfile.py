"""The status on disk: in the state folder as it is, in the site as its readers may see it."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from librarian import __version__
from librarian.config.setup import Setup
from librarian.health import status as values
from librarian.health.status import FAILED, PublisherStatus, Status
from librarian.shared.files import STATUS
from librarian.system.host import host_name, write_atomic

NAME = STATUS
log = logging.getLogger(__name__)


def path_of(setup: Setup) -> Path:
    """Where the status is kept."""
    return setup.places.state / NAME


def read(setup: Setup) -> Status:
    """The status of the last run; one that knows nothing where there is none, or it cannot be read."""
    try:
        kept = values.from_json(path_of(setup).read_bytes())
    except OSError:
        kept = None
    fresh = Status(setup.config.cluster.name, setup.config.report.interval_seconds)
    return kept if kept and kept.cluster == fresh.cluster else fresh


def stamped(status: Status, setup: Setup) -> Status:
    """The status as this program on this machine writes it now; of what is not configured any more nothing stays."""
    names = {entry.name for entry in setup.config.qos}
    rest = {
        "version": __version__,
        "host": host_name(),
        "interval_seconds": setup.config.report.interval_seconds,
        "qos": tuple(row for row in status.qos if row.name in names),
        "publishers": tuple(publishers(setup)),
    }
    return Status(**{**vars(status), **rest})


def write(setup: Setup, status: Status) -> bool:
    """Keep the status; whether that could be done. A disk that is full is told of by who needs it."""
    try:
        path_of(setup).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path_of(setup), values.to_json(status), mode=0o600)
    except OSError as error:
        log.debug("the status could not be written: %s", error)
        return False
    return True


def publishers(setup: Setup) -> Sequence[PublisherStatus]:
    """How each publisher fared, from the file that the publishers keep; none where there is no such file."""
    if not setup.config.publish:
        return []
    try:
        body = json.loads(setup.places.deliveries.read_bytes())
        return [_publisher(row) for row in body["publishers"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _publisher(row: dict[str, Any]) -> PublisherStatus:
    failed, reason = row["state"] == FAILED, row["reason"]
    same = ("last_try", "last_success", "seconds", "kind", "target", "state", "bytes_sent")
    told = PublisherStatus(
        **{name: row[name] for name in same}, error=reason if failed else None, note="" if failed else reason
    )
    return values.checked(told)
