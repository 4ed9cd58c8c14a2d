"""Peaks and time at the limit, beside a sweep that goes through every second."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.resources import OBSERVABLES
from librarian.shared.window import Window
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits.model import NEAR, History, Limit, Since
from librarian.subjects.limits.pressure import Pressures, press, pressures
from librarian.subjects.usage.binning import bin_jobs
from tests.unit.tables import jobs_table

CPUS = OBSERVABLES[:1]
EDGES = np.array([0, 60, 120, 180, 240], dtype=np.int64)
WINDOW = Window(EDGES, 225, "UTC", 60)
NONE = Limit("none", None, "GrpTRES cpu")


def limited(value: float) -> Limit:
    return Limit("limit", value, "GrpTRES cpu")


UNLIMITED = (Since(0, NONE),)


def pressed(rows: list[dict[str, Any]], history: History = UNLIMITED) -> Pressures:
    return pressures(press(jobs_table(*rows), WINDOW, CPUS, {"NCPUS": history}))


@st.composite
def runs(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(st.integers(-30, 230).filter(lambda second: second != UNKNOWN))  # that one never started
        end = draw(st.one_of(st.just(UNKNOWN), st.integers(start, 260)))
        tres = f"cpu={draw(st.integers(1, 5))}"
        found.append({"user": draw(st.sampled_from("abc")), "start": start, "end": end, "alloc_tres": tres})
    return found


histories = st.dictionaries(
    st.integers(0, 224), st.sampled_from([NONE, limited(0.0), limited(4.0), limited(10.0)])
).map(lambda changes: (Since(0, NONE), *(Since(at, limit) for at, limit in sorted(changes.items()) if at)))


def held(rows: list[dict[str, Any]], second: int) -> dict[str, int]:
    """What each user holds from this second to the next, by looking at every run."""
    found: dict[str, int] = {}
    for row in rows:
        end = WINDOW.now if row["end"] == UNKNOWN else row["end"]
        if row["start"] <= second < end:
            found[row["user"]] = found.get(row["user"], 0) + int(row["alloc_tres"][4:])
    return found


def limit_at(history: History, second: int) -> float:
    return [step.limit.value or 0.0 for step in history if step.since <= second][-1]


@given(runs(), histories)
def test_it_is_what_a_sweep_through_every_second_finds(rows: list[dict[str, Any]], history: History) -> None:
    told = pressed(rows, history)
    level = [sum(held(rows, second).values()) for second in range(WINDOW.now)]
    limit = [limit_at(history, second) for second in range(WINDOW.now)]
    hit = [bool(most) and amount >= NEAR * most for amount, most in zip(level, limit, strict=True)]
    bins = [range(a, min(b, WINDOW.now)) for a, b in pairwise(EDGES.tolist())]

    assert told.peaks["NCPUS"].tolist() == [max(level[s] for s in seconds) for seconds in bins]
    pressure = told.totals["NCPUS"]
    assert pressure.peak == max(level)
    assert pressure.peak_at == (level.index(max(level)) if max(level) else None)
    assert pressure.near == sum(hit)
    assert pressure.limited == sum(most > 0 for most in limit)
    assert ("NCPUS" in told.near) == any(limit)
    if any(limit):
        assert told.near["NCPUS"].tolist() == [sum(hit[s] for s in seconds) for seconds in bins]
        for place, seconds in enumerate(bins):
            parts = [level[s] / limit[s] for s in seconds if limit[s]]
            expected = [max(parts), sum(parts) / len(parts)] if parts else [np.nan, np.nan]
            np.testing.assert_allclose(told.shares["NCPUS"][:, place], expected)
    stretches = [0]
    for second in hit:
        stretches.append(stretches[-1] + 1 if second else 0)
    assert (pressure.longest[1] - pressure.longest[0] if pressure.longest else 0) == max(stretches)
    assert pressure.longest is None or all(hit[slice(*pressure.longest)])

    sums = {user: sum(held(rows, s).get(user, 0) for s in range(WINDOW.now) if hit[s]) for user in "abc"}
    means = {holder.user: holder.mean for holder in pressure.holders}
    assert means == pytest.approx({user: total / sum(hit) for user, total in sums.items() if total})
    assert sum(holder.share for holder in pressure.holders) == pytest.approx(1.0 if any(hit) else 0.0)
    assert [holder.mean for holder in pressure.holders] == sorted(means.values(), reverse=True)


@given(runs())
def test_no_mean_is_above_the_peak_of_its_bin(rows: list[dict[str, Any]]) -> None:
    usage = bin_jobs(jobs_table(*rows), WINDOW, CPUS)
    assert (usage.means[0].sum(axis=0) <= pressed(rows).peaks["NCPUS"] + 1e-9).all()


def test_at_the_second_of_a_change_only_the_later_run_counts() -> None:
    rows = [{"start": 0, "end": 90, "alloc_tres": "cpu=4"}, {"start": 90, "end": 200, "alloc_tres": "cpu=5"}]
    assert pressed(rows).peaks["NCPUS"].tolist() == [4, 5, 5, 5]


def test_a_suspended_run_counts_with_the_same_part_throughout() -> None:
    rows = [{"start": 0, "end": 120, "suspended": 30, "state": "COMPLETED", "alloc_tres": "cpu=8"}]
    told = pressed(rows, (Since(0, limited(8.0)),))
    assert told.peaks["NCPUS"].tolist() == [6, 6, 0, 0]
    assert told.totals["NCPUS"].near == 0


def test_a_suspended_run_counts_with_all_its_gpus() -> None:
    rows = [{"start": 0, "end": 120, "suspended": 60, "state": "COMPLETED", "alloc_tres": "cpu=8,gres/gpu=4"}]
    history = (Since(0, Limit("limit", 4.0, "GrpTRES gres/gpu")),)
    told = pressures(press(jobs_table(*rows), WINDOW, OBSERVABLES[1:2], {"NGPUS": history}))
    assert told.peaks["NGPUS"].tolist() == [4, 4, 0, 0]
    assert told.totals["NGPUS"].near == 120


def test_only_ten_holders_are_told_and_equal_ones_by_name() -> None:
    rows = [{"user": f"u{n:02d}", "start": 0, "end": 200, "alloc_tres": "cpu=1"} for n in range(12)]
    holders = pressed(rows, (Since(0, limited(12.0)),)).totals["NCPUS"].holders
    assert [holder.user for holder in holders] == [f"u{n:02d}" for n in range(10)]
    assert {holder.share for holder in holders} == {1 / 12}


def test_all_observables_share_one_sweep() -> None:
    rows = [{"start": 0, "end": 60, "alloc_tres": "cpu=4,mem=2G,gres/gpu=3,billing=7"}, {"start": 30, "end": 90}]
    keys = [observable.key for observable in OBSERVABLES]
    told = pressures(press(jobs_table(*rows), WINDOW, OBSERVABLES, dict.fromkeys(keys, (Since(0, NONE),))))
    assert {key: told.totals[key].peak for key in keys} == {
        **{"NCPUS": 5, "NGPUS": 3, "MEMORY": 2, "NJOBS": 2, "BILLING": 7}
    }
    assert told.near == {}


@pytest.mark.slow
def test_a_million_runs_are_pressed_right() -> None:
    """The peak of many runs of one CPU is the largest number of starts less ends, counted by second."""
    random = np.random.default_rng(3)
    count, days = 1_000_000, 30
    start = random.integers(0, days * 86400 - 7200, count)
    end = start + random.integers(1, 7000, count)
    table = jobs_table({"start": 0, "end": 1})
    table = table.loc[np.zeros(count, dtype=int)].reset_index(drop=True)
    table["start"], table["end"] = start, end
    edges = np.arange(0, days * 86400 + 1, 3600, dtype=np.int64)
    window = Window(edges, int(edges[-1]), "UTC", 3600)
    told = pressures(press(table, window, CPUS, {"NCPUS": (Since(0, limited(390.0)),)}))
    change = np.bincount(start, minlength=edges[-1]) - np.bincount(end, minlength=edges[-1])
    level = np.cumsum(change)
    assert told.peaks["NCPUS"].tolist() == level.reshape(-1, 3600).max(axis=1).tolist()
    assert told.totals["NCPUS"].near == int((level >= NEAR * 390).sum())
