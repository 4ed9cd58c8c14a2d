"""`librarian status --rejects`: every row of Slurm's accounting that is left out, as the store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from librarian.shared.scope import Scope
from librarian.store import opened
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.question import DELIMITER


def lines(path: Path, scopes: Sequence[Scope]) -> list[str]:
    """A line for each row of the store `path` that was rejected, with the reason. Raises `StoreError` when it cannot be
    read."""
    if not scopes or not path.is_file():
        return []
    with opened(path, scopes[0].cluster) as store:
        found = [(scope, reject) for scope in scopes for reject in JobRuns(store).rejects(scope)]
    return [f"{scope.qos}: {reject.reason}: {_visible(reject.line)}" for scope, reject in found]


def _visible(line: str) -> str:
    text = line.replace(DELIMITER, "|")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
