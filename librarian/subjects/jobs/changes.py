"""From when on what was computed of runs is no longer right, once Slurm told something new of them.

What a run adds to a bin, and to the count of what ended in it, hangs on when it began and ended, on whose it is and on
what it holds. A run that goes on and has now ended changes nothing before its end, one that was not known changes all
from its start.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from librarian.shared.window import Epochs
from librarian.subjects.jobs.model import NUMBERS, TEXTS, Mask, codes, in_state, ints, stuck
from librarian.subjects.jobs.states import UNKNOWN

NEVER = 2**62
_IDENTITY = ("submit", "eligible", "start")  # times that, where they differ, make it another run


def differing(known: pd.DataFrame, fresh: pd.DataFrame) -> Mask:
    """The rows of `fresh` that `known` does not have just so, shape (rows,)."""
    left, right, there = _both(known, fresh)
    other = ~there
    others = np.zeros(len(right), dtype=bool)
    for name in NUMBERS:
        others |= ints(left, name) != ints(right, name)
    for name in TEXTS:
        others |= ~_same_text(left, right, name)
    other[there] = others
    return other


def changed_from(known: pd.DataFrame, fresh: pd.DataFrame, gone: pd.DataFrame) -> int:
    """The first moment (UTC epoch) at which what was computed of `known` may be wrong; `NEVER` where nothing is.

    `known` are rows of a jobs table as they were stored, `fresh` as Slurm tells them now, `gone` those that left. Rows
    of `known` that `fresh` does not name stay as they are.
    """
    left, right, there = _both(known, fresh)
    moments = [_whole(fresh[~there]), _whole(gone), _differences(left, right)]
    return min((int(part.min()) for part in moments if len(part)), default=NEVER)


def _both(known: pd.DataFrame, fresh: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, Mask]:
    """The runs of `fresh` that are known: as they were, as they are, and which of `fresh` they are, shape (rows,)."""
    place = pd.Index(known["dbindex"]).get_indexer(pd.Index(fresh["dbindex"]))
    there = np.asarray(place >= 0)
    return known.iloc[place[there]], fresh[there], there


def _same_text(left: pd.DataFrame, right: pd.DataFrame, name: str) -> Mask:
    """Where a text column of two tables with as many rows says the same, shape (rows,)."""
    (code, texts), (other, others) = codes(left, name), codes(right, name)
    place = {text: number for number, text in enumerate(texts)}
    there = np.array([place.get(text, -1) for text in others] or [-1])
    return np.asarray(there[other] == code)


def _whole(runs: pd.DataFrame) -> Epochs:
    """From when each run counts at all: its start, or its end where it never started."""
    start, end = ints(runs, "start"), ints(runs, "end")
    return np.where(start != UNKNOWN, start, np.where(end != UNKNOWN, end, NEVER))


def _differences(left: pd.DataFrame, right: pd.DataFrame) -> Epochs:
    """From when on two tables of the same runs in the same order say something else, `NEVER` where they do not."""
    other = np.zeros(len(left), dtype=bool)
    for name in _IDENTITY:
        other |= ints(left, name) != ints(right, name)
    for name in TEXTS:
        if name != "state":
            other |= ~_same_text(left, right, name)
    other |= stuck(left) != stuck(right)  # it did not go on, whatever was thought of it
    # a pause is spread over the whole run
    other |= (_paused(left) | _paused(right)) & ~_alike(left, right)
    ends = [ints(table, "end") for table in (left, right)]
    ended = (ends[0] != ends[1]) | ~_same_text(left, right, "state")
    earliest = np.minimum(*(np.where(end == UNKNOWN, NEVER, end) for end in ends))
    moment = np.where(ended, earliest, NEVER)
    begin = np.minimum(_whole(left), _whole(right))
    result: Epochs = np.where(other, np.minimum(begin, moment), moment)
    return result


def _paused(table: pd.DataFrame) -> Mask:
    paused: Mask = (ints(table, "suspended") > 0) | in_state(table, "SUSPENDED")
    return paused


def _alike(left: pd.DataFrame, right: pd.DataFrame) -> Mask:
    """Runs that are over and whose pause is the same."""
    same: Mask = (ints(left, "suspended") == ints(right, "suspended")) & (ints(left, "end") == ints(right, "end"))
    return same & (ints(left, "end") != UNKNOWN)
