"""The preview: the site's files on the loopback address, for who knows the whole of it, and nothing else."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian.errors import SiteError
from librarian.site import preview
from librarian.site.preview import Preview

NOT_FOUND = b"\r\n\r\nnot found\n"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Preview]:
    """A server of a site beside which there is a secret."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<h1>hello</h1>")
    (site / "usage_avery.csv.gz").write_bytes(b"\x1f\x8b")
    (site / ".htaccess").write_text("x")
    (site / "more").mkdir()
    (tmp_path / "secret").write_text("secret of somebody")
    (site / "link.json").symlink_to(tmp_path / "secret")
    os.mkfifo(site / "pipe.json")
    with preview.server(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def said(server: Preview, request: bytes) -> bytes:
    """All that the server says to these bytes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        answer = b""
        while data := wire.recv(1 << 16):
            answer += data
    return answer


def asked(server: Preview, path: str, *, host: str = "localhost", how: str = "GET", more: str = "") -> bytes:
    return said(server, f"{how} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode("latin-1"))


def test_who_knows_the_address_sees_the_site(served: Preview) -> None:
    assert served.server_address[0] == "127.0.0.1"
    assert served.address == f"http://127.0.0.1:{served.server_port}/{served.secret}/"
    assert len(served.secret) >= 22
    for path in ("", "index.html", "?a=1"):
        answer = asked(served, f"/{served.secret}/{path}")
        assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"Content-Type: text/html; charset=utf-8\r\n" in answer
        assert answer.endswith(b"\r\n\r\n<h1>hello</h1>")
    head = asked(served, f"/{served.secret}/index.html", how="HEAD")
    assert b"Content-Length: 14\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Type: application/gzip\r\n" in asked(served, f"/{served.secret}/usage_avery.csv.gz")


def test_the_folder_without_its_stroke_leads_to_the_page(served: Preview) -> None:
    answer = asked(served, f"/{served.secret}")
    assert answer.startswith(b"HTTP/1.0 301 ")
    assert f"Location: /{served.secret}/\r\n".encode() in answer


def test_every_server_has_an_address_of_its_own(served: Preview) -> None:
    with preview.server(served.site, 0) as other:
        assert other.secret != served.secret


def test_what_did_not_change_is_not_sent_again(served: Preview) -> None:
    path = f"/{served.secret}/index.html"
    first = asked(served, path)
    version = next(line for line in first.decode().splitlines() if line.startswith("ETag: ")).removeprefix("ETag: ")
    assert asked(served, path, more=f"If-None-Match: {version}\r\n").startswith(b"HTTP/1.0 304 ")
    (served.site / "new").write_text("<h1>newer</h1>")
    (served.site / "new").replace(served.site / "index.html")
    assert asked(served, path, more=f"If-None-Match: {version}\r\n").endswith(b"<h1>newer</h1>")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "//",
        "/index.html?{secret}",
        "/{secret}x/",
        "/{short}/",
        "/{SECRET}/",
        "/%20{secret}/",
        "http://localhost/{secret}/",
        "{secret}/../",
        "/{secret}/../secret",
        "/{secret}/%2e%2e/secret",
        "/{secret}/..%2fsecret",
        "/{secret}/index.html/",
        "/{secret}//index.html",
        "/{secret}/more",
        "/{secret}/more/",
        "/{secret}/.",
        "/{secret}/.htaccess",
        "/{secret}/link.json",
        "/{secret}/pipe.json",
        "/{secret}/nothing.json",
        "/{secret}/%00",
        "/{secret}/index.html%00",
        "/{secret}/%ff%fe",
        "/{secret}/\xff",
        "/{secret}/%0d%0aX:%20y",
        "/{secret}/" + "x" * 5000,
        "/" + "x" * 70000,
    ],
)
def test_whatever_else_is_asked_for_gets_one_answer(
    served: Preview, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = served.secret
    odd = path.replace("{secret}", secret).replace("{short}", secret[:-1]).replace("{SECRET}", secret.swapcase())
    answer = asked(served, odd)
    assert answer.startswith(b"HTTP/1.0 404 Not Found\r\n")
    assert answer.endswith(NOT_FOUND)
    assert answer == asked(served, "/")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", b"200"),
        ("LocalHost:9000", b"200"),
        ("127.0.0.1:8000", b"200"),
        ("[::1]", b"200"),
        ("[::1]:80", b"200"),
        ("rebound.example.org", b"404"),
        ("rebound.example.org:8000", b"404"),
        ("localhost.example.org", b"404"),
        ("127.0.0.1.example.org", b"404"),
        ("alice@localhost", b"404"),
        ("localhost:", b"404"),
        ("localhost:x", b"404"),
        ("", b"404"),
        ("localhost\r\nHost: rebound.example.org", b"404"),
    ],
)
def test_only_names_of_this_machine_lead_to_the_site(served: Preview, host: str, status: bytes) -> None:
    assert asked(served, f"/{served.secret}/", host=host).split()[1] == status


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /{secret}/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /{secret}/ HTTP/1.1\r\n\r\n",
        b"GET /{secret}/ HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /{secret}/\r\n\r\n",
        b"GET /{secret}/ HTTP/1.1 x\r\nHost: localhost\r\n\r\n",
        b"GET /{secret}/ HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /{secret}/ HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
        b"\x16\x03\x01\x00\xff\xfe\r\n\r\n",
        b"GET\r\n\r\n",
    ],
)
def test_requests_that_are_none_get_the_same_answer(
    served: Preview, request_: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = said(served, request_.replace(b"{secret}", served.secret.encode()))
    assert answer.startswith(b"HTTP/1.0 404 Not Found\r\n")
    assert answer.endswith(NOT_FOUND)
    assert capfd.readouterr() == ("", "")


def test_a_reader_who_leaves_is_no_traceback(served: Preview, capfd: pytest.CaptureFixture[str]) -> None:
    (served.site / "big.json").write_bytes(bytes(30_000_000))
    request = f"GET /{served.secret}/big.json HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    wire = socket.create_connection(("127.0.0.1", served.server_port), timeout=20)
    wire.sendall(request)
    wire.recv(100)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
    wire.close()
    deadline = time.monotonic() + 20
    while threading.active_count() > 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asked(served, "/").endswith(NOT_FOUND)
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_told_in_one_line(served: Preview, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="name another with --port") as caught:
        preview.server(tmp_path, served.server_port)
    assert str(caught.value).startswith(f"port {served.server_port} cannot be served: ")


def test_it_says_how_to_come_here_from_elsewhere(served: Preview) -> None:
    port = served.server_port
    assert served.tunnel("alice", "login1.example.org") == f"ssh -L {port}:127.0.0.1:{port} alice@login1.example.org"


def test_without_a_site_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="run: librarian run"):
        preview.require(tmp_path)


def test_a_browser_is_not_called_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the machine can read what a program is called with."""
    called: list[str] = []

    def look(address: str) -> bool:
        called.append(address)
        path = Path(address.removeprefix("file://"))
        assert "http://127.0.0.1:8000/x-y/" in path.read_text()
        assert path.parent.stat().st_mode & 0o077 == 0
        return True

    monkeypatch.setattr(preview, "environment", lambda: {"DISPLAY": ":0"})
    monkeypatch.setattr(preview.webbrowser, "open", look)
    with preview.browser("http://127.0.0.1:8000/x-y/"):
        assert len(called) == 1
        assert "x-y" not in called[0]
    assert not Path(called[0].removeprefix("file://")).parent.exists()


def test_without_a_screen_no_browser_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "environment", dict)
    monkeypatch.setattr(preview.sys, "platform", "linux")
    monkeypatch.setattr(preview.webbrowser, "open", lambda _: pytest.fail("called"))
    with preview.browser("http://127.0.0.1:8000/x/"):
        pass
