"""A digest as a PDF to print, on as many pages as it needs."""

from __future__ import annotations

from librarian.digests.document import Document
from librarian.digests.shown import text
from librarian.render.pictures.pages import text_pages


def pdf(document: Document) -> bytes:
    """The same words as the text's, in columns that stand; equal digests give equal bytes with the same matplotlib."""
    return text_pages(text(document).split("\n"), document.picture)
