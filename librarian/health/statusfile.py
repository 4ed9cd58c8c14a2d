"""The status on disk: in the state folder as it is, in the site as its readers may see it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from librarian import __version__
from librarian.errors import Trouble
from librarian.health import status as values
from librarian.health.status import FAILED, PublisherStatus, Status
from librarian.system.host import host_name, write_atomic

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StatusFile:
    """Where the status of a cluster's runs is kept, and what it has to be about."""

    path: Path
    cluster: str
    interval_seconds: int
    qos: tuple[str, ...]
    """The names of those that are configured."""
    deliveries: Path | None
    """Where publishers keep how they fared; None without any."""

    def read(self) -> Status:
        """The status of the last run; one that knows nothing where there is none, or it cannot be read."""
        try:
            kept = values.from_json(self.path.read_bytes())
        except OSError:
            kept = None
        return kept if kept and kept.cluster == self.cluster else Status(self.cluster, self.interval_seconds)

    def unreadable(self) -> str:
        """Why the status that is there cannot be read; "" where it can, or where there is none."""
        return _unreadable(self.path, lambda content: values.from_json(content) is not None)

    def stamped(self, status: Status) -> Status:
        """The status as this program on this machine writes it now, without what is not configured any more."""
        rest = {
            "version": __version__,
            "host": host_name(),
            "interval_seconds": self.interval_seconds,
            "qos": tuple(row for row in status.qos if row.name in self.qos),
            "publishers": tuple(self.publishers()),
        }
        return Status(**{**vars(status), **rest})

    def write(self, status: Status) -> bool:
        """Keep the status; whether that could be done. A disk that is full is told of by who needs it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(self.path, values.to_json(status), mode=0o600)
        except OSError as error:
            log.debug("the status could not be written: %s", error)
            return False
        return True

    def publishers(self) -> Sequence[PublisherStatus]:
        """How each publisher fared, from the file that the publishers keep; none where there is no such file."""
        try:
            return _publishers(self.deliveries.read_bytes()) or [] if self.deliveries else []
        except OSError:
            return []

    def unpublished(self) -> str:
        """Why nothing is known of any publisher."""
        why = _unreadable(self.deliveries, lambda content: _publishers(content) is not None) if self.deliveries else ""
        return f"how they fared cannot be read: {why}" if why else "nothing was published yet"


def _unreadable(path: Path, is_understood: Callable[[bytes], bool]) -> str:
    """The file and why it cannot be read; "" where it can, or where there is none."""
    try:
        return "" if is_understood(path.read_bytes()) else f"{path} is damaged, or of another release"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror or error}"


def _publishers(content: bytes) -> list[PublisherStatus] | None:
    """What publishers kept of how they fared; None where it cannot be understood."""
    try:
        return [_publisher(row) for row in json.loads(content)["publishers"]]
    except (ValueError, KeyError, TypeError):
        return None


def _publisher(row: dict[str, Any]) -> PublisherStatus:
    failed, reason = row["state"] == FAILED, row["reason"]
    same = ("last_try", "last_success", "seconds", "kind", "target", "state", "bytes_sent")
    told = PublisherStatus(
        **{name: row[name] for name in same},
        error=reason if failed else None,
        note="" if failed else reason,
        troubles=(Trouble.PUBLISH,) if failed else (),
    )
    return values.checked(told)
