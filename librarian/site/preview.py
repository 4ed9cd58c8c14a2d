"""A preview of the site on the loopback address. It is for looking, not for the world: a web server does that."""

from __future__ import annotations

import sys
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from librarian.errors import SiteError
from librarian.system.host import environment


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


def server(site: Path, port: int) -> ThreadingHTTPServer:
    """A server of the folder `site` on 127.0.0.1, at `port` or any free one when it is 0. Raises `SiteError`."""
    if not (site / "index.html").is_file():
        raise SiteError(f"there is no site in {site}", todo="run: librarian run")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(site)))
    except OSError as error:
        raise SiteError(
            f"port {port} cannot be served", error.strerror or str(error), "name another with --port"
        ) from error


def open_browser(address: str) -> None:
    """Open the page where there is a screen to open it on."""
    screen = {"DISPLAY", "WAYLAND_DISPLAY"} & set(environment())
    if screen or sys.platform == "darwin":
        webbrowser.open(address)
