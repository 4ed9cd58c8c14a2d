"""Bins that were kept and bins computed anew come to just what all runs come to at once, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.shared.scope import Scope
from librarian.shared.window import Window, window_until
from librarian.store import Store, opened
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits import bin_cache as limits_cache
from librarian.subjects.limits import bin_codec as limits_codec
from librarian.subjects.limits import bins as limits_bins
from librarian.subjects.limits import pressure
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.pressure import PressedBins, press, pressures
from librarian.subjects.limits.section import limits_in
from librarian.subjects.queue.waits import waits_of
from librarian.subjects.subject import Reading, Watched
from librarian.subjects.usage import bin_cache, bin_codec, binning
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.bin_cache import CachedBins
from librarian.subjects.usage.bin_codec import pack, unpack
from librarian.subjects.usage.bins import Tally, extended, final, measure, part
from librarian.subjects.usage.keep import Hours
from librarian.subjects.usage.subject import Usage
from librarian.subjects.usage.sums import PAUSES, RUNS
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


@dataclass(frozen=True)
class Measured:
    """What the runs of a window come to, and how near that came to its limits."""

    tally: Tally
    pressed: PressedBins


def window_at(now: int) -> Window:
    return window_until(now, seconds=2 * DAY, bin_seconds=HOUR, zone=ZONE)


def limits(tally: Tally, changes: tuple[Change, ...] = ()) -> limits_bins.Histories:
    return limits_in(tally, changes[-1].slurm if changes else TIGHT, changes, {})[1]


def whole(jobs: pd.DataFrame, window: Window, changes: tuple[Change, ...] = ()) -> Measured:
    """All at once."""
    tally = measure(jobs, window)
    return Measured(tally, press(jobs, window, tally.usage.observables, limits(tally, changes)))


def cycle(store: Store, window: Window, changes: tuple[Change, ...] = ()) -> tuple[Measured, CachedBins]:
    """What a run does, and what of the use it computed anew."""
    reading = Reading(store, Watched(SCOPE), window)
    tally = Usage().read(reading).tally
    pressed = limits_cache.measure(reading, limits(tally, changes))
    found: CachedBins = reading.shared[CachedBins]
    return Measured(tally, pressed), found


def same(one: Measured, other: Measured) -> None:
    """All that a report takes from either is equal, to the last digit."""
    left, right = one.tally.usage, other.tally.usage
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


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(tables, moments, st.integers(0, 2 * DAY))
def test_what_is_put_together_is_what_all_runs_come_to(rows: list[dict[str, Any]], now: int, later: int) -> None:
    before = jobs_table(*(row for row in rows if row["start"] == UNKNOWN or row["start"] < now))
    first = whole(before, window_at(now))
    over = final(first.tally)
    window = window_at(now + later)
    jobs = jobs_table(*rows)
    expected = whole(jobs, window)
    skipped = int(np.searchsorted(first.tally.window.edges, window.start))
    if over <= skipped or bool((jobs["suspended"] > 0).any()) or "SUSPENDED" in set(jobs["state"]):
        return
    cut = Measured(part(first.tally, skipped, over), limits_bins.part(first.pressed, skipped, over))
    tally, pressed = unpack(pack(cut.tally)), limits_codec.unpack(limits_codec.pack(cut.pressed))
    assert tally and pressed
    same(Measured(tally, pressed), cut)
    tally = extended(tally, jobs, window)
    longer = limits_bins.extended(pressed, jobs, window, tally.usage.observables, limits(tally))
    assert longer
    same(Measured(tally, longer), expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "store.sqlite", "hpg") as found:
        yield found


answers = st.lists(st.tuples(moments, tables, st.sets(st.integers(1, 9)), st.booleans()), min_size=2, max_size=5)


@pytest.mark.slow
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
            measured, _ = cycle(store, window, held)
            same(measured, whole(JobRuns(store).jobs(SCOPE, window.start), window, held))


@pytest.fixture
def pressed_anew(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bins were measured against the limits, each time that was done."""
    found: list[int] = []

    def noted(jobs: pd.DataFrame, window: Window, observables: Sequence[Any], histories: Any) -> PressedBins:
        found.extend([window.bins] if observables else [])
        return press(jobs, window, observables, histories)

    monkeypatch.setattr(limits_cache, "press", noted)
    monkeypatch.setattr(limits_bins, "press", noted)
    return found


