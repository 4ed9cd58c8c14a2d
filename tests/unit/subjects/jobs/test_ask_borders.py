"""sacct's answers, to the last border: numbers of all their bits, rows beside bad ones, answers in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.ask import DELIMITER, HEADER, Query, parse
from librarian.system.processes import Answer
from tests.unit.tables import sacct_answer, sacct_line


def reasons(*lines: str) -> list[str]:
    return [reject.reason for reject in parse(sacct_answer(lines), "hpg").rejects]


@pytest.mark.parametrize("index", [0, 1, 2**62, 2**63 - 1, 2**63, 9346807545165469696, 2**64 - 1])
@pytest.mark.parametrize(
    "bad", [{"Start": "?"}, {"Partition": "torn\nrow"}, {"AllocTRES": f"x{DELIMITER}y"}, {"DBIndex": str(2**64)}]
)
def test_a_bad_row_rejects_no_run_of_any_dbindex(index: int, bad: dict[str, str]) -> None:
    lines = [sacct_line(DBIndex=str(index)), sacct_line(**{"DBIndex": "77", **bad})]
    runs = parse(sacct_answer(lines), "hpg")
    assert runs.jobs["dbindex"].tolist() == [index]
    assert all(reject.key != f"run {index}" for reject in runs.rejects)


@pytest.mark.parametrize("column", ["Submit", "Eligible", "Start", "End"])
def test_the_latest_time_that_is_one(column: str) -> None:
    latest = {"End": str(2**40), "ElapsedRaw": "0"}
    assert reasons(sacct_line(**{**latest, column: str(2**40)})) == []
    assert reasons(sacct_line(**{**latest, column: str(2**40 + 1)})) == ["holds a time that is none"]
    assert reasons(sacct_line(**{**latest, column: "0"})) == (["ends before it starts"] if column == "End" else [])
    assert reasons(sacct_line(**{**latest, column: "-1"})) == ["holds a time that is none"]
    assert reasons(sacct_line(**{**latest, column: "100.5"})) == ["holds a time that is none"]


def test_nothing_lasts_longer_than_time_is_long() -> None:
    """Whether a bad row is beside it or not."""
    for bad in ([], ["no row"]):
        table = [sacct_line(DBIndex=str(n), ElapsedRaw=text) for n, text in enumerate(["0", "1099511627776"])]
        wrong = [sacct_line(DBIndex=str(9 + n), ElapsedRaw=text) for n, text in enumerate(["1099511627777", "-1"])]
        runs = parse(sacct_answer([*table, *wrong, *bad]), "hpg")
        assert runs.jobs["elapsed"].tolist() == [0, 2**40]
        assert sorted(reject.key for reject in runs.rejects)[-2:] == ["run 10", "run 9"]
        assert len(runs.rejects) == 2 + len(bad)


def test_a_run_may_end_as_it_starts_and_not_before() -> None:
    assert reasons(sacct_line(Start="300", End="300")) == []
    assert reasons(sacct_line(Start="300", End="299")) == ["ends before it starts"]


def test_what_is_wrong_with_a_row_is_told_once_and_the_weightiest() -> None:
    assert reasons(sacct_line(Start="-1", Suspended="?", AllocTRES="?", Cluster="x")) == ["is of another cluster"]
    assert reasons(sacct_line(Start="-1", Suspended="?", AllocTRES="?")) == ["AllocTRES is not understood"]
    assert reasons(sacct_line(Start="-1", Suspended="?")) == ["Suspended is not understood"]
    assert reasons(sacct_line(Submit="-1", Start="300", End="200")) == ["holds a time that is none"]


@pytest.mark.parametrize("first", [True, False])
def test_rows_with_a_field_too_many_and_one_too_few_do_not_make_up_for_each_other(first: bool) -> None:
    long, short = sacct_line() + DELIMITER, sacct_line().rpartition(DELIMITER)[0]
    pair = [long, short] if first else [short, long]
    for lines in ([*pair, sacct_line(DBIndex="9")], [sacct_line(DBIndex="9"), *pair]):
        runs = parse(sacct_answer(lines), "hpg")
        assert runs.jobs["dbindex"].tolist() == [9]
        assert [reject.reason for reject in runs.rejects] == ["has not the number of fields that was asked for"] * 2


def test_a_line_without_anything_is_a_reject() -> None:
    runs = parse(sacct_answer([sacct_line(), "", sacct_line(DBIndex="8")]), "hpg")
    assert (runs.jobs["dbindex"].tolist(), len(runs.rejects)) == ([7, 8], 1)
    assert runs.rejects[0].key.startswith("row ")


def test_a_carriage_return_ends_no_row() -> None:
    runs = parse(sacct_answer([sacct_line(User="a\rb"), sacct_line(DBIndex="8")]), "hpg")
    assert (runs.jobs["user"].tolist(), runs.rejects) == (["a\rb", "alice"], ())


def test_a_state_is_its_first_word() -> None:
    states = ["CANCELLED by 1234", "NODE_FAIL", "", "RUNNING by mistake of"]
    lines = [sacct_line(DBIndex=str(number), State=state) for number, state in enumerate(states)]
    jobs = parse(sacct_answer(lines), "hpg").jobs
    assert jobs["state"].tolist() == ["CANCELLED", "NODE_FAIL", "UNKNOWN", "RUNNING"]
    assert jobs["state"].cat.categories.tolist() == ["CANCELLED", "NODE_FAIL", "RUNNING", "UNKNOWN"]


def test_texts_are_in_order_and_only_those_that_occur() -> None:
    names = [f"user{number}" for number in range(30)]
    lines = [sacct_line(DBIndex=str(number), User=name) for number, name in enumerate(reversed(names))]
    jobs = parse(sacct_answer([*lines, sacct_line(User="gone", Cluster="other")]), "hpg").jobs
    assert jobs["user"].cat.categories.tolist() == sorted(names)
    assert jobs["user"].tolist() == list(reversed(names))


def test_the_whole_query() -> None:
    fields = "Cluster,DBIndex,JobIDRaw,User,Account,QOS,Partition,State,Submit,Eligible,Start,End,ElapsedRaw,Suspended"
    plain = [
        *("-a", "-X", "-D", "-P", "--noconvert", "--delimiter=\x1f", "-S", "uts10", "-E", "uts20", "-M", "hpg"),
        *("--qos=avery", "-o", f"{fields},AllocTRES,JobID,ExitCode"),
    ]
    assert ask.arguments(Query(Scope("hpg", "avery"), 10, 20)) == plain
    cut = ask.arguments(Query(Scope("hpg", "avery", ("a", "b"), ("gpu", "cpu")), 10, 20))
    assert cut == [*plain[:-2], "--accounts=a,b", "--partition=gpu,cpu", *plain[-2:]]


def test_what_has_begun_is_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str, list[str]]] = []
    for name in ("begin", "begun"):
        monkeypatch.setattr(Slurm, name, lambda self, command, words, name=name: said.append((name, command, words)))
    query = Query(Scope("hpg", "avery"), 10, 20)
    ask.begin(Slurm(), query)
    ask.begun(Slurm(), query)
    assert said == [(name, "sacct", ask.arguments(query)) for name in ("begin", "begun")]


def test_an_answer_is_read_as_soon_as_enough_of_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not been read is bounded, and neither less nor more is read at a time."""
    first, second, third = (f"{sacct_line(DBIndex=str(number))}\n".encode() for number in (1, 2, 3))
    monkeypatch.setattr(ask, "_AT_ONCE", len(first) + len(second))
    got: list[list[int]] = []
    reading = ask.Reading("hpg", lambda jobs: got.append(jobs["dbindex"].tolist()))
    reading.take(HEADER.encode() + b"\n")
    reading.take(b"")
    assert got == []
    reading.take(first + second + third[:5])
    assert got == [[1, 2]]
    fourth = third.replace(b"3", b"4", 1)
    reading.take(third[5:])
    reading.take(fourth[:-1])
    assert got == [[1, 2]], "the end of the last block counts, and a byte is lacking"
    reading.take(fourth[-1:])
    assert got == [[1, 2], [3, 4]]
    reading.take(first)
    reading.finished(Answer(0, b"", ""))
    assert got == [[1, 2], [3, 4], [1]]


