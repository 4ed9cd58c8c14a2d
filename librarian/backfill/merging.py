"""What a part of a backfill brings: people that no run of the store names, and hours."""

from __future__ import annotations

from librarian.shared.scope import Scope
from librarian.shared.spans import Span
from librarian.store import Store
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.usage.keep import Hours


def take_hours(store: Store, part: Store, scope: Scope, span: Span, zone: str) -> int:
    """Make the hours that `part` kept of `span` the store's, all or nothing; see `Hours.take`."""
    people = JobRuns(part).people()
    with store.transaction():
        JobRuns(store).meet(people)  # whoever is told of must be known to be one
        return Hours(store).take(Hours(part), scope, span, zone)
