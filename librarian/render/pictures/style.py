"""How the pictures look: sizes, colours, type; and which text the type can show."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

DPI = 120
INK, QUIET, GRID, ALARM = "#222222", "#666666", "#DDDDDD", "#9B1C1C"
FONT = "DejaVu Sans"  # comes with matplotlib

STYLE: dict[Any, Any] = {
    "font.family": [FONT],
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": QUIET,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titley": 1.0,  # else all labels are measured to find out that none is in the way
    "xtick.color": "#888888",
    "ytick.color": "#888888",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}


def canvas(figure: Figure) -> Any:
    """The canvas of a figure, on which text is measured and the PNG is drawn. There is one, since it holds all pixels;
    its methods have no types."""
    held: Any = figure.canvas
    return held if isinstance(held, FigureCanvasAgg) else FigureCanvasAgg(figure)


def drawable(text: str) -> str:
    """`text` as matplotlib may have it: no mathematics, and U+FFFD for what the font does not have."""
    known = _characters()
    visible = "".join(c if c == "\n" or ord(c) in known else "\ufffd" for c in text)
    # where every dollar is escaped, every matplotlib drops the backslashes and looks for no mathematics
    return visible.replace("$", r"\$")


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())
