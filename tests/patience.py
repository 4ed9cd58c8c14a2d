"""Waiting for as long as something goes on.

A slow machine is no fault of the program, so no test waits for a fixed time. A wait is given up when `QUIET` seconds
passed in which nothing that it looks at has changed; where the machine has more to do than it can, a second counts for
less. What goes round in circles is given up after `CEILING`.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

QUIET = 240.0  # seconds
CEILING = 900.0
_LOOK = 1.0  # seconds between two looks at what goes on
_EFFORT = 5  # seconds of CPU time: in `QUIET` more than what daemons take that do nothing


class Patience:
    """One wait. `sign` is what changes while there is progress."""

    def __init__(
        self,
        what: str,
        sign: Callable[[], object] = lambda: None,
        ceiling: float = CEILING,
        *,
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[], float] | None = None,
    ) -> None:
        self._what, self._sign, self._ceiling = what, sign, ceiling
        self._clock, self._share = clock, share or share_of_machine
        self._began = self._looked = clock()
        self._quiet, self._seen = 0.0, sign()

    def go_on(self) -> None:
        """Raise AssertionError when waiting is of no more use."""
        now = self._clock()
        if now - self._began > self._ceiling:
            raise AssertionError(f"waited {now - self._began:.0f} s in vain for: {self._what}")
        if now - self._looked < _LOOK:
            return
        seen = self._sign()
        self._quiet = 0.0 if seen != self._seen else self._quiet + (now - self._looked) * self._share()
        self._looked, self._seen = now, seen
        if self._quiet > QUIET:
            raise AssertionError(f"waited {now - self._began:.0f} s in vain, nothing went on: {self._what}")


def wait_for(ready: Callable[[], bool], what: str, sign: Callable[[], object] = lambda: None) -> None:
    """Wait until `ready()`; raises AssertionError with `what` when that is of no more use."""
    patience = Patience(what, sign)
    while not ready():
        patience.go_on()
        time.sleep(0.1)


def run(
    argv: Sequence[str | Path],
    *,
    check: bool = False,
    input: Any = None,
    sign: Callable[[], object] = lambda: None,
    ceiling: float = CEILING,
    **options: Any,
) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` with its output captured, for as long as the command, or what `sign` looks at, is at work."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with subprocess.Popen(argv, **options) as process:
        try:
            out, err = communicate(process, input, sign, ceiling)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(argv, process.returncode, out, err)
    if check and done.returncode:
        raise AssertionError(f"{_told(argv)} ended with {done.returncode}\n{out or ''}\n{err or ''}")
    return done


def communicate(
    process: subprocess.Popen[Any],
    text: Any = None,
    sign: Callable[[], object] = lambda: None,
    ceiling: float = CEILING,
) -> tuple[Any, Any]:
    """What a process writes until it ends, for as long as it, or what `sign` looks at, is at work."""
    patience = Patience(f"the end of {_told(process.args)}", lambda: (effort(process.pid), sign()), ceiling)
    while True:
        try:
            return process.communicate(text, timeout=_LOOK)
        except subprocess.TimeoutExpired:
            text = None  # it was given what it is to read
            patience.go_on()


def effort(pid: int) -> int:
    """The CPU time of a process and of all below it, in steps that one at work takes soon and an idle one does not."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_bytes().rpartition(b")")[2].split()
        except OSError:  # it has ended
            continue
        number = int(stat.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        ticks[number] = sum(map(int, fields[11:15]))  # utime, stime and those of children that were waited for
    total, left = 0, [pid]
    while left:
        number = left.pop()
        total += ticks.get(number, 0)
        left += children.get(number, [])
    return total // (os.sysconf("SC_CLK_TCK") * _EFFORT)


def share_of_machine() -> float:
    """How much of a core one process gets at most: 1 on a machine that has time."""
    return min(1.0, (os.cpu_count() or 1) / max(os.getloadavg()[0], 0.01))


def stretched(seconds: float) -> float:
    """A limit that cannot follow progress, as long as what `seconds` allow on a machine that has time."""
    return min(seconds / share_of_machine(), CEILING)


def _told(argv: Any) -> str:
    return argv if isinstance(argv, str) else shlex.join(map(str, argv))
