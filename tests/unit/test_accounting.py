"""sacct's answers: every row is a typed run or a counted reject, and half an answer is none."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.errors import SlurmError
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.ask import DELIMITER, FIELDS, HEADER, Query, parse
from librarian.subjects.jobs.model import NUMBERS, TEXTS, UNKNOWN
from librarian.system.processes import Answer
from tests.unit.tables import sacct_answer, sacct_line


def reasons(*lines: str) -> list[str]:
    return [reject.reason for reject in parse(sacct_answer(lines), "hpg").rejects]


def test_a_row_becomes_a_typed_run() -> None:
    line = sacct_line(DBIndex="9346807545165469696", Suspended="1-00:00:05", State="CANCELLED by 1234")
    jobs = parse(sacct_answer([line]), "hpg").jobs
    (run,) = jobs.to_dict("records")
    assert run == {
        **{"dbindex": 9346807545165469696, "jobid": 1001, "user": "alice", "account": "avery", "qos": "avery"},
        **{"partition": "cpu", "state": "CANCELLED", "submit": 100, "eligible": 100, "start": 200, "end": 300},
        **{"elapsed": 100, "suspended": 86405, "alloc_tres": "billing=2,cpu=2,mem=1024M,node=1"},
    }
    assert {name: str(jobs[name].dtype) for name in NUMBERS} == NUMBERS
    assert {str(jobs[name].dtype) for name in TEXTS} == {"category"}


def test_names_that_look_like_numbers_stay_names() -> None:
    jobs = parse(sacct_answer([sacct_line(User="007", Account="1", QOS="1e5", Partition="0")]), "hpg").jobs
    assert jobs[["user", "account", "qos", "partition"]].to_numpy().tolist() == [["007", "1", "1e5", "0"]]


def test_times_that_never_came() -> None:
    lines = [
        sacct_line(Start="Unknown", End="Unknown", AllocTRES=""),
        sacct_line(DBIndex="8", Start="None", Eligible=""),
    ]
    jobs = parse(sacct_answer(lines), "hpg").jobs
    assert jobs["start"].tolist() == [UNKNOWN, UNKNOWN]
    assert jobs["end"].tolist() == [UNKNOWN, 300]


def test_no_run_begins_before_it_was_submitted() -> None:
    """As 22.05 tells of a job that was resized: the second row has the first one's start."""
    lines = [
        sacct_line(DBIndex="1", Submit="100", Start="100", End="150", ElapsedRaw="50", State="RESIZING"),
        sacct_line(DBIndex="2", Submit="150", Start="100", End="300", ElapsedRaw="200"),
        sacct_line(DBIndex="3", Submit="150", Start="100", End="Unknown", ElapsedRaw="200", State="RUNNING"),
        sacct_line(DBIndex="4", Submit="150", Start="100", End="120", ElapsedRaw="20"),
        sacct_line(DBIndex="5", Submit="150", Start="Unknown", End="Unknown", ElapsedRaw="0"),
    ]
    jobs = parse(sacct_answer(lines), "hpg").jobs
    assert jobs["start"].tolist() == [100, 150, 150, 120, UNKNOWN]
    assert jobs["elapsed"].tolist() == [50, 150, 150, 0, 0]


def test_users_may_be_called_like_missing_values_or_not_at_all() -> None:
    lines = [sacct_line(DBIndex=str(n), User=user) for n, user in enumerate(["nan", "NULL", "", "None", "007"])]
    assert parse(sacct_answer(lines), "hpg").jobs["user"].tolist() == [
        "nan",
        "NULL",
        ask.NAMELESS,
        "None",
        "007",
    ]


