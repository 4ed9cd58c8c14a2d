"""The letters of a PDF as a font program: where each is drawn in a stream of its own, they take twice the bytes.

The program is a Compact Font Format (Adobe Technical Notes 5176 and 5177) of the outlines that are there, no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

_ARGUMENTS = {b"d1": 6, b"m": 2, b"l": 2, b"c": 6, b"h": 0, b"f": 0}
_MOVE, _END = 21, 14  # operators of a letter
_OPERATORS = {b"m": _MOVE, b"l": 5, b"c": 8}
_CHARSET, _LETTERS, _PRIVATE, _BOX = 15, 17, 18, 5  # operators of a font
_FIRST = 391  # the number of a font's own first name; those before are standard ones
_STACK = 48  # arguments of one operator at most


def program(name: bytes, letters: Mapping[bytes, bytes], box: Sequence[int]) -> bytes:
    """The font `name` of `letters`, by their names: each as a PDF draws one of a Type 3 font, in 1000ths of its size.

    The names must not be standard ones. Raises `ValueError` for what is drawn otherwise.
    """
    drawn = [bytes([_END]), *(_letter(letter) for letter in letters.values())]
    private = _number(0) + b"\x14" + _number(0) + b"\x15"  # widths are told whole
    names = b"\0" + b"".join((_FIRST + place).to_bytes(2, "big") for place in range(len(letters)))
    head = b"\x01\0\x04\x04" + _index([name])
    tail = _index(list(letters)) + _index([])
    size = len(head) + len(tail) + len(_index([_about([0] * 4, box)]))
    outlines = _index(drawn)
    places = [size, size + len(names), len(private), size + len(names) + len(outlines)]
    return head + _index([_about(places, box)]) + tail + names + outlines + private


def _about(places: list[int], box: Sequence[int]) -> bytes:
    """The font's own entries; numbers of one length each, as the places depend on it."""
    charset, letters, size, private = (b"\x1d" + place.to_bytes(4, "big") for place in places)
    edges = b"".join(_number(edge) for edge in box) + bytes([_BOX])
    return edges + charset + bytes([_CHARSET]) + letters + bytes([_LETTERS]) + size + private + bytes([_PRIVATE])


def _index(parts: list[bytes]) -> bytes:
    if not parts:
        return b"\0\0"
    ends = [1 + sum(map(len, parts[:place])) for place in range(len(parts) + 1)]
    offsets = b"".join(end.to_bytes(3, "big") for end in ends)
    return len(parts).to_bytes(2, "big") + b"\x03" + offsets + b"".join(parts)


@lru_cache(maxsize=1024)
def _letter(drawing: bytes) -> bytes:
    """One letter: its width, and where its pen goes, each time from where it is."""
    out, strokes = bytearray(), list[tuple[int, list[int]]]()
    at, arguments = [0, 0], list[int]()
    for word in drawing.split():
        if word not in _ARGUMENTS:
            arguments.append(int(word))
            continue
        if len(arguments) != _ARGUMENTS[word]:
            raise ValueError("a letter with another number of arguments")
        if word == b"d1":
            out += _number(arguments[0])
        elif arguments:
            points = [arguments[side : side + 2] for side in range(0, len(arguments), 2)]
            steps = [point[side] - last[side] for last, point in pairwise([at, *points]) for side in (0, 1)]
            strokes.append((_OPERATORS[word], steps))
            at = points[-1]
        arguments = []
    return bytes(out) + _told(strokes) + bytes([_END])


def _told(strokes: list[tuple[int, list[int]]]) -> bytes:
    """Strokes of the same kind with one operator, as many as it takes."""
    out, pending = bytearray(), list[int]()
    for (operator, steps), (following, more) in pairwise([*strokes, (0, [])]):
        pending += steps
        if operator == _MOVE or operator != following or len(pending) + len(more) > _STACK:
            out += b"".join(map(_number, pending)) + bytes([operator])
            pending = []
    return bytes(out)


def _number(value: int) -> bytes:
    if -107 <= value <= 107:
        return bytes([value + 139])
    if 108 <= abs(value) <= 1131:
        high, low = divmod(abs(value) - 108, 256)
        return bytes([(247 if value > 0 else 251) + high, low])
    return b"\x1c" + value.to_bytes(2, "big", signed=True)
