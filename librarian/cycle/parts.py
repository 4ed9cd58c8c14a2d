"""What rooms that know no configuration are given of it: places, names and options, picked here and nowhere else."""

from __future__ import annotations

from librarian.config.setup import Setup
from librarian.health.statusfile import StatusFile
from librarian.shared.files import STATUS
from librarian.system import lock


def status_file(setup: Setup) -> StatusFile:
    """The status of the runs of a configuration."""
    config, places = setup.config, setup.places
    names = tuple(entry.name for entry in config.qos)
    deliveries = places.deliveries if config.publish else None
    return StatusFile(places.state / STATUS, config.cluster.name, config.report.interval_seconds, names, deliveries)


def facts(setup: Setup) -> dict[str, str]:
    """What `librarian status` tells beside the status: where things are, and who is at work."""
    owner = lock.owner_of(setup.places.lock)
    return {
        "store": str(setup.places.store),
        "site": str(setup.places.site),
        **({"at work": owner} if owner else {}),
    }
