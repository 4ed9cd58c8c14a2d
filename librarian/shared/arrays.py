"""Arrays and names as bytes, to be kept and read again by the same version: NumPy's own format, names as JSON."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
Value = TypeVar("Value")
_DIGEST = 32


def pack(told: Mapping[str, Any], arrays: Arrays) -> bytes:
    """What JSON holds, and arrays by name, as bytes."""
    target = io.BytesIO()
    text = np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)
    np.savez(target, **{"told": text, **arrays})  # type: ignore[arg-type]  # its stub takes the names for options
    data = zlib.compress(target.getvalue(), 1)  # most of it are zeros
    return hashlib.sha256(data).digest() + data


def unpack(data: bytes, understood: Callable[[Mapping[str, Any], Arrays], Value]) -> Value | None:
    """What `understood` makes of packed bytes; None where they are damaged or of another form."""
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        return None
    try:
        with np.load(io.BytesIO(zlib.decompress(data[_DIGEST:])), allow_pickle=False) as arrays:
            return understood(json.loads(arrays["told"].tobytes()), arrays)
    except (ValueError, KeyError, TypeError, IndexError, OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def stacked(rows: list[npt.NDArray[Any]], bins: int, kind: Any) -> npt.NDArray[Any]:
    """Rows of `bins` values as one array, of no rows too."""
    return np.array(rows, dtype=kind).reshape(len(rows), bins)
