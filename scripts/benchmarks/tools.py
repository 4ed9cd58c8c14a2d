"""Stop-watch, memory and commands for the measurements."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Taken:
    """What something took: seconds of the clock and of processors, and MiB."""

    wall: float
    cpu: float
    mib: float


def timed(function: Callable[[], Any], times: int = 3) -> Taken:
    """The quickest of a few times; the memory is what it needed on top of what was there."""
    taken = []
    for _ in range(times):
        before = _peak(reset=True)
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        taken.append(Taken(time.perf_counter() - wall, time.process_time() - cpu, _peak() - before))
    return quickest(taken)


def quickest(taken: Sequence[Taken]) -> Taken:
    """The one with the shortest time."""
    return min(taken, key=lambda one: one.wall)


def _peak(*, reset: bool = False) -> float:
    """The most memory of this process in MiB, since the last reset where the system can do that."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def command(argv: Sequence[str], times: int = 3) -> Taken:
    """The quickest of a few runs of a command, in processes of its own."""
    return quickest([_once(argv) for _ in range(times)])


def _once(argv: Sequence[str]) -> Taken:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    whole = [sys.executable, str(HERE / "measure.py"), *argv]
    done = subprocess.run(whole, check=True, stdout=subprocess.PIPE, text=True, env=environment, timeout=7200)
    return taken_of(done.stdout)


def taken_of(text: str) -> Taken:
    """What measure.py printed."""
    return Taken(**json.loads(text))


def progress(text: str) -> None:
    """Tell a person what is going on."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
