"""A Chromium to look at the page with, and a web server of one folder. A test file imports the fixtures that it uses.

Every visit is watched: what the console says, errors of scripts, dialogs, and each request. A page that had anything to
complain of fails its test, unless the test expects it.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.sites import NOW
from tests.patience import stretched

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60  # seconds


@dataclass
class Visit:
    """A page that was opened, and what it complained of. `expected` holds patterns of complaints that are meant."""

    page: Any
    folder: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def check(self) -> None:
        """Nothing but what was expected, and no request for anything outside the site's folder."""
        unexpected = [text for text in self.complaints if not any(re.search(known, text) for known in self.expected)]
        assert not unexpected, unexpected
        away = [url for url in self.requests if not url.startswith((self.folder, "data:", "about:"))]
        assert not away, away


def chromium_path() -> str | None:
    """Debian's Chromium, else None for the one that Playwright brings."""
    return CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; the test is skipped where it or Playwright is missing."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        pytest.skip("playwright is missing: pip install playwright")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        except Error as error:
            if "Executable doesn't exist" not in str(error):
                raise
            pytest.skip("chromium is missing: apt-get install chromium, or: playwright install chromium")
        yield chromium
        chromium.close()


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a web server on the loopback shows `folder`, also while that is swapped for a newer one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder and the address under which a web server on the loopback shows it."""
    root = tmp_path_factory.mktemp("web")
    with served(root) as address:
        yield root, address


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """`visit(address, now=…, before=…, **options of the browser's context)` opens a page and watches it.

    The page's clock begins at `now` (UTC epoch), a minute after the made-up reports were written unless told; with None
    it is the machine's. `before(page)` is called before the page is opened; without it the data of the QoS that is open
    are there, or known not to come, when the page is handed over.
    """
    visits: list[Visit] = []
    with ExitStack() as contexts:

        def open_page(
            address: str, *, now: int | None = NOW + 60, before: Callable[[Any], object] | None = None, **options: Any
        ) -> Visit:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
            contexts.callback(context.close)
            context.set_default_timeout(1000 * stretched(PATIENCE))
            page = context.new_page()
            if now is not None:
                page.clock.install(time=datetime.fromtimestamp(now, timezone.utc))
            visits.append(Visit(page, folder_of(address)))
            if before is not None:
                before(page)
            page.goto(address)
            if before is None:
                page.locator(".open[aria-busy=true]").wait_for(state="detached")
            return visits[-1]

        yield open_page
        for one in visits:
            one.check()


def folder_of(address: str) -> str:
    """The address of the folder in which a page lies, with the slash at its end."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}/"
