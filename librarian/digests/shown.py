"""A digest as plain text and as HTML for mail: both fit a phone. Pure."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from librarian.digests.document import Document, Part
from librarian.errors import one_line
from librarian.mail.message import PICTURE, Letter
from librarian.render.html.templates import filled
from librarian.shared.text import visible

WIDTH = 72


def text(document: Document) -> str:
    """Lines of at most `WIDTH` characters, but for what has no blank in it."""
    lines = [_clean(document.title), "=" * min(len(document.title), WIDTH), ""]
    for part in document.parts:
        lines += [*_part(part), ""]
    lines += ["-- "]
    for sentence in document.foot:
        lines += _wrapped(sentence)
    return "\n".join(lines) + "\n"


def _clean(words: str) -> str:
    return one_line(visible(words), 600)


def _part(part: Part) -> Iterator[str]:
    yield _clean(part.title)
    yield "-" * min(len(_clean(part.title)), WIDTH)
    yield from _table([part.head, *part.rows] if part.rows else [])
    for sentence in part.sentences:
        yield from _wrapped(sentence)
    for item in part.items:
        yield from _wrapped(item.words, "* ", "  ")
        if item.advice:
            yield from _wrapped(item.advice, "  > ", "    ")


def _wrapped(words: str, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        _clean(words), WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    cells = [[_clean(cell)[:32] for cell in row] for row in rows]
    if not cells:
        return
    columns = max(map(len, cells))
    cells = [row + [""] * (columns - len(row)) for row in cells]
    wide = [max(len(row[place]) for row in cells) for place in range(columns)]
    for row in cells:
        rest = "  ".join(row[place].rjust(wide[place]) for place in range(1, columns))
        yield f"{row[0].ljust(wide[0])}  {rest}".rstrip()


def html(document: Document, templates: Mapping[str, str], *, inside: bool) -> str:
    """A page for a mail program, its picture beside it (`inside` a mail) or in it (as a file)."""
    picture = ""
    if document.picture:
        data = base64.b64encode(document.picture).decode()
        picture = f"cid:{PICTURE}" if inside else f"data:image/png;base64,{data}"
    return filled(templates, "digest.html.j2", document=document, picture=picture)


def letter(document: Document, templates: Mapping[str, str], unsubscribe: str, key: str) -> Letter:
    """The mail of a digest."""
    body = html(document, templates, inside=True)
    return Letter(_clean(document.subject), text(document), body, document.picture, unsubscribe, key)
