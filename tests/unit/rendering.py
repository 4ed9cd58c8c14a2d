"""What the subjects show of a report, as the cycle renders it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.cycle import document
from librarian.render.html import page, plain
from librarian.render.json import index
from librarian.render.json.index import IndexEntry
from librarian.render.pictures import digest, figure
from librarian.render.pictures.figure import Picture
from librarian.shared.report import Report
from librarian.subjects.listed import SUBJECTS, titles
from librarian.subjects.subject import Subject

TITLES = titles()
PICTURES = tuple(TITLES.pictures)


def data_json(report: Report, *, next_expected: int, version: str) -> bytes:
    """The JSON of a QoS."""
    told = {subject.key: subject.to_json(report) for subject in SUBJECTS if subject.key in report.sections}
    return document.data_json(report, SUBJECTS, told, {}, next_expected=next_expected, version=version)


def index_json(entries: Sequence[IndexEntry], **options: Any) -> bytes:
    """The index of a site, with the pictures of all subjects."""
    return index.index_json(entries, PICTURES, **options)


def render_page(told: Mapping[str, Any], datasets: Mapping[str, bytes], **options: Any) -> str:
    """The page, with the charts of all subjects."""
    return page.render_page(told, datasets, TITLES, **options)


def render_plain(told: Mapping[str, Any], datasets: Mapping[str, bytes], *, templates: Mapping[str, str]) -> str:
    """The plain page, with the parts of all subjects."""
    return plain.render_plain(told, datasets, SUBJECTS, templates=templates)


def subject_of(name: str) -> Subject:
    """The subject whose picture this is."""
    return next(subject for subject in SUBJECTS if name in subject.pictures())


def draw(report: Report) -> Iterator[Picture]:
    """All pictures, in their order; each is drawn when it is asked for."""
    return (draw_one(report, name) for name in PICTURES)


def draw_one(report: Report, name: str) -> Picture:
    """One of `PICTURES`."""
    with figure.styled():
        return figure.saved(name, subject_of(name).draw(report, name))


def digest_of(report: Report, name: str, *more: str) -> str:
    """The digest of all that a picture shows."""
    return digest.digest(report, name, subject_of(name).inputs(report, name), *more)
