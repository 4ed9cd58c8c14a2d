"""Time that is known, as spans: half-open, in UTC epochs."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]
Spans = tuple[Span, ...]  # in order, none touching another


def joined(spans: Iterable[Span]) -> Spans:
    """The same time as spans in order that do not touch; empty ones are left out."""
    found: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return tuple(found)


def clipped(spans: Spans, begin: int, end: int) -> Spans:
    """What of `spans` lies in [begin, end)."""
    return joined((max(since, begin), min(until, end)) for since, until in spans)
