"""`librarian status --rejects`: every row of Slurm's accounting that is left out, as the store keeps it."""

from __future__ import annotations

from librarian.config.setup import Setup
from librarian.shared.scope import Scope
from librarian.store import opened
from librarian.subjects.jobs.ask import DELIMITER
from librarian.subjects.jobs.keep import JobRuns


def lines(setup: Setup) -> list[str]:
    """A line for each row that was rejected, with the reason. Raises `StoreError` when the store cannot be read."""
    if not setup.places.store.is_file():
        return []
    found = []
    with opened(setup.places.store) as store:
        for entry in setup.config.qos:
            for reject in JobRuns(store).rejects(Scope(entry.name, entry.accounts, entry.partitions)):
                found.append(f"{entry.name}: {reject.reason}: {_visible(reject.line)}")
    return found


def _visible(line: str) -> str:
    text = line.replace(DELIMITER, "|")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
