"""The plain page: what a site tells in its short form, in one HTML file without a script, to read in any browser or
to print. It has the order of the page: Overview, then a section of each subject.

It is made from the site's JSON, not from reports: of a QoS that could not be asked the JSON of the last site is all
that there is. What stands on it is the subjects' to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from librarian.errors import one_line
from librarian.render.html import templates as html
from librarian.render.html.parts import Part, Shown
from librarian.render.html.templates import hashed, trusted
from librarian.shared.calendar import clock
from librarian.shared.files import PAGE
from librarian.shared.words import amount, counted

STYLE = "plain.css"
NO_HEAD = {"title": None, "homepage": None, "logo": None}  # an index of an older release tells nothing of it

Json = Mapping[str, Any]


class Teller(Protocol):
    """Something that has parts on the page, and pictures that it can put into words: a subject."""

    key: ClassVar[str]

    @property
    def heading(self) -> str:
        """What its section is called."""

    def plain(self, data: Json, zone: str) -> Iterable[Part]:
        """The parts, from the JSON of a QoS."""

    def glance(self, data: Json, zone: str) -> Iterable[Part]:
        """Its parts of the first screen."""

    def pictures(self) -> Mapping[str, str]:
        """Titles of its pictures by their names."""

    def describe(self, data: Json, name: str, zone: str) -> Shown:
        """What a picture shows."""


@dataclass(frozen=True)
class PlainPicture:
    """A picture's file, and what it shows."""

    file: str
    shown: Shown


@dataclass(frozen=True)
class Told:
    """What one subject tells: a section by its name, pictures first."""

    key: str
    heading: str
    pictures: tuple[PlainPicture, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Section:
    """One QoS: the first screen, and what each subject tells. Without data there is only `state`, which tells why."""

    entry: Json
    state: str
    old: bool
    notes: tuple[str, ...] = ()
    overview: tuple[Part, ...] = ()
    subjects: tuple[Told, ...] = ()


def render_plain(
    index: Json, datasets: Mapping[str, bytes], tellers: Sequence[Teller], *, templates: Mapping[str, str]
) -> str:
    """The plain page of a site. `index` is the parsed index.json, `datasets` maps a data file's name to its JSON.

    Of a QoS whose data are missing or broken it says so.
    """
    style = templates[STYLE]
    return html.filled(
        templates,
        "plain.html.j2",
        index=index,
        site=index.get("site") or NO_HEAD,
        sections=[_section(entry, datasets, tellers, index["zone"]) for entry in index["qos"]],
        clock=lambda epoch: clock(epoch, index["zone"]),
        policy=html.policy({"style-src": hashed(style), "img-src": "'self' data:"}),
        style=trusted(style),
        page=PAGE,
    )


def _section(entry: Json, datasets: Mapping[str, bytes], tellers: Sequence[Teller], zone: str) -> Section:
    if entry["data"] is None:
        why = f": {one_line(entry['reason'])}" if entry["reason"] else ""
        return Section(entry, f"There are no data of this QoS yet{why}.", True)
    try:
        data = json.loads(datasets[entry["data"]])
        told = [_told(entry, data, teller, zone) for teller in tellers]
        return Section(
            entry,
            _state(entry, zone),
            bool(entry["stale"]),
            tuple(_notes(data)),
            _overview(data, tellers, zone),
            tuple(one for one in told if one.pictures or one.parts),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # data of another program or release: the other QoS must be shown all the same
        return Section(entry, "The data of this QoS cannot be read.", True)


def glances(index: Json, datasets: Mapping[str, bytes], tellers: Sequence[Teller]) -> dict[str, Sequence[Part]]:
    """The parts of the first screen by the slug of each QoS, in order; of broken data there are none."""
    found: dict[str, Sequence[Part]] = {}
    for entry in index["qos"]:
        try:
            found[entry["slug"]] = _overview(json.loads(datasets[entry["data"]]), tellers, index["zone"])
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
            continue
    return found


def _overview(data: Json, tellers: Sequence[Teller], zone: str) -> tuple[Part, ...]:
    parts = [part for teller in tellers for part in teller.glance(data, zone)]
    return tuple(sorted(parts, key=lambda part: part.order))


def _told(entry: Json, data: Json, teller: Teller, zone: str) -> Told:
    return Told(teller.key, teller.heading, _pictures(entry, data, teller, zone), tuple(teller.plain(data, zone)))


def _state(entry: Json, zone: str) -> str:
    if not entry["stale"]:
        return f"Updated {clock(entry['last_updated'], zone)}."
    why = f": {one_line(entry['reason'])}" if entry["reason"] else ""
    since = clock(entry["since"] or entry["last_updated"], zone)
    return f"Old data: nothing newer has come since {since}{why}. All below is as it was then."


def _notes(data: Json) -> Iterator[str]:
    yield from (one_line(note["text"]) for note in data["notes"])
    count = data["rejects"]["count"]
    if count:
        reasons = ", ".join(
            f"{one_line(reason)} ({amount(number)})" for reason, number in data["rejects"]["reasons"].items()
        )
        yield f"{counted(count, 'record')} of Slurm's not understood and left out: {reasons}."


def _pictures(entry: Json, data: Json, teller: Teller, zone: str) -> tuple[PlainPicture, ...]:
    """Those that the site has: the one that leads, else all."""
    files = {name: entry["figures"].get(name, {}).get("png") for name in teller.pictures()}
    found = tuple(PlainPicture(file, teller.describe(data, name, zone)) for name, file in files.items() if file)
    return tuple(picture for picture in found if picture.shown.leads) or found
