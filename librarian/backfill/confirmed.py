"""Whether an answer about the past that names no run can be true.

sacct prints its header alone, complains of nothing and exits 0 where slurmdbd's query was aborted or a table is
missing, just as it does where nothing ran. Hours that are known are never asked for again, so what is believed here
stays.
"""

from __future__ import annotations

from collections.abc import Callable

from librarian.errors import SlurmError, Trouble
from librarian.shared.words import amount
from librarian.subjects.jobs.ask import Query, Runs
from librarian.subjects.jobs.model import UNKNOWN, ints

Ask = Callable[[Query], Runs]
_AGAIN = "these hours stay unknown; the same command asks for them again"


def confirmed(ask: Ask, query: Query, margin: int) -> Runs:
    """The answer to `query`; one without a run counts once a question that reaches `margin` seconds further to both
    sides has none of its runs either.

    Raises `SlurmError` where the two contradict each other twice, and where not one row is understood.
    """
    runs = ask(query)
    if not _names_none(runs) or not _in(ask(_wider(query, margin)), query):
        return runs
    runs = ask(query)
    if _names_none(runs):
        why = "it names no run, and another answer has some that held resources in those hours"
        raise SlurmError("sacct's answer is refused", why, _AGAIN, trouble=Trouble.NOT_BELIEVED)
    return runs


def _names_none(runs: Runs) -> bool:
    if not len(runs.jobs) and runs.rejects:
        why = f"none of its {amount(len(runs.rejects))} rows is understood"
        raise SlurmError("sacct's answer is refused", why, _AGAIN, trouble=Trouble.NOT_BELIEVED)
    return not len(runs.jobs)


def _wider(query: Query, margin: int) -> Query:
    return Query(query.scope, query.since - margin, query.until + margin)


def _in(runs: Runs, query: Query) -> bool:
    """Whether one of the runs held something in the hours of `query`, and has ended."""
    start, end = ints(runs.jobs, "start"), ints(runs.jobs, "end")
    held = (start != UNKNOWN) & (end != UNKNOWN) & (start < query.until) & (end > query.since) & (end > start)
    return bool(held.any())
