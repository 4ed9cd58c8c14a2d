"""The door to the world: the only subprocess, clock, lock, atomic write and environment."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import grp
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from librarian.errors import BusyError, LibrarianError, TimedOutError


@dataclass(frozen=True)
class Answer:
    """What a finished command left: exit status, raw standard output, decoded standard error."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text; bytes that are not UTF-8 become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")


class Runner(Protocol):
    """Runs one command; raises `LibrarianError` when it cannot start or does not end in time."""

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer: ...


def run_command(
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str],
    unset: Collection[str] = (),
    stdin: bytes | None = None,
    cwd: Path | None = None,
) -> Answer:
    """Run `argv` with `env` added to the environment and `unset` taken out of it, at most `timeout` seconds.

    Without `stdin` there is no standard input. The command gets a session of its own, and on a time-out its whole
    process group is killed: a child that it left behind would hold the pipes open. Raises `LibrarianError` with the
    command's name, `TimedOutError` when it took too long.
    """
    name = Path(argv[0]).name
    kept = {key: value for key, value in os.environ.items() if key not in unset}
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**kept, **env},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        raise LibrarianError(
            f"{name} could not be started", error.strerror or str(error), "check PATH or [slurm] bin_dir"
        ) from error
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _kill_group(process)
            raise TimedOutError(
                f"{name} did not answer", f"stopped after {timeout:g} s", "raise [slurm] timeout_seconds if it is slow"
            ) from error
        except BaseException:
            _kill_group(process)
            raise
    return Answer(process.returncode, stdout, stderr.decode("utf-8", "replace"))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def clock() -> int:
    """The current time as a UTC epoch in whole seconds."""
    return int(time.time())


def stopwatch() -> float:
    """Seconds of a clock that never goes back, for durations."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)


def environment() -> Mapping[str, str]:
    """A copy of the environment."""
    return dict(os.environ)


def user_name() -> str:
    """The login name of the user who runs this, by uid; the number where the system knows no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def local_zone() -> str:
    """Name of the machine's time zone, from $TZ, the link /etc/localtime or /etc/timezone; UTC when none tells.

    The link comes first, since the clock follows it; the file can be left over from an earlier setting.
    """
    candidates = [os.environ.get("TZ", "").lstrip(":")]
    with contextlib.suppress(OSError):
        candidates.append(str(Path("/etc/localtime").resolve()).rpartition("/zoneinfo/")[2])
    with contextlib.suppress(OSError):
        candidates.append(Path("/etc/timezone").read_text(encoding="utf-8").strip())
    import pytz

    return next((name for name in candidates if name in pytz.all_timezones_set), "UTC")


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never half of it.

    A temporary file in the same folder, fsync, rename. `mode` is subject to the umask.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode & ~umask())
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def umask() -> int:
    """The process's umask, without changing it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def give(path: Path, mode: int | None, group: int | None) -> None:
    """Set the mode and the group (its number) of a file or folder; None leaves as it is."""
    if group is not None:
        os.chown(path, -1, group)
    if mode is not None:
        path.chmod(mode)  # behind chown, which takes the setgid bit away


def group_number(name: str) -> int:
    """The number of a group. Raises `LibrarianError` when the system knows no such group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise LibrarianError(f"there is no group {name}", todo="see: id") from None


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` last through a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_tree(folder: Path) -> None:
    """Remove `folder` and all below it; what is not there is fine."""
    shutil.rmtree(folder, ignore_errors=True)


def exchange_folders(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system (NFS) cannot.

    renameat2(2) with RENAME_EXCHANGE, which Python does not offer.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


@contextlib.contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path` for the time of the block; raise `BusyError` at once when somebody else holds it.

    A POSIX record lock: NFS hands it to the server, so it holds between nodes, and it ends with its process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(descriptor, 200, 0).decode("utf-8", "replace")
            raise BusyError(f"{what} is already going on", owner, "wait for it to end") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
        yield
    finally:
        os.close(descriptor)
