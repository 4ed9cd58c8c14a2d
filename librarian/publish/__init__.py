"""Publishers: each takes the finished site folder somewhere. A new kind is a file here and a row in `PUBLISHERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from librarian.publish.base import Publisher
from librarian.publish.folder import Folder
from librarian.publish.github_pages import GithubPages
from librarian.publish.ssh import Ssh

__all__ = ["PUBLISHERS", "Publisher", "publishers"]

PUBLISHERS: Mapping[str, Callable[[Mapping[str, Any], Path, Path], Sequence[Publisher]]] = {
    "folder": Folder.of,
    "github-pages": GithubPages.of,
    "ssh": Ssh.of,
}


def publishers(kind: str, options: Mapping[str, Any], base: Path, scratch: Path) -> Sequence[Publisher]:
    """The publishers of a `[[publish]]` table, one for each place that it names.

    Relative paths in it start at `base`; what a publisher remembers between runs lies below `scratch`. Raises
    `LibrarianError` where the machine lacks what the table names.
    """
    return PUBLISHERS[kind](options, base, scratch)
