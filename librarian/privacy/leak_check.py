"""The last look before anything leaves: does a file of the site hold a name that readers must not see?

Texts are read as readers get them: JSON and HTML without their escapes, PDF and tables without their compression, of
PNG the texts beside the picture. Names are found as whole words. A name that is also a word of the program itself
("now", "total") cannot be told from it in a sentence: of those only texts are looked at that are nothing else, as names
in data are.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from librarian.errors import PublishError
from librarian.privacy.rules import words
from librarian.privacy.vocabulary import VOCABULARY
from librarian.render.json.packed import unpacked

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\[(.*?)\]\s*TJ|(\((?:\\.|[^\\)])*\))\s*Tj", re.DOTALL)
_STRING = re.compile(rb"\(((?:\\.|[^\\)])*)\)")
_SCRIPT = re.compile(r"<(script|style)([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_ATTRIBUTE = re.compile(r"=\"([^\"]*)\"")
_PACKED = ".gz"
_PNG_TEXTS = (b"tEXt", b"iTXt", b"zTXt", b"eXIf")


def check(
    site: Path, secret: AbstractSet[str], public: Iterable[str] = (), foreign: AbstractSet[str] = frozenset()
) -> None:
    """Raise `PublishError` when a file of `site` holds a name in `secret`.

    `public` are texts that are shown on purpose, such as templates and the names of QoS: a word of them is no leak by
    itself. `foreign` files are somebody else's and the same everywhere, such as plotly.js: their content is not read.
    """
    if not secret:
        return
    plain = VOCABULARY | {word for text in public for word in (*words(text), text)}
    told = secret - plain
    files = [path for path in sorted(site.iterdir()) if path.is_file()]
    found = [path.name for path in files if _leaks(path, secret, told, foreign)]
    if found:
        why = f"{', '.join(found)} would show a name that [privacy] keeps back"
        raise PublishError("the site was not published", why, "run: librarian render; if it stays so, report it")


def _leaks(path: Path, secret: AbstractSet[str], told: AbstractSet[str], foreign: AbstractSet[str]) -> bool:
    """Whether the name or the content of a file tells one of `told` as a word, or one of `secret` as a whole text."""
    name, data = Path(path.name.removesuffix(_PACKED)), path.read_bytes()
    if words(name.stem) & told or any(part in told for part in name.stem.split("_")):
        return True
    if path.name in foreign:
        return False
    if path.suffix == _PACKED:
        data = _unzipped(path.name, data)
    return any(text in secret or words(text) & told or _odd(text, told) for text in _texts(name.suffix, data))


def _unzipped(name: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise PublishError(
            "the site was not published", f"{name} is damaged: {error}", "run: librarian render"
        ) from error


def _odd(text: str, told: AbstractSet[str]) -> bool:
    """Names with characters that no word has are looked for as they are."""
    return any(name in text for name in told if words(name) != {name})


def _texts(suffix: str, data: bytes) -> Iterator[str]:
    """The texts in a file as a reader gets them."""
    if suffix == ".json":
        yield from _json(json.loads(data))
    elif suffix in (".html", ".htm"):
        yield from _html(data.decode("utf-8", "replace"))
    elif suffix == ".csv":
        for row in csv.reader(io.StringIO(data.decode("utf-8", "replace"))):
            yield from row
    elif suffix == ".pdf":
        yield from _pdf(data)
    elif suffix == ".png":
        yield from _png(data)
    else:
        yield data.decode("utf-8", "replace")


def _json(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, (str, list, dict)):
                yield from _json(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _json(item)


def _html(text: str) -> Iterator[str]:
    """Texts, attributes, and the data in scripts; not the scripts and styles, which are the same everywhere."""
    for match in _SCRIPT.finditer(text):
        inside = match[3].strip()
        if inside.startswith(("{", "[")):
            value = json.loads(inside)
            yield from _json(_whole(value) if " data-slug=" in match[2] else value)
    rest = _SCRIPT.sub(" ", text)
    for tag in _TAG.findall(rest):
        yield from (html.unescape(value) for value in _ATTRIBUTE.findall(tag))
    for part in _TAG.sub("\0", rest).split("\0"):
        if part.strip():
            yield html.unescape(part).strip()


def _whole(value: object) -> object:
    """The data of a page as it reads them: a number in a packed row may well be what somebody is called."""
    try:
        return unpacked(value)
    except ValueError:
        return value


def _pdf(data: bytes) -> Iterator[str]:
    for match in _STREAM.finditer(data):
        try:
            # what is left of it where its last byte looks like the end of a line
            content = zlib.decompressobj().decompress(match[1])
        except zlib.error:
            content = match[1]
        for shown in _SHOWN.finditer(content):
            pieces = _STRING.findall(shown[0])
            yield b"".join(pieces).replace(b"\\(", b"(").replace(b"\\)", b")").decode("latin-1")
    yield _STREAM.sub(b" ", data).decode("latin-1")


def _png(data: bytes) -> Iterator[str]:
    place = 8
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind in _PNG_TEXTS:
            content = data[place + 8 : place + 8 + length]
            if kind == b"zTXt":
                content = zlib.decompress(content.split(b"\0", 1)[1][1:])
            yield content.replace(b"\0", b" ").decode("utf-8", "replace")
        place += length + 12
