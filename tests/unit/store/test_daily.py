"""Copies of what Slurm cannot tell again, damage that SQLite does not see, and what takes a damaged store's place."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from librarian.errors import StoreError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, window_until
from librarian.store import CorruptStoreError, Store, check, copies, daily, keep_copy, opened, rescue, take_in
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.usage.binning import Usage, bin_jobs
from librarian.subjects.usage.keep import Hours
from tests.unit.tables import jobs_table

NOW = 1_793_000_000
AVERY = Scope("hpg", "avery")
ASKED = Asked(0, NOW, 0.5, rows=1, full=True)
SECONDS = 2.0 * (3 * DAY - 7200)
LIMITS = Change(100, QosLimits({"cpu": 4.0}, None), {})


def used(now: int, cpus: int = 2, days: int = 5) -> Usage:
    """A run that ended more than a day before NOW, in a window of some days up to `now`."""
    window = window_until(now, seconds=days * DAY, bin_seconds=3600, zone="UTC")
    run = {"start": NOW - 4 * DAY, "end": NOW - DAY - 7200, "alloc_tres": f"cpu={cpus}"}
    return bin_jobs(jobs_table(run), window, OBSERVABLES[:1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a run, hours and limits in it."""
    path = tmp_path / "state" / "hpg.sqlite"
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, jobs_table({"dbindex": 1, "user": "kim"}), ())
        Hours(store).keep(AVERY, used(NOW))
        LimitChanges(store).keep(AVERY, LIMITS)
    return path


def copied(path: Path, now: int = NOW) -> Path | None:
    with opened(path, "hpg") as store:
        return keep_copy(store, now)


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def told(path: Path) -> tuple[int, float, tuple[Change, ...], frozenset[str]]:
    """Runs, CPU-seconds, limits, people."""
    with opened(path, "hpg") as store:
        amount = float(Hours(store).usage(AVERY, 0, NOW + 99 * DAY)["amount"].sum())
        return len(JobRuns(store).jobs(AVERY, 0)), amount, LimitChanges(store).of(AVERY), JobRuns(store).people()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)


def test_a_copy_holds_what_slurm_cannot_tell_again_and_is_a_store(path: Path) -> None:
    copy = copied(path)
    assert copy == path.with_name(f"hpg.sqlite.daily-{NOW}")
    assert names(path) == ["hpg.sqlite", copy.name]
    assert copy.stat().st_mode & 0o777 == 0o600
    found = check(copy)
    assert (found.problems, found.rows["job"], found.rows["scope"]) == ((), 0, 0)
    runs, *rest = told(path)
    assert (runs, rest[0]) == (1, SECONDS)
    take_in(copy, path, "hpg", NOW)
    assert told(path) == (0, *rest)


