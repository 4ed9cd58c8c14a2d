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

from librarian.config.setup import Setup
from librarian.errors import ConfigError, SlurmError, StoreError
from librarian.render.html.templates import filled_text
from librarian.scrontab import ask, crontable, installed
from librarian.scrontab.installed import RECORD, Installed, put_table, recorded
from librarian.site import assets
from librarian.slurm.command import Slurm
from librarian.system.host import write_atomic

FORMS = {"scrontab": "scrontab.j2", "crontab": "crontab.j2", "systemd": "systemd.j2"}
_WORDS = ("hourly", "daily", "monthly", "yearly", "annually")  # of cron's, that mean the same to systemd
_WATCHDOG_MINUTES = 5  # several commands of Slurm's, each of which may take a minute


@dataclass(frozen=True)
class Entry:
    """One scheduled command: what a template needs of it, all of it quoted where a shell reads it."""

    name: str
    command: str
    schedule: str
    minutes: int
    cpus: int
    script: str
    log: str


def installation(setup: Setup, config: Path) -> str:
    """The name of this configuration's entries."""
    return installed.installation(setup.config.cluster.name, config)


def block(setup: Setup, config: Path) -> str:
    """Our block as it should stand in the table."""
    return crontable.block_of(installation(setup, config), form(setup, config, "scrontab"))


def form(setup: Setup, config: Path, kind: str) -> str:
    """Our entries as text in one of `FORMS`. Raises `ConfigError` when a path cannot stand there."""
    options = setup.config.scrontab
    fill: dict[str, object] = {"calendar": calendar}
    fill |= {"memory": options.memory, "partition": options.partition, "qos": options.qos, "account": options.account}
    return filled_text(assets.templates(), FORMS[kind], entries=_entries(setup, config), **fill).strip() + "\n"


def _entries(setup: Setup, config: Path) -> list[Entry]:
    options, name, state = setup.config.scrontab, installation(setup, config), setup.places.state
    made = []
    for command, schedule, minutes, cpus in (
        ("run", options.schedule, options.time_limit_minutes, options.cpus),
        ("watchdog", options.watchdog_schedule, _WATCHDOG_MINUTES, 1),
    ):
        script, log = _script(state, name, command), state / f"{command}-{name}.log"
        entry = Entry(f"librarian-{command}-{name}", command, schedule, minutes, cpus, _path(script), _path(log))
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


def _script(state: Path, name: str, command: str) -> Path:
    return state / f"{command}-{name}.sh"


def write_scripts(setup: Setup, config: Path) -> None:
    """Write the scripts that the entries call. Raises `StoreError`."""
    code = assets.code_root()
    for command in ("run", "watchdog"):
        text = filled_text(
            assets.templates(),
            "report.sh.j2",
            modules=setup.config.scrontab.modules,
            code=shlex.quote(str(code)),
            home=shlex.quote(str(setup.places.base)),
            python=shlex.quote(sys.executable),
            config=shlex.quote(str(config)),
            command=command,
        )
        path = _script(setup.places.state, installation(setup, config), command)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(path, text.encode(), mode=0o755)
        except OSError as error:
            raise StoreError(f"{path} cannot be written", error.strerror or str(error)) from error


def install(setup: Setup, slurm: Slurm, config: Path, now: int) -> list[str]:
    """Put our entries into the user's table, in their old place where they are there; returns what to tell.

    Raises `LibrarianError` where scrontab cannot be used, or where the table did not come out as it should.
    """
    name, ours = installation(setup, config), block(setup, config)
    before = ask.read(slurm)
    table = crontable.with_block(before, name, ours)
    write_scripts(setup, config)
    if table == before and recorded(setup.places.state, name) is not None:
        return ["the table has our entries already"]
    put_table(slurm, setup.places.state, before, table, now)
    _record(setup, Installed(name, ours, tuple(f"librarian-{c}-{name}" for c in ("run", "watchdog")), False,
            60 * setup.config.scrontab.time_limit_minutes, setup.config.report.interval_seconds, now))  # fmt: skip
    return [f"put into the table of scrontab: {entry.schedule} {entry.script}" for entry in _entries(setup, config)]


def remove(setup: Setup, slurm: Slurm, config: Path, now: int) -> list[str]:
    """Take our entries out of the user's table; all else stays. Raises `LibrarianError`."""
    name = installation(setup, config)
    before = ask.read(slurm)
    after = crontable.with_block(before, name, "")
    if after != before:
        put_table(slurm, setup.places.state, before, after, now)
    (setup.places.state / RECORD.format(name)).unlink(missing_ok=True)
    for command in ("run", "watchdog"):
        _script(setup.places.state, name, command).unlink(missing_ok=True)
    return ["our entries are out of the table" if after != before else "the table has no entries of ours"]


def pause(setup: Setup, slurm: Slurm, config: Path, now: int, *, on: bool) -> list[str]:
    """Switch our entries off on purpose, or on again: the watchdog leaves them so. Raises `LibrarianError`."""
    name = installation(setup, config)
    known = recorded(setup.places.state, name)
    if known is None:
        raise SlurmError("there are no entries of ours", todo="librarian scrontab install puts them into the table")
    before = ask.read(slurm)
    wanted = crontable.paused(known.block) if on else known.block
    # first what the watchdog reads: it must not undo what is done here
    _record(setup, replace(known, paused=on, installed_at=known.installed_at if on else now))
    after = crontable.with_block(before, name, wanted)
    try:
        if after != before:
            put_table(slurm, setup.places.state, before, after, now)
    except BaseException:  # whatever ends it: else the watchdog would believe in a pause that is none
        _record(setup, known)
        raise
    return ["paused: nothing is run until librarian resume" if on else "resumed"]


def show(setup: Setup, slurm: Slurm, config: Path) -> list[str]:
    """Our entries as they stand in the table now."""
    found = crontable.parted(ask.read(slurm), installation(setup, config)).block
    return found.splitlines() or ["the table has no entries of ours"]


def difference(setup: Setup, slurm: Slurm, config: Path, *, removed: bool = False) -> list[str]:
    """What `install`, or with `removed` what `remove`, would change in the table, as a diff; nothing where it is so."""
    before = ask.read(slurm)
    ours = "" if removed else block(setup, config)
    return crontable.difference(before, crontable.with_block(before, installation(setup, config), ours))


def _record(setup: Setup, value: Installed) -> None:
    path = setup.places.state / RECORD.format(value.name)
    try:
        write_atomic(path, json.dumps(asdict(value)).encode(), mode=0o600)
    except OSError as error:
        raise StoreError(f"{path} cannot be written", error.strerror or str(error)) from error
