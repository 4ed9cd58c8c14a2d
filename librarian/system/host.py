"""The door to the world: the only clock, lock, atomic write and environment.

`librarian status` comes through here too, and runs and writes nothing; so what takes long to load is imported by those
that use it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import grp
import os
import pwd
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from librarian.errors import BusyError, ConfigError, LibrarianError


def clock() -> int:
    """The current time as a UTC epoch in whole seconds."""
    return int(time.time())


def utc(epoch: int) -> str:
    """A time for a log: `2026-11-20T14:10:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch))


def stopwatch() -> float:
    """Seconds of a clock that never goes back, for durations."""
    return time.monotonic()


def cpu_seconds() -> float:
    """Seconds of all processors that this process took, and the commands that it waited for."""
    import resource

    spent = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


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


def collect_seldom() -> None:
    """Look for garbage in circles a hundred times less often: a run makes little, and looking takes 6 % of its time."""
    gc.set_threshold(100_000, 20, 20)


def stand_back(niceness: int) -> None:
    """Give way to other programs, as nice(1) does, from now on; one that does so more already stays as it is."""
    with contextlib.suppress(OSError):
        os.nice(max(0, niceness - os.nice(0)))


def trust_zones() -> None:
    """Keep pytz from opening the files of all six hundred zones to tell of one: a network file system takes long."""
    os.environ.setdefault("PYTZ_SKIPEXISTSCHECK", "1")


def expanded(text: str) -> Path:
    """A path in which `~` stands for a home. Raises `ConfigError` where nobody knows that home."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{text!r} is in a home that is not known", todo="write the whole path") from error


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


def append_durably(path: Path, data: bytes) -> None:
    """Add `data`, a line, to a file that its owner alone can read, and through to the disk. Behind a line that was cut
    off another one begins."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
            data = b"\n" + data
        file.write(data)
        os.fsync(file.fileno())


def make_private(path: Path) -> None:
    """Make an empty file that its owner alone can read and write, whatever the umask; one that is there loses what
    others may do with it.

    What cannot be done here is left to whoever uses the file, who meets the same error and can say what it stops.
    """
    with contextlib.suppress(OSError):
        # never open one that is there: to close it would let go of the locks that this process holds on it
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    close_to_others(path)


def close_to_others(path: Path) -> None:
    """Take away what group and others may do with a file; one of another owner, or none, stays as it is."""
    with contextlib.suppress(OSError):
        mode = path.stat().st_mode & 0o7777
        if mode & 0o077:
            path.chmod(mode & ~0o077)


def overwrite(path: Path, data: bytes) -> None:
    """Write `data` over the beginning of a file that is there: possible on a full disk too, but not in one step."""
    with path.open("r+b") as file:
        file.write(data)


def append_synced(path: Path, data: bytes) -> None:
    """Add `data` at the end of a file, on the disk when this returns. Raises `OSError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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

    def __init__(self, path: Path, mode: int = 0o600) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if mode != 0o600:
            with contextlib.suppress(OSError):  # another member of a group made it, as wide as this
                os.fchmod(self._descriptor, mode)
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
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
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