def test_of_two_rows_of_one_run_the_last_counts() -> None:
    lines = [sacct_line(End="Unknown"), sacct_line(DBIndex="8"), sacct_line(End="400")]
    assert parse(sacct_answer(lines), "hpg").jobs[["dbindex", "end"]].to_numpy().tolist() == [[8, 300], [7, 400]]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"Start": "yesterday"}, "start is not a number"),
        ({"Start": "inf"}, "holds a time that is none"),
        ({"Eligible": "-5"}, "holds a time that is none"),
        ({"Submit": "99999999999999999999"}, "holds a time that is none"),
        ({"DBIndex": "x"}, "dbindex is not a number"),
        ({"DBIndex": str(2**64)}, "dbindex is not a number"),
        ({"JobIDRaw": "12.batch"}, "jobid is not a number"),
        ({"Start": "300", "End": "200"}, "ends before it starts"),
        ({"AllocTRES": "cpu=much"}, "AllocTRES is not understood"),
        ({"Suspended": "a while"}, "Suspended is not understood"),
        ({"Suspended": "9" * 25}, "Suspended is not understood"),
        ({"Cluster": "other"}, "is of another cluster"),
        ({"AllocTRES": f"cpu=1{DELIMITER}more"}, "has not the number of fields that was asked for"),
        ({"Partition": "torn\nrow"}, "has not the number of fields that was asked for"),
    ],
)
def test_a_bad_row_is_a_reject_and_the_others_count(fields: dict[str, str], reason: str) -> None:
    good = [sacct_line(DBIndex="1"), sacct_line(DBIndex="2", End="Unknown")]
    runs = parse(sacct_answer([good[0], sacct_line(**{"DBIndex": "3", **fields}), good[1]]), "hpg")
    assert {reject.reason for reject in runs.rejects} == {reason}
    assert runs.jobs["dbindex"].tolist() == [1, 2]


def test_a_reject_is_known_again_when_its_row_changes() -> None:
    first, second = (parse(sacct_answer([sacct_line(Start="?", Suspended=s)]), "hpg").rejects[0] for s in ("0", "9"))
    assert first.key == second.key == "run 7"


def test_bytes_that_are_no_text() -> None:
    lines = [sacct_line(User="a\udcffb"), sacct_line(DBIndex="8", User="a\0b"), sacct_line(DBIndex="9", User='"')]
    runs = parse(sacct_answer(lines), "hpg")
    assert runs.jobs["user"].tolist() == ["a\ufffdb", "a?b", '"']
    assert not runs.rejects


@given(st.lists(st.binary(max_size=120), max_size=8))
def test_no_garbage_raises_and_none_is_lost(garbage: list[bytes]) -> None:
    body = b"".join(line.replace(b"\n", b" ") + b"\n" for line in garbage)
    runs = parse(Answer(0, HEADER.encode() + b"\n" + body + sacct_line().encode() + b"\n", ""), "hpg")
    assert len(runs.jobs) == 1
    assert len(runs.rejects) == len(garbage)


alphabet = st.sampled_from(
    ["", "Unknown", "None", "0", "5", "1700000000", "-1", "x", "1e5", "00:00:01", "cpu=1", "9" * 25]
)


@given(st.lists(st.lists(alphabet, min_size=len(FIELDS), max_size=len(FIELDS)), max_size=6))
def test_every_row_is_a_run_or_a_reject(rows: list[list[str]]) -> None:
    lines = [DELIMITER.join(["hpg", str(number), *row[2:]]) for number, row in enumerate(rows)]
    runs = parse(sacct_answer(lines), "hpg")
    assert len(runs.jobs) + len(runs.rejects) == len(rows)


def test_a_header_alone_means_no_jobs() -> None:
    runs = parse(sacct_answer([]), "hpg")
    assert (len(runs.jobs), runs.rejects) == (0, ())


@pytest.mark.parametrize(
    "output",
    [b"", b"\n", b"sacct: fatal: something\n", HEADER.encode(), HEADER.encode()[:-4] + b"\n", b"\xff\xfe\n"],
)
def test_no_header_is_an_error(output: bytes) -> None:
    with pytest.raises(SlurmError, match="no table"):
        parse(Answer(0, output, ""), "hpg")


def test_a_torn_end_is_an_error() -> None:
    whole = sacct_answer([sacct_line(), sacct_line(DBIndex="8")]).stdout
    with pytest.raises(SlurmError, match="cut off"):
        parse(Answer(0, whole[:-3], ""), "hpg")


def test_the_query() -> None:
    words = ask.arguments(Query("avery", 10, 20, ("a", "b"), ("gpu",)), "hpg")
    assert {"-a", "-X", "-D", "-P", "--noconvert", "--qos=avery", "--accounts=a,b", "--partition=gpu"} <= set(words)
    assert words[words.index("-S") + 1 :][:3] == ["uts10", "-E", "uts20"]
    assert "-s" not in words
    assert "--state" not in " ".join(words)


