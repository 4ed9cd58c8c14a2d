"""A question to `sacct` that is longer than slurmdbd answers (MaxQueryTimeRange), asked in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from librarian.errors import TooWideError
from librarian.shared.slices import cut
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.ask import Runs, Sink, nowhere
from librarian.subjects.jobs.model import joined
from librarian.subjects.jobs.question import Query

MARGIN = 60  # below the longest: slurmdbd counts a question that ends now up to its own now
_SHORTEST = 600  # seconds; a shorter question that is still too wide is a failure


def ask(slurm: Slurm, query: Query, longest: int | None = None, sink: Sink = nowhere) -> Runs:
    """All runs that match `query`, as `accounting.ask` gives them; in pieces where slurmdbd wants that.

    With `longest` no piece is longer than so many seconds from the beginning.
    Pieces are asked one after the other, oldest first, so of a run that changes meanwhile the newest row counts; `sink`
    gets all of them. The length of a piece is what slurmdbd tells of itself, else half of what was too wide. Raises
    `SlurmError`.
    """
    todo, answers = [(query.since, query.until)], []
    told = False
    while todo:
        since, until = todo.pop(0)
        if longest and until - since > longest:
            todo = [*cut(since, until, longest), *todo]
            continue
        try:
            answers.append(accounting.ask(slurm, replace(query, since=since, until=until), sink))
        except TooWideError:
            if until - since <= _SHORTEST:
                raise
            half = (until - since + 1) // 2
            longest, told = min(half, (None if told else longest_query(slurm)) or half), True
            todo.insert(0, (since, until))
    return together(answers)


def longest_query(slurm: Slurm) -> int | None:
    """How long a question may be, in seconds; None where there is no bound or it is not told. Raises `SlurmError`."""
    longest = site.archive(slurm).longest_query
    return max(1, longest - MARGIN) if longest else None


def together(parts: Sequence[Runs]) -> Runs:
    """Several answers as one: each run once, as the last of them tells it."""
    rejects = {reject.key: reject for part in parts for reject in part.rejects}
    return Runs(joined([part.jobs for part in parts]), tuple(rejects.values()))
