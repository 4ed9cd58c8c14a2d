"""From reports to the site folder: every file of the site, in one place.

A QoS that cannot be shown now, for want of data, keeps the files of the last site and is marked as old; it never takes
the others down. Of a QoS one of whose subjects failed, that subject's part of the last site stays, and a note says so;
where the others stand on that subject, the whole QoS is as it was. Pictures that could not be drawn hold nothing back:
those of the last site stay, and a note says so. Why something failed is for whoever runs this: readers are told that
it did.
"""

from __future__ import annotations

import json
import logging
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from librarian import __version__
from librarian.config.run_options import HOURLY
from librarian.config.setup import Setup
from librarian.cycle import pictures
from librarian.cycle.document import data_json
from librarian.cycle.meter import PICTURES, Meter
from librarian.cycle.pictures import ENDINGS, Made, Pictures
from librarian.cycle.reports import NO_PICTURES, OLD_PICTURES, Failures
from librarian.errors import ConfigError, LibrarianError, SiteError, Trouble
from librarian.health import agreed
from librarian.render.html.page import beside_page, data_script, render_page
from librarian.render.html.plain import render_plain
from librarian.render.json.index import IndexEntry, SiteHead, index_json
from librarian.render.json.values import SCHEMA_VERSION, staleness_json
from librarian.shared import troubles
from librarian.shared.files import INDEX, PAGE, PLAIN, STATUS, FileNames, file_names, logo_name
from librarian.shared.report import Report, Staleness
from librarian.site import assets, folder
from librarian.subjects.listed import titles
from librarian.subjects.subject import Facts, Json, Subject, Watched
from librarian.system import host

LARGEST_LOGO = 200_000  # bytes: it is loaded with the page
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SiteSource:
    """What there is to show of a QoS; without a report, `reason` is why there is nothing new. `everybody` are the facts
    that tables are made of."""

    watched: Watched
    report: Report | None
    reason: Trouble
    everybody: Facts | None = None


@dataclass(frozen=True)
class Shown:
    """A QoS on the site: its row in the index, its files, those of the last site that stay, and what to remember of
    pictures."""

    entry: IndexEntry
    files: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, Path] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)

    @property
    def names(self) -> FileNames:
        """What its files are called."""
        return file_names(self.entry.name)


def write_site(
    setup: Setup,
    sources: Sequence[SiteSource],
    subjects: tuple[Subject, ...],
    now: int,
    *,
    carry: bool = True,
    more: Mapping[str, bytes] = types.MappingProxyType({}),
    meter: Meter | None = None,
) -> list[LibrarianError]:
    """Render all and swap the site in; returns what failed. Raises `LibrarianError` when the site cannot be written.

    Without `carry` nothing of the last site is kept.
    `more` are files that are put beside the others. `meter` measures what subjects and pictures take.
    """
    failures = Failures(meter)
    known = pictures.recall(setup.places) if carry else {}
    work = _Work(setup, subjects, now + setup.config.report.interval_seconds, known, carry, failures)
    shown = []
    for source in sources:
        log.info("%s: drawing", source.watched.name)
        try:
            shown.append(work.shown(source))
        except Exception as error:
            log.debug("rendering %s failed", source.watched.name, exc_info=True)
            problem = SiteError(f"QoS {source.watched.name} could not be drawn", f"{type(error).__name__}: {error}")
            failures.problems.append(problem)
            shown.append(work.kept(source.watched, Trouble.NOT_DRAWN))
    _put(setup, shown, subjects, now, more)
    pictures.remember(setup.places, {name: made for item in shown for name, made in item.made.items()})
    return failures.problems


@dataclass
class _Told:
    """What subjects made of their sections: fields of the JSON by key, tables, pictures; and why which ones failed.
    Whose pictures failed is told in `drawn`."""

    failed: dict[str, str]
    fields: dict[str, Json] = field(default_factory=dict)
    tables: list[bytes] = field(default_factory=list)
    pieces: dict[str, bytes] = field(default_factory=dict)
    same: dict[str, Path] = field(default_factory=dict)  # pieces that the last site has
    drawn: Pictures = field(default_factory=Pictures)


