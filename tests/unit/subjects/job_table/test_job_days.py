"""The files with what became of each job: from the store to what readers get."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from librarian.errors import PublishError
from librarian.privacy import leak_check
from librarian.privacy.renaming import Renaming, renamed
from librarian.shared.files import PIECE, PIECE_NAME
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.store import Store, opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Flag, Run, Source, Use, UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.job_table import keep
from librarian.subjects.job_table.days import OPEN, Day, document, script
from librarian.subjects.job_table.section import files_in
from librarian.subjects.jobs.keep import Asked, JobRuns
from tests.unit.tables import jobs_table

DAY = 86400
T0 = 1_795_219_200  # a midnight of UTC
NOW = T0 + 2 * DAY + 3600
SCOPE = Scope("demo", "avery")
GIB = 1 << 30
HELD = {"alloc_tres": "cpu=4,mem=8G,node=1", "partition": "cpu"}
ROWS: list[dict[str, Any]] = [
    {"jobid": 11, "start": T0, "end": T0 + 3600, "elapsed": 3600, "state": "COMPLETED", **HELD},
    {"jobid": 13, "array": 12, "task": 1, "start": T0, "end": T0 + 7200, "elapsed": 7200, "state": "FAILED", **HELD},
    {"jobid": 14, "start": T0 + DAY, "end": T0 + DAY, "elapsed": 0, "state": "CANCELLED", "user": "bob", **HELD},
    {"jobid": 15, "start": NOW - 60, "elapsed": 60, "user": "bob", **HELD},
    {"jobid": 12, "array": 12, "tasks": 7, "state": "PENDING", "elapsed": 0, **HELD},
]
ROWS[1]["exit_code"] = 256


def used(row: dict[str, Any], index: int, **use: Any) -> UsedRun:
    run = Run(
        dbindex=index,
        user=UserName("alice"),
        account=AccountName("a"),
        qos="avery",
        partition=PartitionName("cpu"),
        limit=7200,
        **{name: row[name] for name in ("jobid", "state", "start", "end", "elapsed", "alloc_tres")},
    )
    return UsedRun(run, Use(**use))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        JobRuns(made).add(SCOPE, Asked(T0, NOW, 1.0, full=True), jobs_table(*ROWS), [])
        partly = {"memory": GIB, "memory_source": Source.STEPS, "flags": frozenset({Flag.PARTLY})}
        told = used(ROWS[0], 1, cpu=7_200_000, cpu_source=Source.STEPS, **partly)
        RunUses(made).take([SCOPE], (T0, NOW), [told])
        yield made


def days(store: Store) -> list[Day]:
    return keep.JobDays(store, SCOPE, Rules()).of(T0, NOW)


def column(day: Day, name: str) -> list[Any]:
    told: Any = document(day)
    return list(told["columns"][name])


def test_a_day_has_the_runs_that_ended_in_it_and_those_that_have_not_are_apart(store: Store) -> None:
    found = days(store)
    assert [(day.begin, day.name, day.runs) for day in found] == [
        (T0, "2026-11-21", 2),
        (T0 + DAY, "2026-11-22", 1),
        (OPEN, "open", 2),
    ]
    assert column(found[0], "id") == ["11", "12_1"]
    assert column(found[0], "exit_code") == ["0:0", "1:0"]
    assert column(found[2], "id") == ["15", "12"]
    assert column(found[2], "exit_code") == [None, None]
    assert column(found[2], "tasks") == [1, 7]


def test_what_is_not_known_is_null_and_what_was_not_held_has_a_mark(store: Store) -> None:
    first, second, _ = days(store)
    assert column(first, "cpu") == [500, None]
    assert column(first, "memory") == [125, None]
    assert column(first, "gpu") == [-1, -1]
    assert column(first, "at_least") == [1, 0]
    assert column(first, "limit") == [7200, None]
    assert column(second, "cpu") == [-1], "it held nothing"


def test_a_day_that_did_not_change_is_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = days(store)
    asked: list[int] = []
    real = keep.ended_in
    monkeypatch.setattr(keep, "ended_in", lambda *told: asked.append(told[2]) or real(*told))
    assert days(store) == before
    assert asked == []
    late = jobs_table({**ROWS[0], "dbindex": 9, "jobid": 19, "end": T0 + DAY + 5})
    JobRuns(store).add(SCOPE, Asked(T0, NOW, 1.0), late, [])
    after = days(store)
    assert asked == [T0 + DAY]
    assert [day.version for day in after][::2] == [day.version for day in before][::2]
    assert after[1].version != before[1].version


@pytest.mark.parametrize(
    "change",
    [
        {"state": "TIMEOUT"},
        {"exit_code": 2},
        {"elapsed": 3599},
        {"user": "carol"},
        {"start": T0 + 1},
        {"alloc_tres": "cpu=2"},
    ],
)
def test_whatever_changes_of_a_run_is_seen(store: Store, change: dict[str, Any]) -> None:
    before = days(store)
    JobRuns(store).add(SCOPE, Asked(T0, NOW, 1.0), jobs_table({**ROWS[0], **change}), [])
    assert days(store)[0].version != before[0].version


def test_use_that_comes_later_is_seen(store: Store) -> None:
    before = days(store)
    RunUses(store).take([SCOPE], (NOW, NOW), [used(ROWS[1], 2, cpu=1000, cpu_source=Source.STEPS)])
    after = days(store)
    assert column(after[0], "cpu")[1] is not None
    assert after[0].version != before[0].version
    assert after[1] == before[1]


def test_more_days_than_are_read_at_once_come_by_and_by(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "AT_ONCE", 1)
    assert [day.name for day in days(store)] == ["2026-11-22", "open"]
    assert [day.name for day in days(store)] == ["2026-11-21", "2026-11-22", "open"]


def test_those_who_share_a_name_cannot_be_told_apart(store: Store) -> None:
    day = replace(days(store)[0], users=(UserName("alice"), UserName("bob")))
    shown = renamed(day, Renaming({"alice": "others", "bob": "others"}, shows_partitions=False))
    told: Any = document(shown)
    assert told["users"] == ["others"]
    assert set(told["columns"]["user"]) == {0}
    assert "partitions" not in told
    assert "partition" not in told["columns"]
    assert shown.version != day.version


def test_a_file_is_the_same_for_the_same_day_and_the_last_look_reads_it(store: Store, tmp_path: Path) -> None:
    day = days(store)[0]
    name = f"jobs_avery_{day.name}_{day.version}.js"
    assert PIECE_NAME.fullmatch(name)
    text = script(name, day)
    assert script(name, day) == text
    match = PIECE.fullmatch(text)
    assert match
    assert json.loads(gzip.decompress(base64.b64decode(match[1]))) == document(day)
    (tmp_path / name).write_bytes(text)
    leak_check.check([tmp_path / name], {"zoe"})
    with pytest.raises(PublishError, match=r"jobs_avery_2026-11-21_\w+\.js would show a name"):
        leak_check.check([tmp_path / name], {"alice"})


def test_where_jobs_are_not_published_nothing_is_kept_of_them(store: Store) -> None:
    days(store)
    assert store.one("SELECT count(*) FROM job_day") == (2,)
    keep.forget(store)
    assert store.one("SELECT count(*) FROM job_day") == (0,)


@pytest.mark.parametrize("field", [None, [], {"days": 1}, {"days": [1, {"file": 2}], "open": "x"}])
def test_files_of_a_field_that_is_none(field: object) -> None:
    assert files_in(field) == []
