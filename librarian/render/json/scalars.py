"""One number as files have it: in full or to seven digits, without a decimal point where it is whole."""

from __future__ import annotations

import math

DIGITS = 7
EXACT = 2.0**53  # up to here every whole float is the integer that it looks like


def exact(value: float) -> float | int:
    """`value` in full: an int where it is whole."""
    return int(value) if value.is_integer() and abs(value) < EXACT else value


def short(value: float) -> float | int:
    """`value` to `DIGITS` significant digits, the float next to its decimal."""
    size = abs(value)
    power = DIGITS - 1 - math.floor(math.log10(size) if size > 0 else 0.0)
    # a power of ten is exact as a float only up to 10^22, and only if it is not negative: scale on that side
    up, down = 10.0 ** min(max(power, 0), 22), 10.0 ** min(max(-power, 0), 22)
    return exact(round(value * up / down) * down / up + 0.0)
