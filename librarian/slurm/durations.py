"""How Slurm writes for how long something was or may be."""

from __future__ import annotations

_LONGEST = 2**40  # seconds: nothing lasts longer


def parse_duration(text: str) -> int:
    """Seconds of `[days-]hours:minutes:seconds[.fraction]`, fractions dropped; "" is 0. Raises `ValueError`."""
    days, dash, clock = text.rpartition("-")
    parts = (clock if text else "0").split(".")[0].split(":")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts) or (dash and not days.isdigit()):
        raise ValueError(f"not a duration: {text!r}")
    seconds = int(days or 0) * 86400
    for place, part in enumerate(reversed(parts)):
        seconds += int(part) * 60**place
    if seconds > _LONGEST:
        raise ValueError(f"not a duration: {text!r}")
    return seconds
