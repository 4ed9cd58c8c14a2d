"""Runs that Slurm recorded later than the overlap of two questions reaches back: found by the jobs' own question.

That tells every run of the window once a day at the latest. A run in it that ended in time of which the use is known,
and has no use, is asked for once, by the time of its end: those that ended close together by one question, and few
questions a cycle. What does not come even then (a row that is not understood, say) stays unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from librarian.shared.calendar import DAY
from librarian.shared.scope import Scope
from librarian.shared.spans import Span, clipped
from librarian.shared.words import counted
from librarian.store import Store
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.jobs.keep import JobRuns

NEAR = 900  # seconds: runs that end so close to each other are one question
MOST = 10  # questions a cycle
RECENT = 2 * DAY  # what ended since then is looked through in each cycle, all else once a day
log = logging.getLogger(__name__)


def unused(store: Store, scope: Scope, since: int) -> Mapping[int, int]:
    """The ends (UTC epochs) of runs, by DBIndex, that the question for runs has told and the one for their use has not,
    though it was asked for that time. Of time from `since` on of which rows are kept."""
    kept = RunUses(store)
    spans = clipped(kept.known(scope), max(since, kept.forgotten()), kept.until(scope) or 0)
    runs = JobRuns(store)
    return {index: end for span in spans for index, end in runs.ended_without(scope, *span, "run_use")}


def missing(store: Store, scopes: Sequence[Scope], now: int) -> Mapping[int, int]:
    """The ends of runs, by DBIndex, that are to be asked for. What was asked for and is still missing stays known as
    that."""
    kept = RunUses(store)
    is_day_over = not 0 <= now - kept.looked_through() < DAY
    since = 0 if is_day_over else now - RECENT
    found = {index: end for scope in scopes for index, end in unused(store, scope, since).items()}
    before = kept.late()
    if is_day_over:
        kept.know_looked_through(now)
        kept.know_late({index: end for index, end in before.items() if found.get(index) == end}, now)
    new = {index: end for index, end in found.items() if before.get(index) != end}
    if new:
        log.info("%s late: what they used is asked for", counted(len(new), "run was recorded", "runs were recorded"))
    return new


def questions(ends: Iterable[int]) -> Iterator[Span]:
    """Spans of time that hold all of these moments, in order, those near each other in one; so many at most."""
    spans: list[Span] = []
    for end in sorted(set(ends)):
        if spans and end - spans[-1][0] < NEAR:
            spans[-1] = (spans[-1][0], end + 1)
        else:
            spans.append((end, end + 1))
    yield from spans[:MOST]
