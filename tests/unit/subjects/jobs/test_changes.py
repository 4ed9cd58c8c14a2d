"""What Slurm tells anew of runs changes nothing before the moment that `changed_from` names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import window_until
from librarian.subjects.jobs.changes import NEVER, changed_from
from librarian.subjects.jobs.model import UNKNOWN, joined
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.summary import ended_by_bin
from tests.unit.tables import jobs_table

NOW = 1_793_570_400 + 1234
EARLIER = NOW - 1800
WINDOW = window_until(NOW, seconds=2 * 86400, bin_seconds=3600, zone="US/Eastern")
START = WINDOW.start


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.one_of(st.just(UNKNOWN), st.integers(START - 9000, EARLIER)))
    end = draw(st.one_of(st.just(UNKNOWN), st.integers(0, 90_000).map(lambda length: max(start, START) + length)))
    return {
        **{"dbindex": draw(st.integers(1, 6)), "start": start, "end": end if end <= EARLIER else UNKNOWN},
        **{"user": draw(st.sampled_from("ab")), "alloc_tres": f"cpu={draw(st.integers(1, 3))}"},
        **{"suspended": draw(st.sampled_from([0, 0, 600])), "state": draw(st.sampled_from(["RUNNING", "COMPLETED"]))},
    }


tables = st.lists(rows(), max_size=6, unique_by=lambda row: row["dbindex"]).map(lambda found: jobs_table(*found))


def told(jobs: Any, until: int) -> dict[str, Any]:
    """All that is computed of `jobs`, in the bins that were over before `until`."""
    usage = bin_jobs(jobs, WINDOW, OBSERVABLES)
    bins = max(0, int(np.searchsorted(WINDOW.edges, until, side="right")) - 1)
    held = {user: usage.integrals[:, place, :bins] for place, user in enumerate(usage.users)}
    ended = {(u, s): n[:bins] for u, by in ended_by_bin(jobs, WINDOW).items() for s, n in by.items()}
    return {
        **{k: v.tolist() for k, v in held.items() if v.any()},
        **{k: v.tolist() for k, v in ended.items() if v.any()},
    }


@pytest.mark.slow
@settings(max_examples=120)
@given(tables, tables, st.data())
def test_nothing_before_it_is_wrong(known: Any, fresh: Any, data: st.DataObject) -> None:
    gone = known[known["dbindex"].isin(data.draw(st.sets(st.sampled_from([0, *known["dbindex"].tolist()]))))]
    gone = gone[~gone["dbindex"].isin(fresh["dbindex"])]
    after = joined([known, fresh])
    after = after[~after["dbindex"].isin(gone["dbindex"])].reset_index(drop=True)
    moment = min(changed_from(known, fresh, gone.reset_index(drop=True)), EARLIER)
    assert told(known, moment) == told(after, moment)


def test_a_run_that_ended_changes_nothing_before_its_end() -> None:
    known = jobs_table({"start": START, "state": "RUNNING"})
    fresh = jobs_table({"start": START, "end": START + 5000, "state": "COMPLETED"})
    assert changed_from(known, fresh, known[:0]) == START + 5000
    assert changed_from(known, known, known[:0]) == NEVER
    assert changed_from(known[:0], fresh, known[:0]) == START
    assert changed_from(known, known[:0], known) == START


def test_a_pause_is_spread_over_the_run() -> None:
    known = jobs_table({"start": START, "state": "RUNNING"})
    fresh = jobs_table({"start": START, "state": "RUNNING", "suspended": 60})
    assert changed_from(known, fresh, known[:0]) == START
    assert changed_from(fresh, fresh, known[:0]) == START  # it still goes on, and its share with it
