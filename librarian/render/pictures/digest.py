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

from librarian.cycle.report import Report
from librarian.render.files import MONTH, OVERVIEW, PRESSURE, QUEUE, QUEUED
from librarian.render.pictures import captions
from librarian.shared.resources import Observable


def digest(report: Report, name: str, *more: str) -> str:
    """The digest, as hexadecimal text, of all that the picture `name` of `files.PICTURES` shows; `more` goes into it.

    Raises `TypeError` for a value that it cannot turn into bytes.
    """
    found = hashlib.sha256()
    for part in _bytes((name, more, _common(report), _own(report, name))):
        found.update(part)
    return found.hexdigest()


def _common(report: Report) -> tuple[object, ...]:
    """The words and the axis of every picture; the time of the data is in the foot."""
    words = (captions.title(report), captions.foot(report), captions.stale(report) if report.staleness.stale else "")
    people = (report.users, report.header.top_users, report.colours)
    return (*words, report.window, *people, report.untracked)


def _own(report: Report, name: str) -> object:
    if name == MONTH:
        return report.months[-2:], report.paces
    if name == PRESSURE:
        keys = [observable.key for observable in report.pictured]
        found = report.pressure
        return [(o.key, o.name, o.unit) for o in report.pictured], [
            (report.limits.get(key), found.shares.get(key), found.totals.get(key)) for key in keys
        ]
    shown = {OVERVIEW: [o.key for o in report.pictured], QUEUE: QUEUED}.get(name, [name])
    charts = [_chart(report, observable) for observable in report.usage.observables if observable.key in shown]
    return (charts, report.wanted, report.everybody) if name == QUEUE else charts


def _chart(report: Report, observable: Observable) -> tuple[object, ...]:
    """What a chart of an observable shows; an empty one tells whether there were any jobs at all."""
    usage, words = report.usage, (observable.key, observable.name, observable.unit)
    means = usage.integrals[usage.row(observable.key)]
    return words, usage.users, means, usage.integrals.any(), report.history.get(observable.key)


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
