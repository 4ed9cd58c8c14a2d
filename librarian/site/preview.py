"""A preview of the site on the loopback address. It is for looking, not for the world: a web server does that.

On a login node everybody can reach that address, so the page's has a part that cannot be guessed. Whatever is asked for
without it, or is not a file of the site, gets the same short answer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shlex
import stat
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from librarian.errors import SiteError
from librarian.shared.files import PAGE
from librarian.system.host import environment

HOST = "127.0.0.1"
# What a browser may call this machine. Another name that leads here is a trick of some page that wants to read ours
# (DNS rebinding). The port is the reader's own: at the other end of a tunnel it may be any.
_NAMES = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
# The machine's own table of types may say anything.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".pdf": "application/pdf",
    ".gz": "application/gzip",
}
_HEADERS = {
    "Cache-Control": "no-cache",  # newer data are there to be seen
    "Referrer-Policy": "no-referrer",  # which would tell others the address
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = logging.getLogger(__name__)


class Preview(ThreadingHTTPServer):
    """A server of one folder, the site, on the loopback address. From the beginning it holds its port; it answers in
    `serve_forever`."""

    def __init__(self, site: Path, port: int) -> None:
        self.site = site
        self.secret = secrets.token_urlsafe(16)
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Take the port. The name of the machine, which the library would ask the network for, is not needed."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who has left, as a rule: nothing for the terminal."""
        log.debug("a request was not answered", exc_info=True)

    @property
    def address(self) -> str:
        """The whole address of the page."""
        return f"http://{HOST}:{self.server_port}/{self.secret}/"

    def tunnel(self, user: str, machine: str) -> str:
        """What somebody types on a machine of their own, so that the same address leads here from there."""
        return f"ssh -L {self.server_port}:{HOST}:{self.server_port} {shlex.quote(f'{user}@{machine}')}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    timeout = 60  # seconds in which somebody who connected must say something

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with what would stand above a file."""
        self._answer(with_body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The one answer to all that has no other: it tells nothing, not even what was wrong."""
        body = b"not found\n"
        self.close_connection = True
        if getattr(self, "request_version", "") == "HTTP/0.9":
            self.request_version = "HTTP/1.0"  # else there would be no status at all
        self._head(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain", "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""

    def _answer(self, *, with_body: bool) -> None:
        name = self._wanted()
        if name is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        if name == "":  # without the last stroke the page's own links would lead beside the site
            return self._head(HTTPStatus.MOVED_PERMANENTLY, {"Location": f"/{self._served.secret}/"})
        file = _opened(self._served.site, name)
        if file is None:
            return self.send_error(HTTPStatus.NOT_FOUND)
        with file:
            self._send(name, file, with_body=with_body)

    @property
    def _served(self) -> Preview:
        return cast("Preview", self.server)

    def _wanted(self) -> str | None:
        """The name of a file of the site; "" for the site without a stroke behind it; None for whatever else."""
        hosts = self.headers.get_all("Host") or []
        secret, stroke, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        right = secrets.compare_digest(secret.encode("utf-8", "replace"), self._served.secret.encode())
        if not right or len(hosts) != 1 or not _NAMES.fullmatch(hosts[0].strip()):
            return None
        if not stroke:
            return ""
        with contextlib.suppress(ValueError):
            name = unquote(rest, errors="strict") or PAGE
            return name if _is_name(name) else None
        return None

    def _send(self, name: str, file: BinaryIO, *, with_body: bool) -> None:
        about = os.fstat(file.fileno())
        version = {"ETag": f'"{about.st_mtime_ns:x}-{about.st_size:x}-{about.st_ino:x}"'}
        if self.headers.get("If-None-Match") == version["ETag"]:
            return self._head(HTTPStatus.NOT_MODIFIED, version)
        kind = _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        self._head(HTTPStatus.OK, {"Content-Type": kind, "Content-Length": str(about.st_size), **version})
        left = about.st_size if with_body else 0
        while left and (data := file.read(min(left, 1 << 16))):
            self.wfile.write(data)
            left -= len(data)

    def _head(self, status: HTTPStatus, fields: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in {**_HEADERS, **fields}.items():
            self.send_header(name, value)
        self.end_headers()


def _is_name(name: str) -> bool:
    """Whether this may be a file of the site's: they lie in one folder, and none is hidden."""
    return name.isprintable() and "/" not in name and not name.startswith(".")


def _opened(site: Path, name: str) -> BinaryIO | None:
    """A file of the site, if it is one: what a link leads to is not in the site, and a pipe would never end."""
    try:
        descriptor = os.open(site / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    return None


def require(site: Path) -> None:
    """Raise `SiteError` where there is no site to show."""
    if not (site / PAGE).is_file():
        raise SiteError(f"there is no site in {site}", todo="run: librarian run")


def server(site: Path, port: int) -> Preview:
    """A server of the folder `site` on 127.0.0.1, at `port` or any free one when it is 0. The site may come later: so
    the port is sure before anything is drawn. Raises `SiteError`."""
    try:
        return Preview(site, port)
    except OSError as error:
        why = error.strerror or str(error)
        raise SiteError(f"port {port} cannot be served", why, "name another with --port, 0 for any free one") from error


@contextlib.contextmanager
def browser(address: str) -> Iterator[None]:
    """Open the page where there is a screen to open it on.

    Everybody on this machine can read with what arguments a browser is called: it is sent to a file of our own, which
    sends it on.
    """
    screen = {"DISPLAY", "WAYLAND_DISPLAY"} & set(environment())
    if not screen and sys.platform != "darwin":
        yield
        return
    with tempfile.TemporaryDirectory(prefix="librarian-serve-") as folder:
        way = Path(folder) / "open.html"
        way.write_text(f'<!doctype html><meta http-equiv="refresh" content="0;url={escape(address)}">', "utf-8")
        webbrowser.open(way.as_uri())
        yield
