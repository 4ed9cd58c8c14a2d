"""Bins that were kept and bins computed anew come to just what all runs come to at once, to the last digit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librarian.subjects.usage.keep_bins import BinCache

from librarian.cycle import bins, history
from librarian.shared.report import Collected, limits_in
from librarian.shared.scope import Scope
from librarian.shared.window import Window, window_until
from librarian.store import Store, opened
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.pressure import pressures
from librarian.subjects.queue.waits import waits_of
from librarian.subjects.usage.bin_codec import pack, unpack
from librarian.subjects.usage.bins import Histories, Measured, Tally, extended, final, measure, part
from librarian.subjects.usage.keep import RUNS, Hours
from tests.unit.tables import jobs_table

HOUR, DAY = 3600, 86400
T0 = 1_793_570_400 - 3 * DAY  # the clocks of US/Eastern went back in the night before
SCOPE = Scope("hpg", "avery")
ZONE = "US/Eastern"
TRES = (
    "cpu=1,mem=300M,node=1",
    "cpu=7,mem=1.37G,gres/gpu=2,gres/gpu:a100=2",
    "billing=3,cpu=4,gres/gpu:l4=1,gres/gpu=1",
)
TIGHT = QosLimits({"cpu": 8.0, "gres/gpu": 2.0}, 3)


def window_at(now: int) -> Window:
    return window_until(now, seconds=2 * DAY, bin_seconds=HOUR, zone=ZONE)


def limits(tally: Tally, changes: tuple[Change, ...] = ()) -> Histories:
    collected = Collected(
        jobs_table(), tally.window.now, changes[-1].slurm if changes else TIGHT, limit_changes=changes
    )
    return limits_in(tally, collected, {})[1]


def cycle(store: Store, window: Window, known: Callable[[Tally], Histories]) -> bins.Found:
    """What a run does."""
    found = bins.measure(store, SCOPE, window, known)
    history.keep(store, SCOPE, found.jobs, found.usage, found.edition)
    bins.keep(store, SCOPE, found)
    return found


def same(one: Measured, other: Measured) -> None:
    """All that a report takes from either is equal, to the last digit."""
    left, right = one.usage, other.usage
    assert (left.users, left.observables) == (right.users, right.observables)
    np.testing.assert_array_equal(left.integrals, right.integrals)
    np.testing.assert_array_equal(left.holding, right.holding)
    np.testing.assert_array_equal(left.window.edges, right.window.edges)
    assert plain(one.tally.ended) == plain(other.tally.ended)
    assert one.tally.places == other.tally.places
    np.testing.assert_array_equal(one.tally.paused, other.tally.paused)
    assert waits_of(one.tally.starts, left.window) == waits_of(other.tally.starts, right.window)
    told, expected = pressures(one.pressed), pressures(other.pressed)
    assert told.totals == expected.totals
    for arrays, others in ((told.peaks, expected.peaks), (told.near, expected.near), (told.shares, expected.shares)):
        assert arrays.keys() == others.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(array, others[key])


def plain(ended: Any) -> Any:
    return {user: {state: counts.tolist() for state, counts in states.items()} for user, states in ended.items()}


@st.composite
def runs(draw: st.DrawFn, until: int = T0 + DAY) -> dict[str, Any]:
    start = draw(st.one_of(st.just(UNKNOWN), st.integers(T0 - 2 * DAY, until)))
    length = draw(st.one_of(st.integers(0, 3 * HOUR), st.integers(0, 3 * DAY)))
    end = draw(st.one_of(st.just(UNKNOWN), st.just(max(start, T0) + length), st.just(T0 - HOUR)))
    end = end if end == UNKNOWN or end >= start else start
    return {
        **{"dbindex": draw(st.integers(1, 9)), "jobid": draw(st.integers(1, 4)), "user": draw(st.sampled_from("abü"))},
        **{"start": start, "end": end, "submit": (start if start > 0 else T0) - draw(st.integers(0, HOUR))},
        "suspended": draw(st.sampled_from([0, 0, 0, 7, 1234])),
        "state": draw(st.sampled_from(["RUNNING", "COMPLETED", "FAILED", "SUSPENDED", "RESIZING"])),
        "alloc_tres": draw(st.sampled_from(TRES)),
        "partition": draw(st.sampled_from(["gpu", "cpu"])),
    }


tables = st.lists(runs(), max_size=9, unique_by=lambda row: row["dbindex"])
moments = st.one_of(st.integers(T0, T0 + DAY), st.integers(0, 24).map(lambda hours: T0 + hours * HOUR))


@settings(max_examples=100, deadline=None)
@given(tables, moments, st.integers(0, 2 * DAY))
def test_what_is_put_together_is_what_all_runs_come_to(rows: list[dict[str, Any]], now: int, later: int) -> None:
    before = jobs_table(*(row for row in rows if row["start"] == UNKNOWN or row["start"] < now))
    first = measure(before, window_at(now), limits)
    over = final(first)
    window = window_at(now + later)
    jobs = jobs_table(*rows)
    expected = measure(jobs, window, limits)
    skipped = int(np.searchsorted(first.usage.window.edges, window.start))
    if over <= skipped or bool((jobs["suspended"] > 0).any()) or "SUSPENDED" in set(jobs["state"]):
        return
    restored = unpack(pack(part(first, skipped, over)))
    assert restored
    same(restored, part(first, skipped, over))
    found = extended(restored, jobs, window, limits)
    assert found
    same(found, expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "store.sqlite", "hpg") as found:
        yield found


answers = st.lists(st.tuples(moments, tables, st.sets(st.integers(1, 9)), st.booleans()), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None)
@given(answers)
def test_after_any_answers_the_window_is_what_the_stores_runs_come_to(folder: Path, told: list[Any]) -> None:
    path = folder / "store.sqlite"
    path.unlink(missing_ok=True)
    changes: tuple[Change, ...] = ()
    with opened(path, "hpg") as store:
        for now, rows, gone, tightened in told:
            jobs = jobs_table(*rows)
            left = [index for index in gone if index not in set(jobs["dbindex"])]
            with JobRuns(store).intake() as intake:  # as it comes, in parts
                for place in range(0, len(jobs), 2):
                    intake.take(jobs.iloc[place : place + 2])
                intake.complete(SCOPE, Asked(now - DAY, now, 0.1), jobs, (), left)
            if tightened:
                changes = (*changes, Change(now, TIGHT if len(changes) % 2 else QosLimits({"cpu": 4.0}, None), {}))
            held = tuple(sorted(changes, key=lambda change: change.since))
            window = window_at(now)

            def known(tally: Tally, held: tuple[Change, ...] = held) -> Histories:
                return limits(tally, held)

            found = cycle(store, window, known)
            same(found.measured, measure(JobRuns(store).jobs(SCOPE, window.start), window, known))


class TestWhatIsRead:
    """How many runs a cycle reads; bins that are over are not computed again."""

    @staticmethod
    def fill(store: Store, now: int) -> None:
        rows = [
            {"dbindex": 1 + k, "start": now - 40 * HOUR + k * 600, "end": now - 40 * HOUR + k * 600 + 500}
            for k in range(240)
        ]
        JobRuns(store).add(SCOPE, Asked(now - 2 * DAY, now, 0.1), jobs_table(*rows), ())

    def test_the_next_cycle_reads_the_runs_of_its_hour_alone(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        assert len(cycle(store, window_at(now), limits).jobs) == 240
        found = cycle(store, window_at(now + 600), limits)
        assert (len(found.jobs), found.fresh.bins) == (3, 1)

    def test_a_late_record_has_its_bins_computed_again(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)
        late = jobs_table({"dbindex": 999, "start": now - 5 * HOUR, "end": now - 4 * HOUR})
        JobRuns(store).add(SCOPE, Asked(now, now + 600, 0.1), late, ())
        assert cycle(store, window_at(now + 600), limits).fresh.bins == 6
        assert cycle(store, window_at(now + 1200), limits).fresh.bins == 1

    def test_the_same_answer_again_changes_nothing(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)
        edition = store.edition()
        self.fill(store, now)
        assert store.edition() == edition

    def test_a_limit_of_the_past_that_changed_has_all_computed_again(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)
        changes = (Change(now - 9 * HOUR, TIGHT, {}), Change(now - 8 * HOUR, QosLimits({"cpu": 2.0}, None), {}))
        found = cycle(store, window_at(now + 600), lambda tally: limits(tally, changes))
        assert found.fresh.bins == window_at(now).bins

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04garbage", b"{}"])
    def test_what_is_damaged_is_made_again(self, store: Store, data: bytes) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)
        store.execute("UPDATE bins SET data = ?", (data,))
        assert cycle(store, window_at(now + 600), limits).fresh.bins > 40
        assert cycle(store, window_at(now + 600), limits).fresh.bins == 1

    def test_runs_that_changed_meanwhile_are_not_taken_for_known(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        edition = store.edition()
        found = cycle(store, window_at(now), limits)
        JobRuns(store).add(
            SCOPE, Asked(now, now + 60, 0.1), jobs_table({"dbindex": 999, "start": now - HOUR, "end": now}), ()
        )
        assert not BinCache(store).keep(SCOPE, part(found.measured, 0, 10), edition)

    def test_bins_of_what_nobody_asks_for_any_more_are_dropped(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        found = cycle(store, window_at(now), limits)
        other = Scope("hpg", "left")
        assert BinCache(store).keep(other, part(found.measured, 0, 10), store.edition())
        store.forget_bins([SCOPE])
        assert BinCache(store).bins(SCOPE)
        assert BinCache(store).bins(other) is None

    def test_a_run_that_is_ended_before_its_hours_are_written_loses_none(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Hours, "keep", killed)
            cycle(store, window_at(now + 2 * HOUR), limits)
        cycle(store, window_at(now + 3 * HOUR), limits)
        [(begin, end)] = store.known(SCOPE, RUNS)
        assert (begin, end) == (window_at(now).start, T0 + 3 * HOUR)

    def test_hours_that_were_computed_from_older_runs_are_not_written(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        reader = bins.measure(store, SCOPE, window_at(now), limits)
        late = jobs_table({"dbindex": 999, "start": now - 5 * HOUR, "end": now - 4 * HOUR})
        JobRuns(store).add(SCOPE, Asked(now, now + 600, 0.1), late, ())
        cycle(store, window_at(now + 600), limits)
        before = store.all("SELECT * FROM usage ORDER BY 1, 2, 3, 4, 5")
        history.keep(store, SCOPE, reader.jobs, reader.usage, reader.edition)
        assert store.all("SELECT * FROM usage ORDER BY 1, 2, 3, 4, 5") == before

    def test_where_hours_are_missing_they_are_computed_again(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now), limits)
        store.execute("UPDATE known SET until = until - ? WHERE what = ?", (7 * HOUR, RUNS))
        assert cycle(store, window_at(now + 600), limits).fresh.bins == 8
        assert cycle(store, window_at(now + 600), limits).fresh.bins == 1