def test_the_first_of_an_answer_is_read_as_soon_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sacct_answer([sacct_line()]).stdout
    monkeypatch.setattr(ask, "_AT_ONCE", len(whole))
    got: list[int] = []
    reading = ask.Reading("hpg", lambda jobs: got.append(len(jobs)))
    reading.take(whole[:-1])
    assert got == []
    reading.take(whole[-1:])
    assert got == [1]


@pytest.mark.parametrize("text", [b"sacct: fatal\n" + HEADER.encode() + b"\n" + sacct_line().encode() + b"\n", b"x"])
def test_of_what_is_no_table_nothing_is_passed_on(text: bytes) -> None:
    got: list[int] = []
    reading = ask.Reading("hpg", lambda jobs: got.append(len(jobs)))
    reading.take(text)
    with pytest.raises(SlurmError, match="no table"):
        reading.finished(Answer(0, b"", ""))
    assert got == []


def test_of_a_header_alone_no_part_is_passed_on() -> None:
    got: list[int] = []
    reading = ask.Reading("hpg", lambda jobs: got.append(len(jobs)))
    reading.take(HEADER.encode() + b"\n")
    assert len(reading.finished(Answer(0, b"", "")).jobs) == 0
    assert got == []


def test_a_reject_tells_its_line_and_has_a_key_of_its_own() -> None:
    long = sacct_line(DBIndex="12", Start="?", User="u" * 2000)
    torn = ["no row", "another", f"hpg{DELIMITER}x{DELIMITER}", f"hpg{DELIMITER}٣{DELIMITER}"]
    rejects = parse(sacct_answer([long, *torn]), "hpg").rejects
    assert rejects[0].key == "run 12"
    assert (rejects[0].line, len(rejects[0].line)) == (long[:1000], 1000)
    keys = [reject.key for reject in rejects[1:]]
    assert all(key.startswith("row ") and len(key) == len("row ") + 16 for key in keys)
    assert len(set(keys)) == 4


