"""What runs came to in bins that are over, as bytes: arrays in NumPy's own format, names and limits as JSON."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from librarian import __version__
from librarian.shared.resources import OBSERVABLES, gpu_type, gpus_of
from librarian.shared.window import Window
from librarian.subjects.jobs.changes import NEVER
from librarian.subjects.limits.pressure import Pressed, PressedBins
from librarian.subjects.queue.waits import Starts
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.bins import Measured, Tally

_FORMAT = f"{__version__} 1"  # counted up when the same runs come to something else, or are written otherwise
_DIGEST = 32
_STARTS = ("at", "wait", "user", "kind_size")
Arrays = Mapping[str, npt.NDArray[Any]]


def pack(measured: Measured) -> bytes:
    """As bytes. What is held now is not kept."""
    tally, pressed = measured.tally, measured.pressed
    usage, bins = tally.usage, tally.window.bins
    told = {
        "format": _FORMAT,
        "zone": tally.window.zone,
        "bin_seconds": tally.window.bin_seconds,
        "gpu_types": [gpu_type(o) for o in usage.observables if gpu_type(o)],
        "users": usage.users,
        "ended": [(user, state) for user, states in tally.ended.items() for state in states],
        "starts": tally.starts.users,
        "seen": [(resource, *place) for resource, places in tally.seen.items() for place in places],
        "pressed": pressed.users,
        "limits": pressed.limits,
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "told": np.frombuffer(json.dumps(told).encode(), dtype=np.uint8),
        "edges": tally.window.edges,
        "integrals": usage.integrals,
        "ended": _stacked([row for rows in tally.ended.values() for row in rows.values()], bins, np.int64),
        "seen": _stacked([row for rows in tally.seen.values() for row in rows.values()], bins, np.bool_),
        "paused": tally.paused,
        **{f"start_{name}": getattr(tally.starts, name) for name in _STARTS},
    }
    for field in fields(Pressed):
        arrays[f"press_{field.name}"] = np.stack([getattr(pressed.of[o.key], field.name) for o in usage.observables])
    target = io.BytesIO()
    np.savez(target, **arrays)  # type: ignore[arg-type]  # its stub takes the names for options
    data = zlib.compress(target.getvalue(), 1)  # most of it are zeros
    return hashlib.sha256(data).digest() + data


def _stacked(rows: list[npt.NDArray[Any]], bins: int, kind: Any) -> npt.NDArray[Any]:
    return np.array(rows, dtype=kind).reshape(len(rows), bins)


def unpack(data: bytes) -> Measured | None:
    """What was packed; None where another version did it, or where it is damaged: it can be made again."""
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        return None
    try:
        with np.load(io.BytesIO(zlib.decompress(data[_DIGEST:])), allow_pickle=False) as arrays:
            told = json.loads(arrays["told"].tobytes())
            return _unpacked(told, arrays) if told["format"] == _FORMAT else None
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _unpacked(told: Mapping[str, Any], arrays: Arrays) -> Measured:
    edges = arrays["edges"]
    window = Window(edges, int(edges[-1]), told["zone"], told["bin_seconds"])
    observables = (*OBSERVABLES, *gpus_of(told["gpu_types"]))
    users = tuple(told["users"])
    usage = Usage(window, observables, users, arrays["integrals"], np.zeros((len(observables), len(users))))
    if usage.integrals.shape != (len(observables), len(users), window.bins):
        raise ValueError("bins of another shape")
    starts = Starts(**{name: arrays[f"start_{name}"] for name in _STARTS}, users=tuple(told["starts"]))
    ended: dict[str, dict[str, npt.NDArray[np.int64]]] = {}
    for (user, state), row in zip(told["ended"], arrays["ended"], strict=True):
        ended.setdefault(user, {})[state] = row
    seen: dict[str, dict[tuple[str, str], npt.NDArray[np.bool_]]] = {}
    for (resource, *place), row in zip(told["seen"], arrays["seen"], strict=True):
        seen.setdefault(resource, {})[place[0], place[1]] = row
    stacked = [arrays[f"press_{field.name}"] for field in fields(Pressed)]
    pressed = {o.key: Pressed(*(table[row] for table in stacked)) for row, o in enumerate(observables)}
    limits = {key: tuple((since, value) for since, value in steps) for key, steps in told["limits"].items()}
    tally = Tally(usage, ended, starts, seen, arrays["paused"], NEVER)
    return Measured(tally, PressedBins(window, tuple(told["pressed"]), pressed, limits))