class TestWhatIsRead:
    """How many runs a cycle reads; bins that are over are not computed again."""

    @staticmethod
    def fill(store: Store, now: int) -> None:
        rows = [
            {"dbindex": 1 + k, "start": now - 40 * HOUR + k * 600, "end": now - 40 * HOUR + k * 600 + 500}
            for k in range(240)
        ]
        JobRuns(store).add(SCOPE, Asked(now - 2 * DAY, now, 0.1), jobs_table(*rows), ())

    def test_the_next_cycle_reads_the_runs_of_its_hour_alone(self, store: Store, pressed_anew: list[int]) -> None:
        now = T0 + 1800
        self.fill(store, now)
        assert len(cycle(store, window_at(now))[1].jobs) == 240
        _, found = cycle(store, window_at(now + 600))
        assert (len(found.jobs), found.fresh.bins) == (3, 1)
        assert pressed_anew == [window_at(now).bins, 1]

    def test_a_late_record_has_its_bins_computed_again(self, store: Store, pressed_anew: list[int]) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))
        late = jobs_table({"dbindex": 999, "start": now - 5 * HOUR, "end": now - 4 * HOUR})
        JobRuns(store).add(SCOPE, Asked(now, now + 600, 0.1), late, ())
        assert cycle(store, window_at(now + 600))[1].fresh.bins == 6
        assert cycle(store, window_at(now + 1200))[1].fresh.bins == 1
        assert pressed_anew[1:] == [6, 1]

    def test_bins_of_the_older_rule_are_computed_again_and_the_hours_before_them_stay(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, pressed_anew: list[int]
    ) -> None:
        """An older release let a pause stop all that a job held; six hours later there is this one."""
        now = T0 + 1800
        run = {"suspended": HOUR, "state": "COMPLETED", "alloc_tres": "cpu=2,gres/gpu=4"}
        begins = (window_at(now).start + HOUR, now - 4 * HOUR)
        runs = jobs_table(*({**run, "start": begin, "end": begin + 2 * HOUR} for begin in begins))
        JobRuns(store).add(SCOPE, Asked(now - 2 * DAY, now, 0.1), runs, ())
        with monkeypatch.context() as older:
            for room in (binning, pressure):
                older.setattr(room, "held_shares", lambda told, jobs, at: [binning.running_share(jobs, at)] * len(told))
            for codec in (bin_codec, limits_codec):
                older.setattr(codec, "_FORMAT", "that of an older release")
            cycle(store, window_at(now))
        store.execute("DELETE FROM known WHERE what = ?", (PAUSES,))
        window = window_at(now + 6 * HOUR)
        _, found = cycle(store, window)
        assert found.fresh.bins == pressed_anew[-1] == window.bins
        same(cycle(store, window)[0], whole(JobRuns(store).jobs(SCOPE, window.start), window))
        hours = store.all("SELECT start, amount FROM usage WHERE observable = 'NGPUS'")
        before = sum(amount for start, amount in hours if start < window.start)
        assert (before, sum(amount for _, amount in hours) - before) == (4 * HOUR, 8 * HOUR)
        assert store.known(SCOPE, PAUSES) == ((window.start, int(window.edges[-2])),)

    def test_the_same_answer_again_changes_nothing(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))
        edition = store.edition()
        self.fill(store, now)
        assert store.edition() == edition

    def test_a_limit_of_the_past_that_changed_has_all_measured_again(
        self, store: Store, pressed_anew: list[int]
    ) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))
        changes = (Change(now - 9 * HOUR, TIGHT, {}), Change(now - 8 * HOUR, QosLimits({"cpu": 2.0}, None), {}))
        window = window_at(now + 600)
        measured, found = cycle(store, window, changes)
        assert pressed_anew[1:] == [window.bins]
        assert found.fresh.bins == 1, "use knows no limits"
        same(measured, whole(JobRuns(store).jobs(SCOPE, window.start), window, changes))
        cycle(store, window_at(now + 1200), changes)
        assert pressed_anew[2:] == [1]

    @pytest.mark.slow
    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04garbage", b"{}"])
    @pytest.mark.parametrize("subject", ["usage", "limits"])
    def test_what_is_damaged_is_made_again(
        self, store: Store, pressed_anew: list[int], subject: str, data: bytes
    ) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))
        store.execute("UPDATE bins SET data = ? WHERE subject = ?", (data, subject))
        window = window_at(now + 600)
        (measured, first), (_, second) = cycle(store, window), cycle(store, window)
        assert first.fresh.bins == (window.bins if subject == "usage" else 1)
        assert second.fresh.bins == 1
        assert pressed_anew[1:] == [window.bins if subject == "limits" else 1, 1]
        same(measured, whole(JobRuns(store).jobs(SCOPE, window.start), window))

    def test_runs_that_changed_meanwhile_are_not_taken_for_known(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        reading = Reading(store, Watched(SCOPE), window_at(now))
        tally = Usage().read(reading).tally
        store.forget_bins([])
        JobRuns(store).add(
            SCOPE, Asked(now, now + 60, 0.1), jobs_table({"dbindex": 999, "start": now - HOUR, "end": now}), ()
        )
        bin_cache.keep(store, SCOPE, reading.shared[CachedBins])
        limits_cache.measure(reading, limits(tally))
        assert [store.kept_bins(SCOPE, subject) for subject in ("usage", "limits")] == [None, None]

    def test_bins_of_what_nobody_asks_for_any_more_are_dropped(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        measured, _ = cycle(store, window_at(now))
        other = Scope("hpg", "left")
        assert store.keep_bins(other, "usage", now, pack(part(measured.tally, 0, 10)), store.edition())
        assert store.keep_bins(other, "limits", now, b"anything", store.edition())
        store.forget_bins([SCOPE])
        for subject in ("usage", "limits"):
            assert store.kept_bins(SCOPE, subject)
            assert store.kept_bins(other, subject) is None

    @pytest.mark.parametrize("step", [(Hours, "keep"), (bin_cache, "keep"), (limits_cache, "press")])
    def test_a_run_that_is_ended_before_its_hours_are_written_loses_none(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str]
    ) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        store.execute("DELETE FROM bins WHERE subject = 'limits'")
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(*step, killed)
            cycle(store, window_at(now + 2 * HOUR))
        window = window_at(now + 3 * HOUR)
        measured, _ = cycle(store, window)
        [(begin, end)] = store.known(SCOPE, RUNS)
        assert (begin, end) == (window_at(now).start, T0 + 3 * HOUR)
        same(measured, whole(JobRuns(store).jobs(SCOPE, window.start), window))

    def test_hours_that_were_computed_from_older_runs_are_not_written(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        found = bin_cache.measure(store, SCOPE, window_at(now))
        more = by_account(found.jobs, found.fresh)
        late = jobs_table({"dbindex": 999, "start": now - 5 * HOUR, "end": now - 4 * HOUR})
        JobRuns(store).add(SCOPE, Asked(now, now + 600, 0.1), late, ())
        cycle(store, window_at(now + 600))
        before = store.all("SELECT * FROM usage ORDER BY 1, 2, 3, 4, 5")
        Hours(store).keep(SCOPE, found.usage, more, found.edition)
        assert store.all("SELECT * FROM usage ORDER BY 1, 2, 3, 4, 5") == before

    def test_where_hours_are_missing_they_are_computed_again(self, store: Store) -> None:
        now = T0 + 1800
        self.fill(store, now)
        cycle(store, window_at(now))
        store.execute("UPDATE known SET until = until - ? WHERE what = ?", (7 * HOUR, RUNS))
        assert cycle(store, window_at(now + 600))[1].fresh.bins == 8
        assert cycle(store, window_at(now + 600))[1].fresh.bins == 1
