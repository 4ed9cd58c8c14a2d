"""Publish into a folder, such as a web server's, or one that a group shares."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from librarian.errors import LibrarianError, PublishError
from librarian.publish.base import DONE, Attempt, Delivered, Finding, Patience, Preview
from librarian.shared.words import amount
from librarian.site import folder as sitefolder
from librarian.system.host import expanded, group_number


@dataclass(frozen=True)
class Folder:
    """Puts a copy of the site at `path`, replaced whole, with modes and group as configured ("": as they come).

    The time limit cannot stop a file system that hangs.
    """

    path: Path
    mode: str = ""
    file_mode: str = ""
    group: str = ""
    patience: Patience = field(default=Patience())
    kind: str = "folder"

    @classmethod
    def of(cls, options: Mapping[str, Any], base: Path, _scratch: Path) -> Sequence[Folder]:
        """From a `[[publish]]` table: `path`, `mode`, `file_mode`, `group`."""
        path = base / expanded(str(options["path"]))
        mode, file_mode, group = (str(options.get(key, "")) for key in ("mode", "file_mode", "group"))
        return [cls(path, mode, file_mode, group, Patience.of(options))]

    def describe(self) -> str:
        """The folder."""
        return f"folder {self.path}"

    def publish(self, site: Path, attempt: Attempt) -> Delivered:
        """Copy `site` beside the target, then swap. Raises `PublishError`."""
        attempt.left()
        try:
            files = sitefolder.files_of(site)
            sitefolder.put(self.path, {}, files, self._access())
            return Delivered(DONE, sum(path.stat().st_size for path in files.values()))
        except LibrarianError as error:
            raise PublishError(error.what, error.why, error.todo) from error

    def plan(self, site: Path, attempt: Attempt) -> Preview:
        """All files are copied; those that differ from what is there are new to a reader."""
        attempt.left()
        files = sitefolder.files_of(site)
        sizes = {name: path.stat().st_size for name, path in files.items()}
        changed = [name for name, path in files.items() if not _same(path, self.path / name)]
        return Preview(self.describe(), sizes, changed)

    def check(self, site: Path, attempt: Attempt) -> list[Finding]:
        """Whether the folder may be replaced, can be written, and has room for two copies."""
        attempt.left()
        findings = []
        try:
            self._access()
            sitefolder.refuse_foreign(self.path)
            findings.append(Finding(True, f"{self.path} is ours to replace"))
        except (LibrarianError, OSError) as error:
            findings.append(Finding(False, str(error)))
        above = next(folder for folder in self.path.absolute().parents if folder.is_dir())
        writable = os.access(above, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
        findings.append(Finding(writable, f"{above} can{'' if writable else 'not'} be written"))
        free = shutil.disk_usage(above).free
        needed = sum(path.stat().st_size for path in sitefolder.files_of(site).values())
        enough = free > 2 * needed
        findings.append(
            Finding(enough, f"{amount(free / 2**20)} MiB are free there, a copy has {amount(needed / 2**20)} MiB")
        )
        return findings

    def _access(self) -> sitefolder.Access:
        return sitefolder.Access(
            int(self.mode, 8) if self.mode else None,
            int(self.file_mode, 8) if self.file_mode else None,
            group_number(self.group) if self.group else None,
        )


def _same(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
