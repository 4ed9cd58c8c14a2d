"""One owner at a time for a cluster's state: on one machine, between nodes, and on file systems that have no locks.

Two things are held together. The first is a POSIX record lock on the lock's file: where the file system has them (NFS
hands them to its server), it ends with its process and needs no clock. It is not enough: some mounts refuse it or keep
it to the node, and a node that dies may leave it behind. So there is a claim too, a numbered file beside the lock's
(`NAME.lock.7`) that tells who owns it. A claim is taken by making the file with the next number, which the file system
grants to one process alone (link(2), atomic on NFS); it is never taken in any other way, so two can never own the
same one. An owner keeps its claim fresh. A claim is over when its owner has let go of it, when its process is gone
(seen from the same kernel), or when it has not been freshened for `EXPIRY` seconds. Ages are told by the file system's
clock, as the nodes' own clocks may differ; where that clock was ahead once, they count from when the next one looks.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from glob import escape
from pathlib import Path

from librarian.errors import BusyError, LibrarianError, StoreError
from librarian.system.host import RecordLock, clock, host_name, kernel_name, overwrite, process_began

EXPIRY = 300
_OLD = 3600  # a node may see a folder as it was a minute ago, so numbers that are in use are left in peace
_LENGTH = 600
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Owner:
    """A process: `kernel` tells apart the systems whose process ids can be compared ("": unknown), `began` is when the
    process began by that system's count, since ids are used again."""

    host: str
    kernel: str
    pid: int
    began: str

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(host_name(), kernel_name(), os.getpid(), process_began(os.getpid()) or "")

    def is_gone(self, me: Owner) -> bool:
        """Whether `me` can see that the process has ended; from another system nothing can be seen."""
        if not self.kernel or self.kernel != me.kernel:
            return False
        began = process_began(self.pid)
        return began is None or bool(began and self.began and began != self.began)


@dataclass(frozen=True)
class Claim:
    """The content of a claim: who, what for, since when (UTC epoch by the owner's clock), and whether it is over."""

    owner: Owner
    what: str
    since: int
    token: str
    released: bool = False


class LostLockError(LibrarianError):
    """Somebody else took the lock over, as it had not been kept fresh: this process must not go on."""

    exit_status = BusyError.exit_status


class Lock:
    """A lock that is held. Use `locked`."""

    def __init__(self, path: Path, number: int, claim: Claim) -> None:
        self._path, self._number, self._claim = path, number, claim

    def freshen(self) -> None:
        """Say that the owner is alive. Raises `LostLockError` when it is the owner no more."""
        self.check()
        with contextlib.suppress(OSError):  # a file system that is away for a moment; the claim does not expire at once
            os.utime(_numbered(self._path, self._number))

    def check(self) -> None:
        """Raise `LostLockError` when somebody else has taken over."""
        newest = max(_numbers(self._path), default=self._number)
        if newest > self._number:
            owner = _describe(_read(_numbered(self._path, newest)))
            raise LostLockError("the lock was taken over by another process", owner, "this one stops")

    def release(self) -> None:
        """Let go. The claim is written over, as it must be possible on a full disk too."""
        with contextlib.suppress(OSError):  # the state folder was taken away under us
            overwrite(_numbered(self._path, self._number), _content(replace(self._claim, released=True)))


