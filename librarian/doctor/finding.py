"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail", "skip"]
OK: State = "ok"
WARN: State = "warn"
FAIL: State = "fail"
SKIP: State = "skip"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, in one line, and what to do about it ("": nothing). `skip`: it could not, or
    need not, be looked at."""

    name: str
    state: State
    text: str
    todo: str = ""


Check = Callable[[], Finding | list[Finding]]
