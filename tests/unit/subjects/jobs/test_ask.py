"""sacct's answers: every row is a typed run or a counted reject, and half an answer is none."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.ask import DELIMITER, FIELDS, HEADER, Query, parse
from librarian.subjects.jobs.model import NUMBERS, TEXTS, UNKNOWN
from librarian.system.processes import Answer
from tests.unit.tables import sacct_answer, sacct_line


def test_a_row_becomes_a_typed_run() -> None:
    line = sacct_line(DBIndex="9346807545165469696", Suspended="1-00:00:05", State="CANCELLED by 1234")
    jobs = parse(sacct_answer([line]), "hpg").jobs
    (run,) = jobs.to_dict("records")
    assert run == {
        **{"dbindex": 9346807545165469696, "jobid": 1001, "user": "alice", "account": "avery", "qos": "avery"},
        **{"partition": "cpu", "state": "CANCELLED", "submit": 100, "eligible": 100, "start": 200, "end": 300},
        **{"elapsed": 100, "suspended": 86405, "alloc_tres": "billing=2,cpu=2,mem=1024M,node=1"},
        **{"array": 0, "task": -1, "tasks": 1, "exit_code": 0},
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
    words = ask.arguments(Query(Scope("hpg", "avery", ("a", "b"), ("gpu",)), 10, 20))
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
        ask.ask(Slurm(timeout=9, runner=refuse), Query(Scope("hpg", "x"), 0, 1))


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("00:00:05", 5), ("1-00:00:05", 86405), ("100:00:00", 360000), ("00:15.057", 15)]
)
def test_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["x", "1-", "-1:00", "1:2:3:4", "x-00:00:01"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.slow
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
