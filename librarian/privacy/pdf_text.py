"""What is written in a PDF, as its readers get it: text that is drawn, and whatever stands beside it.

Text is drawn as codes of glyphs in pieces: with another font in between, and "fi" as one glyph. A font's ToUnicode says
which characters its codes stand for.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_FONT = re.compile(rb"/(F\w*)\s+(\d+) 0 R")
_TO_UNICODE = re.compile(rb"/ToUnicode\s+(\d+) 0 R")
_MAPPED = re.compile(rb"<([0-9a-fA-F]+)>\s*(?:<([0-9a-fA-F]+)>\s*)?(\[[^\]]*\]|<[0-9a-fA-F]+>)[ \t]*[\r\n]")
_HEX = re.compile(rb"<([0-9a-fA-F]+)>")
_BLOCK = re.compile(rb"\bBT\b((?:\((?:\\.|[^\\)])*\)|[^()])*?)\bET\b", re.DOTALL)
_PIECE = re.compile(rb"/(\w+)\s+[-\d.]+\s+Tf|\(((?:\\.|[^\\)])*)\)|<([0-9a-fA-F]+)>", re.DOTALL)
_SHOWN = re.compile(rb"\[(.*?)\]\s*TJ|(\((?:\\.|[^\\)])*\))\s*Tj", re.DOTALL)
_STRING = re.compile(rb"\(((?:\\.|[^\\)])*)\)", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_SIGNS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
Codes = Mapping[bytes, str]


def texts(data: bytes) -> Iterator[str]:
    """Each text of a PDF."""
    fonts = _fonts(data)
    for match in _STREAM.finditer(data):
        content = _inflated(match[1])
        blocks = _BLOCK.findall(content)
        yield from (_drawn(block, fonts) for block in blocks)
        for shown in _SHOWN.finditer(content) if not blocks else ():
            yield b"".join(_plain(piece) for piece in _STRING.findall(shown[0])).decode("latin-1")
    rest = _STREAM.sub(b" ", data)
    yield rest.decode("latin-1")
    for piece in map(_plain, _STRING.findall(rest)):
        yield piece[2:].decode("utf-16-be", "replace") if piece.startswith(b"\xfe\xff") else piece.decode("latin-1")


def _inflated(content: bytes) -> bytes:
    try:
        # what is left of it where its last byte looks like the end of a line
        return zlib.decompressobj().decompress(content)
    except zlib.error:
        return content


def _fonts(data: bytes) -> dict[bytes, Codes]:
    """What the codes of each font stand for, by the font's name in drawings."""
    objects = {match[1]: match[2] for match in _OBJECT.finditer(data)}
    found: dict[bytes, Codes] = {}
    for name, number in _FONT.findall(_STREAM.sub(b" ", data)):
        told = _TO_UNICODE.search(_STREAM.sub(b" ", objects.get(number, b"")))
        table = _STREAM.search(objects.get(told[1], b"")) if told else None
        if table:
            found[name] = _codes(_inflated(table[1]))
    return found


def _codes(table: bytes) -> Codes:
    """`<00> <01> [<00660069> <0142>]`, `<20> <22> <0020>` and `<20> <0020>`: from code to characters."""
    found: dict[bytes, str] = {}
    for first, last, told in _MAPPED.findall(table):
        width, begin = len(first) // 2, int(first, 16)
        end = min(int(last or first, 16), begin + 0xFFFF)
        characters = [bytes.fromhex(code.decode()).decode("utf-16-be", "replace") for code in _HEX.findall(told)]
        for place, code in enumerate(range(begin, end + 1)):
            if place < len(characters):
                found[code.to_bytes(width, "big")] = characters[place]
            elif not told.startswith(b"[") and len(characters[0]) == 1:
                found[code.to_bytes(width, "big")] = chr(min(ord(characters[0]) + place, 0x10FFFF))
    return found


def _drawn(block: bytes, fonts: Mapping[bytes, Codes]) -> str:
    """The text of a block, in whichever fonts."""
    text, codes = "", dict[bytes, str]()
    for font, string, digits in _PIECE.findall(block):
        if font:
            codes = dict(fonts.get(font, {}))
            continue
        piece = bytes.fromhex(digits.decode() + "0" * (len(digits) % 2)) if digits else _plain(string)
        width = len(next(iter(codes), b"\0"))
        parts = (piece[place : place + width] for place in range(0, len(piece), width))
        text += "".join(codes.get(part, part.decode("latin-1")) for part in parts)
    return text


def _plain(string: bytes) -> bytes:
    """A string without its escapes."""

    def sign(match: re.Match[bytes]) -> bytes:
        if match[1].isdigit():
            return bytes([int(match[1], 8) % 256]) if match[1][:1] < b"8" else match[1]
        return b"" if match[1].endswith(b"\n") else _SIGNS.get(match[1], match[1])

    return _ESCAPED.sub(sign, string)
