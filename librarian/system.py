"""The door to the world: the only subprocess, clock, lock, atomic write and environment.

`librarian status` comes through here too, and runs and writes nothing; so what takes long to load is imported by those
that use it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import os
import pwd
import queue
import shutil
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from librarian.errors import BusyError, LibrarianError, TimedOutError

if TYPE_CHECKING:
    import subprocess

_BLOCK = 1 << 20
_BLOCKS_AHEAD = 16  # what a command may have written before we have read it


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
    import subprocess

    process = _started(argv, env, subprocess.PIPE, unset=unset, cwd=cwd, has_input=stdin is not None)
    with process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            _kill_group(process)
            raise _too_slow(Path(argv[0]).name, timeout) from error
        except BaseException:
            _kill_group(process)
            raise
    return Answer(process.returncode, stdout, stderr.decode("utf-8", "replace"))


def feed_command(argv: Sequence[str], text: bytes, *, timeout: float) -> Answer:
    """As `run_command`, with `text` as standard input."""
    return run_command(argv, timeout=timeout, env={}, stdin=text)


def stream_command(
    argv: Sequence[str], *, timeout: float, env: Mapping[str, str], sink: Callable[[bytes], None]
) -> Answer:
    """As `run_command`, but standard output goes to `sink` in blocks while the command is still writing.

    The answer holds the first block alone. What `sink` raises ends the command and is raised.
    """
    import subprocess
    import tempfile

    name, end = Path(argv[0]).name, time.monotonic() + timeout
    blocks: queue.Queue[bytes] = queue.Queue(_BLOCKS_AHEAD)
    with tempfile.TemporaryFile() as errors:
        process = _started(argv, env, errors)
        reader = threading.Thread(target=_read_blocks, args=(process.stdout, blocks), daemon=True)
        first = b""
        with process:
            try:
                reader.start()
                while block := blocks.get(timeout=max(0.0, end - time.monotonic())):
                    first = first or block[:_BLOCK]
                    sink(block)
                process.wait(timeout=max(0.0, end - time.monotonic()))
            except (queue.Empty, subprocess.TimeoutExpired) as error:
                _kill_group(process)
                raise _too_slow(name, timeout) from error
            except BaseException:
                _kill_group(process)
                raise
            finally:
                _drain(reader, blocks)
        errors.seek(0)
        return Answer(process.returncode, first, errors.read().decode("utf-8", "replace"))


def _read_blocks(output: IO[bytes], blocks: queue.Queue[bytes]) -> None:
    """Standard output in blocks, and an empty one at its end; waits while nobody takes them."""
    with contextlib.suppress(ValueError, OSError):  # it is closed under us when the command is ended
        while block := os.read(output.fileno(), _BLOCK):
            blocks.put(block)
    blocks.put(b"")


def _drain(reader: threading.Thread, blocks: queue.Queue[bytes]) -> None:
    """Let the reader end, whatever it still has."""
    while reader.is_alive():
        with contextlib.suppress(queue.Empty):
            blocks.get(timeout=0.05)


def _started(
    argv: Sequence[str],
    env: Mapping[str, str],
    errors: int | IO[bytes],
    *,
    unset: Collection[str] = (),
    cwd: Path | None = None,
    has_input: bool = False,
) -> subprocess.Popen[bytes]:
    """The running command, in a session of its own. Raises `LibrarianError` when it cannot start."""
    import subprocess

    kept = {key: value for key, value in os.environ.items() if key not in unset}
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**kept, **env},
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as error:
        name = Path(argv[0]).name
        raise LibrarianError(
            f"{name} could not be started", error.strerror or str(error), "check PATH or [slurm] bin_dir"
        ) from error


def _too_slow(name: str, timeout: float) -> TimedOutError:
    return TimedOutError(
        f"{name} did not answer", f"stopped after {timeout:g} s", "raise [slurm] timeout_seconds if it is slow"
    )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def clock() -> int:
    """The current time as a UTC epoch in whole seconds."""
    return int(time.time())


def utc(epoch: int) -> str:
    """A time for a log: `2026-11-20T14:10:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


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
    return login_of(os.getuid())


def login_of(uid: int) -> str:
    """The login name of a user by number; the number where the system knows no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def stand_back(niceness: int) -> None:
    """Give way to other programs, as nice(1) does, from now on; one that does so more already stays as it is."""
    with contextlib.suppress(OSError):
        os.nice(max(0, niceness - os.nice(0)))


def trust_zones() -> None:
    """Keep pytz from opening the files of all six hundred zones to tell of one: a network file system takes long."""
    os.environ.setdefault("PYTZ_SKIPEXISTSCHECK", "1")


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never half of it.

    A temporary file in the same folder, fsync, rename. `mode` is subject to the umask.
    """
    import tempfile

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


def overwrite(path: Path, data: bytes) -> None:
    """Write `data` over the beginning of a file that is there: possible on a full disk too, but not in one step."""
    with path.open("r+b") as file:
        file.write(data)


def file_time(folder: Path) -> float:
    """The time of the clock that dates the files in `folder`: a file server's may differ from ours.

    Raises `OSError` when no file can be made there.
    """
    import tempfile

    with tempfile.NamedTemporaryFile(prefix=".time.", dir=folder) as file:
        os.utime(file.name)  # a file system's own time, where it is remote
        return Path(file.name).stat().st_mtime


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
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


class RecordLock:
    """A POSIX record lock on a file, which is made where it is not there; ends with `close` or with the process.

    `refused`: somebody else has it. Where the file system has no such locks it is neither held nor refused. Raises
    `OSError` when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.refused = False
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.refused = error.errno in (errno.EACCES, errno.EAGAIN)

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


def host_name() -> str:
    """The name of this machine."""
    return os.uname().nodename


def kernel_name() -> str:
    """Tells apart the systems whose process ids can be compared: this boot of this kernel, and its space of ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{os.uname().sysname} {host_name()}"


def process_began(pid: int) -> str | None:
    """When a process began, by its system's count ("": not known); None when there is none of that id any more."""
    try:
        # proc(5): the name in parentheses may hold anything; the state is the first field behind it, starttime the 20th
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""


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
