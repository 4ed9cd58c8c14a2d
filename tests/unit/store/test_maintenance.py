"""Care of the store: looking through it, copies out and in, copies before a migration, and room given back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from librarian.errors import StoreError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import window_until
from librarian.store import MIGRATIONS, Store, backups, check, export, opened, set_aside, shrink, take_in
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.keep import Hours
from tests.unit.tables import jobs_table

NOW = 1_793_000_000
AVERY = Scope("hpg", "avery")
ASKED = Asked(0, NOW, 0.5, rows=1, full=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a run in it."""
    path = tmp_path / "state" / "hpg.sqlite"
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, jobs_table({"dbindex": 1}), ())
    return path


def runs(path: Path) -> list[int]:
    with opened(path, "hpg") as store:
        found: list[int] = JobRuns(store).jobs(AVERY, 0)["dbindex"].tolist()
    return found


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:20000] = np.random.default_rng(1).bytes(len(data[4096:20000]))
    path.write_bytes(data)


def test_a_whole_store_and_a_damaged_one(path: Path) -> None:
    found = check(path)
    assert (found.problems, found.schema, found.rows["job"]) == ((), len(MIGRATIONS), 1)
    assert check(path, quick=True).problems == ()
    damage(path)
    assert check(path).problems
    assert check(path, quick=True).problems
    path.write_bytes(b"no database at all" * 99)
    assert "not a database" in check(path).problems[0]
    with pytest.raises(StoreError, match="there is no store"):
        check(path.with_name("other"))


def test_a_look_changes_nothing(path: Path) -> None:
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    check(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns, names(path)) == (before, when, ["hpg.sqlite"])


def test_out_and_in_again(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    with opened(path, "hpg") as store:
        store.execute("BEGIN IMMEDIATE")
        store.execute("DELETE FROM job")
        export(path, copy)  # while somebody is writing: what was there before is copied
        store.execute("ROLLBACK")
    assert copy.stat().st_mode & 0o777 == 0o600
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, jobs_table({"dbindex": 2}), ())
    aside = take_in(copy, path, "hpg", NOW)
    assert runs(path) == [1]
    assert aside
    assert runs(aside) == [1, 2]
    path.unlink()
    assert take_in(copy, path, "hpg", NOW + 1) is None
    assert runs(path) == [1]
    assert names(copy) == ["copy.sqlite", "state"]