@dataclass(frozen=True)
class _Work:
    """The files of one QoS after the other: `known` is what is remembered of the pictures of the last site, from which
    something may be kept if it is to be carried over."""

    setup: Setup
    subjects: tuple[Subject, ...]
    next_expected: int
    known: Mapping[str, Made]
    carry: bool
    failures: Failures

    def shown(self, source: SiteSource) -> Shown:
        """A QoS as its report has it; as the last site had it where there is no report, or a subject that others stand
        on failed."""
        if source.report is None:
            return self.kept(source.watched, source.reason)
        told = self._told(source.report, source.everybody or Facts())
        if any(subject.needed and subject.key in told.failed for subject in self.subjects):
            return self.kept(source.watched, Trouble.NOT_COMPUTED)
        return self._fresh(replace(source.report, failed=told.failed), told)

    def _told(self, report: Report, everybody: Facts) -> _Told:
        """What the subjects make of their sections, each failing alone."""
        qos, told = report.header.qos, _Told(dict(report.failed))
        for subject in [subject for subject in self.subjects if subject.key in report.sections]:
            made = self.failures.alone(
                subject,
                qos,
                lambda subject=subject: (  # type: ignore[misc]
                    subject.to_json(report),
                    subject.csv(report, everybody),
                    self._pieces(subject, report),
                ),
            )
            if isinstance(made, str):
                told.failed[subject.key] = made
            else:
                told.fields[subject.key], table, (pieces, same) = made
                told.pieces |= pieces
                told.same |= same
                told.tables.extend([] if table is None else [table])
        whole = [subject for subject in self.subjects if subject.key in told.fields]
        told.drawn = self._drawn(report, whole)
        self.failures.note_undrawn(qos, told.drawn.failed)
        return told

    def _pieces(self, subject: Subject, report: Report) -> tuple[dict[str, bytes], dict[str, Path]]:
        """The pieces of the data that are new, and those that the last site has."""
        site, fresh, same = self.setup.places.site, {}, {}
        for name, make in subject.pieces(report).items():
            if self.carry and (site / name).is_file():
                same[name] = site / name
            else:
                fresh[name] = make()
        return fresh, same

    def _last_pieces(self, data: Mapping[str, Any], subjects: Sequence[Subject]) -> dict[str, Path]:
        """The pieces of the last site that its data name, of some subjects."""
        site = self.setup.places.site
        names = [name for subject in subjects for name in subject.kept_pieces(data)]
        return {name: site / name for name in names if Path(name).name == name and (site / name).is_file()}

    def _drawn(self, report: Report, subjects: Sequence[Subject]) -> Pictures:
        """The pictures of some subjects; none where that takes too long."""
        site, options = self.setup.places.site, self.setup.config.report
        hourly = options.pictures == HOURLY
        try:
            with self.failures.meter.subject(PICTURES):
                return pictures.pictures_of(report, subjects, site, self.known, options.processes, hourly=hourly)
        except Exception as error:
            return Pictures(failed={subject.key: error for subject in subjects if subject.pictures()})

    def _fresh(self, report: Report, told: _Told) -> Shown:
        """A QoS as its report has it; what belongs to a subject that failed is taken from the last site, and so are
        pictures that could not be drawn."""
        header, drawn = report.header, told.drawn
        names, failed = file_names(header.qos), [s for s in self.subjects if s.key in {*report.failed, *drawn.failed}]
        last = self._last(header.qos) if failed else None
        old = {subject.key: self._pictures(names.picture, [subject]) for subject in failed} if last else {}
        words = {key: OLD_PICTURES if old.get(key) else NO_PICTURES for key in drawn.failed}
        report = replace(report, undrawn=words)
        data = data_json(
            report, self.subjects, told.fields, last or {}, next_expected=self.next_expected, version=__version__
        )
        files = {names.data: data, **told.pieces, **drawn.drawn, **({names.csv: told.tables[0]} if told.tables else {})}
        stay = {name: path for there in old.values() for name, path in there.items()}
        untold = [subject for subject in failed if subject.key in report.failed]
        kept = {**drawn.kept, **stay, **told.same, **(self._last_pieces(last, untold) if last else {})}
        there = frozenset({*files, *kept}) if failed else None
        entry = IndexEntry(header.qos, header.title, report.window.now, report.staleness, there)
        return Shown(entry, files, kept, {**drawn.made, **pictures.still(self.known, stay)})

    def _pictures(self, name_of: Callable[[str, str], str], subjects: Sequence[Subject]) -> dict[str, Path]:
        """The pictures of some subjects that the last site has."""
        site = self.setup.places.site
        names = [name_of(name, ending) for subject in subjects for name in subject.pictures() for ending in ENDINGS]
        return {name: site / name for name in names if (site / name).is_file()}

    def _last(self, qos: str) -> dict[str, Any] | None:
        """The data of the last site, if they are of this QoS of this cluster and of this form."""
        data = folder.read_json(self.setup.places.site, file_names(qos).data) if self.carry else None
        if data is None or _updated(data, qos, self.setup.config.cluster.name) is None:
            return None
        return {name: _retold(part) for name, part in data.items()}

    def kept(self, watched: Watched, reason: Trouble) -> Shown:
        """What the last site showed of a QoS, marked as old; nothing but the reason where it showed nothing."""
        names, site, data = file_names(watched.name), self.setup.places.site, self._last(watched.name)
        updated = _updated(data, watched.name, self.setup.config.cluster.name)
        if data is None or updated is None:
            return Shown(IndexEntry(watched.name, watched.title, None, Staleness(True, None, reason)))
        staleness = Staleness(True, updated, reason)
        data["staleness"] = staleness_json(staleness)
        kept = self._pictures(names.picture, self.subjects)
        kept |= {names.csv: site / names.csv} if (site / names.csv).is_file() else {}
        kept |= self._last_pieces(data, self.subjects)
        files = {names.data: json.dumps(data, separators=(",", ":"), allow_nan=False).encode()}
        entry = IndexEntry(watched.name, watched.title, updated, staleness, frozenset(kept))
        return Shown(entry, files, kept, pictures.still(self.known, kept))


