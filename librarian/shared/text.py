"""Names from outside, made fit for a file name, a table or a picture."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 48
# controls, invisible formatting (which can reverse a line), surrogates, private and unassigned, line separators
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def shown(name: str) -> str:
    """`name` as a person may see it, `visible`, and cut where it is long."""
    whole = visible(name)
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"


def visible(name: str) -> str:
    """`name` with U+FFFD for what cannot be seen, such as controls."""
    return "".join("\ufffd" if unicodedata.category(c) in _UNSEEN else c for c in name)


def file_safe(name: str) -> str:
    """A part of a file name, the same for the same `name` and different for different ones.

    Plain names (letters, digits, `.`, `-`, `_`, at the start no dot or dash) stay; in others the rest becomes `_` and a
    digest of the whole follows. Names that differ in case alone stay apart only where the file system keeps them so;
    Slurm does not allow two such QoS.
    """
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name):
        return name
    import hashlib  # here, since most names are plain, and OpenSSL takes long to load

    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:40].lstrip("-")
    return f"{plain}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def csv_cell(name: str) -> str:
    """`name` for a CSV cell: a spreadsheet must not take it for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name
