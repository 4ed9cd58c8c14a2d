"""Publishers: each takes the finished site folder somewhere. A new kind is a file here and a row in `PUBLISHERS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from librarian.publish.folder import Folder


class Publisher(Protocol):
    """Takes a finished site somewhere."""

    def describe(self) -> str:
        """Where to, in a few words, without secrets."""

    def publish(self, site: Path) -> None:
        """Deliver the whole of `site`. Raises `PublishError`; what was there before then stays."""


PUBLISHERS: Mapping[str, Callable[[Mapping[str, Any], Path], Publisher]] = {"folder": Folder.of}


def publisher(kind: str, options: Mapping[str, Any], base: Path) -> Publisher:
    """The publisher of a `[[publish]]` table; relative paths in it start at `base`."""
    return PUBLISHERS[kind](options, base)
