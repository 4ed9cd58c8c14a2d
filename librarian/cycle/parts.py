"""What rooms that know no configuration are given of it: places, names and options, picked here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from librarian.config.setup import Setup
from librarian.health.statusfile import StatusFile
from librarian.shared.files import STATUS
from librarian.shared.scope import Scope, Watched
from librarian.system import lock

if TYPE_CHECKING:
    from librarian.mail.transport import Post
    from librarian.rules.statefile import RulesFile


def status_file(setup: Setup) -> StatusFile:
    """The status of the runs of a configuration."""
    config, places = setup.config, setup.places
    names = tuple(entry.name for entry in config.qos)
    deliveries = places.deliveries if config.publish else None
    return StatusFile(places.state / STATUS, config.cluster.name, config.report.interval_seconds, names, deliveries)


def rules_file(setup: Setup) -> RulesFile:
    """Where what is known of the rules of a configuration is kept."""
    from librarian.rules import statefile  # here: most have no rules, and those who ask for the status wait

    return statefile.RulesFile(setup.places.state / statefile.NAME, setup.config.cluster.name)


def _channels(setup: Setup) -> dict[str, str]:
    """The channels that have not taken their last message."""
    if not setup.config.channels:
        return {}
    from librarian.rules import statefile

    return statefile.described(setup.config.channels, rules_file(setup).read())


def post(setup: Setup) -> Post:
    """How mail of a configuration leaves."""
    from librarian.mail.transport import Post  # here: those who ask for the status wait

    return Post(setup.config.mail, setup.places.base)


def facts(setup: Setup) -> dict[str, str]:
    """What `librarian status` tells beside the status: where things are, and who is at work."""
    owner = lock.owner_of(setup.places.lock)
    return {
        "store": str(setup.places.store),
        "site": str(setup.places.site),
        **({"at work": owner} if owner else {}),
        **_channels(setup),
    }


def watched(setup: Setup) -> tuple[Watched, ...]:
    """The QoS of a configuration, in its order."""
    return tuple(Watched(setup.config.scope(entry), entry.title, entry.limits) for entry in setup.config.qos)


def chosen(setup: Setup, names: Sequence[str]) -> list[Watched]:
    """The QoS `names`, as they are configured or else whole; all that are configured where none is named."""
    configured = {one.name.lower(): one for one in watched(setup)}
    cluster = setup.config.cluster.name
    found = [configured.get(name.lower(), Watched(Scope(cluster, name))) for name in names]
    return found or list(configured.values())
