"""Who got what: a line for each step, written before what it tells of happens, so that a kill in the midst is known.

A key is a digest of one person in one week. Before a mail is handed over "trying" is on the disk; it is taken back
only by what says for certain that nobody got it. Whose digest is "trying" after a kill, or "uncertain", may have got it
and is not sent a second one; only one that is "open" is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from librarian.errors import StoreError
from librarian.system.host import append_durably, write_atomic

TRYING, SENT, OPEN, NEVER, UNCERTAIN = "trying", "sent", "open", "never", "uncertain"
_STATES = (TRYING, SENT, OPEN, NEVER, UNCERTAIN)
KEPT = 400 * 86400  # seconds
LARGEST = 100_000_000  # bytes: what is larger is not ours


@dataclass(frozen=True)
class Entry:
    """The last that is known of a digest: its `state`, since when (UTC epoch), of whom, the keys of what was found in
    it, and why it was not sent."""

    key: str
    state: str
    at: int
    user: str
    found: tuple[str, ...] = ()
    why: str = ""


class Record:
    """The record of a cluster's digests. The caller holds the lock of digests. Raises `StoreError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = _read(path)
        self._by_user: dict[str, set[str]] = {}
        for entry in self._entries.values():
            self._by_user.setdefault(entry.user, set()).add(entry.key)

    @property
    def entries(self) -> Mapping[str, Entry]:
        """The last of each key."""
        return self._entries

    def note(self, entry: Entry) -> None:
        """Write down what is so from now on, through to the disk."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            append_durably(self._path, _line(entry))
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written", error.strerror or str(error)) from error
        self._entries[entry.key] = entry
        self._by_user.setdefault(entry.user, set()).add(entry.key)

    def tidy(self, now: int) -> None:
        """Drop what is old, and lines that later ones replace."""
        kept = {key: one for key, one in self._entries.items() if one.at > now - KEPT}
        try:
            if self._path.exists():
                write_atomic(self._path, b"".join(map(_line, kept.values())), mode=0o600)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written", error.strerror or str(error)) from error
        self._entries = kept
        self._by_user = {user: keys & kept.keys() for user, keys in self._by_user.items()}

    def told(self, user: str, since: int, but: str = "") -> Collection[str]:
        """What `user` was told of at `since` (UTC epoch) or later, or may have been, but in the digest `but`."""
        rows = [self._entries[key] for key in self._by_user.get(user, ()) if key != but]
        certain = [one for one in rows if one.at >= since and one.state in (TRYING, SENT, UNCERTAIN)]
        return {key for one in certain for key in one.found}


def _line(entry: Entry) -> bytes:
    row = [entry.key, entry.state, entry.at, entry.user, list(entry.found), entry.why]
    return json.dumps(row).encode("ascii") + b"\n"


def _read(path: Path) -> dict[str, Entry]:
    try:
        if path.stat().st_size > LARGEST:
            raise StoreError(f"{path} is too large", todo="move it away; who got this week's digest may get it again")
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreError(f"{path} cannot be read", error.strerror or str(error)) from error
    return {entry.key: entry for entry in _entries(lines)}


def _entries(lines: Iterable[bytes]) -> Iterable[Entry]:
    for line in lines:
        try:
            key, state, at, user, found, why = json.loads(line)
            if state in _STATES and isinstance(at, int) and isinstance(key, str):
                yield Entry(key, state, at, str(user), tuple(map(str, found)), str(why))
        except (ValueError, TypeError, RecursionError):
            continue  # a line that was cut off by the end of a process, or of the disk
