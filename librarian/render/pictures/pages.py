"""Lines of text as a PDF: A4 pages in letters of one width, and a picture on the last."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.image import imread

from librarian.render.pictures.figure import styled
from librarian.render.pictures.style import drawable

_SIZE = (8.27, 11.69)  # A4, inches
_LEFT, _TOP, _LINE = 0.8, 10.9, 0.19  # inches
_FIT = 52  # lines of a page


def text_pages(lines: Sequence[str], picture: bytes = b"") -> bytes:
    """The lines as pages; equal ones give equal bytes with the same matplotlib. `picture` is a PNG."""
    out = io.BytesIO()
    nothing = {"Creator": None, "Producer": None, "CreationDate": None}
    with styled(), PdfPages(out, metadata=nothing) as pages:
        for begin in range(0, max(len(lines), 1), _FIT):
            figure = Figure(figsize=_SIZE)
            for place, line in enumerate(lines[begin : begin + _FIT]):
                y = (_TOP - place * _LINE) / _SIZE[1]
                figure.text(_LEFT / _SIZE[0], y, drawable(line), family="monospace", fontsize=9.5)
            pages.savefig(figure)
        if picture:
            pages.savefig(_page(picture))
    return out.getvalue()


def _page(picture: bytes) -> Figure:
    pixels = imread(io.BytesIO(picture), format="png")
    figure = Figure(figsize=_SIZE)
    axes = figure.add_axes((0.05, 0.05, 0.9, 0.9))
    axes.imshow(pixels)
    axes.set_axis_off()
    return figure
