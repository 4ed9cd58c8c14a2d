"""Other programs: the only place that runs any."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from librarian.errors import LibrarianError, TimedOutError

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


class Stream:
    """A running command whose standard output is read in blocks while it is still writing.

    A context: at its end a command that still runs is ended. Raises `LibrarianError` when it cannot start.
    """

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str]) -> None:
        self._name, self._blocks = Path(argv[0]).name, queue.Queue[bytes](_BLOCKS_AHEAD)
        self._whole = False
        with contextlib.ExitStack() as stack:
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            self._process = stack.enter_context(_started(argv, env, self._errors))
            self._open = stack.pop_all()
        self._reader = threading.Thread(target=_read_blocks, args=(self._process.stdout, self._blocks), daemon=True)
        self._reader.start()

    def into(self, sink: Callable[[bytes], None], *, timeout: float) -> Answer:
        """Give all output to `sink`, the last of it at most `timeout` seconds from now.

        The answer holds the first block alone. Raises `TimedOutError`, and what `sink` raises.
        """
        first, end = b"", time.monotonic() + timeout
        try:
            while block := self._blocks.get(timeout=max(0.0, end - time.monotonic())):
                first = first or block
                sink(block)
            self._process.wait(timeout=max(0.0, end - time.monotonic()))
        except (queue.Empty, subprocess.TimeoutExpired) as error:
            raise _too_slow(self._name, timeout) from error
        self._whole = True
        self._errors.seek(0)
        return Answer(self._process.returncode, first, self._errors.read().decode("utf-8", "replace"))

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        with self._open:
            try:
                if not self._whole:
                    _kill_group(self._process)
            finally:
                _drain(self._reader, self._blocks)


def _read_blocks(output: IO[bytes], blocks: queue.Queue[bytes]) -> None:
    """Standard output in whole blocks, and an empty one at its end; waits while nobody takes them.

    A command writes a few KB at a time, and to wake somebody for each of them costs more than to read them.
    """
    with contextlib.suppress(ValueError, OSError):  # it is closed under us when the command is ended
        while block := output.read(_BLOCK):
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
