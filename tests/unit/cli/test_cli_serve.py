"""`librarian serve` and `librarian demo` as a person on a login node meets them."""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian.cli import main
from librarian.demo import site as demo_site
from librarian.errors import LibrarianError
from librarian.site.preview import Preview


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration; temporary files go into `tmp` there, and nobody waits for Ctrl-C."""

    def interrupted(server: Preview) -> None:
        assert (server.site / "index.html").is_file()
        raise KeyboardInterrupt

    (tmp_path / "tmp").mkdir()
    (tmp_path / "librarian.toml").write_text(
        '[cluster]\nname = "demo"\ntimezone = "UTC"\n[paths]\nstate = "state"\nsite = "site"\n[[qos]]\nname = "avery"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "LIBRARIAN_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Preview, "serve_forever", interrupted)
    return tmp_path


def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """From now on the demo's site is a page of one word; the folders into which it is written."""
    folders: list[Path] = []

    def write(site: Path, *_: object) -> list[LibrarianError]:
        folders.append(site)
        site.mkdir(parents=True)
        (site / "index.html").write_text("hello")
        return []

    monkeypatch.setattr(demo_site, "write", write)
    return folders


def test_a_port_that_is_taken_is_told_before_anything_is_drawn(
    place: Path, taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = drawn(monkeypatch)
    assert main(["demo", "--port", str(taken)]) == 5
    assert folders == []
    assert list((place / "tmp").iterdir()) == []
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"librarian: port {taken} cannot be served: ")
    assert told.err.count("\n") == 1


def test_a_demo_that_was_looked_at_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = drawn(monkeypatch)
    assert main(["demo", "--port", "0"]) == 130
    assert len(folders) == 1
    assert list((place / "tmp").iterdir()) == []


def test_a_demo_that_is_to_be_kept_is(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = drawn(monkeypatch)
    assert main(["demo", "--once"]) == 0
    assert main(["demo", "--port", "0", "--output", "here"]) == 130
    assert folders[1] == place / "here"
    assert [(folder / "index.html").read_text() for folder in folders] == ["hello", "hello"]
    assert f"the demo's page is {folders[0]}/index.html\n" in capsys.readouterr().out


def test_serve_prints_the_address_and_the_way_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "site").mkdir()
    (place / "site" / "index.html").write_text("hello")
    assert main(["serve", "--port", "0"]) == 130
    told = capsys.readouterr().out
    found = re.search(r"^ +http://127\.0\.0\.1:(\d+)/[\w-]{22}/$", told, re.MULTILINE)
    assert found
    assert re.search(rf"^ +ssh -L {found[1]}:127\.0\.0\.1:{found[1]} \S+@\S+$", told, re.MULTILINE)


def test_serve_without_a_site_says_what_to_do(place: Path, taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", str(taken)]) == 5
    assert "run: librarian run" in capsys.readouterr().err
