"""What one user is told, by real names: what their runs cost most for nothing, and what to ask for next time.

It is for that user alone: by mail, and on their own terminal.
"""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.names import UserName
from librarian.shared.scope import Scope
from librarian.shared.spans import Spans, clipped
from librarian.store import Store
from librarian.subjects.efficiency.asking import Evidence, evidence
from librarian.subjects.efficiency.costs import Costly, costliest
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.options import Rules


@dataclass(frozen=True)
class OfUser:
    """Of a user's runs that ended in a span of time: how many these are, what is found of them that costs most, worst
    first, and shapes of jobs that can ask for less, those with most runs first (`asking.in_words` puts one in words).

    `known` are the parts of the span of which is known what all runs used that ended in them: where they are not all
    of it, nothing found is no praise.
    """

    user: UserName
    runs: int
    findings: tuple[Costly, ...]
    shapes: tuple[Evidence, ...]
    known: Spans


def of_user(store: Store, scope: Scope, user: UserName, begin: int, end: int, rules: Rules, most: int = 3) -> OfUser:
    """What there is to tell `user` of their runs of `scope` that ended in [begin, end) (UTC epochs): at most so many
    findings, none of fewer hours than `rules` name somebody for. Raises `StoreError`.

    Runs are kept for the window and a week at least (`[store] keep_days`).
    """
    kept = RunUses(store)
    runs = list(kept.runs(scope, begin, end, user))
    shapes = tuple(one for one in evidence(runs) if one.time is not None or one.gib is not None)
    return OfUser(user, len(runs), costliest(runs, rules, most), shapes, clipped(kept.known(scope), begin, end))
