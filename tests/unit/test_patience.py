"""Waits of the tests: they follow what goes on, and end when nothing does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import patience
from tests.patience import CEILING, QUIET, Patience


class Clock:
    """A clock that goes on by a step with each look."""

    def __init__(self, step: float) -> None:
        self.now, self._step = 0.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def waited(sign: Callable[[], object], share: float = 1.0, ceiling: float = CEILING) -> float:
    """After how many seconds a wait for nothing is given up."""
    clock = Clock(2.0)
    wait = Patience("it", sign, ceiling, clock=clock, share=lambda: share)
    with pytest.raises(AssertionError, match=r"in vain.*: it"):
        while True:
            wait.go_on()
    return clock.now


def test_where_nothing_goes_on_a_wait_ends_after_a_quiet_time() -> None:
    assert waited(lambda: None) == pytest.approx(QUIET, abs=5)


def test_a_busy_machine_is_given_more_time() -> None:
    assert waited(lambda: None, share=0.5) == pytest.approx(2 * QUIET, abs=5)


def test_progress_begins_the_quiet_time_anew() -> None:
    looks = iter([*range(100), *[100] * 1000])
    assert waited(lambda: next(looks)) == pytest.approx(200 + QUIET, abs=5)


def test_what_goes_round_in_circles_ends_too() -> None:
    looks = iter(range(10_000))
    assert waited(lambda: next(looks), ceiling=500) == pytest.approx(500, abs=5)


def test_a_command_is_given_what_it_reads_and_its_failure_is_told() -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('why', file=sys.stderr); sys.exit(3)"
    done = patience.run([sys.executable, "-c", code], input="x" * 100_000, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "X" * 100_000 + "\n", "why\n")
    with pytest.raises(AssertionError, match=r"(?s)ended with 3\n.*why"):
        patience.run([sys.executable, "-c", code], input="x", text=True, check=True)


@pytest.mark.slow
def test_a_command_that_does_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "QUIET", 1.0)
    monkeypatch.setattr(patience, "share_of_machine", lambda: 1.0)
    with pytest.raises(AssertionError, match="in vain, nothing went on: the end of sleep 3210"):
        patience.run(["sleep", "3210"])


def test_effort_is_that_of_a_process_and_of_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_EFFORT", 0.05)
    busy, idle = ["sh", "-c", "sh -c 'while :; do :; done' & wait"], ["sleep", "600"]
    with subprocess.Popen(busy, start_new_session=True) as one, subprocess.Popen(idle) as other:
        try:
            patience.wait_for(lambda: patience.effort(one.pid) > 2, "the child to work")
            assert patience.effort(other.pid) == 0
        finally:
            os.killpg(one.pid, signal.SIGKILL)
            other.kill()
