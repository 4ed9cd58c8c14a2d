"""What a subject puts on pages without a script: headings, sentences, lists and tables; and what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from librarian.shared.words import TextTable, amount

ROWS = 8  # of a table in its short form
Item = TypeVar("Item")


@dataclass(frozen=True)
class Part:
    """A heading (none where `title` is empty) with what stands below it, in this order: a table of its own, sentences,
    a list, further tables.

    Parts of the first screen stand in the order of `order`, those of a subject's section as they come. `anchor` names
    the place of the heading. Of a list each item is a name and its text.
    """

    title: str
    order: int = 0
    sentences: tuple[str, ...] = ()
    tables: tuple[TextTable, ...] = ()
    table: TextTable | None = None
    items: tuple[tuple[str, str], ...] = ()
    anchor: str = ""


@dataclass(frozen=True)
class Shown:
    """What a picture shows in words; where one that leads is there, it stands for the others of its subject."""

    words: str
    leads: bool = False


def shortened(items: Sequence[Item], most: int = ROWS) -> tuple[Sequence[Item], Sequence[Item]]:
    """The first of them, for a row each, and the rest, for one row together: never a single one, which takes as much
    room by itself."""
    return (items, ()) if len(items) <= most + 1 else (items[:most], items[most:])


def and_more(count: int, file: str) -> str:
    """The name of the row that stands for `count` others, of whom all is in the `file`."""
    return f"and {amount(count)} more, in the {file}"
