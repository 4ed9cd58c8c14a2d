"""Work that is spread over processes, where the configuration allows more than one.

Workers are forks of this process: they have all that it has and load nothing again, and there is no thread. They leave
files, the lock and signals alone, do one piece after another and end with us. A piece that fails in a worker, or whose
worker dies, is left to the caller.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import warnings
from collections.abc import Callable, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any, TypeVar

from librarian.system.host import cores

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def spread(work: Callable[[Piece], Result], pieces: Sequence[Piece], processes: int) -> dict[int, Result]:
    """`work` on each of `pieces`, in up to `processes` workers; results by place in `pieces`, failed ones left out.

    There are never more workers than cores that this process may use, nor than pieces. With one, nothing is done here.
    """
    count = min(processes, cores(), len(pieces))
    return _Team(work, pieces, count).results() if count > 1 else {}


class _Team:
    def __init__(self, work: Callable[[Any], Any], pieces: Sequence[Any], count: int) -> None:
        self._work, self._pieces = work, pieces
        self._count = count
        self._left = list(reversed(range(len(pieces))))
        self._busy: dict[Connection, ForkProcess] = {}

    def results(self) -> dict[int, Any]:
        """What the workers made."""
        found: dict[int, Any] = {}
        try:
            with contextlib.suppress(OSError):  # no more processes are to be had: whoever asked does the rest
                for _ in range(self._count):
                    self._hire()
            while self._busy:
                for ours in connection.wait(list(self._busy)):
                    self._hear(ours, found)  # type: ignore[arg-type]
        finally:
            for process in self._busy.values():
                process.kill()
                process.join()
        return found

    def _hire(self) -> None:
        """Start a worker and give it a piece."""
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(self._work, self._pieces, theirs, [ours, *self._busy]))
        with warnings.catch_warnings():
            # newer versions of Python warn of threads: those of numpy's library are idle, and it is made for that
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                process.start()
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()
        self._busy[ours] = process
        self._give(ours)

    def _hear(self, ours: Connection, found: dict[int, Any]) -> None:
        try:
            place, good, result = ours.recv()
        except (EOFError, OSError):
            self._dismiss(ours)
            return
        if good:
            found[place] = result
        self._give(ours)

    def _give(self, ours: Connection) -> None:
        if not self._left:
            self._dismiss(ours)
            return
        try:
            ours.send(self._left[-1])
            self._left.pop()
        except OSError:
            self._dismiss(ours)

    def _dismiss(self, ours: Connection) -> None:
        process = self._busy.pop(ours)
        ours.close()  # which ends it
        process.join()


def _serve(work: Callable[[Any], Any], pieces: Sequence[Any], theirs: Connection, others: Sequence[Connection]) -> None:
    """A worker's life: take the number of a piece, do it, send what came of it, until there is nobody."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    for other in others:  # a fork has them too, and would keep the end of its parent from being seen
        other.close()
    with contextlib.suppress(EOFError, OSError):
        while True:
            place = theirs.recv()
            try:
                answer = (place, True, work(pieces[place]))
            except Exception as error:
                answer = (place, False, repr(error))
            theirs.send(answer)
