"""Digests of a configuration: made from its store and its site, sent to whom it names."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from librarian.config.digest_options import DigestOptions
from librarian.config.setup import Setup
from librarian.cycle import ruling
from librarian.cycle.parts import post, watched
from librarian.digests import files, group, member, reach, sending
from librarian.digests.committed import ask
from librarian.digests.document import Document, Frame
from librarian.digests.member_facts import members
from librarian.digests.model import Committed
from librarian.digests.period import Period, is_due, last
from librarian.digests.record import SENT, Entry, Record
from librarian.digests.sending import Mailing, Outcome
from librarian.errors import ConfigError, SlurmError, StoreError
from librarian.shared.files import OVERVIEW, file_names
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.system import host

DAY = 86400
LARGEST_PICTURE = 2_000_000  # bytes; a larger one is left out of a mail
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """Whose digests: the members (of these names, where there are any), the group's, or both."""

    members: bool = True
    users: Collection[str] = ()
    group: bool = True


def options_of(setup: Setup) -> DigestOptions:
    """The table [digest]. Raises `ConfigError` where there is none."""
    if setup.config.digest is None:
        raise ConfigError("no digest is configured", todo="add a table [digest] to librarian.toml (docs/digests.md)")
    return setup.config.digest


def period_of(setup: Setup, kind: str | None, now: int) -> Period:
    """The last week or month that is over; which of them, [digest] says where nobody else does."""
    default = setup.config.digest.every if setup.config.digest else "week"
    return last(kind or default, now, setup.zone)


def record_path(setup: Setup) -> Path:
    """Where it stands who got what."""
    return setup.places.store.with_suffix(".digests.jsonl")


def lock_path(setup: Setup) -> Path:
    """Held while digests are sent: a cycle may go on beside."""
    return setup.places.store.with_suffix(".digests.lock")


def of_members(
    setup: Setup, period: Period, users: Collection[str] | None, record: Record | None, now: int
) -> Iterator[tuple[str, Document]]:
    """Each member of whom there is anything to say, by name; `users` are the only ones, where there are any. What
    `record` says that they were told lately is left out. Raises `StoreError`."""
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    efficiency, scopes = setup.config.efficiency, [one.scope for one in watched(setup)]
    with opened(setup.places.store, setup.config.cluster.name) as store:
        found = members(store, scopes, period, efficiency.rules if efficiency.enabled else None, users)
    quiet = now - (setup.config.digest.quiet_days if setup.config.digest else 0) * DAY
    shared = frame(setup)
    for user in sorted(found.by_user):
        known = record.told(user, quiet + 1, key(setup, period, user)) if record else ()
        document = member.digest(found.by_user[user], found, shared, known.__contains__)
        if document is not None:
            yield user, document


def of_group(setup: Setup, period: Period, slurm: Slurm, now: int) -> Document | None:
    """The group's, from its site as it lies there; what its jobs may still hold is asked of Slurm."""
    sources = []
    by_name = {one.name: one for one in watched(setup)}
    for name, data in ruling.told(setup).items():
        held = _committed(setup, slurm) if data and data.get("allocations") else None
        sources.append(group.Source(name, by_name[name].title, data, held))
    document = group.digest(sources, period, frame(setup), now, setup.zone)
    picture = next((_picture(setup, one.qos) for one in sources if one.data), b"") if document else b""
    if document is None or not picture:
        return document
    return replace(document, picture=picture, picture_words="Use by user over the page's window, beside the limits")


def _committed(setup: Setup, slurm: Slurm) -> Committed | None:
    """Of all QoS that share an allocation; None where Slurm does not tell."""
    shared = {name for one in setup.config.allocations for name in one.qos}
    try:
        return ask(slurm, [one.scope for one in watched(setup) if one.name in shared])
    except SlurmError as error:
        log.warning("what jobs may still hold is not known: %s", error)
        return None


def _picture(setup: Setup, qos: str) -> bytes:
    path = setup.places.site / file_names(qos).picture(OVERVIEW, "png")
    try:
        return path.read_bytes() if path.stat().st_size <= LARGEST_PICTURE else b""
    except OSError:
        return b""


def frame(setup: Setup) -> Frame:
    """Who it is about and from, and where one can stop it."""
    config = setup.config
    stop = config.digest.unsubscribe if config.digest else ""
    return Frame(config.cluster.name, config.head.title, config.head.homepage, stop or config.mail.sender)


def key(setup: Setup, period: Period, user: str) -> str:
    """What tells a digest from all others: one a person and time, and no second one."""
    return f"digest {setup.config.cluster.name} {period.key} {user}"


def mailings(setup: Setup, period: Period, wanted: Wanted, slurm: Slurm, record: Record, now: int) -> Iterator[Mailing]:
    """Everything that would be sent, and of whom nothing can be."""
    options = options_of(setup)
    if wanted.group and options.group:
        document = of_group(setup, period, slurm, now)
        for address in dict.fromkeys(options.group) if document else ():
            way = reach.Way(address, why=address)
            yield Mailing(key(setup, period, f"the group's to {address}"), f"the group ({address})", way, document)  # type: ignore[arg-type]
    if not wanted.members or not options.members:
        return
    users = list(wanted.users) or options.opt_in or None
    for user, document in of_members(setup, period, users, record, now):
        yield Mailing(key(setup, period, user), user, reach.way_to(options, user), document)


def dry_run(setup: Setup, period: Period, wanted: Wanted, slurm: Slurm, folder: Path, now: int) -> int:
    """Write to `folder` what would go to whom, and send nothing; returns how many that are. Raises `OSError`."""
    record, templates = Record(record_path(setup)), assets.templates()
    rows, going = [], 0
    for mailing in mailings(setup, period, wanted, slurm, record, now):
        done = sending.is_done(record, mailing.key)
        goes = "done: " + record.entries[mailing.key].state if done else mailing.way.why
        stem = files.write(folder, mailing.user, mailing.document, templates)
        rows.append((mailing.user, goes, mailing.document.subject, f"{stem}.html"))
        going += not done and not mailing.way.is_none
    files.write_list(folder, rows)
    return going


def send(
    setup: Setup, period: Period, wanted: Wanted, slurm: Slurm, now: int, *, again: bool = False, due: bool = False
) -> Outcome:
    """Send what was not sent yet, or with `again` what was too. With `due` only where it is time, and all of it once.

    Raises `BusyError` where another one is at it, `StoreError` where it cannot be written down who got what.
    """
    options, whole = options_of(setup), Wanted()
    if due and not is_due(period.kind, options.day, options.hour, now, setup.zone):
        return Outcome()
    with host.locked(lock_path(setup), "sending digests"):
        record = Record(record_path(setup))
        done = key(setup, period, "all of it was sent")
        if due and sending.is_done(record, done):
            return Outcome()
        before = Outcome()
        sending.left_over(record, now, before)
        record.tidy(now)
        open_ones: Sequence[Mailing] | Iterator[Mailing] = (
            one
            for one in mailings(setup, period, wanted, slurm, record, now)
            if again or not sending.is_done(record, one.key)
        )
        base = setup.places.base
        folder = base / host.expanded(options.folder) / period.key if options.folder else base
        stop = frame(setup).unsubscribe
        outcome = sending.send(open_ones, record, post(setup), folder, assets.templates(), stop, now)
        if wanted == whole and not outcome.left:
            record.note(Entry(done, SENT, now, ""))
        outcome.uncertain = {**before.uncertain, **outcome.uncertain}
        return outcome
