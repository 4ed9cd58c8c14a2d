"""Where it is kept what cycles spent: one small file in the state, a line for each cycle, compressed.

Each cycle is added behind the others as a part of its own, which gzip takes for one text; in one hour of the day all
are put together, which makes them small, and old ones go.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

from librarian.health.timings import Cycle, added, from_line, to_line
from librarian.system.host import write_atomic

NAME = "timings.jsonl.gz"
_HOUR, _PUT_TOGETHER = 3600, 3  # of UTC
_LARGEST = 2_000_000  # bytes: where no cycle comes in that hour
_GZIP = 31  # zlib's word for the header that gzip writes


def keep(folder: Path, cycle: Cycle) -> None:
    """Add a cycle to those that are kept in the state `folder`. Raises `OSError`."""
    path = folder / NAME
    before = path.read_bytes() if path.is_file() else b""
    if cycle.at // _HOUR % 24 == _PUT_TOGETHER or len(before) > _LARGEST:
        write(path, added(_lines(before), cycle))
    else:
        write_atomic(path, before + _packed([to_line(cycle)]), 0o600)


def write(path: Path, lines: Sequence[str]) -> None:
    """Put these lines into the place of what was there. Raises `OSError`."""
    write_atomic(path, _packed(lines), 0o600)


def read(folder: Path) -> list[Cycle]:
    """The cycles that are kept in the state `folder`, up to where the file is damaged; none where there is no file, or
    it cannot be read."""
    try:
        data = (folder / NAME).read_bytes()
    except OSError:
        return []
    return [cycle for cycle in map(from_line, _lines(data)) if cycle]


def _packed(lines: Sequence[str]) -> bytes:
    packing = zlib.compressobj(3, zlib.DEFLATED, _GZIP)
    return packing.compress("".join(f"{line}\n" for line in lines).encode("ascii")) + packing.flush()


def _lines(data: bytes) -> list[str]:
    """The lines of all parts, up to the first one that is damaged."""
    text = b""
    while data:
        part = zlib.decompressobj(_GZIP)
        try:
            text += part.decompress(data)
        except zlib.error:
            break
        data = part.unused_data
        if not part.eof:
            break
    return text.decode("ascii", "replace").splitlines()
