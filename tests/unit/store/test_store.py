"""The store: what goes in comes out, all or nothing, and a broken file is said to be broken."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from librarian.errors import StoreError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import window_until
from librarian.store import MIGRATIONS, CorruptStoreError, Store, open_store, opened
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import TEXTS, UNKNOWN, Reject
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.usage import keep
from librarian.subjects.usage.accounts import by_account
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.keep import Hours
from tests.unit.tables import jobs_table

AVERY = Scope("hpg", "avery")
NOW = 1_793_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "state" / "hpg.sqlite", "hpg") as made:
        yield made


def asked(since: int = 0, until: int = NOW, *, full: bool = False) -> Asked:
    return Asked(since, until, 0.5, rows=1, rejects=0, full=full)


def test_runs_come_out_as_they_went_in(store: Store) -> None:
    table = jobs_table(
        {"dbindex": 2**63 + 5, "start": 5, "end": NOW, "user": "ü|'\"\ufffd", "alloc_tres": "cpu=3"},
        {"dbindex": 3, "user": "007", "state": "PENDING", "alloc_tres": ""},
    )
    JobRuns(store).add(AVERY, asked(), table, ())
    again = JobRuns(store).jobs(AVERY, 0).sort_values("dbindex", ignore_index=True)
    table = table.sort_values("dbindex", ignore_index=True)
    assert again.to_dict("records") == table[again.columns].to_dict("records")
    assert {str(again[name].dtype) for name in TEXTS} == {"category"}
    assert JobRuns(store).open_runs(AVERY)["dbindex"].tolist() == [3]
    assert JobRuns(store).jobs(AVERY, NOW + 1)["dbindex"].tolist() == [3]


def test_a_run_is_replaced_and_one_that_left_is_dropped(store: Store) -> None:
    JobRuns(store).add(AVERY, asked(), jobs_table({"dbindex": 1}, {"dbindex": 2**64 - 1}, {"dbindex": 3}), ())
    changed = jobs_table({"dbindex": 1, "end": 50, "state": "FAILED"})
    JobRuns(store).add(AVERY, asked(), changed, (), gone=[2**64 - 1])
    rows = JobRuns(store).jobs(AVERY, 0)
    assert dict(zip(rows["dbindex"], rows["end"], strict=True)) == {1: 50, 3: UNKNOWN}


def test_a_scope_is_a_qos_and_what_it_is_cut_down_to(store: Store) -> None:
    table = jobs_table(
        {"account": "a", "partition": "gpu"},
        {"account": "b", "partition": "gpu"},
        {"account": "a", "partition": "cpu"},
        {"qos": "other", "account": "a", "partition": "gpu"},
    )
    JobRuns(store).add(AVERY, asked(), table, ())
    assert len(JobRuns(store).jobs(Scope("hpg", "AVERY"), 0)) == 3
    assert JobRuns(store).jobs(Scope("hpg", "avery", ("a",)), 0)["dbindex"].tolist() == [1, 3]
    assert JobRuns(store).jobs(Scope("hpg", "avery", ("a", "b"), ("gpu",)), 0)["dbindex"].tolist() == [1, 2]
    assert len(JobRuns(store).jobs(Scope("hpg", "nosuch"), 0)) == 0
    assert (
        Scope("hpg", "A", ("y", "x")).key == Scope("hpg", "a", ("x", "y")).key != Scope("hpg", "a", (), ("x", "y")).key
    )


def test_what_was_asked(store: Store) -> None:
    assert (JobRuns(store).coverage(AVERY), JobRuns(store).last_query(AVERY)) == (None, None)
    JobRuns(store).add(AVERY, asked(10, 100, full=True), jobs_table(), ())
    JobRuns(store).add(AVERY, asked(90, 200), jobs_table(), ())
    JobRuns(store).failed(AVERY, Asked(190, 300, 9.0, error="sacct hung"))
    coverage, last = JobRuns(store).coverage(AVERY), JobRuns(store).last_query(AVERY)
    assert coverage and (coverage.covered_from, coverage.complete_at, coverage.full_at) == (10, 200, 100)
    assert last and (last.until, last.error) == (300, "sacct hung")


def test_rejects_stay_until_they_are_understood_or_read_again(store: Store) -> None:
    rejects = [Reject("run 1", "odd", "a"), Reject("run 2", "odd", "b"), Reject("row x", "torn", "c")]
    JobRuns(store).add(AVERY, asked(full=True), jobs_table(), rejects)
    JobRuns(store).add(AVERY, asked(), jobs_table({"dbindex": 1}), [Reject("run 2", "odd still", "b2")])
    assert {(r.key, r.reason) for r in JobRuns(store).rejects(AVERY)} == {("run 2", "odd still"), ("row x", "torn")}
    assert JobRuns(store).rejects(Scope("hpg", "other")) == ()
    JobRuns(store).add(AVERY, asked(full=True), jobs_table(), ())
    assert JobRuns(store).rejects(AVERY) == ()


def test_hourly_usage_outlives_the_runs_and_the_window(store: Store) -> None:
    window = window_until(NOW, seconds=86400, bin_seconds=3600, zone="UTC")
    table = jobs_table({"start": window.start + 1800, "end": window.start + 7200, "alloc_tres": "cpu=2"})
    usage = bin_jobs(table, window, OBSERVABLES[:1])
    assert Hours(store).keep(AVERY, usage) == 2
    assert Hours(store).keep(AVERY, usage) == 0
    later = window_until(NOW + 40 * 86400, seconds=86400, bin_seconds=3600, zone="UTC")
    assert Hours(store).keep(AVERY, bin_jobs(jobs_table(), later, OBSERVABLES)) == 0
    rows = Hours(store).usage(AVERY, 0, NOW)
    assert rows[["start", "amount"]].to_numpy().tolist() == [[window.start, 3600], [window.start + 3600, 7200]]


def test_hourly_usage_is_corrected_and_the_open_hour_left_out(store: Store) -> None:
    window = window_until(NOW, seconds=86400, bin_seconds=3600, zone="UTC")
    one = jobs_table({"start": NOW - 10_000, "user": "a"})
    other = jobs_table({"start": NOW - 10_000, "end": NOW - 9000, "user": "b"})
    for table in (one, other):
        Hours(store).keep(AVERY, bin_jobs(table, window, OBSERVABLES[:1]))
    rows = Hours(store).usage(AVERY, 0, NOW)
    assert set(rows["user"]) == {"b"}
    assert rows["amount"].sum() == 1000
    Hours(store).keep(AVERY, bin_jobs(one, window, OBSERVABLES[:1]))
    assert Hours(store).usage(AVERY, 0, NOW)["start"].max() < window.starts[-1]


def test_hours_that_are_written_in_pieces_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [
        {
            "dbindex": number,
            "start": NOW - 3 * 86400 + 5000 * number,
            "end": NOW - 9000 * number,
            "user": f"u{number % 3}",
        }
        for number in range(1, 12)
    ]
    found = []
    for at_once in (10**9, 1, 50):
        monkeypatch.setattr(keep, "_AT_ONCE", at_once)
        with opened(tmp_path / f"{at_once}.sqlite", "hpg") as one:
            counts = []
            for step, table in (
                (86400, jobs_table(*runs[4:])),
                (3600, jobs_table(*runs)),
                (7200, jobs_table(*runs[:6])),
            ):
                window = window_until(NOW, seconds=4 * 86400, bin_seconds=step, zone="UTC")
                more = by_account(table, window)
                counts.append(Hours(one).keep(AVERY, bin_jobs(table, window, OBSERVABLES), more))
            tables = ("usage", "account_usage", "ended", "known", "month_usage", "month_ended", "day_usage")
            found.append([counts, *(sorted(one.all(f"SELECT * FROM {name}")) for name in tables)])
    assert found[0] == found[1] == found[2]
    assert found[0][0][1] > 100, "there is something to write"


def test_limits_are_kept_when_they_change(store: Store) -> None:
    first, second = QosLimits({"cpu": 4.0}, None), QosLimits({"cpu": 8.0}, 20.0)
    kept = [
        LimitChanges(store).keep(Scope("hpg", "Avery"), Change(since, slurm, overrides))
        for since, slurm, overrides in [
            (100, None, {}),
            (200, first, {}),
            (300, first, {}),
            (400, second, {"mem": 2.5}),
            (400, first, {"mem": 2.5}),
            (500, first, {"mem": 2.5}),
        ]
    ]
    assert kept == [True, True, False, True, True, False]
    changes = (Change(100, None, {}), Change(200, first, {}), Change(400, first, {"mem": 2.5}))
    assert LimitChanges(store).of(Scope("hpg", "avery")) == changes
    assert LimitChanges(store).of(Scope("hpg", "other")) == ()


def test_a_change_of_limits_that_was_seen_in_the_future_is_forgotten(store: Store) -> None:
    for since, cpus in [(100, 1.0), (900, 2.0), (950, 3.0), (200, 2.0)]:
        LimitChanges(store).keep(Scope("hpg", "avery"), Change(since, QosLimits({"cpu": cpus}, None), {}))
    assert [change.since for change in LimitChanges(store).of(Scope("hpg", "avery"))] == [100, 200]


def test_a_store_of_an_older_schema_is_brought_to_this_one(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
        connection.execute("INSERT INTO fact VALUES ('limits', '{\"avery\": [{\"cpu\": 4.0}, null]}', 5)")
    connection.close()
    with opened(path, "hpg") as store:
        assert LimitChanges(store).of(Scope("hpg", "avery")) == ()
        assert LimitChanges(store).keep(Scope("hpg", "avery"), Change(9, QosLimits({"cpu": 4.0}, None), {}))
        assert store.fact("limits") == {"avery": [{"cpu": 4.0}, None]}


def test_facts(store: Store) -> None:
    assert store.fact("limits") is None
    store.know("limits", {"avery": [{"cpu": 430.0}, None]}, NOW)
    assert store.fact("limits") == {"avery": [{"cpu": 430.0}, None]}


def test_a_failure_in_the_middle_leaves_all_as_it_was(store: Store) -> None:
    JobRuns(store).add(AVERY, asked(0, 100, full=True), jobs_table({"dbindex": 1}), ())
    with pytest.raises((StoreError, TypeError, AttributeError)):
        JobRuns(store).add(AVERY, asked(0, 200), jobs_table({"dbindex": 2}), [None])  # type: ignore[list-item]
    coverage = JobRuns(store).coverage(AVERY)
    assert coverage and coverage.complete_at == 100
    assert JobRuns(store).jobs(AVERY, 0)["dbindex"].tolist() == [1]


def test_an_answer_in_parts_counts_once_it_is_complete(store: Store) -> None:
    JobRuns(store).add(AVERY, asked(0, 100, full=True), jobs_table({"dbindex": 1}, {"dbindex": 2}), ())
    parts = [jobs_table({"dbindex": 1, "end": 50}, {"dbindex": 3}), jobs_table({"dbindex": 1, "end": 60})]
    before = JobRuns(store).jobs(AVERY, 0).to_dict("records")
    with JobRuns(store).intake() as intake:
        intake.take(parts[0])
    assert JobRuns(store).jobs(AVERY, 0).to_dict("records") == before
    with pytest.raises(ZeroDivisionError), JobRuns(store).intake() as intake:
        intake.take(parts[0])
        assert 1 / 0
    assert JobRuns(store).jobs(AVERY, 0).to_dict("records") == before
    with JobRuns(store).intake() as intake:
        for part in parts:
            intake.take(part)
        intake.complete(AVERY, asked(90, 200), jobs_table({"dbindex": 1, "end": 60}, {"dbindex": 3}), (), [2])
    rows = JobRuns(store).jobs(AVERY, 0)
    assert dict(zip(rows["dbindex"], rows["end"], strict=True)) == {1: 60, 3: UNKNOWN}
    coverage = JobRuns(store).coverage(AVERY)
    assert coverage and coverage.complete_at == 200


@pytest.mark.parametrize("content", [b"no database at all" * 99, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match="damaged"):
        open_store(path, "hpg")


def test_a_store_that_is_torn_inside(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with opened(path, "hpg") as store:
        JobRuns(store).add(AVERY, asked(), jobs_table(*[{"user": f"user {n}"} for n in range(5000)]), ())
    data = bytearray(path.read_bytes())
    data[8192:60000] = np.random.default_rng(1).bytes(60000 - 8192)
    path.write_bytes(data)
    with pytest.raises(CorruptStoreError, match="damaged"), opened(path, "hpg") as store:
        JobRuns(store).jobs(AVERY, 0)


def test_a_newer_store_and_one_that_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with opened(path, "hpg"):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        open_store(path, "hpg")
    with pytest.raises(StoreError, match="cannot be"):
        open_store(tmp_path, "hpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(tmp_path / "file" / "x.sqlite", "hpg")


def test_two_at_once_wait_for_each_other(tmp_path: Path) -> None:
    with opened(tmp_path / "x.sqlite", "hpg") as one, opened(tmp_path / "x.sqlite", "hpg") as other:
        JobRuns(one).add(AVERY, asked(), jobs_table({"dbindex": 1}), ())
        JobRuns(other).add(AVERY, asked(), jobs_table({"dbindex": 2}), ())
        assert len(JobRuns(one).jobs(AVERY, 0)) == 2
