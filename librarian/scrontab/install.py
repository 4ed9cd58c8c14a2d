"""`librarian scrontab`: our entries in the user's table, and what the watchdog must know of them.

The block that was put into the table is kept in the state folder, so that the watchdog can put it in again without a
template; so is the table as it was before each change.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from librarian.config.digest_options import FIRING
from librarian.config.settings import Scrontab
from librarian.errors import ConfigError, SlurmError, StoreError
from librarian.render.html.templates import filled_text
from librarian.scrontab import ask, crontable
from librarian.scrontab.installed import RECORD, Installed, put_table, recorded
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.system.host import make_private, write_atomic

FORMS = {"scrontab": "scrontab.j2", "crontab": "crontab.j2", "systemd": "systemd.j2"}
_WORDS = ("hourly", "daily", "monthly", "yearly", "annually")  # of cron's, that mean the same to systemd
ALWAYS, DIGEST = ("run", "watchdog"), "digest"
_CALLED = {DIGEST: "digest --send --due"}
_WATCHDOG_MINUTES = 5  # several commands of Slurm's, each of which may take a minute


@dataclass(frozen=True)
class Entries:
    """What is put into the table: the entries that run one configuration."""

    name: str
    """Tells them from those of other configurations: `installed.installation`."""
    config: Path
    base: Path
    """The folder in which relative paths of the configuration start, and the commands too."""
    state: Path
    options: Scrontab
    interval_seconds: int
    digests: bool = False
    """Whether [digest] is there: then an entry looks each hour whether one is due."""

    @property
    def commands(self) -> tuple[str, ...]:
        """What has an entry."""
        return (*ALWAYS, *([DIGEST] if self.digests else []))

    def script(self, command: str) -> Path:
        """What the entry of `command` calls."""
        return self.state / f"{command}-{self.name}.sh"

    def log(self, command: str) -> Path:
        """Where Slurm or cron writes what it said: made beforehand, since either would make it for all to read."""
        return self.state / f"{command}-{self.name}.log"


@dataclass(frozen=True)
class CronEntry:
    """One scheduled command: what a template needs of it, all of it quoted where a shell reads it."""

    name: str
    command: str
    schedule: str
    minutes: int
    cpus: int
    script: str
    log: str


def block(entries: Entries) -> str:
    """Our block as it should stand in the table."""
    return crontable.block_of(entries.name, form(entries, "scrontab"))


def form(entries: Entries, kind: str) -> str:
    """Our entries as text in one of `FORMS`. Raises `ConfigError` when a path cannot stand there."""
    options = entries.options
    fill: dict[str, object] = {"calendar": calendar}
    fill |= {"memory": options.memory, "partition": options.partition, "qos": options.qos, "account": options.account}
    return filled_text(assets.templates(), FORMS[kind], entries=_lines(entries), **fill).strip() + "\n"


def _lines(entries: Entries) -> list[CronEntry]:
    options, name = entries.options, entries.name
    made = []
    scheduled = {
        "run": (options.schedule, options.time_limit_minutes, options.cpus),
        "watchdog": (options.watchdog_schedule, _WATCHDOG_MINUTES, 1),
        DIGEST: (FIRING, options.time_limit_minutes, 1),
    }
    for command in entries.commands:
        schedule, minutes, cpus = scheduled[command]
        script, log = entries.script(command), entries.log(command)
        entry = CronEntry(f"librarian-{command}-{name}", command, schedule, minutes, cpus, _path(script), _path(log))
        made.append(entry)
    return made


def calendar(schedule: str) -> str:
    """A schedule as systemd writes it (systemd.time(7)): `*-*-* *:0/10`.

    Raises `ConfigError` for what it does not take over: days of the month or of the week, and words it does not know.
    """
    parts = schedule.split(" ")
    if schedule.removeprefix("@") in _WORDS:
        return schedule.removeprefix("@")
    if len(parts) != 5 or parts[2:] != ["*"] * 3 or not all(re.fullmatch(r"[0-9*,/-]+", part) for part in parts):
        todo = "write the timer yourself, or name a schedule of minutes and hours"
        raise ConfigError(f"the schedule {schedule!r} cannot be told to systemd", todo=todo)
    minute, hour = (part.replace("*/", "0/").replace("-", "..") for part in parts[:2])
    return f"*-*-* {hour}:{minute}"


def _path(path: Path) -> str:
    """A path for a shell and for a table: some characters mean something else to one of the two."""
    text = str(path)
    if any(not c.isprintable() or c in "%\\" for c in text):
        raise ConfigError(f"the path {text!r} cannot stand in a table", todo="name another [paths] state")
    return shlex.quote(text)


def write_scripts(entries: Entries) -> None:
    """Write the scripts that the entries call. Raises `StoreError`."""
    code = assets.code_root()
    for command in entries.commands:
        text = filled_text(
            assets.templates(),
            "report.sh.j2",
            modules=entries.options.modules,
            code=shlex.quote(str(code)),
            home=shlex.quote(str(entries.base)),
            python=shlex.quote(sys.executable),
            config=shlex.quote(str(entries.config)),
            command=_CALLED.get(command, command),
        )
        path = entries.script(command)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(path, text.encode(), mode=0o700)
            make_private(entries.log(command))
        except OSError as error:
            raise StoreError(f"{path} cannot be written", error.strerror or str(error)) from error


def install(entries: Entries, slurm: Slurm, now: int) -> list[str]:
    """Put our entries into the user's table, in their old place where they are there; returns what to tell.

    Raises `LibrarianError` where scrontab cannot be used, or where the table did not come out as it should.
    """
    name, ours = entries.name, block(entries)
    before = ask.read(slurm)
    table = crontable.with_block(before, name, ours)
    write_scripts(entries)
    if table == before and recorded(entries.state, name) is not None:
        return ["the table has our entries already"]
    put_table(slurm, entries.state, before, table, now)
    _record(entries.state, Installed(name, ours, tuple(f"librarian-{c}-{name}" for c in entries.commands), False,
            60 * entries.options.time_limit_minutes, entries.interval_seconds, now))  # fmt: skip
    return [f"put into the table of scrontab: {entry.schedule} {entry.script}" for entry in _lines(entries)]


def remove(entries: Entries, slurm: Slurm, now: int) -> list[str]:
    """Take our entries out of the user's table; all else stays. Raises `LibrarianError`."""
    name = entries.name
    before = ask.read(slurm)
    after = crontable.with_block(before, name, "")
    if after != before:
        put_table(slurm, entries.state, before, after, now)
    (entries.state / RECORD.format(name)).unlink(missing_ok=True)
    for command in (*ALWAYS, DIGEST):
        entries.script(command).unlink(missing_ok=True)
    return ["our entries are out of the table" if after != before else "the table has no entries of ours"]


