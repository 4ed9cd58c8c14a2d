"""`Report`: everything that one QoS shows. A header, and a section for each subject.

It is built whole from what is kept, and rendered afterwards. A subject's section is a frozen dataclass of its own;
whoever needs it asks for it by its type: `report[UsageSection]`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from librarian.errors import Trouble
from librarian.shared.crowd import Others
from librarian.shared.names import UserName
from librarian.shared.window import Window


@dataclass(frozen=True)
class Staleness:
    """Whether the data are older than they should be: `since` when (UTC epoch), and why."""

    stale: bool = False
    since: int | None = None
    reason: Trouble | None = None


@dataclass(frozen=True)
class Note:
    """Something the reader must know to read the numbers right. `kind` is for programs, `text` for people."""

    kind: str
    text: str


@dataclass(frozen=True)
class Header:
    """Which QoS this is, where, and how it is shown."""

    qos: str
    title: str
    cluster: str
    zone: str
    refresh_seconds: int
    top_users: int
    site: str = ""
    """The title of the site, where it has one."""


@dataclass(frozen=True)
class Level:
    """A level that is drawn in charts of a resource from `since` (UTC epoch) on, such as a limit, with its label.

    `value` None: there is none from then on, or none is known.
    """

    since: int
    value: float | None
    label: str = ""


@dataclass(frozen=True)
class Section:
    """What a subject tells of a QoS. These are what it may add to what all subjects show together."""

    @property
    def people(self) -> Iterable[UserName]:
        """The users whom the section tells of, those first who come first."""
        return ()

    @property
    def levels(self) -> Mapping[str, tuple[Level, ...]]:
        """Levels that belong into charts of use over time, by key of the resource, in order of time."""
        return {}

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the foot of a picture says of the numbers."""
        return ()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the reader must know to read the numbers right."""
        return ()


Kind = TypeVar("Kind", bound=Section)


@dataclass(frozen=True)
class Report:
    """One QoS at the end of `window`, the time axis of all sections; its `now` is when the data were complete.

    `sections` are by the key of the subject, in the order of the subjects. `failed` says why the section of a subject
    is missing, `undrawn` what is to be said of pictures that could not be drawn, both by key. `colours` are by user.
    `others` are those who have no rows of their own, where there are very many users; None where everybody has.
    """

    header: Header
    window: Window
    staleness: Staleness
    sections: Mapping[str, Section] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    undrawn: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[UserName, str] = field(default_factory=dict)
    others: Others | None = None

    def get(self, kind: type[Kind]) -> Kind | None:
        """The section of this type; None where it is missing."""
        return next((section for section in self.sections.values() if isinstance(section, kind)), None)

    def __getitem__(self, kind: type[Kind]) -> Kind:
        """The section of this type. Raises `KeyError` where it is missing."""
        section = self.get(kind)
        if section is None:
            raise KeyError(kind.__name__)
        return section

    @property
    def everybody(self) -> tuple[UserName, ...]:
        """All users of whom any section tells, in the order of the sections."""
        return tuple(dict.fromkeys(user for section in self.sections.values() for user in section.people))

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of all sections, that one is missing, and that pictures are not what they should be."""
        missing = [Note("failed", f"{key}: {why}") for key, why in self.failed.items()]
        by_words: dict[str, list[str]] = {}
        for key, words in self.undrawn.items():
            by_words.setdefault(words, []).append(key)
        undrawn = [Note("pictures", f"pictures of {', '.join(keys)}: {words}") for words, keys in by_words.items()]
        return (*(note for section in self.sections.values() for note in section.notes), *missing, *undrawn)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the foot of every picture says of the numbers."""
        return tuple(text for section in self.sections.values() for text in section.caveats)

    @property
    def gathered(self) -> UserName | None:
        """The name of those who are told of as one, where there are some."""
        return self.others.name if self.others else None

    def gathered_in(self, table: str, users: Collection[UserName]) -> int:
        """How many more people `users` are than names, in a table of `Others.users`."""
        return self.others.users.get(table, 1) - 1 if self.others and self.others.name in users else 0

    def levels(self, key: str) -> tuple[Level, ...]:
        """What is drawn as a level in the charts of the resource `key`."""
        found = (section.levels.get(key, ()) for section in self.sections.values())
        return tuple(level for levels in found for level in levels)
