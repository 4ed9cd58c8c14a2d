"""Our own side: schedule, lock, disk, store, site, publishers, clocks, and how the last run went."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from librarian.config.setup import Setup, local_zone
from librarian.cycle.parts import facts, status_file
from librarian.doctor import access
from librarian.doctor.finding import FAIL, OK, SKIP, WARN, Check, Finding
from librarian.errors import LibrarianError, Trouble, one_line
from librarian.health import overview
from librarian.health.verdict import LATE
from librarian.shared.troubles import words_of
from librarian.shared.window import DAY
from librarian.shared.words import amount
from librarian.site import folder as sitefolder
from librarian.slurm.command import Slurm
from librarian.system import lock
from librarian.system.host import clock, environment, file_time, utc
from librarian.system.processes import run_command

_LOW = 200 * 2**20  # bytes free that a store of a month and two copies of a site want
_SKEW = 60
_TOLD_FOR, _NO_COPY_FOR = 7 * DAY, 2 * DAY
_EVERY = re.compile(r"\*(?:/(\d+))?(?: \*){4}$")


def checks(setup: Setup, path: Path, slurm: Slurm, now: int) -> list[tuple[str, Check]]:
    """What to look at."""
    folders = {"state": setup.places.state, "site": setup.places.site}
    made: list[tuple[str, Check]] = [
        ("schedule", lambda: schedule(setup, path, slurm, now)),
        ("pace", lambda: _pace(setup)),
        ("last run", lambda: _last_run(setup, now)),
        ("lock", lambda: _lock(setup)),
        ("store", lambda: _store(setup, now)),
        ("efficiency", lambda: _efficiency(setup, now)),
        ("site", lambda: _site(setup)),
        ("access", lambda: access.check(setup, path.resolve())),
        ("quota", lambda: _quota(setup)),
        ("zone", lambda: _zone(setup)),
        ("alert", lambda: _alert(setup)),
        ("channels", lambda: _channels(setup)),
        ("publishers", lambda: _publishers(setup)),
    ]
    made += [(f"disk {name}", lambda name=name, folder=folder: _disk(name, folder)) for name, folder in folders.items()]  # type: ignore[misc]
    return made


def schedule(setup: Setup, path: Path, slurm: Slurm, now: int) -> list[Finding]:
    """Whether our entries of scrontab are there, alive, and have fired."""
    from librarian.scrontab import ask, installed

    state, name = setup.places.state, installed.installation(setup.config.cluster.name, path.resolve())
    known = installed.recorded(state, name)
    try:
        table = ask.read(slurm)
    except ask.NoScrontabError as error:
        todo = "librarian scrontab install --form crontab, or --form systemd"
        return [Finding("scrontab", WARN, f"cannot be used here: {error.why}", todo)]
    found = [Finding("scrontab", OK, "can be used here")]
    if known is None:
        return [*found, Finding("entries", WARN, "nothing runs by itself yet", "librarian scrontab install")]
    if known.paused:
        return [*found, Finding("entries", WARN, "they are paused on purpose", "librarian resume")]
    return [*found, _entries(known, table, slurm), _fired(known.installed_at, known.interval, setup, now)]


def _pace(setup: Setup) -> list[Finding]:
    """Whether the entries fire as often as runs are expected, and their job may take as long as a run."""
    options, interval, found = setup.config.scrontab, setup.config.report.interval_seconds, []
    every = _EVERY.match(options.schedule)
    if every and 60 * int(every[1] or 1) != interval:
        text = f"[scrontab] schedule fires every {every[1] or 1} min, but a run is expected every {interval} s"
        found.append(Finding("pace", WARN, text, "set [report] interval_seconds to the same"))
    job, run = 60 * options.time_limit_minutes, setup.config.run.time_limit_seconds
    if run >= job:
        text = f"Slurm ends the job of a run after {job} s, and the run ends itself after {run} s"
        found.append(
            Finding("pace", WARN, text, "raise [scrontab] time_limit_minutes, or lower [run] time_limit_seconds")
        )
    return found or [Finding("pace", OK, f"a run every {interval} s, each within {run} s")]


def _entries(known: object, table: str, slurm: Slurm) -> Finding:
    from librarian.scrontab import ask, crontable
    from librarian.scrontab.installed import Installed

    assert isinstance(known, Installed)  # noqa: S101 (it is imported late)
    block = crontable.parted(table, known.name)
    todo = "librarian scrontab install (the watchdog does it too)"
    if not block.block:
        return Finding("entries", FAIL, "they are gone from the table", todo)
    if block.disabled:
        return Finding("entries", FAIL, "Slurm has disabled one: its job was cancelled", todo)
    if block.block != known.block:
        return Finding("entries", WARN, "they were changed by hand, and stay so", "librarian scrontab install")
    jobs = ask.jobs(slurm, known.jobs)
    held = [job for job in jobs if "held" in job.reason.lower()]
    missing = [name for name in known.jobs if name not in {job.name for job in jobs}]
    if held or missing:
        text = "; ".join(
            [*(f"{job.name} is held: {job.reason}" for job in held), *(f"{name} has no job" for name in missing)]
        )
        return Finding("entries", FAIL, text, todo)
    return Finding("entries", OK, ", ".join(f"{job.name} {job.state.lower()} ({job.reason})" for job in jobs))


def _fired(installed_at: int, interval: int, setup: Setup, now: int) -> Finding:
    file = status_file(setup)
    why, last = file.unreadable(), file.read().last_try
    if why:
        return Finding("fired", FAIL, f"it cannot be told: {why}", "check who owns the state folder")
    if last is not None and last >= installed_at and now - last <= LATE * interval:
        return Finding("fired", OK, f"the last run began {now - last} s ago")
    if now - installed_at <= LATE * interval:
        return Finding("fired", SKIP, "they were put in just now", "look again in half an hour")
    text = "they never fired" if last is None or last < installed_at else f"no run for {now - last} s"
    return Finding("fired", FAIL, text, "see squeue --me, the log, and docs/scrontab.md")


def _last_run(setup: Setup, now: int) -> Finding:
    file = status_file(setup)
    lines, code = overview.describe(file, now, setup.zone, facts(setup))
    text = lines[0].partition(" | ")[0]
    status = file.read()
    if code == 0:
        return Finding("last run", OK, text)
    return Finding("last run", WARN, f"{text}{': ' + status.error if status.error else ''}", "librarian status")


def _lock(setup: Setup) -> Finding:
    owner = lock.owner_of(setup.places.lock)
    if owner:
        return Finding("lock", OK, f"a run is going on: {owner}")
    return Finding("lock", OK, "free")


def _store(setup: Setup, now: int) -> Finding:
    from librarian import store

    path = setup.places.store
    copies = store.copies(path)
    told = f"the last copy is of {utc(copies[0][0])}" if copies else "no copy was made yet"
    if not path.exists():
        text = f"it is gone: {path}; {told}" if copies else f"there is none yet: {path}"
        return Finding("store", FAIL if copies else WARN, text, "librarian run")
    found = store.check(path, quick=True)
    if found.problems:
        return Finding(
            "store", FAIL, f"{path} is damaged: {found.problems[0]}; {told}", "librarian run: it puts it right"
        )
    if found.schema > len(store.MIGRATIONS):
        return Finding("store", FAIL, f"{path} is of a newer Librarian", "upgrade this one")
    for when, aside in store.damaged(path)[:1]:
        if now - when < _TOLD_FOR:
            text = f"whole again since {utc(when)}, when it was damaged; {told}"
            return Finding("store", WARN, text, f"ask whether the disk is well; what was damaged is {aside}")
    if copies and now - copies[0][0] > _NO_COPY_FOR:
        return Finding("store", WARN, f"{path} is whole; {told}", "see the log why no copy is made")
    return Finding("store", OK, f"{path}, {found.size} bytes, schema {found.schema}, whole; {told}")


def _efficiency(setup: Setup, now: int) -> Finding:
    """Up to when it is known what jobs used; a question that fails makes no run a failed one, so it is told here."""
    from librarian import store
    from librarian.subjects.efficiency.keep import RunUses

    path, name = setup.places.store, "efficiency"
    if not setup.config.efficiency.enabled:
        return Finding(name, SKIP, "[efficiency] enabled is false")
    if not path.exists() or store.check(path, quick=True).schema != len(store.MIGRATIONS):
        return Finding(name, SKIP, "nothing was asked yet")
    with store.opened(path, setup.config.cluster.name) as opened:
        kept = RunUses(opened)
        error = kept.last().get("error")
        known = [kept.until(setup.config.scope(entry)) for entry in setup.config.qos]
    since = min((until for until in known if until is not None), default=None)
    told = "not known yet what jobs used" if since is None else f"known up to {utc(since)} what jobs used"
    if error is None and (since is None or now - since < DAY):
        return Finding(name, OK, told)
    why = f": {words_of([Trouble(error)])}" if error else ""
    return Finding(name, WARN, f"{told}{why}", "see the log; [efficiency] collect_seconds says how long it may take")


def _site(setup: Setup) -> Finding:
    site = setup.places.site
    if site.exists() and not sitefolder.is_site(site) and (not site.is_dir() or any(site.iterdir())):
        return Finding("site", FAIL, f"{site} holds other files", "name an empty folder in [paths] site")
    above = _existing(site.parent)
    if not os.access(above, os.W_OK | os.X_OK):
        todo = "the folder is replaced whole, so the one above it must be writable too"
        return Finding("site", FAIL, f"{above} cannot be written", todo)
    return Finding(
        "site", OK if site.exists() else WARN, str(site) if site.exists() else f"none yet: {site}", "librarian run"
    )


def _disk(name: str, folder: Path) -> list[Finding]:
    place = _existing(folder)
    what = f"disk {name}"
    if not os.access(place, os.W_OK | os.X_OK):
        return [
            Finding(what, FAIL, f"{place} cannot be written", "check who owns it, or name another folder in [paths]")
        ]
    try:
        apart = file_time(place) - clock()
    except OSError as error:
        return [Finding(what, FAIL, f"{place}: {error.strerror}", "free some room, or name another folder in [paths]")]
    free, inodes = shutil.disk_usage(place).free, os.statvfs(place)
    found = [_room(what, place, free, inodes.f_favail, inodes.f_files)]
    if abs(apart) > _SKEW:
        text = f"the clock of the file system of {place} is {amount(abs(apart))} s off this machine's"
        found.append(Finding(f"{what} clock", WARN, text, "ask the admins to set the clocks (NTP)"))
    return found


def _room(what: str, place: Path, free: int, inodes: int, files: int) -> Finding:
    text = f"{amount(free / 2**20)} MiB free at {place}"
    if free < _LOW or (files and inodes < 1000):
        return Finding(
            what, WARN, f"{text}, {inodes} files may be made", "free some room, or name another folder in [paths]"
        )
    return Finding(what, OK, text)


def _quota(setup: Setup) -> Finding:
    """What `quota` says, where there is such a command; most sites have one of their own."""
    program = shutil.which("quota", path=environment().get("PATH"))
    if program is None:
        return Finding("quota", SKIP, "there is no command quota here", "")
    try:
        answer = run_command([program, "-q"], timeout=20, env={"LC_ALL": "C"})
    except LibrarianError as error:
        return Finding("quota", SKIP, str(error))
    said = one_line(answer.text, 200)
    return Finding("quota", WARN, said, "free some room") if said else Finding("quota", OK, "no quota is used up")


def _zone(setup: Setup) -> Finding:
    local = local_zone()
    if setup.config.cluster.timezone:
        return Finding("zone", OK, f"{setup.zone} (this machine: {local})")
    if local == "UTC":
        todo = "set [cluster] timezone to the readers' zone"
        return Finding("zone", WARN, "UTC, since this machine tells no other", todo)
    return Finding("zone", OK, f"{local}, this machine's")


def _channels(setup: Setup) -> list[Finding]:
    """Whether what channels of rules need is here; nobody is told anything."""
    if not setup.config.rules:
        return []
    if not setup.config.channels:
        return [
            Finding("channels", WARN, "there are rules, and nobody is told of them", "name somebody in [[channel]]")
        ]
    from librarian.rules import channels

    found = []
    for channel in setup.config.channels:
        try:
            channels.prepared(channel, setup.places.base, setup.config.mail)
            found.append(Finding(f"channel {channel.name}", OK, f"{channel.kind}; nothing was sent"))
        except LibrarianError as error:
            found.append(
                Finding(f"channel {channel.name}", FAIL, f"{error.what}: {error.why}".rstrip(": "), error.todo)
            )
    return found


def _alert(setup: Setup) -> Finding:
    from librarian.health import alerts
    from librarian.health.alerting import Message
    from librarian.mail.transport import Post

    rules = setup.config.alert
    if not rules.wanted:
        return Finding("alert", SKIP, "nobody is told when runs fail", "name somebody in [alert]")
    if rules.mail and setup.config.mail.server:
        try:
            Post(setup.config.mail, setup.places.base).check()
        except LibrarianError as error:
            return Finding("alert", FAIL, error.what, error.todo or error.why)
    elif rules.mail and alerts.mail_command(rules.mail, Message("", "")) is None:
        todo = "name a server in [mail], or a command in [alert]"
        return Finding("alert", FAIL, "there is no sendmail, mailx or mail here", todo)
    if rules.command and shutil.which(rules.command[0], path=environment().get("PATH")) is None:
        return Finding("alert", FAIL, f"{rules.command[0]} cannot be run", "correct [alert] command")
    return Finding("alert", OK, ", ".join([*rules.mail, *rules.command[:1]]))


def _publishers(setup: Setup) -> list[Finding]:
    """Each publisher looks for itself whether it could publish now."""
    from librarian.publish import delivery

    to, problems = delivery.senders(setup.config.publish, setup.places.base, setup.places.scratch)
    found = [Finding("publisher", FAIL, str(problem), "correct [[publish]]") for problem in problems]
    for sender in to:
        looked = delivery.checked(sender, setup.places.site, clock())
        wrong = "; ".join(one.text for one in looked if not one.well)
        name = f"publisher {sender.kind}"
        todo = "docs/publishing.md; librarian publish --check tells more"
        found.append(Finding(name, FAIL, wrong, todo) if wrong else Finding(name, OK, sender.describe()))
    return found


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
