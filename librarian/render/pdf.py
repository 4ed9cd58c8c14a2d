"""A PDF as matplotlib writes it, written again with fewer bytes: the same page to a reader, and the same text.

All that is no stream goes into one compressed stream (ISO 32000-1, 7.5.7 and 7.5.8; every viewer since 2003 reads it),
what is drawn is told more briefly (`strokes`), and so are its letters (`letters`).
"""

from __future__ import annotations

import re
import zlib
from itertools import pairwise
from typing import Any

from librarian.render import letters, strokes

# what matplotlib is to do so that there is nothing to undo here
STYLE: dict[Any, Any] = {"pdf.compression": 0}

_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_TABLE = re.compile(rb"xref\n0 \d+\n((?:\d{10} \d{5} [nf] ?\r?\n)+)trailer\n<<(.*?)>>\s*startxref", re.DOTALL)
_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*)\nendobj\s*$", re.DOTALL)
_STREAM = re.compile(rb"<<(.*?)>>\nstream\n(.*)\nendstream$", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)( 0 R)?\s*")
_CONTENTS = re.compile(rb"/Contents (\d+) 0 R")
# of a font whose letters are drawn one by one (Type 3)
_DRAWN = re.compile(rb"/Subtype\s+/Type3")
_LETTERS = re.compile(rb"/CharProcs\s+(\d+)\s+0\s+R")
_DESCRIPTOR = re.compile(rb"/FontDescriptor\s+(\d+)\s+0\s+R")
_NAMED_SO = re.compile(rb"/Name\s+/([A-Za-z0-9+-]+)")
_BOX = re.compile(rb"/FontBBox\s+\[([^\]]*)\]")
_THOUSANDTHS = re.compile(rb"/FontMatrix\s+\[\s*0?\.001\s+0\s+0\s+0?\.001\s+0\s+0\s*\]")
_NAMED = re.compile(rb"/([^\s/]+)\s+(\d+)\s+0\s+R")
_DIFFERENCES = re.compile(rb"/Differences\s*\[[^\]]*\]")
_NAME = re.compile(rb"/([^\s/\]]+)")
_LEVEL = 8  # of compression; 9 takes longer for half a hundredth fewer bytes
_HEAD = b"%PDF-1.5\n%\xac\xdc \xab\xba\n"


def shrink(data: bytes) -> bytes:
    """`data`, or what it says in fewer bytes. Its streams must not be compressed (`STYLE`).

    Raises `ValueError` where it is not laid out as matplotlib does.
    """
    bodies, trailer = _objects(data)
    # what is looked for stands in objects that are no streams; these may hold any text
    for number, body in [item for item in bodies.items() if not _is_stream(item[1]) and _DRAWN.search(item[1])]:
        bodies.update(_font(number, body, bodies))
    others = {number: body for number, body in bodies.items() if body and not _is_stream(body)}
    pages = {int(found[1]) for body in others.values() for found in _CONTENTS.finditer(body)}
    streams = {}
    for number, body in bodies.items():
        found = _STREAM.match(body)
        if found is not None:
            length = _LENGTH.search(found[1])
            others.pop(int(length[1]) if length and length[2] else -1, None)
            content = strokes.shorter(found[2]) if number in pages else found[2]
            streams[number] = _stream(_LENGTH.sub(b"", found[1]), content)
    return _written(streams, others, trailer)


def _is_stream(body: bytes) -> bool:
    return body.endswith(b"\nendstream")


