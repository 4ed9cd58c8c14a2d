"""The site in one HTML file, to mail or to keep: what the page needs is inside, and it asks nobody for anything."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from librarian.errors import SiteError
from librarian.render.html.page import Inside, Titles, contained, render_page
from librarian.shared.files import IMAGES, INDEX, PIECE, PIECE_NAME, STATUS
from librarian.site import assets, folder
from librarian.system.host import write_atomic

LARGEST_PIECES = 20_000_000  # bytes of further data in the file: of more days than that the newest
log = logging.getLogger(__name__)


def write_single(site: Path, target: Path, titles: Titles) -> int:
    """Write the site in the folder `site` to the one file `target`; returns its size in bytes.

    Its data and its pictures (PNG) are inside, and plotly.js where this machine has one; else the page shows pictures
    instead of live charts. Raises `SiteError` when there is no site, or when the file cannot be written.
    """
    index = folder.read_json(site, INDEX)
    if index is None or not folder.is_site(site):
        raise SiteError(f"there is no site in {site}", todo="run: librarian run")
    plotly = assets.plotly()
    if plotly.path is None:
        log.warning("no plotly.js on this machine: %s has pictures in the place of live charts", target.name)
    try:
        library = contained(plotly.path.read_text(encoding="utf-8")) if plotly.path else ""
        logo = (index.get("site") or {}).get("logo")
        pictures = [both["png"] for entry in index["qos"] for both in entry["figures"].values() if "png" in both]
        page = render_page(
            index,
            {entry["data"]: (site / entry["data"]).read_bytes() for entry in index["qos"] if entry["data"]},
            titles,
            status=_status(site),
            templates=assets.templates(),
            dashboard=assets.dashboard(),
            plotly=plotly,
            inside=Inside(
                library,
                {name: _address(site / name) for name in [*pictures, *([logo] if logo else [])]},
                _pieces(site, index),
            ),
        ).encode("utf-8", "replace")
        write_atomic(target, page)
    except OSError as error:
        raise SiteError(f"the file {target} could not be written", f"{error.strerror}: {error.filename}") from error
    return len(page)


def _pieces(site: Path, index: Mapping[str, Any]) -> dict[str, str]:
    """Further data that the page loads when they are asked for, the newest first, as far as there is room."""
    found: dict[str, str] = {}
    left = LARGEST_PIECES
    for name in sorted(filter(PIECE_NAME.fullmatch, index.get("files") or ()), reverse=True):
        match = PIECE.fullmatch((site / name).read_bytes())
        if match and len(match[1]) <= left:
            left -= len(match[1])
            found[name] = match[1].decode("ascii")
    return found


def _status(site: Path) -> bytes | None:
    """How the runs fare, where the site tells it."""
    file = site / STATUS
    return file.read_bytes() if file.is_file() else None


def _address(picture: Path) -> str:
    return f"data:image/{IMAGES[picture.suffix]};base64,{base64.b64encode(picture.read_bytes()).decode('ascii')}"
