"""Whether a rule fires, from one look at its value to the next. Pure.

Time counts only between two looks that both found the value on the same side: what nobody looked at may have been
anything. Of a longer gap no more than `Law.gap` counts, and a clock that went back counts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from librarian.config.conditions import COMPARISONS


@dataclass(frozen=True)
class Law:
    """Fires once the value has compared with `level` for `seconds`; clears once it has for `clear_seconds` not compared
    so with `clears`, which lies at `level` or on the quiet side of it. `gap` is how many seconds between two looks
    count at most."""

    comparison: str
    level: float
    clears: float
    seconds: int = 0
    clear_seconds: int = 0
    gap: int = 3600

    def met(self, value: float) -> bool:
        """Whether a value is one to fire at."""
        return COMPARISONS[self.comparison](value, self.level)

    def over(self, value: float) -> bool:
        """Whether a value is one to clear at."""
        return not COMPARISONS[self.comparison](value, self.clears)


@dataclass(frozen=True)
class Memory:
    """What is known of a rule after the last look `at` (UTC epoch; None: there was none).

    `held` seconds the value has been where the state would change, if it is `turning`. `unknown`: the last look found
    no value. `value` is the last one that was known, `since` when the state last changed. `told`: somebody heard that
    it fires, `told_at` is when somebody was last told so.
    """

    firing: bool = False
    at: int | None = None
    held: int = 0
    turning: bool = False
    unknown: bool = False
    value: float | None = None
    since: int | None = None
    told: bool = False
    told_at: int | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember."""
        return not self.firing and not self.turning and not self.told and self.told_at is None


def step(law: Law, memory: Memory, value: float | None, now: int) -> Memory:
    """The memory after a look at `now` (UTC epoch) that found `value` (None: not known)."""
    if value is None:
        return replace(memory, unknown=True)
    turning = law.over(value) if memory.firing else law.met(value)
    counts = turning and memory.turning and not memory.unknown and memory.at is not None
    passed = min(max(0, now - (memory.at or 0)), law.gap) if counts else 0
    held = memory.held + passed if turning and memory.turning else 0
    after = replace(memory, at=now, held=held, turning=turning, unknown=False, value=value)
    if turning and held >= (law.clear_seconds if memory.firing else law.seconds):
        return replace(after, firing=not memory.firing, since=now, held=0, turning=False)
    return after


def due(memory: Memory, quiet: int, now: int) -> str:
    """What is to be told at `now`: "fired", "cleared" or "". Within `quiet` seconds of the last "fired" there is no
    other; a time that is yet to come, since the clock went back, keeps nobody quiet."""
    if memory.firing and not memory.told and not memory.unknown:
        is_quiet = memory.told_at is not None and 0 <= now - memory.told_at < quiet
        return "" if is_quiet else "fired"
    return "cleared" if memory.told and not memory.firing else ""


def after_telling(memory: Memory, what: str, now: int) -> Memory:
    """The memory once that was told."""
    if what == "fired":
        return replace(memory, told=True, told_at=now)
    return replace(memory, told=False) if what == "cleared" else memory
