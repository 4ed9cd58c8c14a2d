"""The last look before anything leaves: does a file of the site hold a name that readers must not see?

Texts are read as readers get them: JSON and HTML without their escapes, tables without their compression, of PDF what
is drawn and what stands beside it (`pdf_text`), of PNG the texts beside the picture. Names are found as whole words. A
name that is also a word of the program itself ("now", "total") cannot be told from it in a sentence: of those only
texts are looked at that are nothing else, as names in data are.
"""

from __future__ import annotations

import base64
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
from librarian.privacy import pdf_text
from librarian.privacy.rules import words
from librarian.privacy.vocabulary import VOCABULARY
from librarian.render.json.run_length import decoded
from librarian.shared.files import PIECE

_SCRIPT = re.compile(r"<(script|style)([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_DATA = re.compile(rb"\(globalThis\.librarianReports \?\?= new Map\(\)\)\.set\(\"[^\"]*\", '(.*)'\);\n")
_TAG = re.compile(r"<[^>]*>")
_ATTRIBUTE = re.compile(r"=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
# How programs print what cannot be shown (Python's repr, `cat -v`, colours on a terminal), URLs and HTML escape it.
_ESCAPE = re.compile(
    r"(?:\x1b|\\+(?:x1b|u001b|033|e))\[[0-9;]*[A-Za-z]"
    r"|\\+(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|[abefnrtv0])"
    r"|%([0-9a-fA-F]{2})|&#?\w{1,8};|\^[@-_?]|@"
)
_MARKS = "\\%&^@\x1b"  # what an escape begins with, or words that are two
_PACKED = ".gz"
_PNG_TEXTS = (b"tEXt", b"iTXt", b"zTXt", b"eXIf")


def check(
    files: Iterable[Path], secret: AbstractSet[str], public: Iterable[str] = (), foreign: AbstractSet[str] = frozenset()
) -> None:
    """Raise `PublishError` when one of the `files` of a site holds a name in `secret`.

    `public` are texts that are shown on purpose, such as templates and the names of QoS: a word of them is no leak by
    itself. `foreign` files are somebody else's and the same everywhere, such as plotly.js: their content is not read.
    """
    if not secret:
        return
    plain = VOCABULARY | {word for text in public for word in (*words(text), text)}
    told = secret - plain
    # Names with characters that no word has are looked for as they are.
    odd = tuple(name for name in told if words(name) != {name})
    found = [path.name for path in sorted(files) if _leaks(path, secret, told, odd, foreign)]
    if found:
        why = f"{', '.join(found)} would show a name that [privacy] keeps back"
        raise PublishError("the site was not published", why, "run: librarian render; if it stays so, report it")


def _leaks(
    path: Path, secret: AbstractSet[str], told: AbstractSet[str], odd: tuple[str, ...], foreign: AbstractSet[str]
) -> bool:
    """Whether the name or the content of a file tells one of `told` as a word, or one of `secret` as a whole text."""
    name, data = Path(path.name.removesuffix(_PACKED)), path.read_bytes()
    if words(name.stem) & told or any(part in told for part in name.stem.split("_")):
        return True
    if path.name in foreign:
        return False
    if path.suffix == _PACKED:
        data = _unzipped(path.name, data)
    return any(text in secret or _tells(text, told, odd) for text in set(_texts(name.suffix, data)))


def _tells(text: str, told: AbstractSet[str], odd: tuple[str, ...]) -> bool:
    r"""Whether a text holds a name as a word, also beside or behind an escape: in r"\x1favery" the word is x1favery."""
    if not told.isdisjoint(words(text)) or any(name in text for name in odd):
        return True
    return any(mark in text for mark in _MARKS) and not told.isdisjoint(words(_ESCAPE.sub(_character, text)))


def _character(escape: re.Match[str]) -> str:
    """The character that an escape stands for; a blank where that is none of a word."""
    *in_hex, in_octal, in_url = escape.groups()
    digits = next((part for part in (*in_hex, in_url) if part), None)
    code = int(digits, 16) if digits else int(in_octal, 8) if in_octal else 0
    return chr(code) if 0 < code < 0x110000 else " "


def _unzipped(name: str, data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise PublishError(
            "the site was not published", f"{name} is damaged: {error}", "run: librarian render"
        ) from error


def _texts(suffix: str, data: bytes) -> Iterator[str]:
    """The texts in a file as a reader gets them."""
    if suffix == ".json":
        yield from _json(json.loads(data))
    elif suffix in (".html", ".htm"):
        yield from _html(data.decode("utf-8", "replace"))
    elif suffix == ".csv":
        for row in csv.reader(io.StringIO(data.decode("utf-8", "replace"))):
            yield from row
    elif suffix == ".js" and (match := _DATA.fullmatch(data)):
        yield from _json(_whole(json.loads(re.sub(rb"\\(['\\])", rb"\1", match[1]))))
    elif suffix == ".js" and (match := PIECE.fullmatch(data)):
        yield from _json(json.loads(gzip.decompress(base64.b64decode(match[1]))))
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
    yield from _COMMENT.findall(rest)
    rest = _COMMENT.sub(" ", rest)
    for tag in _TAG.findall(rest):
        yield from (html.unescape("".join(value)) for value in _ATTRIBUTE.findall(tag))
    for part in _TAG.sub("\0", rest).split("\0"):
        if part.strip():
            yield html.unescape(part).strip()


def _whole(value: object) -> object:
    """The data of a page as it reads them: a number in such a row may well be what somebody is called."""
    try:
        return decoded(value)
    except ValueError:
        return value


def _pdf(data: bytes) -> Iterator[str]:
    return pdf_text.texts(data)


def _png(data: bytes) -> Iterator[str]:
    place = 8
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind in _PNG_TEXTS:
            yield _chunk(kind, data[place + 8 : place + 8 + length]).replace(b"\0", b" ").decode("utf-8", "replace")
        place += length + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    """The text of a chunk: zTXt and, where its flag says so, iTXt are compressed behind the keyword."""
    keyword, _, rest = content.partition(b"\0")
    if kind == b"zTXt":
        return keyword + b" " + _inflated(rest[1:])
    if kind == b"iTXt" and rest[:1] == b"\1":
        language, _, more = rest[2:].partition(b"\0")
        translated, _, packed = more.partition(b"\0")
        return b" ".join((keyword, language, translated, _inflated(packed)))
    return content


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return packed
