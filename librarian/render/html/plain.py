"""The plain page: everything a site tells, in one HTML file without a script, to read in any browser or to print.

It is made from the site's JSON, not from reports: of a QoS that could not be asked the JSON of the last site is all
that there is. What stands on it is the subjects' to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
class Section:
    """One QoS. Without data there is only `state`, which tells why."""

    entry: Json
    state: str
    old: bool
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    pictures: tuple[PlainPicture, ...] = ()


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
        parts = [part for teller in tellers for part in teller.plain(data, zone)]
        return Section(
            entry,
            _state(entry, zone),
            bool(entry["stale"]),
            tuple(_notes(data)),
            tuple(sorted(parts, key=lambda part: (not part.above, part.order))),
            tuple(_pictures(entry, data, tellers, zone)),
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # data of another program or release: the other QoS must be shown all the same
        return Section(entry, "The data of this QoS cannot be read.", True)


def glances(index: Json, datasets: Mapping[str, bytes], tellers: Sequence[Teller]) -> dict[str, Sequence[Part]]:
    """The parts of the first screen by the slug of each QoS, in order; of broken data there are none."""
    found: dict[str, Sequence[Part]] = {}
    for entry in index["qos"]:
        try:
            data = json.loads(datasets[entry["data"]])
            parts = [part for teller in tellers for part in teller.glance(data, index["zone"])]
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
            continue
        found[entry["slug"]] = sorted(parts, key=lambda part: part.order)
    return found


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


def _pictures(entry: Json, data: Json, tellers: Sequence[Teller], zone: str) -> Iterator[PlainPicture]:
    """Those that the site has, one that leads first."""
    found = []
    for teller in tellers:
        for name in teller.pictures():
            file = entry["figures"].get(name, {}).get("png")
            if file:
                found.append(PlainPicture(file, teller.describe(data, name, zone)))
    yield from sorted(found, key=lambda picture: not picture.shown.leads)