def test_one_a_day_and_a_few_stay(path: Path) -> None:
    for hour in range(0, 40 * 24, 19):
        copied(path, NOW + 3600 * hour)
    days = [(NOW + 40 * DAY - mark) // DAY for mark, _ in copies(path)]
    assert len(days) == 5
    assert days[:3] == sorted(set(days[:3]))
    assert days[2] <= 4 < days[-1] <= 21


def test_copies_are_bounded_in_size(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "_BYTES", 1)
    for day in range(3):
        assert copied(path, NOW + day * DAY)
        assert [mark for mark, _ in copies(path)] == [NOW + day * DAY]


def test_a_copy_that_cannot_be_made_leaves_nothing_and_is_tried_in_an_hour(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(daily, "has_room", lambda folder, size: False)
        with pytest.raises(StoreError, match="too little room"):
            copied(path)
    assert copied(path, NOW + 600) is None
    with monkeypatch.context() as patch:
        patch.setattr(daily, "_take", lambda copy, table: 12345)
        with pytest.raises(StoreError, match="did not come out"):
            copied(path, NOW + 3600)
    assert names(path) == ["hpg.sqlite"]
    assert copied(path, NOW + 7200)


DANGLING = "UPDATE job SET user = 5555"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "no store": lambda path: path.write_bytes(b"no database at all" * 99),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:8192]),
    "version": lambda path: change(path, "PRAGMA user_version = 1000000009"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_newest_good_copy_takes_the_place(path: Path, damage: str) -> None:
    copied(path)
    _, *before = told(path)
    newer = copied(path, NOW + DAY)
    assert newer
    newer.write_bytes(newer.read_bytes()[:5000])
    DAMAGE[damage](path)
    with pytest.raises(CorruptStoreError, match="damaged"):
        told(path)
    assert "the copy of 2026-10-" in rescue(path, "hpg", NOW + 2 * DAY)
    assert told(path) == (0, *before)
    assert (f"hpg.sqlite.damaged-{NOW + 2 * DAY}" in names(path)) == (damage != "gone")


def test_without_a_good_copy_it_is_built_again(path: Path) -> None:
    path.write_bytes(b"garbage" * 999)
    assert "there is no good copy" in rescue(path, "hpg", NOW)
    assert told(path) == (0, 0.0, (), frozenset())


def test_a_kill_between_setting_aside_and_the_copy_loses_nothing(path: Path) -> None:
    copied(path)
    _, *before = told(path)
    path.rename(path.with_name("hpg.sqlite.damaged-5"))
    with pytest.raises(CorruptStoreError, match="it is gone"):
        told(path)
    rescue(path, "hpg", NOW + 60)
    assert told(path) == (0, *before)


def test_no_room_for_the_copy_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(path)
    path.write_bytes(b"garbage" * 999)
    before = names(path)

    def full(connection: sqlite3.Connection, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys.modules["librarian.store.rescue"], "copy_of", full)
    with pytest.raises(StoreError, match="No space left"):
        rescue(path, "hpg", NOW)
    assert names(path) == before


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (DANGLING, "1 runs name a text for their user"),
        ("UPDATE job SET alloc_tres = 5555", "1 runs name a text for their alloc_tres"),
        ("""UPDATE job SET start = 'xyz'""", "1 rows of job hold values of another kind"),
        ("UPDATE usage SET amount = x'00'", "rows of usage hold values of another kind"),
        ("""INSERT INTO fact VALUES ('limits', '{"a', 1)""", "value of fact is no JSON"),
        ("UPDATE limit_change SET slurm = '[[['", "slurm of limit_change is no JSON"),
    ],
)
def test_what_cannot_be_is_damage(path: Path, sql: str, why: str) -> None:
    change(path, sql)
    assert any(why in problem for problem in check(path).problems)
    with pytest.raises(CorruptStoreError, match=why):
        copied(path)
    assert names(path) == ["hpg.sqlite"], "no copy of it is made"


def test_a_run_of_nobody_is_damage_and_not_a_bug(path: Path) -> None:
    change(path, DANGLING)
    with pytest.raises(CorruptStoreError, match="name a text for their user"), opened(path, "hpg") as store:
        JobRuns(store).jobs(AVERY, 0)


def test_a_mistake_over_a_whole_store_stays_one(path: Path) -> None:
    with pytest.raises(KeyError), opened(path, "hpg"):
        raise KeyError(5)


def cpu_seconds(store: Store) -> float:
    return float(Hours(store).usage(AVERY, 0, NOW + 99 * DAY)["amount"].sum())


def test_hours_of_a_copy_stay_where_slurm_has_purged_their_runs(path: Path) -> None:
    copied(path)
    path.unlink()
    rescue(path, "hpg", NOW)
    with opened(path, "hpg") as store:
        before = cpu_seconds(store)
        nothing = bin_jobs(jobs_table(), used(NOW + 3600).window, OBSERVABLES[:1])
        Hours(store).keep(AVERY, nothing)
        assert cpu_seconds(store) == before
        newer = jobs_table({"start": NOW - DAY + 7200, "end": NOW - 3600, "alloc_tres": "cpu=1"})
        Hours(store).keep(AVERY, bin_jobs(newer, used(NOW + 3600).window, OBSERVABLES[:1]))
        assert cpu_seconds(store) == before + DAY - 10800, "the last day and what came later is asked for again"


def test_hours_that_no_copy_had_are_written_after_all(path: Path) -> None:
    with opened(path, "hpg") as store:
        Hours(store).keep(Scope("hpg", "kim"), used(NOW, days=2))
        keep_copy(store, NOW)
    path.unlink()
    rescue(path, "hpg", NOW)
    with opened(path, "hpg") as store:
        kim = Scope("hpg", "kim")
        Hours(store).keep(kim, used(NOW + 3600))
        assert float(Hours(store).usage(kim, 0, NOW + DAY)["amount"].sum()) == SECONDS
        assert len(store.known(kim, "usage")) == 1
