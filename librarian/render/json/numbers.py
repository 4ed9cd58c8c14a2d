"""Arrays of numbers as files have them: means to seven digits, sums in full, whole numbers without a decimal point."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from librarian.render.json.scalars import DIGITS, EXACT

Floats = npt.NDArray[np.float64]


def rounded(values: Floats) -> Floats:
    """`values` to `DIGITS` significant digits, each the float next to its decimal; any shape. -0 becomes 0."""
    size = np.abs(values)
    power = DIGITS - 1 - np.floor(np.log10(size, out=np.zeros_like(size), where=size > 0)).astype(np.int64)
    # a power of ten is exact as a float only up to 10^22, and only if it is not negative: scale on that side
    up, down = 10.0 ** np.clip(power, 0, 22), 10.0 ** np.clip(-power, 0, 22)
    result: Floats = np.round(values * up / down) * down / up + 0.0
    return result


def plain(values: Floats) -> list[Any]:
    """`values` as nested lists of int where whole and float elsewhere, of the same shape."""
    whole = (values == np.floor(values)) & (np.abs(values) < EXACT)
    cells = values.astype(object)
    cells[whole] = values[whole].astype(np.int64)
    result: list[Any] = cells.tolist()
    return result