numbers = st.sampled_from([0, 1, 100, 2**31, 2**32, 2**40 - 1, 2**40, 2**40 + 1, 2**41, 2**53, 2**62, 2**63 - 1, 2**63])
times = st.one_of(numbers.map(str), st.sampled_from(["Unknown", "None", ""]))
odd_rows = st.fixed_dictionaries(
    {
        "JobIDRaw": numbers.map(str),
        "ElapsedRaw": st.one_of(numbers.map(str), st.just("-1")),
        **dict.fromkeys(("Submit", "Eligible", "Start", "End"), times),
    }
)


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(odd_rows, max_size=4))
def test_a_bad_row_changes_nothing_of_the_others(rows: list[dict[str, str]]) -> None:
    """However large their numbers are: an answer with a bad row is read in another way than one without."""
    lines = [sacct_line(**{**row, "DBIndex": str(2**64 - 1 - number)}) for number, row in enumerate(rows)]
    alone, beside = (parse(sacct_answer([*lines, *bad]), "hpg") for bad in ([], ["no row"]))
    pd.testing.assert_frame_equal(alone.jobs, beside.jobs)
    assert {reject.key for reject in beside.rejects} - {reject.key for reject in alone.rejects} == {
        reject.key for reject in parse(sacct_answer(["no row"]), "hpg").rejects
    }


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_lacks_its_last_field_is_a_reject(place: int) -> None:
    """What would be a row with nothing in it, if nobody counted."""
    lines = [sacct_line(DBIndex="1"), sacct_line(DBIndex="2")]
    lines.insert(place, sacct_line(DBIndex="3").rpartition(DELIMITER)[0])
    runs = parse(sacct_answer(lines), "hpg")
    assert runs.jobs["dbindex"].tolist() == [1, 2]
    assert [reject.key for reject in runs.rejects] == ["run 3"]


def test_nothing_of_a_run_is_left_that_lies_before_its_submission() -> None:
    line = sacct_line(Submit="150", Start="100", End="120", ElapsedRaw="10")
    (run,) = parse(sacct_answer([line]), "hpg").jobs.to_dict("records")
    assert (run["start"], run["end"], run["elapsed"]) == (120, 120, 0)


def test_a_reject_may_hold_bytes_that_are_no_text() -> None:
    lines = [sacct_line(), sacct_line(DBIndex="8", User="a\udcffb", Start="?"), "no\udcff row"]
    rejects = parse(sacct_answer(lines), "hpg").rejects
    assert [reject.key for reject in rejects][:1] == ["run 8"]
    assert ["\ufffd" in reject.line for reject in rejects] == [True, True]


def test_it_is_sacct_that_is_asked() -> None:
    asked: list[list[str]] = []

    def answer(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        asked.append(list(argv))
        return sacct_answer([sacct_line()])

    got: list[int] = []
    runs = ask.ask(Slurm(runner=answer), Query(Scope("hpg", "avery"), 10, 20), lambda jobs: got.append(len(jobs)))
    assert asked == [["sacct", *ask.arguments(Query(Scope("hpg", "avery"), 10, 20))]]
    assert (got, len(runs.jobs)) == ([1], 1)


@pytest.mark.parametrize("text", ["٣", "²", "1٣"])
@pytest.mark.parametrize("column", ["DBIndex", "JobIDRaw", "Start", "End", "ElapsedRaw"])
def test_digits_of_other_scripts_are_no_numbers(column: str, text: str) -> None:
    """Python reads some of them as numbers, and pandas refuses the whole answer for them."""
    runs = parse(sacct_answer([sacct_line(DBIndex="1"), sacct_line(**{"DBIndex": "2", column: text})]), "hpg")
    assert (runs.jobs["dbindex"].tolist(), len(runs.rejects)) == ([1], 1)
