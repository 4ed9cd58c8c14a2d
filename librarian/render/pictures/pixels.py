"""A PNG in few bytes: flat areas and text have few colours, and the edges between them need few shades."""

from __future__ import annotations

import io
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image

_MOST = 256  # colours of a PNG with a palette
_COUNTED = 2**16  # colours that are told apart; a table of all that there can be takes longer than the rest
_LEVEL = 8  # of compression; 9 takes twice as long for a twentieth fewer bytes

Pixels = npt.NDArray[np.uint8]


def png(rgba: Pixels, dpi: int) -> bytes:
    """Pixels of shape (height, width, 4), all of them opaque, as PNG."""
    out = io.BytesIO()
    _few_colours(rgba).save(out, "PNG", dpi=(dpi, dpi), compress_level=_LEVEL)
    return out.getvalue()


def _few_colours(rgba: Pixels) -> Image.Image:
    """With a palette: of colours that differ in the lower half of their bits the most frequent one stands for all.

    Flat areas keep theirs; the shades of an edge become others by no more than 15 of 255, which nobody sees.
    """
    picture = Image.fromarray(rgba)
    counted = cast("list[tuple[int, tuple[int, ...]]] | None", picture.getcolors(_COUNTED))
    shown = {
        (red & 240) << 4 | green & 240 | blue >> 4: (red, green, blue)
        for _, (red, green, blue, _) in sorted(counted or [])
    }
    if not 0 < len(shown) <= _MOST:
        return picture.convert("RGB").quantize(_MOST, Image.Quantize.MAXCOVERAGE)
    places = np.zeros(4096, dtype=np.uint8)
    places[list(shown)] = np.arange(len(shown))
    upper = (rgba[..., 0] & 240).astype(np.uint16) << 4 | rgba[..., 1] & 240 | rgba[..., 2] >> 4
    found = Image.fromarray(np.take(places, upper))
    found.putpalette(bytes(part for colour in shown.values() for part in colour))
    return found
