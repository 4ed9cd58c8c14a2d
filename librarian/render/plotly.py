"""Which plotly.js a page loads: a value that the renderers take, and that `librarian.site.assets` finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Plotly:
    """Which plotly.js a page loads.

    `path` is a file to copy beside the page under `file_name`; where it is None the page loads `url`, which the
    browser checks against `integrity` (subresource integrity). `version` is plotly.js's, never the Python package's.
    """

    version: str
    path: Path | None
    file_name: str
    url: str | None
    integrity: str | None
    kind: Literal["basic", "full", "cdn"]
