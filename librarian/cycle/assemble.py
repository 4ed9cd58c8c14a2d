"""From reports to the site folder: every file of the site, in one place.

A QoS that cannot be shown now, for want of data or because its pictures failed, keeps the files of the last site and is
marked as old; it never takes the others down.
"""

from __future__ import annotations

import json
import logging
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from librarian import __version__
from librarian.config import Qos
from librarian.config.setup import Setup
from librarian.cycle import pictures, report
from librarian.cycle.pictures import ENDINGS, Made
from librarian.cycle.report import Collected, Header, Report
from librarian.errors import LibrarianError, SiteError
from librarian.health import statusfile
from librarian.render.files import INDEX, PAGE, PICTURES, PLAIN, file_names
from librarian.render.html.page import render_page
from librarian.render.html.plain import render_plain
from librarian.render.json import payload
from librarian.shared import palette
from librarian.site import assets, folder
from librarian.subjects.usage.bins import Measured
from librarian.subjects.usage.csv import usage_gzip
from librarian.subjects.usage.summary import ranking

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """What there is to show of a QoS; without `collected` and `measured`, `reason` says why there is nothing new."""

    qos: Qos
    collected: Collected | None
    measured: Measured | None
    reason: str


@dataclass(frozen=True)
class Shown:
    """A QoS on the site: its row in the index, its files, those of the last site that stay, and what to remember of
    pictures."""

    entry: payload.Entry
    files: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, Path] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)


def write_site(
    setup: Setup,
    sources: Sequence[Source],
    now: int,
    *,
    carry: bool = True,
    public: Callable[[str], str] = str,
    more: Mapping[str, bytes] = types.MappingProxyType({}),
) -> list[LibrarianError]:
    """Render all and swap the site in; returns what failed. Raises `LibrarianError` when the site cannot be written.

    Without `carry` nothing of the last site is kept. `public` takes out of a sentence what readers must not see.
    `more` are files that are put beside the others.
    """
    problems: list[LibrarianError] = []
    next_expected = now + setup.config.report.interval_seconds
    ranked = ranking([source.measured.usage for source in sources if source.measured])
    waiting = sorted({user for source in sources if source.collected for user in source.collected.waiting})
    colours = palette.assign([*ranked, *(user for user in waiting if user not in set(ranked))])
    known = pictures.recall(setup.places) if carry else {}
    shown = []
    for source in sources:
        log.info("%s: drawing", source.qos.name)
        try:
            shown.append(_fresh(setup, source, colours, next_expected, known, carry))
        except Exception as error:
            log.debug("rendering %s failed", source.qos.name, exc_info=True)
            problem = SiteError(f"QoS {source.qos.name} could not be drawn", f"{type(error).__name__}: {error}")
            problems.append(problem)
            shown.append(_kept(setup, source.qos, public(str(problem)), known, carry))
    _put(setup, shown, now, next_expected, more)
    pictures.remember(setup.places, {name: made for item in shown for name, made in item.made.items()})
    return problems


def _fresh(
    setup: Setup, source: Source, colours: dict[str, str], next_expected: int, known: Mapping[str, Made], carry: bool
) -> Shown:
    if source.collected is None or source.measured is None:
        return _kept(setup, source.qos, source.reason, known, carry)
    header = _header(setup, source.qos)
    built = report.build(header, source.collected, source.measured, source.qos.limits, colours)
    drawn = pictures.pictures_of(built, setup.places.site, known, setup.config.report.processes)
    return Shown(_entry(built), _data(built, next_expected) | drawn.drawn, drawn.kept, drawn.made)


def _header(setup: Setup, qos: Qos) -> Header:
    options = setup.config.report
    return Header(
        qos.name, qos.title, setup.config.cluster.name, setup.zone, options.refresh_seconds, options.top_users
    )


def _data(built: Report, next_expected: int) -> dict[str, bytes]:
    names = file_names(built.header.qos)
    return {
        names.data: payload.data_json(built, next_expected=next_expected, version=__version__),
        names.csv: usage_gzip(built),
    }


def _entry(built: Report) -> payload.Entry:
    return payload.Entry(built.header.qos, built.header.title, last_updated=built.window.now, staleness=built.staleness)


def _kept(setup: Setup, qos: Qos, reason: str, known: Mapping[str, Made], carry: bool) -> Shown:
    """What the last site showed of `qos`, marked as old; nothing but the reason where it showed nothing."""
    names, site = file_names(qos.name), setup.places.site
    data = folder.read_json(site, names.data) if carry else None
    updated = _updated(data, qos.name, setup.config.cluster.name)
    if data is None or updated is None:
        return Shown(payload.Entry(qos.name, qos.title, None, report.Staleness(True, None, reason)))
    staleness = report.Staleness(True, updated, reason)
    data["staleness"] = {"stale": True, "since": updated, "reason": reason}
    others = [names.csv, *(names.picture(name, ending) for name in PICTURES for ending in ENDINGS)]
    kept = {name: site / name for name in others if (site / name).is_file()}
    files = {names.data: json.dumps(data, separators=(",", ":"), allow_nan=False).encode()}
    return Shown(
        payload.Entry(qos.name, qos.title, updated, staleness, frozenset(kept)),
        files,
        kept,
        pictures.still(known, kept),
    )


def _updated(data: dict[str, Any] | None, qos: str, cluster: str) -> int | None:
    """When data of the last site were complete; None when they are not of this QoS of this cluster, or another form."""
    metadata = data.get("metadata") if data and data.get("schema_version") == payload.SCHEMA_VERSION else None
    if not isinstance(metadata, dict) or metadata.get("qos") != qos or metadata.get("cluster") != cluster:
        return None
    updated = metadata.get("last_updated_epoch")
    return updated if isinstance(updated, int) else None


def _put(setup: Setup, shown: Sequence[Shown], now: int, next_expected: int, more: Mapping[str, bytes]) -> None:
    plotly = assets.plotly()
    if plotly.path is None:
        log.info("no plotly.js on this machine: the page loads its charts' library from %s", plotly.url)
    index = payload.index_json(
        [item.entry for item in shown],
        cluster=setup.config.cluster.name,
        zone=setup.zone,
        now=now,
        next_expected=next_expected,
        refresh_seconds=setup.config.report.refresh_seconds,
        version=__version__,
        plotly=plotly,
        status=statusfile.NAME if statusfile.NAME in more else None,
    )
    files = {name: data for item in shown for name, data in item.files.items()}
    datasets = {name: data for name, data in files.items() if name.startswith("data_") and name.endswith(".json")}
    templates, parsed = assets.templates(), json.loads(index)
    pages = {
        PAGE: render_page(
            parsed,
            datasets,
            status=more.get(statusfile.NAME),
            templates=templates,
            dashboard=assets.dashboard(),
            plotly=plotly,
        ),
        PLAIN: render_plain(parsed, datasets, templates=templates),
    }
    copies = {name: path for item in shown for name, path in item.kept.items()}
    if plotly.path is not None:
        copies[plotly.file_name] = plotly.path
    files |= {name: page.encode("utf-8", "replace") for name, page in pages.items()}
    folder.put(setup.places.site, {**files, **more, INDEX: index}, copies)
