"""A campaign's folder on disk: read, written in whole steps, locked.

Whatever is written is a whole file, on the disk before its name leads to it; a full disk leaves the one that was there.
Only `submissions.jsonl` grows, and it is written anew each time too: it has a line an array, not a line a task.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from librarian.campaigns.model import Campaign, History, Task, history_of, tasks_of_csv, tasks_to_csv
from librarian.errors import ConfigError, StoreError
from librarian.system import host, lock

CARD, SCRIPT, TASKS, SUBMISSIONS, STATES = "campaign.json", "script", "tasks.csv", "submissions.jsonl", "states.json"
PARTS = ("arrays", "params", "results", "logs")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """The name of a campaign, as it is. Raises `ConfigError` for one that cannot be a folder and a job's name."""
    if not _NAME.fullmatch(name) or name.endswith(".lock"):
        raise ConfigError(
            f"{name!r} is no name of a campaign", "letters, digits, and . _ - after the first; 64 at most"
        )
    return name


def every(path: Path) -> list[Folder]:
    """The campaigns in a folder, by name."""
    with contextlib.suppress(OSError):
        return [Folder(one.parent) for one in sorted(path.glob(f"*/{CARD}")) if _NAME.fullmatch(one.parent.name)]
    return []


@dataclass(frozen=True)
class Folder:
    """The folder of a campaign."""

    path: Path

    @property
    def shared(self) -> bool:
        """Whether members of a group may write here."""
        with contextlib.suppress(OSError):
            return bool(self.path.stat().st_mode & 0o020)
        return False

    @contextlib.contextmanager
    def locked(self, what: str) -> Iterator[lock.Lock]:
        """Alone in this campaign. Raises `BusyError`, `StoreError`."""
        self.need()
        with lock.locked(self.path / "lock", what, mode=0o660 if self.shared else 0o600) as held:
            yield held

    def need(self) -> None:
        """Raise `ConfigError` where there is no such campaign."""
        if not (self.path / CARD).is_file():
            raise ConfigError(
                f"there is no campaign {self.path.name}", f"in {self.path.parent}", "see: librarian campaign status"
            )

    def make(self, campaign: Campaign, script: bytes) -> None:
        """Make the folder; `campaign.json` comes last, so what is half made is no campaign. Raises `StoreError`."""
        with _telling(self.path):
            parent = self.path.parent
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            group = parent.stat().st_mode & 0o070
            mode = 0o700 | group | (parent.stat().st_mode & 0o2000)
            for folder in (self.path, *(self.path / part for part in PARTS)):
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)
            self.write(SCRIPT, script)
            (self.path / SCRIPT).chmod(0o700 | (group & 0o050))
            self.write(TASKS, tasks_to_csv([]))
            self.write(SUBMISSIONS, b"")
            self.write(CARD, (json.dumps(asdict(campaign), indent=1) + "\n").encode())

    def campaign(self) -> Campaign:
        """What `campaign.json` holds. Raises `ConfigError` where it is not there, `StoreError`."""
        self.need()
        path = self.path / CARD
        try:
            table = json.loads(path.read_bytes())
            return Campaign(**{item.name: table[item.name] for item in fields(Campaign)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path} cannot be read", str(error), "put back what was changed in it") from error

    def tasks(self) -> list[Task]:
        """The rows of `tasks.csv`. Raises `StoreError`."""
        with _telling(self.path / TASKS):
            return tasks_of_csv((self.path / TASKS).read_bytes(), str(self.path / TASKS))

    def write_tasks(self, tasks: Sequence[Task]) -> None:
        """Write `tasks.csv`. Raises `StoreError`."""
        with _telling(self.path / TASKS):
            self.write(TASKS, tasks_to_csv(tasks))

    def history(self) -> History:
        """What was submitted. Raises `StoreError`."""
        with _telling(self.path / SUBMISSIONS):
            text = (self.path / SUBMISSIONS).read_bytes().decode("utf-8", "replace")
        return history_of(text, str(self.path / SUBMISSIONS))

    def append(self, held: lock.Lock, event: Mapping[str, Any]) -> None:
        """Add a line to `submissions.jsonl`; it is on the disk when this returns. Raises `StoreError`.

        Needs the lock, and looks whether it is still ours.
        """
        with _telling(self.path / SUBMISSIONS):
            before = (self.path / SUBMISSIONS).read_bytes()
            whole = before[: before.rfind(b"\n") + 1]
            held.check()
            self.write(SUBMISSIONS, whole + json.dumps(event).encode() + b"\n")

    def states(self) -> dict[str, Any]:
        """How tasks ended, by array and index, as far as it is kept; nothing where that cannot be read."""
        try:
            table = json.loads((self.path / STATES).read_bytes())
            return table if isinstance(table, dict) else {}
        except (OSError, ValueError):
            return {}

    def keep_states(self, states: Mapping[str, Any]) -> None:
        """Keep how tasks ended, of each array the fuller of what is known and what somebody else has kept meanwhile.

        Who may not write here, or has no room, is told the same without it.
        """
        there = self.states()
        fuller = {name: table for name, table in there.items() if len(table) > len(states.get(name, ()))}
        with contextlib.suppress(OSError):
            self.write(STATES, json.dumps({**states, **fuller}, separators=(",", ":")).encode())

    def array(self, name: str) -> Path:
        """The folder of an array."""
        return self.path / "arrays" / name

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the folder in one step. Raises `OSError`."""
        path = self.path / name
        host.write_atomic(path, data)
        if self.shared:
            with contextlib.suppress(OSError):
                path.chmod(0o664)
        host.sync_folder(path.parent)


@contextlib.contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        todo = "check the disk, its quota and who owns it"
        raise StoreError(f"{path} cannot be read or written", error.strerror or str(error), todo) from error
