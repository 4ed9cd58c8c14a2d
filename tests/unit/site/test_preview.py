"""The preview: the site's files on the loopback address, and nothing else."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from librarian.errors import SiteError
from librarian.site import preview


def test_it_serves_the_site_on_loopback_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<h1>hello</h1>")
    (tmp_path / "secret").write_text("x")
    with preview.server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
                assert answer.read() == b"<h1>hello</h1>"
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"{address}/../secret", timeout=10)
            caught.value.close()
            assert server.server_address[0] == "127.0.0.1"
            with pytest.raises(SiteError, match="name another with --port"):
                preview.server(site, server.server_port)
        finally:
            server.shutdown()
            thread.join()


def test_without_a_site_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="run: librarian run"):
        preview.server(tmp_path, 0)
