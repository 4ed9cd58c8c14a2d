"""Publish into a folder, such as a web server's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from librarian import sitefolder
from librarian.errors import LibrarianError, PublishError


@dataclass(frozen=True)
class Folder:
    """Puts a copy of the site at `path`, replaced whole."""

    path: Path

    @classmethod
    def of(cls, options: Mapping[str, Any], base: Path) -> Folder:
        """From a `[[publish]]` table: `path`."""
        return cls(base / Path(str(options["path"])).expanduser())

    def describe(self) -> str:
        """The folder."""
        return f"folder {self.path}"

    def publish(self, site: Path) -> None:
        """Copy `site` beside the target, then swap. Raises `PublishError`."""
        files = {path.name: path for path in sorted(site.iterdir()) if path.is_file()}
        try:
            sitefolder.put(self.path, {}, files)
        except LibrarianError as error:
            raise PublishError(error.what, error.why, error.todo) from error