def _retold(part: Any) -> Any:
    """A part of the data of the last site, with what failed in words for readers."""
    if not isinstance(part, dict) or not isinstance(part.get("error"), str):
        return part
    return {**part, "error": troubles.retold(part["error"])}


def _updated(data: dict[str, Any] | None, qos: str, cluster: str) -> int | None:
    """When data of the last site were complete; None when they are not of this QoS of this cluster, or another form."""
    metadata = data.get("metadata") if data and data.get("schema_version") == SCHEMA_VERSION else None
    if not isinstance(metadata, dict) or metadata.get("qos") != qos or metadata.get("cluster") != cluster:
        return None
    updated = metadata.get("last_updated_epoch")
    return updated if isinstance(updated, int) else None


def _head(setup: Setup, files: dict[str, bytes]) -> SiteHead:
    """What stands at the head of the site, with the logo among its files. One that cannot be read holds nothing back:
    the site has none then."""
    head, logo = setup.config.head, None
    if head.logo:
        try:
            with (setup.places.base / host.expanded(head.logo)).open("rb") as file:
                content = file.read(LARGEST_LOGO + 1)
            if len(content) > LARGEST_LOGO:
                raise ConfigError(f"it is larger than {LARGEST_LOGO // 1000} kB")
            logo = logo_name(head.logo)
            files[logo] = content
        except (OSError, ConfigError) as error:
            log.warning("[site] logo %s is left out: %s", head.logo, error)
    return SiteHead(head.title or None, head.homepage or None, logo)


def _put(
    setup: Setup, shown: Sequence[Shown], subjects: tuple[Subject, ...], now: int, more: Mapping[str, bytes]
) -> None:
    told = titles(subjects)
    plotly = assets.plotly()
    if plotly.path is None:
        log.info("no plotly.js on this machine: the page loads its charts' library from %s", plotly.url)
    files = {name: data for item in shown for name, data in item.files.items()}
    copies = {name: path for item in shown for name, path in item.kept.items()}
    if plotly.path is not None:
        copies[plotly.file_name] = plotly.path
    head = _head(setup, files)
    datasets = {item.names.data: item.files[item.names.data] for item in shown if item.names.data in item.files}
    files |= {
        item.names.script: data_script(item.names.slug, datasets[item.names.data])
        for item in shown
        if item.names.data in datasets
    }
    dashboard = assets.dashboard()
    files |= {name: text.encode() for name, text in beside_page(dashboard).items()}
    index = index_json(
        [item.entry for item in shown],
        told.pictures,
        cluster=setup.config.cluster.name,
        zone=setup.zone,
        now=now,
        next_expected=now + setup.config.report.interval_seconds,
        refresh_seconds=setup.config.report.refresh_seconds,
        version=__version__,
        plotly=plotly,
        status=STATUS if STATUS in more else None,
        agreed=agreed.last(setup.places.state),
        head=head,
        files={INDEX, PAGE, PLAIN, *files, *more, *copies},
    )
    templates, parsed = assets.templates(), json.loads(index)
    pages = {
        PAGE: render_page(
            parsed,
            datasets,
            told,
            status=more.get(STATUS),
            templates=templates,
            dashboard=dashboard,
            plotly=plotly,
        ),
        PLAIN: render_plain(parsed, datasets, subjects, templates=templates),
    }
    files |= {name: page.encode("utf-8", "replace") for name, page in pages.items()}
    folder.put(setup.places.site, {**files, **more, INDEX: index}, copies)
