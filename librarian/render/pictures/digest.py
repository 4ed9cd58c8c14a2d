"""What a picture is drawn from: two reports that give the same digest for a picture give the same picture.

It is found without drawing anything, so that matplotlib need not even be loaded. It says rather too much than too
little: what a picture may read is in its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np

from librarian.render.pictures import captions
from librarian.shared.report import Report


def digest(report: Report, name: str, shown: object, *more: str) -> str:
    """The digest, as hexadecimal text, of all that the picture `name` shows: `shown`, and the words and the axis of
    every picture; the time of the data is in the foot. `more` goes into it.

    Raises `TypeError` for a value that it cannot turn into bytes.
    """
    words = (captions.title(report), captions.foot(report), captions.stale(report) if report.staleness.stale else "")
    common = (*words, report.window, report.header.top_users, report.colours)
    found = hashlib.sha256()
    for part in _bytes((name, more, common, shown)):
        found.update(part)
    return found.hexdigest()


def settled_digest(report: Report, name: str, shown: object, *more: str) -> str:
    """The same of what is final in it: `shown` without the bin that is not over, and without the time of the data."""
    window = report.window
    words = (captions.title(report), report.caveats, captions.stale(report) if report.staleness.stale else "")
    axis = (window.edges[:-1], window.zone, window.bin_seconds)
    found = hashlib.sha256()
    for part in _bytes((name, more, words, axis, report.header.top_users, report.colours, shown)):
        found.update(part)
    return found.hexdigest()


def _bytes(value: Any) -> Iterator[bytes]:
    """A value in bytes, each kind in its own way and with its length, so that no two values look alike."""
    if isinstance(value, np.ndarray):
        yield from _tagged("array", f"{value.dtype.str} {value.shape}".encode(), np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.generic):
        yield from _bytes(value.item())
    elif value is None or isinstance(value, bool | int | float):
        yield from _tagged(type(value).__name__, repr(value).encode())
    elif isinstance(value, str):
        yield from _tagged("text", value.encode("utf-8", "surrogatepass"))
    elif isinstance(value, date):
        yield from _tagged("date", value.isoformat().encode())
    elif is_dataclass(value):
        named = [getattr(value, field.name) for field in fields(value)]
        yield from _many(type(value).__name__, named)
    elif isinstance(value, Mapping):
        yield from _many("mapping", [part for item in value.items() for part in item])
    elif isinstance(value, frozenset | set):
        yield from _many("set", sorted(value))
    elif isinstance(value, list | tuple):
        yield from _many("list", value)
    else:
        raise TypeError(f"{type(value).__name__} has no bytes here")


def _many(kind: str, values: Iterable[object]) -> Iterator[bytes]:
    parts = list(values)
    yield f"{kind} {len(parts)};".encode()
    for part in parts:
        yield from _bytes(part)


def _tagged(kind: str, *parts: bytes) -> Iterator[bytes]:
    for part in parts:
        yield f"{kind} {len(part)};".encode()
        yield part
