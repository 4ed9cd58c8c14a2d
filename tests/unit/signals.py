"""Signals as the command line takes them."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from librarian.system import interrupts


@pytest.fixture
def signals() -> Iterator[None]:
    """SIGTERM and SIGHUP raise `Terminated`, as in a command; afterwards they do what they did."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    interrupts.end_on_signals()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    interrupts.end_on_signals()
    for number, handler in before.items():
        signal.signal(number, handler)
