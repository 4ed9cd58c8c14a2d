"""What a subject puts on the plain page: headings with sentences, lists and tables; and what a picture shows."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.words import TextTable


@dataclass(frozen=True)
class Part:
    """A heading with what stands below it, in this order: a table of its own, sentences, a list, further tables.

    Parts stand in the order of `order`, those `above` before the pictures. `anchor` names the place of the heading,
    and `link` is what the contents of the page call it ("": they do not). Of a list each item is a name and its text.
    """

    title: str
    order: int
    sentences: tuple[str, ...] = ()
    tables: tuple[TextTable, ...] = ()
    table: TextTable | None = None
    items: tuple[tuple[str, str], ...] = ()
    anchor: str = ""
    link: str = ""
    above: bool = False


@dataclass(frozen=True)
class Shown:
    """A picture's title, and what it shows in words; one that leads stands before the others."""

    title: str
    words: str
    leads: bool = False
