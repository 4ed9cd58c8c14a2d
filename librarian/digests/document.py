"""What a digest says, before it is text, HTML or a PDF. Names in it are as they are: what shows them escapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Item:
    """A point: what is so, and what to do about it ("": nothing)."""

    words: str
    advice: str = ""


@dataclass(frozen=True)
class Part:
    """A heading with a table (a head and rows, the first cell a name), sentences and points below it."""

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    sentences: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.rows or self.sentences or self.items)


@dataclass(frozen=True)
class Document:
    """A digest: the `subject` of its mail, its title, parts, and how it ends. `told` are the keys of what was found,
    for the record; `picture` is a PNG, and `picture_words` say what it shows."""

    subject: str
    title: str
    parts: tuple[Part, ...]
    foot: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    picture: bytes = b""
    picture_words: str = ""


@dataclass(frozen=True)
class Frame:
    """What all digests of a site share: who it is about, whom it is from, and where one can stop it ("": nowhere)."""

    cluster: str
    title: str = ""
    homepage: str = ""
    unsubscribe: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The group's title, with the cluster."""
        return f"{self.title} on {self.cluster}" if self.title else self.cluster

    def foot(self) -> tuple[str, ...]:
        """Who sends it, and how to stop it."""
        page = f" The page: {self.homepage}" if self.homepage else ""
        sent = f"Sent by Librarian, the usage report of {self.name}, from Slurm's accounting.{page}"
        if not self.unsubscribe:
            return sent, "To get it no more, tell whoever runs this report: they add you to opt_out."
        how = f"open {self.unsubscribe}" if "://" in self.unsubscribe else f"write to {self.unsubscribe}"
        return sent, f"To get it no more, {how}."
