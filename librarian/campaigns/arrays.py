"""Whole numbers as Slurm writes those of an array's tasks: `0-9,12,20-30:5%4`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9})(?::([0-9]{1,9}))?)?")
_MOST = 4_000_000  # MaxArraySize can be 4,000,001 at most, by slurm.conf(5)


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as ranges, in order and each once: `1-3,7`."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def numbers(text: str) -> list[int]:
    """The numbers of `[0-9,12%4]` or `3`, in the order in which they stand there. Raises `ValueError`."""
    found: list[int] = []
    inner = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    for part in inner.split(",") if inner else []:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"no numbers of tasks: {text[:80]!r}")
        low, high, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if step < 1 or high - low > _MOST:
            raise ValueError(f"no numbers of tasks: {text[:80]!r}")
        found += range(low, high + 1, step)
    return found
