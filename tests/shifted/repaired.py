"""What libfaketime leaves undone in a Python on today's glibc; `run` has every interpreter load it when it starts.

libfaketime 0.9.10 ends `time.sleep` with EINVAL where the clock of durations is left alone, and does not see the call
by which Python asks for the times of files. Those are shifted here by as much as the clock.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from typing import Any

OFFSET = int(os.environ.get("FAKETIME", "0"))
_KINDS = ("st_atime", "st_mtime", "st_ctime")


def sleep(seconds: float, /) -> None:
    """As time.sleep, by another call of the system; a signal does not cut it short."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    end = time.monotonic() + seconds
    while True:
        select.select([], [], [], max(0.0, end - time.monotonic()))
        if time.monotonic() >= end:
            return


def shifted(asked: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    """A function of the family of os.stat that tells times of the shifted clock."""

    def stat(*arguments: Any, **options: Any) -> os.stat_result:
        found = asked(*arguments, **options)
        _, (values, named) = found.__reduce__()
        for kind in _KINDS:
            named[kind] = named.get(kind, getattr(found, kind)) + OFFSET
            named[f"{kind}_ns"] = getattr(found, f"{kind}_ns") + OFFSET * 10**9
        whole = [value + OFFSET for value in values[7:10]]
        return os.stat_result((*values[:7], *whole), named)

    return stat


if OFFSET:
    time.sleep = sleep
    for _name in ("stat", "lstat", "fstat"):
        setattr(os, _name, shifted(getattr(os, _name)))
