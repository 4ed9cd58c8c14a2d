"""Whose month, as a PDF to print: tables on as many pages as they need."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from librarian.errors import one_line
from librarian.render.pictures.figure import styled
from librarian.render.pictures.style import GRID, INK, QUIET, drawable
from librarian.shared.calendar import clock
from librarian.shared.text import shown
from librarian.subjects.months import tables
from librarian.subjects.months.tables import MonthTable, Statement

_SIZE = (11.69, 8.27)  # A4, inches
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.6, 11.09, 7.7, 0.75
_NAMES = 2.75  # inches for names
_LINE = 0.2
_WORDS = 150  # characters of a line


@dataclass(frozen=True)
class _Line:
    """A line of a page: one cell is text, several are a row of a table; `ruled` has a line above it."""

    cells: tuple[str, ...]
    bold: bool = False
    size: float = 9.0
    ruled: bool = False
    together: int = 1
    """How many lines must stand on the same page from here on."""


def pdf(statements: Sequence[Statement]) -> bytes:
    """Each month begins on a page of its own; equal statements give equal bytes with the same matplotlib."""
    out = io.BytesIO()
    nothing = {"Creator": None, "Producer": None, "CreationDate": None}
    with styled(), PdfPages(out, metadata=nothing) as pages:
        made = [(told, page) for told in statements for month in _months(told) for page in _paged(month)]
        for number, (told, page) in enumerate(made or [(None, [_Line(("Nothing is known.",))])], start=1):
            foot = f"{one_line(told.cluster, 40)} · known up to {clock(told.now, told.zone)} · " if told else ""
            pages.savefig(_drawn(page, f"{foot}page {number} of {max(len(made), 1)}"))
    return out.getvalue()


def _months(told: Statement) -> Iterator[list[_Line]]:
    """The lines of each month; the allocations stand below the last."""
    for month in told.months:
        title = f"{tables.heading(told)}: {tables.month_title(month, told.zone)}"
        words = " ".join((tables.extent(month, told.zone), *tables.notes(month, told)))
        lines = [_Line((title,), bold=True, size=14), _Line(("",)), *_wrapped(words)]
        for _, table in tables.every_table(told, month):
            lines += [_Line(("",)), *_rows(table)]
        if month is told.months[-1]:
            lines += [
                _Line(("",)),
                *(line for pace in told.paces for line in _wrapped(tables.describe(pace, told.zone))),
            ]
        yield lines


def _rows(table: MonthTable) -> Iterator[_Line]:
    yield _Line(table.head, bold=True, together=4)
    for place, row in enumerate(table.rows):
        yield _Line(row, ruled=place == 0)
    yield _Line(table.foot, bold=True, ruled=True)


def _wrapped(words: str) -> Iterator[_Line]:
    line = ""
    for word in words.split():
        if len(line) + len(word) > _WORDS:
            yield _Line((line,))
            line = ""
        line = f"{line} {word}" if line else word
    yield _Line((line,))


def _paged(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """The lines by page; where a table goes on, its head comes again."""
    fit = int((_TOP - _BOTTOM) / _LINE)
    page: list[_Line] = []
    head: _Line | None = None
    for line in lines:
        if len(page) + line.together > fit:
            yield page
            page = [head] if head and len(line.cells) > 1 and not line.together > 1 else []
        if line.together > 1:
            head = line
        page.append(line)
    if page:
        yield page


def _drawn(page: Sequence[_Line], foot: str) -> Figure:
    figure = Figure(figsize=_SIZE)
    for place, line in enumerate(page):
        height = _TOP - place * _LINE
        weight = "bold" if line.bold else "normal"
        first = line.cells[0] if len(line.cells) == 1 else shown(line.cells[0])[:40]
        _write(figure, _LEFT, height, first, fontsize=line.size, fontweight=weight)
        if line.ruled:
            x = [_LEFT / _SIZE[0], _RIGHT / _SIZE[0]]
            y = [(height + _LINE * 0.72) / _SIZE[1]] * 2
            figure.add_artist(Line2D(x, y, color=INK if line.bold else GRID, linewidth=0.7))
        across = (_RIGHT - _LEFT - _NAMES) / max(len(line.cells) - 1, 1)
        for column, cell in enumerate(line.cells[1:], start=1):
            _write(figure, _LEFT + _NAMES + column * across, height, cell, fontweight=weight, ha="right", fontsize=8.5)
    _write(figure, _LEFT, 0.4, foot, fontsize=8, color=QUIET)
    return figure


def _write(figure: Figure, x: float, y: float, words: str, **options: Any) -> None:
    if words:
        figure.text(x / _SIZE[0], y / _SIZE[1], drawable(words), **options)