def _objects(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """The objects by number, and what the trailer says; found by the table of offsets, as a viewer does."""
    start = _START.search(data[-60:])
    table = _TABLE.match(data, int(start[1])) if start else None
    if start is None or table is None:
        raise ValueError("a PDF without a table of objects")
    rows = [line.split() for line in table[1].splitlines()]
    edges = [*sorted(int(row[0]) for row in rows if row[2] == b"n"), int(start[1])]
    found = [_OBJECT.match(data[begin:end]) for begin, end in pairwise(edges)]
    if not all(found):
        raise ValueError("a PDF with an object that is none")
    return {int(one[1]): one[2] for one in found if one}, table[2]


def _font(number: int, body: bytes, bodies: dict[int, bytes]) -> dict[int, bytes]:
    """What a font's objects become when its letters are one program; those that go are empty, none where it cannot be.

    Letters get names that no standard one has; which text they stand for is told apart from that (/ToUnicode).
    """
    drawn, about, box, named = (pattern.search(body) for pattern in (_LETTERS, _DESCRIPTOR, _BOX, _NAMED_SO))
    if not (drawn and about and box and named and b"/ToUnicode" in body and _THOUSANDTHS.search(body)):
        return {}
    letter_of, descriptor = int(drawn[1]), int(about[1])
    if not {letter_of, descriptor} <= bodies.keys():
        return {}
    places = {found[1]: int(found[2]) for found in _NAMED.finditer(bodies[letter_of])}
    new = {name: b"g%d" % place for place, name in enumerate(places)}
    try:
        outlines = {new[name]: _STREAM.match(bodies[place])[2] for name, place in places.items()}  # type: ignore[index]
        program = letters.program(named[1], outlines, [int(edge) for edge in box[1].split()])
    except (KeyError, OverflowError, TypeError, ValueError):
        return {}
    names = _DIFFERENCES.sub(lambda found: _NAME.sub(lambda name: b"/" + new.get(name[1], name[1]), found[0]), body)
    for gone in (_LETTERS, _BOX, _NAMED_SO, _THOUSANDTHS):
        names = gone.sub(b"", names)
    return {
        **dict.fromkeys(places.values(), b""),
        number: _DRAWN.sub(b"/Subtype /Type1", names),
        letter_of: b"<< /Subtype /Type1C >>\nstream\n" + program + b"\nendstream",
        descriptor: bodies[descriptor].replace(b"<<", b"<< /FontFile3 %s 0 R" % drawn[1], 1),
    }


def _stream(entries: bytes, content: bytes) -> bytes:
    packed = zlib.compress(content, _LEVEL)
    return b"<<%s/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (entries, len(packed), packed)


def _written(streams: dict[int, bytes], others: dict[int, bytes], trailer: bytes) -> bytes:
    """The file: its streams, one stream of all else, and the table, which is a stream too."""
    pack = max([*streams, *others, 0]) + 1
    bodies = [others[number] for number in sorted(others)]
    places = [sum(len(body) + 1 for body in bodies[:place]) for place in range(len(bodies))]
    index = b" ".join(b"%d %d" % pair for pair in zip(sorted(others), places, strict=True)) + b"\n"
    entries = b"/Type/ObjStm/N %d/First %d" % (len(bodies), len(index))
    out, offsets = bytearray(_HEAD), {}
    for number, body in [*sorted(streams.items()), (pack, _stream(entries, index + b"\n".join(bodies)))]:
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    offsets[pack + 1] = len(out)
    order = {number: place for place, number in enumerate(sorted(others))}
    table = b"".join(_row(number, offsets, order, pack) for number in range(pack + 2))
    size = re.sub(rb"/Size \d+\s*", b"", trailer).strip()
    body = _stream(b"/Type/XRef/Size %d/W[1 4 2]%s" % (pack + 2, size), table)
    out += b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (pack + 1, body, offsets[pack + 1])
    return bytes(out)


def _row(number: int, offsets: dict[int, int], order: dict[int, int], pack: int) -> bytes:
    """Where an object is: at an offset, or at a place in the pack; what is left out is free."""
    kind, where, more = (1, offsets[number], 0) if number in offsets else (0, 0, 65535)
    if number in order:
        kind, where, more = 2, pack, order[number]
    return bytes([kind]) + where.to_bytes(4, "big") + more.to_bytes(2, "big")
