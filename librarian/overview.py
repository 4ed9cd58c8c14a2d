"""`librarian status`: how things stand, from the status that the last run left. It needs no store and no renderer."""

from __future__ import annotations

from librarian import lock, statusfile
from librarian.configfile import Setup
from librarian.core import status as values
from librarian.core.verdict import judged
from librarian.publish import delivery, outcome

WARNING = 1  # as monitoring plugins exit


def describe(setup: Setup, now: int) -> tuple[list[str], int]:
    """Lines for a person, and a status: 0 all is fresh, 1 something is old or failed, 2 something has no data at all,
    or nothing has gone well for long. The first line is that of a monitoring plugin.
    """
    facts = {"store": str(setup.places.store), "site": str(setup.places.site)}
    owner = lock.owner_of(setup.places.lock)
    if owner:
        facts["at work"] = owner
    lines, code = judged(_known(setup), now, setup.zone, facts)
    published, well = _publishers(setup, now)
    return [*lines, *published], code if well else max(code, WARNING)


def as_json(setup: Setup, now: int) -> tuple[str, int]:
    """The status as JSON, and the same number."""
    status = _known(setup)
    return values.to_json(status).decode("ascii").rstrip("\n"), judged(status, now, setup.zone)[1]


def _known(setup: Setup) -> values.Status:
    """The status; a QoS that was configured since the last run has no data yet."""
    status = statusfile.read(setup)
    known = {row.name: row for row in status.qos}
    rows = tuple(known.get(entry.name, values.QosStatus(name=entry.name)) for entry in setup.config.qos)
    return values.Status(**{**vars(status), "qos": rows, "interval_seconds": setup.config.report.interval_seconds})


def _publishers(setup: Setup, now: int) -> tuple[list[str], bool]:
    """How each configured publisher fared in its last run, and whether none failed."""
    known = {(one.kind, one.target): one for one in delivery.read(setup.places.deliveries)}
    lines, all_well = [], True
    for sender in delivery.senders(setup)[0]:
        last = known.get((sender.kind, sender.describe()))
        text, well = outcome.describe(last, now) if last else (f"{sender.describe()}: nothing was published yet", True)
        lines.append(f"{sender.kind}: {text}")
        all_well = all_well and well
    return lines, all_well
