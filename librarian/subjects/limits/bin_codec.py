"""How near the limits were in bins that are over, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from librarian import __version__
from librarian.shared import arrays as bytes_of
from librarian.shared.arrays import Arrays
from librarian.shared.names import UserName
from librarian.shared.window import Window
from librarian.subjects.limits.pressure import Pressed, PressedBins

_FORMAT = f"{__version__} 2"  # counted up when the same runs come to something else, or are written otherwise


def pack(pressed: PressedBins) -> bytes:
    """As bytes."""
    window = pressed.window
    told = {
        "format": _FORMAT,
        "zone": window.zone,
        "bin_seconds": window.bin_seconds,
        "keys": list(pressed.of),
        "users": pressed.users,
        "limits": pressed.limits,
    }
    rows = {f.name: np.stack([getattr(one, f.name) for one in pressed.of.values()]) for f in fields(Pressed)}
    return bytes_of.pack(told, {"edges": window.edges, **rows})


def unpack(data: bytes) -> PressedBins | None:
    """What was packed; None where another version did it, or where it is damaged: it can be made again."""
    return bytes_of.unpack(data, _understood)


def _understood(told: Mapping[str, Any], arrays: Arrays) -> PressedBins:
    if told["format"] != _FORMAT:
        raise ValueError("bins of another version")
    edges = arrays["edges"]
    window = Window(edges, int(edges[-1]), told["zone"], told["bin_seconds"])
    stacks = [arrays[field.name] for field in fields(Pressed)]
    of = {key: Pressed(*(stack[row] for stack in stacks)) for row, key in enumerate(told["keys"])}
    limits = {key: tuple((since, value) for since, value in steps) for key, steps in told["limits"].items()}
    return PressedBins(window, tuple(map(UserName, told["users"])), of, limits)
