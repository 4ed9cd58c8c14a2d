"""In which partitions and accounts resources were held, by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.names import AccountName, PartitionName, Place, Places
from librarian.shared.resources import JOBS, Observable
from librarian.shared.window import Window
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.model import codes
from librarian.subjects.usage.binning import Cells, bin_of, span, touching

Mask = npt.NDArray[np.bool_]
SeenAt = Mapping[str, Mapping[Place, Mask]]  # by resource and place: in which bins it was held, shape (bins,)


def seen_at(jobs: pd.DataFrame, window: Window, observables: Sequence[Observable]) -> SeenAt:
    """In which partitions and accounts jobs held each resource, by bin of the window."""
    jobs = jobs.loc[touching(jobs, window)]
    partition, partitions = codes(jobs, "partition")
    account, accounts = codes(jobs, "account")
    pair, place = np.unique(partition * max(len(accounts), 1) + account, return_inverse=True)
    names = [
        (PartitionName(partitions[code // len(accounts)]), AccountName(accounts[code % len(accounts)]))
        for code in pair.tolist()
    ]
    begin, end = span(jobs, window.now)
    begin = np.maximum(begin, window.start)
    cells = Cells(place, len(names), bin_of(begin, window.edges), bin_of(end, window.edges))
    found: dict[str, dict[Place, Mask]] = {}
    for observable in observables:
        holds = (weights_of(observable, jobs) > 0).astype(float)
        by_bin = cells.integrate(holds, begin, end, window.edges) > 0
        seen = {name: by_bin[row] for row, name in enumerate(names) if by_bin[row].any()}
        if seen:
            found[observable.resource or JOBS] = seen
    return found


def places_of(seen: SeenAt) -> Places:
    """The partitions and accounts in which each resource was held in any of the bins."""
    return {key: frozenset(places) for key, places in seen.items()}