def test_the_environment_asks_for_epochs_and_a_failure_is_told() -> None:
    def refuse(argv: object, *, timeout: float, env: object) -> Answer:
        assert env["SLURM_TIME_FORMAT"] == "%s"  # type: ignore[index]
        assert timeout == 9
        return Answer(1, b"", "sacct: error: You gave a bad qos 'x'. Valid QOS's are normal,avery\n")

    with pytest.raises(SlurmError, match="Valid QOS's are normal,avery"):
        ask.ask(Slurm(timeout=9, runner=refuse), Query("x", 0, 1), "hpg")


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("00:00:05", 5), ("1-00:00:05", 86405), ("100:00:00", 360000), ("00:15.057", 15)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["x", "1-", "-1:00", "1:2:3:4", "x-00:00:01"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.lists(st.integers(0, 400), max_size=6), st.integers(0, 3))
def test_it_does_not_matter_how_an_answer_is_cut(cuts: list[int], bad: int) -> None:
    lines = [sacct_line(DBIndex=str(n % 4), User=f"user{n}") for n in range(6)] + ["no row"] * bad
    answer = sacct_answer(lines)
    whole = parse(answer, "hpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ask, "_AT_ONCE", 1)
        reading = ask.Reading("hpg")
        edges = [0, *sorted(cuts), len(answer.stdout)]
        for begin, end in itertools.pairwise(edges):
            reading.take(answer.stdout[begin:end])
        runs = reading.finished(answer)
    pd.testing.assert_frame_equal(runs.jobs.astype(str), whole.jobs.astype(str))
    assert [reject.key for reject in runs.rejects] == [reject.key for reject in whole.rejects]


def test_what_comes_after_a_wrong_header_is_no_table() -> None:
    reading = ask.Reading("hpg")
    reading.take(b"sacct: fatal: no\n")
    reading.take(HEADER.encode() + b"\n")
    with pytest.raises(SlurmError, match="no table"):
        reading.finished(Answer(0, b"", ""))


# where each rule begins and ends


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
        *("--qos=avery", "-o", f"{fields},AllocTRES"),
    ]
    assert accounting.arguments(Query("avery", 10, 20), "hpg") == plain
    cut = accounting.arguments(Query("avery", 10, 20, ("a", "b"), ("gpu", "cpu")), "hpg")
    assert cut == [*plain[:-2], "--accounts=a,b", "--partition=gpu,cpu", *plain[-2:]]


def test_what_has_begun_is_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str, list[str]]] = []
    for name in ("begin", "begun"):
        monkeypatch.setattr(Slurm, name, lambda self, command, words, name=name: said.append((name, command, words)))
    query = Query("avery", 10, 20)
    accounting.begin(Slurm(), query, "hpg")
    accounting.begun(Slurm(), query, "hpg")
    assert said == [(name, "sacct", accounting.arguments(query, "hpg")) for name in ("begin", "begun")]


def test_an_answer_is_read_as_soon_as_enough_of_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not been read is bounded, and neither less nor more is read at a time."""
    first, second, third = (f"{sacct_line(DBIndex=str(number))}\n".encode() for number in (1, 2, 3))
    monkeypatch.setattr(accounting, "_AT_ONCE", len(first) + len(second))
    got: list[list[int]] = []
    reading = accounting.Reading("hpg", lambda jobs: got.append(jobs["dbindex"].tolist()))
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
    monkeypatch.setattr(accounting, "_AT_ONCE", len(whole))
    got: list[int] = []
    reading = accounting.Reading("hpg", lambda jobs: got.append(len(jobs)))
    reading.take(whole[:-1])
    assert got == []
    reading.take(whole[-1:])
    assert got == [1]


@pytest.mark.parametrize("text", [b"sacct: fatal\n" + HEADER.encode() + b"\n" + sacct_line().encode() + b"\n", b"x"])
def test_of_what_is_no_table_nothing_is_passed_on(text: bytes) -> None:
    got: list[int] = []
    reading = accounting.Reading("hpg", lambda jobs: got.append(len(jobs)))
    reading.take(text)
    with pytest.raises(SlurmError, match="no table"):
        reading.finished(Answer(0, b"", ""))
    assert got == []


def test_of_a_header_alone_no_part_is_passed_on() -> None:
    got: list[int] = []
    reading = accounting.Reading("hpg", lambda jobs: got.append(len(jobs)))
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