def test_what_cannot_be_taken_in_changes_nothing(path: Path, tmp_path: Path) -> None:
    before, there = path.read_bytes(), names(path)
    copy = tmp_path / "copy.sqlite"

    def refused(why: str) -> None:
        with pytest.raises(StoreError, match=why):
            take_in(copy, path, "hpg", NOW)
        assert (path.read_bytes(), names(path)) == (before, there)

    refused("there is no store")
    copy.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    refused("damaged")
    export(path, copy)
    damage(copy)
    refused("damaged")
    copy.unlink()
    with closing(sqlite3.connect(copy)) as connection:
        connection.executescript("CREATE TABLE x (y); PRAGMA user_version = 1")
    refused("is no store of Librarian's")
    copy.unlink()
    export(path, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    refused("newer Librarian")


def test_a_copy_that_cannot_be_written(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        export(path, tmp_path / "nowhere" / "copy.sqlite")
    with pytest.raises(StoreError, match="there is no store"):
        export(tmp_path / "none.sqlite", tmp_path / "copy.sqlite")


def older(path: Path, version: int) -> None:
    """A store as an older version wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        for number in range(version):
            connection.executescript(MIGRATIONS[number])
        connection.execute(f"PRAGMA user_version = {version}")


def test_before_a_migration_a_copy_is_made(tmp_path: Path) -> None:
    path = tmp_path / "hpg.sqlite"
    older(path, 1)
    with opened(path, "hpg") as store:
        assert LimitChanges(store).of(Scope("hpg", "avery")) == ()
    assert names(path) == ["hpg.sqlite", "hpg.sqlite.schema-1"]
    with closing(sqlite3.connect(tmp_path / "hpg.sqlite.schema-1")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with opened(path, "hpg"):
        pass
    assert len(names(path)) == 2, "there is nothing to migrate any more"


def test_an_old_copy_is_taken_in_and_brought_to_this_schema(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "old.sqlite"
    older(copy, 1)
    take_in(copy, path, "hpg", NOW)
    assert check(path).schema == len(MIGRATIONS)
    assert check(copy).schema == 1, "the copy itself stays as it is"


def test_files_set_aside_are_bounded_and_their_journals_go_with_them(path: Path) -> None:
    for number in range(5):
        with opened(path, "hpg"):
            pass
        backups.journal(path).write_bytes(b"undo")
        aside = set_aside(path, "damaged", NOW + number)
        os.utime(aside, (NOW + number, NOW + number))
        assert not backups.journal(path).exists(), "it would be rolled back into the next store"
    left = [name for name in names(path) if "damaged" in name]
    assert left == [f"hpg.sqlite.damaged-{NOW + n}{end}" for n in (3, 4) for end in ("", "-journal")]


@pytest.fixture
def used(tmp_path: Path) -> Iterator[Store]:
    """A store with the hours of a day, and runs within and behind them."""
    window = window_until(NOW, seconds=86400, bin_seconds=3600, zone="UTC")
    start = window.start
    table = jobs_table(
        {"dbindex": 1, "start": start + 10, "end": start + 3600, "elapsed": 3590, "alloc_tres": "cpu=2"},
        {"dbindex": 2, "start": start + 10, "end": start + 4000, "elapsed": 3990, "alloc_tres": "cpu=2"},
        {"dbindex": 3, "start": start + 10, "end": UNKNOWN, "elapsed": 10},
        {"dbindex": 4, "start": UNKNOWN, "end": start + 30_000, "elapsed": 0, "alloc_tres": ""},
        {"dbindex": 5, "qos": "gone", "start": start + 10, "end": start + 3600, "elapsed": 3590},
    )
    with opened(tmp_path / "hpg.sqlite", "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, table, ())
        finished = table[table["dbindex"].isin([1])]
        Hours(store).keep(AVERY, bin_jobs(finished, window, OBSERVABLES[:1]))
        yield store


def left(store: Store) -> list[int]:
    return sorted(row[0] for row in store.all("SELECT dbindex FROM job"))


def test_runs_are_forgotten_when_their_hours_are_written_down(used: Store) -> None:
    assert JobRuns(used).forget_runs(AVERY, 0, Hours(used).written(AVERY)) == 0
    assert JobRuns(used).forget_runs(AVERY, NOW, Hours(used).written(AVERY)) == 2
    assert left(used) == [2, 3, 5], "2 ended after the last hour that is written down, 3 runs, 5 is of another QoS"
    coverage = JobRuns(used).coverage(AVERY)
    assert coverage
    assert coverage.covered_from == NOW, "what was forgotten is not known any more"


def test_runs_of_a_qos_that_is_not_configured_any_more_go(used: Store) -> None:
    assert JobRuns(used).forget_strangers(("AVERY",), 0) == 0
    assert JobRuns(used).forget_strangers(("AVERY",), NOW) == 1
    assert left(used) == [1, 2, 3, 4]


@pytest.mark.slow
def test_room_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "hpg.sqlite"
    with opened(path, "hpg") as store:
        table = jobs_table(*[{"dbindex": n, "user": f"user {n}", "end": 100} for n in range(1, 20_000)])
        JobRuns(store).add(AVERY, ASKED, table, ())
        large = path.stat().st_size
        assert shrink(store) is False, "nothing is empty"
        JobRuns(store).forget_strangers(("other",), NOW)
        assert store.one("SELECT count(*) FROM text")[0] > 19_000
        JobRuns(store).forget_texts()
        assert shrink(store) is True
        assert store.one("SELECT count(*) FROM text")[0] == 0
        assert shrink(store) is False
    assert path.stat().st_size < large / 4
    assert check(path).problems == ()
