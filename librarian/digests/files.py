"""Digests as files: for those who have no mail, and what a dry run would send to whom."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from librarian.digests.document import Document
from librarian.digests.shown import html, text
from librarian.shared.text import csv_cell, file_safe
from librarian.system.host import write_atomic

LIST = "digests.csv"


def write(folder: Path, name: str, document: Document, templates: Mapping[str, str]) -> str:
    """Write NAME.html and NAME.txt, which their owner alone can read; returns the name. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stem = file_safe(name)
    write_atomic(folder / f"{stem}.html", html(document, templates, inside=False).encode("utf-8", "replace"), 0o600)
    write_atomic(folder / f"{stem}.txt", text(document).encode("utf-8", "replace"), 0o600)
    return stem


def write_list(folder: Path, rows: Iterable[tuple[str, str, str, str]]) -> None:
    """Write who would get what: user, address or why none, subject, file. Raises `OSError`."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(("user", "goes to", "subject", "file"))
    table.writerows([csv_cell(cell) for cell in row] for row in rows)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(folder / LIST, out.getvalue().encode("utf-8", "replace"), 0o600)
