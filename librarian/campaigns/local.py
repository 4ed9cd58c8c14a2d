"""Running tasks on this machine, without Slurm: same folder, same states.

Each array of this kind has a file `ended.jsonl` with a line when a task starts and one when it ends, written by one
process, which holds the lock `running` beside it. What has started and not ended while nobody holds that is lost.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from librarian.campaigns.ask import Key
from librarian.campaigns.folder import Folder
from librarian.campaigns.launcher import __file__ as launcher_file
from librarian.campaigns.model import LOCAL, Array, History
from librarian.campaigns.states import DONE, FAILED, LOST, PENDING, RUNNING, State
from librarian.errors import LibrarianError
from librarian.system import host, lock
from librarian.system.processes import Background

ENDED, HELD = "ended.jsonl", "running"
_LOOK = 0.02
_FRESH = 30.0  # seconds


def told(folder: Folder, history: History) -> dict[Key, State]:
    """How tasks of local arrays stand, by the array's id and index; one that never came to run is not there."""
    found: dict[Key, State] = {}
    for array in history.arrays:
        if array.kind == LOCAL:
            found |= {(array.id, index): state for index, state in _read(folder.array(array.id), array).items()}
    return found


def _read(place: Path, array: Array) -> dict[int, State]:
    goes_on = bool(lock.owner_of(place / HELD))
    found = {index: State(PENDING, "LOCAL") for index in range(len(array.rows))} if goes_on else {}
    try:
        lines = (place / ENDED).read_text(encoding="utf-8").split("\n")[:-1]
    except OSError:
        return found
    for line in lines:
        try:
            table = json.loads(line)
            index, at = int(table["index"]), int(table["at"])
            if table["event"] == "start":
                found[index] = State(RUNNING, "RUNNING", start=at) if goes_on else State(FAILED, LOST, start=at)
            else:
                status, start = int(table["status"]), int(table["start"])
                exit_code = f"{status}:0" if status >= 0 else f"0:{-status}"
                word = "COMPLETED" if status == 0 else "FAILED"
                kind = DONE if status == 0 else FAILED
                found[index] = State(kind, word, "", exit_code, start, at, at - start, at - start)
        except (ValueError, KeyError, TypeError):  # half a line, from a disk that was full
            continue
    return found


@dataclass
class _Going:
    index: int
    start: int
    process: Background


class Runner:
    """Runs all tasks of an array. The array is in our hands from the beginning on. Raises `BusyError`."""

    def __init__(self, folder: Folder, array: Array) -> None:
        self._folder, self._array, self._place = folder, array, folder.array(array.id)
        self._open = contextlib.ExitStack()
        self._held = self._open.enter_context(lock.locked(self._place / HELD, "the tasks", mode=0o660))

    def run(self, processes: int, ended: Callable[[int, int], None]) -> None:
        """Run them, so many at a time; `ended` is told each row and its exit status.

        What still runs when this ends in another way is ended too. Raises `LibrarianError`.
        """
        todo = list(range(len(self._array.rows)))[::-1]
        going: list[_Going] = []
        with self._open:
            try:
                self._go(todo, going, processes, ended)
            finally:
                for one in going:
                    one.process.kill()
                    _note(self._place, event="end", index=one.index, start=one.start, status=-9)

    def _go(self, todo: list[int], going: list[_Going], processes: int, ended: Callable[[int, int], None]) -> None:
        looked = host.stopwatch()
        while todo or going:
            while todo and len(going) < processes:
                going.append(_start(self._folder, self._array, todo.pop()))
            for one in list(going):
                status = one.process.status()
                if status is not None:
                    going.remove(one)
                    _note(self._place, event="end", index=one.index, start=one.start, status=status)
                    ended(self._array.rows[one.index], status)
            host.pause(_LOOK)
            if host.stopwatch() - looked > _FRESH:
                self._held.freshen()
                looked = host.stopwatch()


def _start(folder: Folder, array: Array, index: int) -> _Going:
    place = folder.array(array.id)
    now = host.clock()
    _note(place, event="start", index=index)
    log = folder.path / "logs" / f"{array.id}_{index}.log"
    code = (
        f"import runpy; runpy.run_path({launcher_file!r})['run']"
        f"({str(folder.path)!r}, {array.id!r}, {index}, {str(log)!r})"
    )
    return _Going(index, now, Background([sys.executable, "-I", "-c", code]))


def _note(place: Path, **event: object) -> None:
    try:
        host.append_synced(place / ENDED, json.dumps({**event, "at": host.clock()}).encode() + b"\n")
    except OSError as error:
        raise LibrarianError(f"{place / ENDED} cannot be written", error.strerror or str(error)) from error
