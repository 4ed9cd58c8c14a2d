"""What the files of a site are called; everything lies in one folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from librarian.shared.text import file_safe

INDEX = "index.json"
PAGE = "index.html"
PLAIN = "plain.html"
STATUS = "status.json"
SCRIPT = "page.js"
STYLE = "page.css"
OVERVIEW = "overview"
PRESSURE = "pressure"
QUEUE = "queue"
EFFICIENCY = "efficiency"
MONTH = "month"
IMAGES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".svg": "svg+xml", ".webp": "webp"}
"""What a logo may be: the end of its name, and its kind in `image/…`."""
PIECE_NAME = re.compile(r"jobs_.+_[0-9a-f]{12}\.js")
PIECE = re.compile(rb"\(globalThis\.librarianJobs \?\?= new Map\(\)\)\.set\(\"[^\"]*\", '([A-Za-z0-9+/=]*)'\);\n")
"""A part of the data that the page loads when it is asked for: a script with JSON, as gzip in base64."""
QUEUED = ("NCPUS", "NGPUS")  # the resources that QUEUE shows


def logo_name(path: str) -> str:
    """What a logo is called on the site."""
    return f"logo{PurePosixPath(path).suffix.lower()}"


@dataclass(frozen=True)
class FileNames:
    """The names of one QoS's files. `slug` stands for the QoS in them and is safe in a path and in a URL."""

    slug: str

    @property
    def data(self) -> str:
        """The report as JSON."""
        return f"data_{self.slug}.json"

    @property
    def script(self) -> str:
        """The same as a script, for a page that is opened from disk, which may not read files."""
        return f"data_{self.slug}.js"

    @property
    def csv(self) -> str:
        """The usage as a table, compressed."""
        return f"usage_{self.slug}.csv.gz"

    def piece(self, what: str, name: str) -> str:
        """A part of the data that the page loads when it is asked for, as a script."""
        return f"{what}_{self.slug}_{name}.js"

    def picture(self, name: str, ending: str) -> str:
        """A picture as `png` or `pdf`."""
        return f"{name}_{self.slug}.{ending}"


def file_names(qos: str) -> FileNames:
    """The files of `qos`, whatever its name; the same for the same name and different for different ones."""
    return FileNames(file_safe(qos))
