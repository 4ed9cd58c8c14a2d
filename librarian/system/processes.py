"""Other programs: the only place that runs any."""

from __future__ import annotations

import _thread  # noqa: PLC2701 -- documented; see `_Blocks`
import collections
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from librarian.errors import LibrarianError, TimedOutError

_BLOCK, _AT_ONCE = 1 << 20, 1 << 16
_BLOCKS_AHEAD = 16  # what a command may have written before we have read it
_LOOK = 0.005  # seconds between two looks for a block
_GRACE = 1.0  # seconds for what a command wrote to come to its end, once it has been killed


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
    umask: int = -1,
) -> Answer:
    """Run `argv` with `env` added to the environment and `unset` taken out of it, at most `timeout` seconds.

    Without `stdin` there is no standard input; a `umask` below 0 is this process's. The command gets a session of its
    own, and on a time-out its whole process group is killed: a child that it left behind would hold the pipes open.
    Raises `LibrarianError` with the command's name, `TimedOutError` when it took too long.
    """
    process = _started(argv, env, subprocess.PIPE, unset=unset, cwd=cwd, has_input=stdin is not None, umask=umask)
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


class _Blocks:
    """Standard output in large blocks, read by a thread of its own, some of them ahead.

    A command writes a few KB at a time, and to wake somebody for each of them costs more than to read them. No lock is
    waited for, here or there: what a signal raises while Python's own code waits for one may turn into another error.
    """

    def __init__(self, output: IO[bytes]) -> None:
        self._output, self._ready = output, collections.deque[bytes]()
        self.ended = self._dropped = False
        _thread.start_new_thread(self._read, ())  # a Thread's start waits for a lock

    def take(self, end: float) -> bytes:
        """The next block, an empty one at the end of all. Raises TimeoutError at `end`, by the monotonic clock."""
        while True:
            last = self.ended  # looked at first: the last block comes before it
            if self._ready:
                return self._ready.popleft()
            if last:
                return b""
            if time.monotonic() >= end:
                raise TimeoutError
            time.sleep(_LOOK)

    def drop(self, seconds: float) -> None:
        """Drop all and let the thread end, for as long as that takes at most."""
        end, self._dropped = time.monotonic() + seconds, True
        while not self.ended and time.monotonic() < end:
            time.sleep(_LOOK)

    def _read(self) -> None:
        # the output has no buffer of its own: its lock would be held here, and whoever closes it would wait for that
        parts, size = list[bytes](), 0
        with contextlib.suppress(ValueError, OSError):  # it is closed under us when the command is ended
            while part := self._output.read(_AT_ONCE):
                parts.append(part)
                size += len(part)
                if size + _AT_ONCE > _BLOCK:
                    self._give(b"".join(parts))
                    parts, size = [], 0
        if parts:
            self._give(b"".join(parts))
        self.ended = True

    def _give(self, block: bytes) -> None:
        while len(self._ready) >= _BLOCKS_AHEAD and not self._dropped:
            time.sleep(_LOOK)
        if not self._dropped:
            self._ready.append(block)


class Stream:
    """A running command whose standard output is read in blocks while it is still writing.

    A context: at its end a command that still runs is ended. Raises `LibrarianError` when it cannot start.
    """

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        self.began = time.monotonic()
        self._name, self._whole = Path(argv[0]).name, False
        try:
            with contextlib.ExitStack() as stack:
                self._errors = stack.enter_context(tempfile.TemporaryFile())
                self._process = _started(argv, env, self._errors)
                stack.callback(self._close)  # and not its own context, which would wait for it whatever ends us here
                self._blocks = _Blocks(cast(IO[bytes], self._process.stdout))
                stack.callback(self._end)
                self._open = stack.pop_all()
        except (OSError, RuntimeError) as error:  # no place for a file, no more threads
            what = f"{self._name} could not be started"
            raise LibrarianError(
                what, str(error), "see that /tmp has room, and how many processes you may have"
            ) from error

    def into(self, sink: Callable[[bytes], None], *, timeout: float) -> Answer:
        """Give all output to `sink`, the last of it at most `timeout` seconds from now, not counting what `sink` takes.

        The answer holds the first block alone. Raises `TimedOutError`, and what `sink` raises.
        """
        first, end = b"", time.monotonic() + timeout
        while block := self._next(end, timeout):
            first = first or block
            given = time.monotonic()
            sink(block)
            end += time.monotonic() - given
        try:
            self._process.wait(timeout=max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise _too_slow(self._name, timeout) from error
        self._whole = True
        self._errors.seek(0)
        return Answer(self._process.returncode, first, self._errors.read().decode("utf-8", "replace"))

    def _next(self, end: float, timeout: float) -> bytes:
        try:
            return self._blocks.take(end)
        except TimeoutError as error:
            raise _too_slow(self._name, timeout) from error

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _close(self) -> None:
        if not self._whole:
            _kill(self._process)
        with self._process:
            pass

    def _end(self) -> None:
        """Kill the command with all that it began, unless it has ended, and let the reader end.

        What left the command's group may hold the pipe open for long: then the reader is left to wait for it alone.
        """
        if not self._whole:
            _kill(self._process)
        self._blocks.drop(_GRACE)


class Background:
    """A command that runs beside us and sends its output itself. Raises `LibrarianError` when it cannot start."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._process = _started(argv, {}, subprocess.DEVNULL, output=subprocess.DEVNULL)

    def status(self) -> int | None:
        """Its exit status, below 0 the signal that ended it; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it with all that it began."""
        _kill(self._process)
        self._process.wait()


def _started(
    argv: Sequence[str],
    env: Mapping[str, str],
    errors: int | IO[bytes],
    *,
    output: int = subprocess.PIPE,
    unset: Collection[str] = (),
    cwd: Path | None = None,
    has_input: bool = False,
    umask: int = -1,
) -> subprocess.Popen[bytes]:
    """The running command, in a session of its own. Raises `LibrarianError` when it cannot start."""
    kept = {key: value for key, value in os.environ.items() if key not in unset}
    try:
        return subprocess.Popen(
            list(argv),
            bufsize=0,
            stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**kept, **env},
            cwd=cwd,
            start_new_session=True,
            umask=umask,
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
    _kill(process)
    with contextlib.suppress(subprocess.TimeoutExpired):  # a child that left the group may hold the pipes open for long
        process.communicate(timeout=_GRACE)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
