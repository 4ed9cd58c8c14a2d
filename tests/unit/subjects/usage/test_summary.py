"""Runs that ended, by bin: half-open bins, no run lost, none counted twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.window import Window, window_until
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.usage.summary import ended_by_bin, ended_states
from tests.unit.tables import jobs_table

NOW = 1_793_570_400 + 1234  # in the week of the autumn clock change
WINDOW = window_until(NOW, seconds=7 * 86400, bin_seconds=3600, zone="US/Eastern")
EDGES = WINDOW.edges.tolist()


@st.composite
def ends(draw: st.DrawFn) -> dict[str, Any]:
    """A run that ended somewhere around the window, on an edge more often than chance would have it."""
    near = st.sampled_from(EDGES).flatmap(lambda edge: st.sampled_from([edge - 1, edge, edge + 1]))
    end = draw(st.one_of(st.just(UNKNOWN), st.just(NOW), near, st.integers(WINDOW.start - 9000, NOW + 9000)))
    state = draw(st.sampled_from(["COMPLETED", "FAILED", "TIMEOUT"]))
    return {"start": UNKNOWN, "end": end, "user": draw(st.sampled_from(["a", "b", "constructor"])), "state": state}


def counted(rows: list[dict[str, Any]], begin: int, end: int) -> dict[str, dict[str, int]]:
    """Runs that ended in [begin, end) and not after NOW, the plain way: one at a time."""
    table: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["end"] != UNKNOWN and begin <= row["end"] < end and row["end"] <= NOW:
            states = table.setdefault(row["user"], {})
            states[row["state"]] = states.get(row["state"], 0) + 1
    return table


@given(st.lists(ends(), max_size=40))
def test_sums_over_bins_are_the_runs_that_ended_in_the_window(rows: list[dict[str, Any]]) -> None:
    by_bin = ended_by_bin(jobs_table(*rows), WINDOW)
    assert ended_states(by_bin) == counted(rows, WINDOW.start, NOW + 1)
    assert {len(counts) for states in by_bin.values() for counts in states.values()} <= {WINDOW.bins}


@given(st.lists(ends(), max_size=40), st.integers(0, WINDOW.bins - 1))
def test_a_bin_holds_what_ended_from_its_edge_to_before_the_next(rows: list[dict[str, Any]], place: int) -> None:
    by_bin = ended_by_bin(jobs_table(*rows), WINDOW)
    found = {
        user: {state: int(counts[place]) for state, counts in states.items() if counts[place]}
        for user, states in by_bin.items()
    }
    assert {user: states for user, states in found.items() if states} == counted(rows, EDGES[place], EDGES[place + 1])


def test_what_ended_when_the_last_bin_did_is_in_it() -> None:
    """At a full hour the window ends with its last bin, and a run may have ended at that very second."""
    full: Window = window_until(EDGES[-2], seconds=86400, bin_seconds=3600, zone="US/Eastern")
    assert full.now == full.edges[-1]
    by_bin = ended_by_bin(jobs_table({"end": full.now, "state": "FAILED"}), full)
    assert by_bin["alice"]["FAILED"].tolist() == [0] * (full.bins - 1) + [1]


def test_nothing_ended() -> None:
    assert ended_by_bin(jobs_table({"end": UNKNOWN}, {"end": WINDOW.start - 1}), WINDOW) == {}
    assert ended_by_bin(jobs_table(), WINDOW) == {}
