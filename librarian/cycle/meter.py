"""What a run spends as it goes on: each stage, each subject in it, each command of Slurm's that a subject sends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from librarian.health.timings import WHOLE, Cycle, Part, Spent
from librarian.system.host import cpu_seconds, stopwatch

PICTURES = "pictures"
"""In the place of a subject: drawing, which is done for all of them at once."""


class Meter:
    """Of one run, which begins now."""

    def __init__(self) -> None:
        self._spent: dict[Part, Spent] = {}
        self._stage = self._subject = ""
        self._began = stopwatch(), cpu_seconds()

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """The block is a stage."""
        self._stage = name
        try:
            with self._measured():
                yield
        finally:
            self._stage = ""

    @contextlib.contextmanager
    def subject(self, key: str) -> Iterator[None]:
        """The block is what a subject does in a stage."""
        self._subject = key
        try:
            with self._measured():
                yield
        finally:
            self._subject = ""

    def command(self, name: str, seconds: float) -> None:
        """A command of Slurm's was waited for."""
        self._add((self._stage, self._subject, name), Spent(1, seconds))

    def cycle(self, at: int) -> Cycle:
        """All of it up to now, as that of a run that began `at` (UTC epoch)."""
        clock, cpu = self._began
        return Cycle(at, {WHOLE: Spent(1, stopwatch() - clock, cpu_seconds() - cpu), **self._spent})

    @contextlib.contextmanager
    def _measured(self) -> Iterator[None]:
        part, clock, cpu = (self._stage, self._subject, ""), stopwatch(), cpu_seconds()
        try:
            yield
        finally:
            self._add(part, Spent(1, stopwatch() - clock, cpu_seconds() - cpu))

    def _add(self, part: Part, more: Spent) -> None:
        before = self._spent.get(part)
        if before is None:
            self._spent[part] = more
            return
        cpu = None if before.cpu is None or more.cpu is None else before.cpu + more.cpu
        self._spent[part] = Spent(before.count + more.count, before.seconds + more.seconds, cpu)
