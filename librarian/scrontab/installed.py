"""What `librarian scrontab install` left for the watchdog, and how a table is put in: light, and without templates."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from librarian.errors import SlurmError, StoreError
from librarian.scrontab import ask
from librarian.shared.text import file_safe
from librarian.slurm.command import Slurm
from librarian.system.host import write_atomic

RECORD = "scrontab-{}.json"
BACKUP = "scrontab-before"


@dataclass(frozen=True)
class Installed:
    """Our entries as they were put into the table: the block, the names of their jobs, how long a firing may take, and
    since when they can fire: when they were put in, or resumed."""

    name: str
    block: str
    jobs: tuple[str, ...]
    paused: bool
    limit_seconds: int
    interval: int
    installed_at: int


def installation(cluster: str, config: Path) -> str:
    """What tells the entries of one configuration file from another's in one table."""
    return f"{file_safe(cluster)}-{hashlib.sha256(str(config).encode()).hexdigest()[:6]}"


def recorded(state: Path, name: str) -> Installed | None:
    """What is known of the installation `name`, or None where nothing was installed. Raises `StoreError`."""
    path = state / RECORD.format(name)
    try:
        value = json.loads(path.read_bytes())
        return Installed(**{**value, "jobs": tuple(value["jobs"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path} cannot be read", str(error), "run: librarian scrontab install") from error


def put_table(slurm: Slurm, state: Path, before: str, table: str, now: int) -> None:
    """Replace the user's table, and look whether it came out. The table before is kept in the state folder,
    unless there was nothing in it.

    Raises `SlurmError` when Slurm refuses it (the old one stays) or shows another one afterwards, `StoreError` when it
    cannot be written down.
    """
    fresh = state / "scrontab-new"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        if before.strip():  # of an empty table, or one that was not shown, the last that had lines is worth more
            write_atomic(state / BACKUP, before.encode("utf-8", "surrogateescape"), mode=0o600)
        write_atomic(fresh, table.encode("utf-8", "surrogateescape"), mode=0o600)
    except OSError as error:
        raise StoreError(f"the table cannot be written down in {state}", error.strerror or str(error)) from error
    try:
        if ask.read(slurm) != before:
            raise SlurmError("the table of scrontab changed meanwhile", "somebody edits it", "try again")
        ask.write(slurm, fresh)
        if ask.read(slurm) != table:
            why = f"the table before is {state / BACKUP}"
            raise SlurmError("the table of scrontab did not come out as it was put in", why, "look at: scrontab -l")
    finally:
        fresh.unlink(missing_ok=True)
