"""What comes from outside while a run is at work: the end of its time, and signals that tell it to end.

One timer of the system's (SIGALRM) does both: it keeps the lock fresh, and ends a stage that takes too long. No thread
does it: a signal is handled between two steps of the program, so what it interrupts is closed as after any error:
commands are killed, transactions rolled back, temporary files removed. What a library does in one long step is waited
for.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from librarian.errors import Terminated, TooSlowError
from librarian.system.host import stopwatch

GRACE = 20.0  # seconds that whatever follows within a stage gets after its limit, before it is interrupted as well
_BEAT = 20.0
_LOOK = 1.0  # seconds between two looks whether a signal was lost
_TIME_IS_UP = 128 + signal.SIGTERM


@dataclass
class _Limit:
    what: str
    seconds: float
    end: float
    final: bool


class Guard:
    """Keeps a run within its limits. `beat` is called now and then; `check` before each stage."""

    def __init__(self, beat: Callable[[], None] = lambda: None, check: Callable[[], None] = lambda: None) -> None:
        self.check = check
        self._beat = beat
        self._next_beat = stopwatch() + _BEAT
        self._limits: list[_Limit] = []
        self._armed = False

    @contextlib.contextmanager
    def armed(self) -> Iterator[Guard]:
        """Have the timer for the time of a block. Only the main thread can; elsewhere nothing is limited."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = signal.signal(signal.SIGALRM, self._ring)
        self._armed = True
        try:
            self._set()
            yield self
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    @contextlib.contextmanager
    def limit(self, what: str, seconds: float, *, final: bool = False) -> Iterator[None]:
        """Raise `TooSlowError` in the block once it has taken `seconds`, and again after each `GRACE`; or `Terminated`
        when the limit is `final`."""
        limit = _Limit(what, seconds, stopwatch() + seconds, final)
        self._limits.append(limit)
        self._set()
        try:
            yield
        finally:
            self._limits.remove(limit)

    def _set(self) -> None:
        if self._armed:
            look = [stopwatch() + _LOOK] if _ENDING.number else []
            moment = min([self._next_beat, *look, *(limit.end for limit in self._limits)])
            signal.setitimer(signal.ITIMER_REAL, max(0.01, moment - stopwatch()))

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        now = stopwatch()
        over = next((limit for limit in self._limits if limit.end <= now), None)
        if over:
            over.end = now + GRACE
        beats = self._next_beat <= now
        if beats:
            self._next_beat = now + _BEAT
        self._set()  # before anything is raised
        if beats:
            self._beat()
        if over and over.final:
            raise Terminated(f"{over.what} took longer than {over.seconds:g} s", _TIME_IS_UP)
        if _ENDING.is_lost():
            raise _ENDING.error()
        if over:
            raise TooSlowError(f"{over.what} took longer than {over.seconds:g} s", todo="raise its limit in [run]")


@dataclass
class _Ending:
    """The signal that ends this process, 0 without one; when it was raised last (by `stopwatch`), as which error."""

    number: int = 0
    raised: float = 0.0
    last: weakref.ref[Terminated] | None = None

    def error(self) -> Terminated:
        error = Terminated(f"ended by {signal.Signals(self.number).name}", 128 + self.number)
        self.raised, self.last = stopwatch(), weakref.ref(error)
        return error

    def is_lost(self) -> bool:
        """Whether the error that was raised ends nothing any more. While something is closed on its way it is there;
        but it is also where somebody keeps it, or what it turned into, so that is given its time."""
        if not self.number or not self.last:
            return False
        return self.last() is None or self.raised + GRACE <= stopwatch()


_ENDING = _Ending()


def end_on_signals() -> None:
    """From now on SIGTERM and SIGHUP raise `Terminated`, once; what is ignored (nohup) stays ignored.

    What is raised within a library may be lost there: Python ignores it in a destructor, and a lock that it could not
    take again raises an error of its own. So a run that goes on is told again by its `Guard`.
    """
    _ENDING.number = 0

    def end(number: int, _frame: FrameType | None) -> None:
        if not _ENDING.number:
            _ENDING.number = number
            if signal.getitimer(signal.ITIMER_REAL)[0] > _LOOK:  # a guard looks after it
                signal.setitimer(signal.ITIMER_REAL, _LOOK)
            raise _ENDING.error()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)