def pause(entries: Entries, slurm: Slurm, now: int, *, on: bool) -> list[str]:
    """Switch our entries off on purpose, or on again: the watchdog leaves them so. Raises `LibrarianError`."""
    name = entries.name
    known = recorded(entries.state, name)
    if known is None:
        raise SlurmError("there are no entries of ours", todo="librarian scrontab install puts them into the table")
    before = ask.read(slurm)
    wanted = crontable.paused(known.block) if on else known.block
    # first what the watchdog reads: it must not undo what is done here
    _record(entries.state, replace(known, paused=on, installed_at=known.installed_at if on else now))
    after = crontable.with_block(before, name, wanted)
    try:
        if after != before:
            put_table(slurm, entries.state, before, after, now)
    except BaseException:  # whatever ends it: else the watchdog would believe in a pause that is none
        _record(entries.state, known)
        raise
    return ["paused: nothing is run until librarian resume" if on else "resumed"]


def show(entries: Entries, slurm: Slurm) -> list[str]:
    """Our entries as they stand in the table now."""
    found = crontable.parted(ask.read(slurm), entries.name).block
    return found.splitlines() or ["the table has no entries of ours"]


def difference(entries: Entries, slurm: Slurm, *, removed: bool = False) -> list[str]:
    """What `install`, or with `removed` what `remove`, would change in the table, as a diff; nothing where it is so."""
    before = ask.read(slurm)
    ours = "" if removed else block(entries)
    return crontable.difference(before, crontable.with_block(before, entries.name, ours))


def _record(state: Path, value: Installed) -> None:
    path = state / RECORD.format(value.name)
    try:
        write_atomic(path, json.dumps(asdict(value)).encode(), mode=0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written", error.strerror or str(error)) from error
