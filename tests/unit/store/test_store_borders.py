"""What was asked and told, to the last border: coverage, order, names in any case, and answers in pieces."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from librarian.errors import StoreError, Trouble
from librarian.shared.scope import Scope
from librarian.store import CorruptStoreError, Store, opened
from librarian.subjects.jobs import keep
from librarian.subjects.jobs.covered import Coverage
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.model import TEXTS, UNKNOWN, Reject
from tests.unit.tables import jobs_table

AVERY, OTHER = Scope("hpg", "avery"), Scope("hpg", "other")
NOW = 1_793_000_000
EDGES = (1, 2**31, 2**62, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1)  # DBIndexes


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "hpg.sqlite", "hpg") as made:
        yield made


def asked(since: int = 0, until: int = NOW, *, full: bool = False) -> Asked:
    return Asked(since, until, 0.5, rows=1, rejects=0, full=full)


def everything(store: Store, scope: Scope = AVERY) -> list[dict[str, Any]]:
    """All runs of a scope, by DBIndex."""
    return sorted(JobRuns(store).jobs(scope, 0).to_dict("records"), key=lambda run: run["dbindex"])


# coverage


@pytest.mark.parametrize(
    ("questions", "covered"),
    [
        ([(50, 100, False)], (50, 100, 100)),  # the first answer is all that is known, whole window or not
        ([(50, 100, True)], (50, 100, 100)),
        ([(50, 100, True), (90, 200, False)], (50, 200, 100)),
        ([(50, 100, True), (90, 200, False), (190, 300, False)], (50, 300, 100)),
        ([(50, 100, True), (20, 200, False)], (50, 200, 100)),  # what a part says of the time before is not whole
        ([(50, 100, True), (90, 200, True)], (90, 200, 200)),  # there may be a gap before it
        ([(50, 100, True), (20, 200, True)], (20, 200, 200)),
        ([(50, 100, False), (90, 200, True), (190, 300, False)], (90, 300, 200)),
    ],
)
def test_what_answers_cover(
    store: Store, questions: list[tuple[int, int, bool]], covered: tuple[int, int, int]
) -> None:
    for since, until, full in questions:
        JobRuns(store).add(AVERY, asked(since, until, full=full), jobs_table(), ())
    assert JobRuns(store).coverage(AVERY) == Coverage(*covered)
    assert JobRuns(store).coverage(OTHER) is None


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_coverage_is_that_of_the_last_whole_window_and_what_followed(
    tmp_path_factory: pytest.TempPathFactory, questions: list[tuple[int, int, bool]]
) -> None:
    with opened(tmp_path_factory.mktemp("coverage") / "s", "hpg") as store:
        for since, length, full in questions:
            JobRuns(store).add(AVERY, asked(since, since + length, full=full), jobs_table(), ())
        whole = [place for place, (_, _, full) in enumerate(questions) if full]
        since, length, _ = questions[whole[-1] if whole else 0]
        last = questions[-1]
        assert JobRuns(store).coverage(AVERY) == Coverage(since, last[0] + last[1], since + length)


def test_a_failure_covers_nothing_and_is_the_last_that_was_asked(store: Store) -> None:
    down = Asked(5, 9, 7.5, error="down", trouble=Trouble.NO_ANSWER)
    JobRuns(store).failed(AVERY, down)
    assert JobRuns(store).coverage(AVERY) is None
    assert JobRuns(store).last_query(AVERY) == replace(down, rows=0, rejects=0, full=False)
    JobRuns(store).add(OTHER, Asked(1, 2, 3.5, rows=4, rejects=5, full=True), jobs_table(), ())
    assert JobRuns(store).last_query(OTHER) == Asked(1, 2, 3.5, rows=4, rejects=5)
    assert JobRuns(store).last_query(AVERY) == down
    JobRuns(store).failed(AVERY, Asked(3, 4, 0.5, error="down still"))
    assert JobRuns(store).last_query(AVERY) == Asked(3, 4, 0.5, error="down still", trouble=Trouble.SLURM), (
        "the newest, not the one that ends last"
    )


def test_two_thousand_questions_are_remembered(store: Store) -> None:
    rows = [(OTHER.key, number, number, 0.5, 0, 0, None) for number in range(2004)]
    into = "INSERT INTO query (scope, since, until, seconds, rows, rejects, error) VALUES (?, ?, ?, ?, ?, ?, ?)"
    with store.transaction():
        store.execute_many(into, rows)
    JobRuns(store).failed(AVERY, Asked(9999, 9999, 0.5))
    assert store.one("SELECT count(*), min(since), max(since) FROM query") == (2000, 5, 9999)


# which runs


@pytest.mark.parametrize("begin", [99, 100, 101])
def test_a_run_that_ends_as_the_window_begins_is_in_it(store: Store, begin: int) -> None:
    table = jobs_table(*[{"start": 5, "end": end} for end in (99, 100, 101, UNKNOWN)])
    JobRuns(store).add(AVERY, asked(), table, ())
    ends = [end for end in (99, 100, 101) if end >= begin]
    assert sorted(JobRuns(store).jobs(AVERY, begin)["end"].tolist()) == [UNKNOWN, *ends]
    assert JobRuns(store).open_runs(AVERY)["end"].tolist() == [UNKNOWN]


@given(st.permutations(EDGES), st.sets(st.sampled_from(EDGES)))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_dbindex_has_64_bits(tmp_path_factory: pytest.TempPathFactory, indexes: list[int], gone: set[int]) -> None:
    """Whichever are replaced, and whichever leave."""
    with opened(tmp_path_factory.mktemp("indexes") / "s", "hpg") as store:
        JobRuns(store).add(
            AVERY, asked(), jobs_table(*[{"dbindex": index, "jobid": index % 97} for index in indexes]), ()
        )
        assert [run["dbindex"] for run in everything(store)] == sorted(EDGES)
        later = jobs_table(*[{"dbindex": index, "jobid": index % 89, "end": 7} for index in indexes[:4]])
        JobRuns(store).add(AVERY, asked(), later, (), gone=sorted(gone))
        expected = {index: (index % 89, 7) if index in indexes[:4] else (index % 97, UNKNOWN) for index in EDGES}
        found = {run["dbindex"]: (run["jobid"], run["end"]) for run in everything(store)}
        assert found == {index: run for index, run in expected.items() if index not in gone}


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8])
def test_it_does_not_matter_in_what_pieces_runs_are_written_and_read(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    texts = [dict(zip(TEXTS, (f"{name}{n % 3}" for name in TEXTS), strict=True)) for n in range(7)]
    old = jobs_table(*[{**text, "qos": "avery", "end": n} for n, text in enumerate(texts)])
    new = jobs_table(*[{**text, "qos": "avery", "end": n * (n % 2)} for n, text in enumerate(reversed(texts))])
    with opened(tmp_path / "whole", "hpg") as whole:
        for piece in (whole, store):
            for table, gone in ((old, []), (new, [2, 3, 7, 99]), (new[:3], [1])):
                JobRuns(piece).add(AVERY, asked(), table, (), gone=gone)
            for name in ("_ROWS_AT_ONCE", "_COMPARED_AT_ONCE", "_AT_ONCE"):
                monkeypatch.setattr(keep, name, size)
        assert everything(store) == everything(whole)
        assert [run["dbindex"] for run in everything(store)] == [2, 3, 4, 5, 6]


def test_no_statement_has_more_values_than_sqlite_allows(store: Store) -> None:
    """Some builds of it allow 999."""
    if sys.version_info >= (3, 11):
        store._db.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    assert keep._AT_ONCE <= 999
    table = jobs_table(*[{"end": 5} for _ in range(1200)])
    JobRuns(store).add(AVERY, asked(), table, ())
    JobRuns(store).add(AVERY, asked(), table, (), gone=list(range(1, 1100)))
    assert len(JobRuns(store).jobs(AVERY, 0)) == 101


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope("hpg", "AVERY"), [1, 2, 3]),
        (Scope("hpg", "avery", ("LAB",)), [1, 2]),
        (Scope("hpg", "avery", ("lab", "Lib")), [1, 2, 3]),
        (Scope("hpg", "avery", (), ("GPU",)), [1, 3]),
        (Scope("hpg", "avery", ("lab",), ("gpu",)), [1]),
        (Scope("hpg", "avery", ("lib",), ("cpu",)), []),
        (Scope("hpg", "Other"), [4]),
        (Scope("hpg", "gpu"), []),
    ],
)
def test_names_are_the_same_in_any_case(store: Store, scope: Scope, expected: list[int]) -> None:
    table = jobs_table(
        {"qos": "Avery", "account": "lab", "partition": "gpu"},
        {"qos": "avery", "account": "Lab", "partition": "cpu"},
        {"qos": "avery", "account": "lib", "partition": "Gpu"},
        {"qos": "other", "account": "lab", "partition": "gpu"},
    )
    JobRuns(store).add(AVERY, asked(), table, ())
    assert [run["dbindex"] for run in everything(store, scope)] == expected
    assert sorted(JobRuns(store).open_runs(scope)["dbindex"].tolist()) == expected


def test_the_key_of_a_scope_stays_what_it_is() -> None:
    """It is in every store that there is."""
    assert Scope("HPG", "Avery").key == '["hpg", "avery", [], []]'
    assert Scope("hpg", "avery", ("b", "A"), ("q", "p")).key == '["hpg", "avery", ["A", "b"], ["p", "q"]]'


def test_everybody_who_was_told_of_is_remembered(store: Store) -> None:
    JobRuns(store).add(AVERY, asked(), jobs_table({"user": "ann"}, {"user": "bob"}), ())
    JobRuns(store).add(AVERY, asked(), jobs_table({"user": "cat"}, {"user": "bob"}), (), gone=[2])
    assert {row[0] for row in store.all("SELECT name FROM person")} == {"ann", "bob", "cat"}


# bins that were computed


def test_bins_hold_until_the_first_moment_of_which_something_new_was_told(store: Store) -> None:
    def held() -> tuple[int, int]:
        return (*store.one("SELECT until FROM bins"), store.edition())

    first = jobs_table({"start": 100, "end": 200}, {"start": 150})
    JobRuns(store).add(AVERY, asked(), first, ())
    store.execute("INSERT INTO bins VALUES (?, 'usage', 1000, x'00')", (AVERY.key,))
    edition = store.edition()
    JobRuns(store).add(AVERY, asked(), first, ())
    assert held() == (1000, edition), "nothing new"
    JobRuns(store).add(AVERY, asked(), jobs_table({"start": 1200}, {"dbindex": 9, "start": 1200})[1:], ())
    assert held() == (1000, edition + 1), "of a time after them"
    JobRuns(store).add(AVERY, asked(), jobs_table({"start": 100, "end": 200}, {"start": 150, "end": 900}), ())
    assert held() == (900, edition + 2)
    JobRuns(store).add(AVERY, asked(), jobs_table({"dbindex": 5, "start": 950}), ())
    assert held() == (900, edition + 3)
    JobRuns(store).add(AVERY, asked(), first[:0], (), gone=[2])
    assert held() == (150, edition + 4), "a run that left counts no more from its start on"
    with JobRuns(store).intake() as intake:
        intake.take(jobs_table({"dbindex": 6, "start": 140}))
        intake.take(jobs_table({"dbindex": 7, "start": 145}))
        intake.complete(AVERY, asked(), jobs_table(), (), [1])
    assert held() == (100, edition + 5), "the first of all of them"


# rejects


def test_rejects_are_told_oldest_first(store: Store) -> None:
    told = {20: ["b1", "c2"], 10: ["z3"], 30: ["a4", "b5"]}
    for until, keys in told.items():
        rejects = [Reject(f"row {key[0]}", "odd", key[1]) for key in keys]
        JobRuns(store).add(AVERY, asked(until=until), jobs_table(), rejects)
    assert JobRuns(store).rejects(AVERY) == (
        Reject("row z", "odd", "3"),
        Reject("row c", "odd", "2"),
        Reject("row a", "odd", "4"),
        Reject("row b", "odd", "5"),
    )


@pytest.mark.parametrize("full", [False, True])
def test_rejects_are_those_of_their_scope(store: Store, full: bool) -> None:
    for scope in (AVERY, OTHER):
        JobRuns(store).add(scope, asked(), jobs_table(), [Reject("run 1", "odd", ""), Reject("run 2", "odd", "")])
    JobRuns(store).add(AVERY, asked(full=full), jobs_table({"dbindex": 1}, {"dbindex": 3}), ())
    assert [reject.key for reject in JobRuns(store).rejects(AVERY)] == ([] if full else ["run 2"])
    assert [reject.key for reject in JobRuns(store).rejects(OTHER)] == ["run 1", "run 2"]


def test_a_reject_of_any_dbindex_goes_when_it_is_understood(store: Store) -> None:
    JobRuns(store).add(AVERY, asked(), jobs_table(), [Reject(f"run {index}", "odd", "") for index in EDGES])
    JobRuns(store).add(AVERY, asked(), jobs_table(*[{"dbindex": index} for index in EDGES[1:]]), ())
    assert [reject.key for reject in JobRuns(store).rejects(AVERY)] == ["run 1"]


# all or nothing


def test_an_answer_that_is_not_completed_leaves_no_transaction(store: Store, tmp_path: Path) -> None:
    with JobRuns(store).intake() as intake:
        intake.take(jobs_table({"dbindex": 1}))
        assert store._db.in_transaction
    assert not store._db.in_transaction
    with JobRuns(store).intake() as intake:
        intake.take(jobs_table())
        intake.complete(AVERY, asked(), jobs_table(), (), ())
        assert not store._db.in_transaction
    with opened(tmp_path / "hpg.sqlite", "hpg") as other:
        assert JobRuns(other).coverage(AVERY) == Coverage(0, NOW, NOW)
        assert JobRuns(other).last_query(AVERY) == asked()


def test_while_an_answer_comes_nobody_else_writes(store: Store, tmp_path: Path) -> None:
    with opened(tmp_path / "hpg.sqlite", "hpg") as other, JobRuns(store).intake() as intake:
        intake.take(jobs_table({"dbindex": 1}))
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(StoreError, match="locked") as caught:
            JobRuns(other).failed(AVERY, asked())
        assert not isinstance(caught.value, CorruptStoreError)
