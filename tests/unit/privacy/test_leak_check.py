"""A name is found in whatever dress: escaped, compressed, drawn as glyphs."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from librarian.errors import PublishError
from librarian.privacy import leak_check

NAME = "sofia"  # "fi" may be drawn as one glyph
AFTER = b"\0" * 4


def site_of(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder


def assert_found(folder: Path, name: str, data: bytes, secret: str = NAME) -> None:
    site = site_of(folder / "site", name, data)
    with pytest.raises(PublishError, match=name):
        leak_check.check(site.iterdir(), frozenset({secret}))
    leak_check.check(site.iterdir(), frozenset({"ofia", "sof", "mferrari"}))


@pytest.mark.parametrize(
    "text",
    [
        r"the row '4242\x1fsofia\x1fx'",
        r"a\\u001fsofia",
        r"a\037sofia",
        r"\x73ofia",
        "\x1b[31msofia\x1b[0m",
        r"\x1b[31msofia",
        "a^_sofia^_b",
        "ssh: sofia@node7",
        "%2Fhome%2Fsofia%2Fjobs",
        "<!-- made for sofia -->",
        "<p title='of sofia'>",
        "<p id=sofia>",
        "&amp;lt;sofia&amp;gt;",
    ],
)
def test_escapes_hide_no_name(tmp_path: Path, text: str) -> None:
    assert_found(tmp_path, "index.html", f"<p>a</p>{text}".encode())


def drawn(text: str, **settings: object) -> bytes:
    """A PDF with a text."""
    with rc_context(settings):
        figure = Figure(figsize=(3, 2))
        figure.text(0.1, 0.5, text)
        out = io.BytesIO()
        figure.savefig(out, format="pdf")
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [3, 42])
@pytest.mark.parametrize("compressed", [0, 6])
@pytest.mark.parametrize("name", [NAME, "\u0142ukasz", "j\u00fcrgen", "a_b.c-d"])
def test_a_name_that_is_drawn_is_found(tmp_path: Path, kind: int, compressed: int, name: str) -> None:
    settings = {"pdf.fonttype": kind, "pdf.compression": compressed}
    pdf = drawn(f"\u03a9 held (by {name}) ET 12", **settings)
    assert_found(tmp_path, "x.pdf", pdf, name)


def test_a_name_beside_a_picture_is_found(tmp_path: Path) -> None:
    packed = zlib.compress(b"made by sofia")
    chunks = {
        b"tEXt": b"Author\0sofia",
        b"zTXt": b"Author\0\0" + packed,
        b"iTXt": b"Author\0\1\0en\0who\0" + packed,
        b"eXIf": b"MM\0*sofia\0",
    }
    for kind, content in chunks.items():
        png = b"\x89PNG\r\n\x1a\n" + len(content).to_bytes(4, "big") + kind + content + AFTER
        assert_found(tmp_path, "x.png", png)
    title = b"1 0 obj\n<< /Title (\xfe\xff" + NAME.encode("utf-16-be") + b") /Author (s\\157fia) >>\nendobj\n"
    assert_found(tmp_path, "x.pdf", title)
