"""A long span of time cut into slices, so that no question to Slurm's database is longer than it may be.

Times are UTC epochs, spans half-open. sacct tells every run that was eligible before the end of a slice and had not
ended before its begin: a run that overlaps several slices is told in each of them, and is the same run by its DBIndex.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from librarian.shared.spans import Span

if TYPE_CHECKING:  # a type alone: who cuts spans of plain numbers needs no numpy
    from librarian.shared.window import Epochs


def cut(begin: int, end: int, longest: int) -> list[Span]:
    """[begin, end) as pieces in order of time: as few as can be, none longer than `longest` seconds, all alike."""
    count = max(1, -(-(end - begin) // max(1, longest)))
    marks = [begin + (end - begin) * place // count for place in range(count + 1)]
    return list(itertools.pairwise(marks))


def gaps(known: Iterable[Span], begin: int, end: int) -> list[Span]:
    """What of [begin, end) lies in none of the spans `known`, in order of time."""
    found, since = [], begin
    for first, last in sorted(known):
        if since < min(first, end):
            found.append((since, min(first, end)))
        since = max(since, last)
    return [*found, (since, end)] if since < end else found


def newest(span: Span, longest: int, edges: Epochs) -> Span:
    """The newest part of `span` that begins on one of the rising `edges` and is not longer than `longest` seconds.

    It reaches back to the edge before the end, or to the begin of `span`, where that is farther.
    """
    begin, end = span
    inside = edges[(edges > begin) & (edges < end)].tolist()
    marks = [begin, *inside]
    return next((mark for mark in marks if end - mark <= longest), marks[-1]), end