@contextlib.contextmanager
def locked(
    path: Path, what: str, *, me: Owner | None = None, expiry: float = EXPIRY, mode: int = 0o600
) -> Iterator[Lock]:
    """Hold the lock `path` for the time of a block; `what` tells others what is going on.

    `mode` is that of the lock's files: 0o660 where users of a group share a folder.

    Raises `BusyError` at once when somebody else holds it, `StoreError` when the folder cannot be written. The owner
    must call `freshen` more often than every `expiry` seconds.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = RecordLock(path, mode)
    except OSError as error:
        raise StoreError(f"the lock {path} cannot be used", error.strerror or str(error), "check the folder") from error
    try:
        lock = _taken(path, Claim(me or Owner.me(), what, clock(), os.urandom(8).hex()), expiry, held, mode)
        try:
            yield lock
        finally:
            lock.release()
    finally:
        held.close()


def owner_of(path: Path) -> str:
    """Who holds the lock, for a person; "" when it is free, or its owner is gone as far as can be seen."""
    claim = _newest(path)[1]
    return _describe(claim) if claim and not claim.released and not claim.owner.is_gone(Owner.me()) else ""


def _taken(path: Path, mine: Claim, expiry: float, held: RecordLock, mode: int) -> Lock:
    number, claim = _newest(path)
    what = mine.what
    try:
        draft = _write_beside(path, mine, mode)
        try:
            _respect(path, what, mine.owner, expiry, held, draft)
            number += 1
            os.link(draft, _numbered(path, number))
            _confirm(path, number)
            _sweep(path, number, draft)
        finally:
            draft.unlink()
    except FileExistsError as error:
        raise BusyError(f"{what} is already going on", "another process was faster", "wait for it to end") from error
    except OSError as error:
        todo = "check the disk, its quota and who owns it"
        raise StoreError(f"the lock {path} cannot be written", error.strerror or str(error), todo) from error
    if claim and not claim.released:
        log.warning("the lock of %s is taken over: its owner is gone", _describe(claim))
    return Lock(path, number, mine)


def _respect(path: Path, what: str, me: Owner, expiry: float, held: RecordLock, draft: Path) -> None:
    """Raise `BusyError` when somebody may still own the lock. The age of `draft` is the file system's now."""
    number, claim = _newest(path)
    busy = BusyError(f"{what} is already going on", _describe(claim), "wait for it to end")
    if claim and not claim.released:
        if claim.owner.is_gone(me):
            return
        if _age(_numbered(path, number), draft) <= expiry:
            raise busy
    elif held.refused:  # taken by somebody who is about to write a claim, or has just ended it
        raise busy


def _age(file: Path, draft: Path) -> float:
    """Seconds since a claim was freshened, by the file system's clock, which has just dated `draft`.

    One of the future, from a clock that was ahead, is dated anew. An owner that lives freshens it again; that of a dead
    one grows old from then on.
    """
    age = draft.stat().st_mtime - file.stat().st_mtime
    if age < 0:
        with contextlib.suppress(OSError):
            os.utime(file)
    return age


def _confirm(path: Path, number: int) -> None:
    """Withdraw a claim that is not the newest: this process slept so long that those after it came and went."""
    if max(_numbers(path)) > number:
        _numbered(path, number).unlink()
        raise FileExistsError


def _newest(path: Path) -> tuple[int, Claim | None]:
    number = max(_numbers(path), default=0)
    return number, _read(_numbered(path, number)) if number else None


def _numbers(path: Path) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        ends = [file.name.rpartition(".")[2] for file in path.parent.glob(f"{escape(path.name)}.*")]
        return [int(end) for end in ends if end.isascii() and end.isdigit()]
    return []


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _read(file: Path) -> Claim | None:
    """A claim; one that cannot be understood (a node died as it wrote) counts as held by somebody unknown."""
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        table["owner"] = Owner(**{item.name: table["owner"][item.name] for item in fields(Owner)})
        return Claim(**{item.name: table[item.name] for item in fields(Claim)})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Claim(Owner("an unknown host", "", 0, ""), "something", 0, "")


def _write_beside(path: Path, claim: Claim, mode: int) -> Path:
    """The claim as a file with a name of its own in the lock's folder, on the disk."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(_content(claim))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft


def _content(claim: Claim) -> bytes:
    """A claim as a file, of the same length whether it is released or not."""
    return json.dumps(asdict(claim)).ljust(_LENGTH).encode()


def _sweep(path: Path, number: int, draft: Path) -> None:
    """Remove claims from before ours that are long over."""
    for old in _numbers(path):
        with contextlib.suppress(OSError):
            file = _numbered(path, old)
            if old < number and _age(file, draft) > _OLD:
                file.unlink()


def _describe(claim: Claim | None) -> str:
    return f"{claim.what}, process {claim.owner.pid} on {claim.owner.host}" if claim else ""
