"""Sites to look at in a browser, built from made-up reports by the code that builds the real ones.

Pictures are one pixel each: what a browser shows of them is tested with the demo's site.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from librarian import __version__
from librarian.render.html.page import beside_page, data_script
from librarian.render.plotly import Plotly
from librarian.shared.files import PAGE, PLAIN, STATUS, file_names
from librarian.shared.report import Report, Staleness
from librarian.site import assets
from librarian.subjects.job_table.section import JobTableSection
from librarian.subjects.job_table.subject import JobTable
from librarian.subjects.usage.csv import usage_gzip
from tests.unit import rendering, reports
from tests.unit.rendering import PICTURES, render_page, render_plain

NOW = reports.NOW
# A busy hour; what the demo shows at night is less. Pages of it are opened a minute later.
DEMO_AT = int(datetime(2026, 11, 24, 15, 0, tzinfo=timezone.utc).timestamp())
INTERVAL = 600
REFRESH = 300
_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTkFxwAAAABJRU5ErkJggg=="
)


@dataclass
class Site:
    """The reports of a site and the QoS that have none: `missing` maps their names to the reason."""

    reports: Sequence[Report]
    missing: Mapping[str, str] = field(default_factory=dict)
    plotly: Plotly = field(default_factory=assets.plotly)
    refresh_seconds: int = REFRESH
    generated_at: int = NOW
    status: bytes | None = None

    def index(self) -> dict[str, Any]:
        """index.json, parsed."""
        entries = [
            rendering.IndexEntry(report.header.qos, report.header.title, report.window.now, report.staleness)
            for report in self.reports
        ]
        entries += [rendering.IndexEntry(qos, qos, None, Staleness(True)) for qos in self.missing]
        text = rendering.index_json(
            entries,
            cluster=self.reports[0].header.cluster if self.reports else "hpg",
            zone=self.reports[0].window.zone if self.reports else reports.ZONE,
            now=self.generated_at,
            next_expected=self.generated_at + INTERVAL,
            refresh_seconds=self.refresh_seconds,
            version=__version__,
            plotly=self.plotly,
            status=None if self.status is None else STATUS,
        )
        index: dict[str, Any] = json.loads(text)
        for entry in index["qos"][len(self.reports) :]:
            entry["reason"] = self.missing[entry["name"]]
        return index

    def datasets(self) -> dict[str, bytes]:
        """The data files by name."""
        return {
            file_names(report.header.qos).data: rendering.data_json(
                report, next_expected=report.window.now + INTERVAL, version=__version__
            )
            for report in self.reports
        }

    def files(self, embed: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """All files by name; `embed` are the datasets of the pages, and of the scripts that a page from disk loads,
        where they are not those of the reports."""
        index, datasets = self.index(), self.datasets()
        embedded = datasets if embed is None else embed
        page = render_page(
            index,
            embedded,
            status=self.status,
            templates=assets.templates(),
            dashboard=assets.dashboard(),
            plotly=self.plotly,
        )
        plain = render_plain(index, embedded, templates=assets.templates())
        beside = {name: text.encode() for name, text in beside_page(assets.dashboard()).items()}
        scripts = {
            entry["script"]: data_script(entry["slug"], embedded[entry["data"]])
            for entry in index["qos"]
            if entry["data"] in embedded
        }
        pages = {**beside, **scripts, PAGE: page.encode("utf-8", "replace"), PLAIN: plain.encode("utf-8", "replace")}
        files = {**pages, "index.json": json.dumps(index).encode(), **datasets}
        for report in self.reports:
            names = file_names(report.header.qos)
            files[names.csv] = usage_gzip(report)
            if JobTableSection in map(type, report.sections.values()):
                files |= {name: make() for name, make in JobTable().pieces(report).items()}
            files |= {names.picture(name, ending): _PIXEL for name in PICTURES for ending in ("png", "pdf")}
        if self.status is not None:
            files[STATUS] = self.status
        if self.plotly.path is not None:
            files[self.plotly.file_name] = self.plotly.path.read_bytes()
        return files

    def write(self, folder: Path, embed: Mapping[str, bytes] | None = None) -> Path:
        """Write all files to `folder`; returns the page."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files(embed).items():
            (folder / name).write_bytes(data)
        return folder / "index.html"
