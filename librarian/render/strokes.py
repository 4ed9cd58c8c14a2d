"""What a page of a PDF draws, told more briefly: coordinates to a tenth of a point, steps as rectangles.

A tenth of a point is less than a pixel of most printers; nobody sees it. Text stays text.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

_NUMBER = rb"-?\d+(?:\.\d+)?"
_POINT = rb"%s %s [ml]\n" % (_NUMBER, _NUMBER)
_STRING = rb"\((?:[^()\\]|\\.)*\)"
# texts are matched so that nothing is taken for a path that is a name
_PART = re.compile(
    rb"(?P<line>\[(?:[^\[\]()]|%s)*\]\s*TJ)|(?P<text>%s)|(?P<area>(?:%s){4,}h\s+f\n)|(?P<path>(?:%s)+)|-?\d+\.\d{4,}"
    % (_STRING, _STRING, _POINT, _POINT),
    re.DOTALL,
)
_PIECE = re.compile(rb"%s|%s" % (_STRING, _NUMBER), re.DOTALL)
_TENTHS = 10  # of a point
_BESIDE = 5.0  # thousandths of the type's size that a sign may stand beside its place

Points = npt.NDArray[np.int64]


def shorter(content: bytes) -> bytes:
    """The content of a page, as matplotlib writes it without compression."""
    return _PART.sub(_told, content)


def _told(found: re.Match[bytes]) -> bytes:
    part = found[0]
    if found["text"]:
        return part
    if found["line"]:
        return _line(part)
    if found["area"]:
        area = _area(_points(part))
        return _path(part) + b"h\nf\n" if area is None else area
    return _path(part) if found["path"] else _decimals(float(part))


def _decimals(value: float) -> bytes:
    """To three places, which tell colours of 8 bits apart."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()


def _line(part: bytes) -> bytes:
    """A line of text with the distances between its signs that can be seen; the others are made up for later."""
    pieces, run, owed = [], b"", 0.0
    for piece in _PIECE.findall(part):
        if piece.startswith(b"("):
            run += piece[1:-1]
            continue
        owed += float(piece)
        if abs(owed) >= _BESIDE:
            pieces += [b"(%s)" % run] * bool(run) + [_decimals(owed)]
            run, owed = b"", 0.0
    return b"[%s]TJ" % b"".join([*pieces, b"(%s)" % run])


def _points(path: bytes) -> Points:
    """The points of a path in tenths, shape (points, 2)."""
    found = np.fromstring(path.translate(None, b"mlhf"), sep=" ").reshape(-1, 2)
    return np.rint(found * _TENTHS).astype(np.int64)


def _area(points: Points) -> bytes | None:
    """The area between steps and a base as rectangles, equal neighbours as one; None where it is no such area."""
    (left, base), begins, ends = points[0], points[1:-1:2], points[2:-1:2]
    if len(points) % 2 or points[-1][1] != base or not np.array_equal(begins[:, 1], ends[:, 1]):
        return None
    if not np.array_equal([left, *ends[:, 0]], [*begins[:, 0], points[-1][0]]):
        return None
    height = begins[:, 1] - base
    first = np.flatnonzero(np.diff(height, prepend=height[0] - 1))
    wide = np.append(begins[first[1:], 0], points[-1][0]) - begins[first, 0]
    boxes = np.column_stack([begins[first, 0] - left, wide, height[first]])[(height[first] != 0) & (wide != 0)]
    told = b"%d 0 %d %d re\n" * len(boxes) % tuple(boxes.ravel().tolist())
    return b"q .1 0 0 .1 %s %s cm\n%sf\nQ\n" % (_tenths(left), _tenths(base), told) if told else b""


def _path(path: bytes) -> bytes:
    """A path without the points that lie between two others on a level or an upright line."""
    kept: list[tuple[list[int], bytes]] = []
    for point, verb in zip(_points(path).tolist(), path.split()[2::3], strict=False):
        if verb == b"l" and len(kept) > 1 and kept[-1][1] == b"l" and _between(kept[-2][0], kept[-1][0], point):
            kept.pop()
        kept.append((point, verb))
    return b"".join(b"%s %s %s\n" % (_tenths(x), _tenths(y), verb) for (x, y), verb in kept)


def _between(one: list[int], middle: list[int], other: list[int]) -> bool:
    return any(
        one[side] == middle[side] == other[side]
        and (middle[1 - side] - one[1 - side]) * (other[1 - side] - middle[1 - side]) >= 0
        for side in (0, 1)
    )


def _tenths(value: int) -> bytes:
    sign = b"-" if value < 0 else b""
    whole, part = divmod(abs(value), _TENTHS)
    return b"%s%d.%d" % (sign, whole, part) if part else b"%s%d" % (sign, whole)
