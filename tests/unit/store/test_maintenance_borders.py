"""Care of the store, to the last border: when it is made smaller, which runs go, what is there while it is replaced."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from librarian.errors import StoreError
from librarian.shared.scope import Scope
from librarian.store import MIGRATIONS, Store, backups, check, export, maintenance, opened, shrink, take_in
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import TEXTS, UNKNOWN
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
        return left(store)


def left(store: Store) -> list[int]:
    return sorted(row[0] for row in store.all("SELECT dbindex FROM job"))


def names(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


@pytest.mark.parametrize(
    ("pages", "empty", "size", "shrinks"),
    [
        (1024, 256, 4096, True),  # a MiB, and a quarter of the file
        (1020, 255, 4096, False),  # less than a MiB
        (1025, 256, 4096, False),  # less than a quarter
        (1024, 257, 4096, True),
        (4096, 1023, 4096, False),
        (4096, 1024, 4096, True),
        (4000, 4000, 512, True),
        (2048, 2048, 512, True),
        (2047, 2047, 512, False),
    ],
)
def test_a_file_is_made_smaller_from_a_quarter_and_a_mebibyte_of_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, pages: int, empty: int, size: int, shrinks: bool
) -> None:
    told = {"page_count": pages, "freelist_count": empty, "page_size": size}
    monkeypatch.setattr(Store, "one", lambda self, sql: (told[sql.removeprefix("PRAGMA ")],))
    asked: list[tuple[Path, int]] = []
    monkeypatch.setattr(maintenance, "has_room", lambda folder, needed: asked.append((folder, needed)) is None)
    with opened(path, "hpg") as store:
        assert shrink(store) is shrinks
    assert asked == ([(path.parent, pages * size)] if shrinks else [])


def test_where_there_is_no_room_for_a_second_file_it_stays_as_large(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_VACUUM_FROM", 0)
    with opened(path, "hpg") as store:
        JobRuns(store).forget_strangers(("other",), NOW)
        monkeypatch.setattr(maintenance, "has_room", lambda folder, needed: False)
        assert shrink(store) is False
        monkeypatch.setattr(maintenance, "has_room", lambda folder, needed: True)
        monkeypatch.setattr(Store, "one", lambda self, sql: (1,))
        assert shrink(store) is True


def test_no_text_goes_that_a_run_still_names(path: Path) -> None:
    names = dict(zip(TEXTS, ("ann", "lab", "avery", "gpu", "FAILED", "cpu=4"), strict=True))
    with opened(path, "hpg") as store:
        JobRuns(store).add(
            AVERY, ASKED, jobs_table({"dbindex": 2, **names}, {"dbindex": 3, "end": 5, "user": "gone"}), ()
        )
        before = JobRuns(store).jobs(AVERY, 6).to_dict("records")
        JobRuns(store).forget_runs(AVERY, 6, written=0)
        store.execute("DELETE FROM job WHERE dbindex = 3")
        JobRuns(store).forget_texts()
        shrink(store)
        assert JobRuns(store).jobs(AVERY, 6).to_dict("records") == before
        left = {row[0] for row in store.all("SELECT value FROM text")}
    assert set(names.values()) <= left
    assert "gone" not in left


def test_to_the_second_which_runs_are_forgotten(path: Path) -> None:
    ends = {2: 99, 3: 100, 4: 101, 5: 0, 6: UNKNOWN}
    table = jobs_table(*[{"dbindex": index, "start": 0, "end": end, "elapsed": 9} for index, end in ends.items()])
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, table, ())
        assert JobRuns(store).forget_runs(AVERY, 100, written=99) == 2
        assert left(store) == [1, 3, 4, 6], "of two that ended before it, one to the last written second"
        assert JobRuns(store).forget_runs(AVERY, 101, written=99) == 0, "3 ended after what is written down"
        assert JobRuns(store).forget_runs(AVERY, 100, written=100) == 0, "3 ended at that moment, and not before it"
        assert JobRuns(store).forget_runs(AVERY, 101, written=100) == 1
        assert left(store) == [1, 4, 6]


def test_without_any_hours_only_runs_that_never_ran_are_forgotten(path: Path) -> None:
    table = jobs_table({"dbindex": 2, "end": 50, "elapsed": 1}, {"dbindex": 3, "end": 50})
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, table, ())
        assert Hours(store).written(AVERY) == 0
        assert JobRuns(store).forget_runs(AVERY, 99, Hours(store).written(AVERY)) == 1
        assert left(store) == [1, 2]


def test_hours_are_written_down_up_to_the_end_of_the_last(path: Path) -> None:
    with opened(path, "hpg") as store:
        for scope, start in ((AVERY, 3600), (AVERY, 0), (Scope("hpg", "other"), 72_000)):
            store.execute("INSERT INTO usage VALUES (?, ?, 3600, 'NCPUS', 'ann', 1.0)", (scope.key, start))
        assert Hours(store).written(AVERY) == 7200


def test_what_is_known_reaches_no_further_back_for_being_forgotten(path: Path) -> None:
    other = Scope("hpg", "other")
    with opened(path, "hpg") as store:
        for scope in (AVERY, other):
            JobRuns(store).add(scope, Asked(500, NOW, 0.5, full=True), jobs_table(), ())
        for before, known_from in ((400, 500), (600, 600), (500, 600)):
            JobRuns(store).forget_runs(AVERY, before, written=NOW)
            coverage, untouched = JobRuns(store).coverage(AVERY), JobRuns(store).coverage(other)
            assert coverage and coverage.covered_from == known_from
            assert untouched and untouched.covered_from == 500


def test_to_the_second_which_strangers_are_forgotten(path: Path) -> None:
    rows = [
        {"dbindex": 2, "qos": "old", "end": 99},
        {"dbindex": 3, "qos": "old", "end": 100},
        {"dbindex": 4, "qos": "old", "end": UNKNOWN},
        {"dbindex": 5, "qos": "other", "end": 99},
        {"dbindex": 6, "qos": "old", "end": 0},
    ]
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, ASKED, jobs_table(*rows), ())
        assert JobRuns(store).forget_strangers(("Avery", "OTHER"), 100) == 2
        assert left(store) == [1, 3, 4, 5]
        assert JobRuns(store).forget_strangers((), 100) == 1
        assert left(store) == [1, 3, 4]


def test_tables_with_odd_names_are_counted_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript('CREATE TABLE "a""b" (x); INSERT INTO "a""b" VALUES (1), (2)')
    assert check(path).rows['a"b'] == 2
    quick = check(path, quick=True)
    assert set(quick.rows) == set(check(path).rows)
    assert set(quick.rows.values()) == {0}
    assert list(quick.rows) == sorted(quick.rows)
    assert (quick.size, quick.path) == (path.stat().st_size, path)


def test_what_to_do_where_there_is_no_store(tmp_path: Path) -> None:
    for look in (check, lambda path: export(path, tmp_path / "copy")):
        with pytest.raises(StoreError) as caught:
            look(tmp_path / "none")
        assert "librarian run" in str(caught.value.todo)


def test_a_store_is_taken_in_where_there_is_no_folder_yet(path: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "a" / "b" / "hpg.sqlite"
    assert take_in(path, fresh, "hpg", NOW) is None
    assert runs(fresh) == [1]
    assert fresh.parent.stat().st_mode & 0o077 == 0


def test_a_file_without_a_schema_is_no_store_and_a_newer_one_is_named(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    export(path, copy)
    for schema, why in ((0, f"{copy} is no store"), (len(MIGRATIONS) + 1, f"{copy} is of a newer Librarian")):
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(f"PRAGMA user_version = {schema}")
        with pytest.raises(StoreError, match=why):
            take_in(copy, path, "hpg", NOW)


def test_nothing_is_left_of_a_copy_that_cannot_be_brought_to_this_schema(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, there = tmp_path / "copy.sqlite", names(path)
    export(path, copy)

    def broken(path: Path, cluster: str) -> None:
        raise StoreError(f"{path} cannot be migrated")

    monkeypatch.setattr(maintenance, "connect", broken)
    with pytest.raises(StoreError, match="cannot be migrated"):
        take_in(copy, path, "hpg", NOW)
    assert names(path) == there


def test_the_store_that_is_replaced_is_there_at_any_time(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy.sqlite"
    export(path, copy)
    backups.journal(path).write_bytes(b"what a run that was killed left")

    def moved(path: Path, kind: str, mark: int) -> Path:
        raise AssertionError("moved away")

    monkeypatch.setattr(maintenance, "set_aside", moved)
    for _ in range(2):  # in one second
        with opened(path, "hpg") as store:
            JobRuns(store).add(AVERY, ASKED, jobs_table({"dbindex": 2}), ())
        aside = take_in(copy, path, "hpg", NOW)
        assert aside
        assert (runs(path), runs(aside)) == ([1], [1, 2])
    assert names(path) == ["hpg.sqlite", f"hpg.sqlite.replaced-{NOW}"]


def test_no_journal_is_left_for_the_store_that_is_taken_in(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    export(path, copy)
    backups.journal(path).write_bytes(b"what a run that was killed left")
    take_in(copy, path, "hpg", NOW)
    assert names(path) == ["hpg.sqlite", f"hpg.sqlite.replaced-{NOW}"]


@pytest.mark.parametrize("why", ["damaged", "no links"])
def test_what_cannot_be_linked_is_moved(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    copy = tmp_path / "copy.sqlite"
    export(path, copy)
    if why == "damaged":
        path.write_bytes(b"no database at all" * 99)
    else:

        def refused(self: Path, target: Path) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(Path, "hardlink_to", refused)
    before = path.read_bytes()
    aside = take_in(copy, path, "hpg", NOW)
    assert aside == path.with_name(f"hpg.sqlite.replaced-{NOW}")
    assert aside.read_bytes() == before
    assert runs(path) == [1]


def test_stores_that_were_replaced_are_bounded(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    export(path, copy)
    for number in range(4):
        aside = take_in(copy, path, "hpg", NOW + number)
        assert aside
        os.utime(aside, (NOW + number, NOW + number))
        os.utime(path, (NOW + number + 1, NOW + number + 1))
    assert names(path) == ["hpg.sqlite", f"hpg.sqlite.replaced-{NOW + 2}", f"hpg.sqlite.replaced-{NOW + 3}"]


def test_a_copy_for_which_there_is_no_room_is_said_to_be_one(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(connection: sqlite3.Connection, target: Path) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(maintenance, "copy_of", full)
    with pytest.raises(StoreError, match=f"the copy {tmp_path / 'copy'} cannot be written: database or disk is full"):
        export(path, tmp_path / "copy")


def test_of_what_is_no_database_nothing_is_counted(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"no database at all" * 99)
    found = check(broken)
    assert (found.path, found.size, found.schema, found.rows, len(found.problems)) == (broken, 18 * 99, 0, {}, 1)
    with pytest.raises(StoreError, match="is damaged") as caught:
        take_in(broken, path, "hpg", NOW)
    assert caught.value.why == found.problems[0]


@pytest.mark.parametrize("quick", [False, True])
def test_only_a_quick_look_leaves_out_the_indexes(path: Path, monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    said: list[str] = []

    def reading(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.set_trace_callback(said.append)
        return connection

    monkeypatch.setattr(maintenance, "reading", reading)
    assert check(path, quick=quick).problems == ()
    assert [words for words in said if words.endswith("_check")] == [
        f"PRAGMA {'quick' if quick else 'integrity'}_check"
    ]
