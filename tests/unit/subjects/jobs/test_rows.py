"""The plain way to read sacct's answers, and the way of tables, tell the same of the same rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import SlurmError
from librarian.shared.names import AccountName, PartitionName
from librarian.shared.resources import OBSERVABLES, gpus_in
from librarian.shared.window import window_until
from librarian.subjects.jobs import ask, model, rows, states
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.question import HEADER
from librarian.subjects.limits.held import held_now
from librarian.subjects.limits.now import held_by, places_now
from librarian.subjects.usage.places import places_of, seen_at
from librarian.system.processes import Answer
from tests.unit.tables import sacct_answer, sacct_line

NOW = 7200
TIMES = st.sampled_from([*map(str, (0, 1, 50, 3599, 3600, 7199, 7200, 7201, 2**40, 2**40 + 1)), "Unknown", "None", ""])
NAMES = st.sampled_from(["", "alice", "bob", "007", "1e3", "zoë", "N/A", "nan", '"q', "a b", "\x00", "a\udcffb", "?"])
TRES = st.sampled_from(
    ["", "billing=2,cpu=2,mem=4G,node=1", "cpu=1,gres/gpu=2,gres/gpu:a100=2", "cpu=0", "gres/gpu:h100=1", "cpu=?", "N"]
)
ROW = st.fixed_dictionaries(
    {
        "DBIndex": st.sampled_from(["1", "2", "3", str(2**64 - 1), str(2**64), "x", ""]),
        "JobIDRaw": st.sampled_from(["7", str(2**63 - 1), str(2**63), "?"]),
        **dict.fromkeys(("Submit", "Eligible", "Start", "End"), TIMES),
        "ElapsedRaw": st.sampled_from(["0", "60", str(2**40), str(2**40 + 1), "-1", "1.5"]),
        "Suspended": st.sampled_from(["00:00:00", "1-00:00:01", "", "x"]),
        "Cluster": st.sampled_from(["hpg", "HPG", "other"]),
        "State": st.sampled_from(["", "CANCELLED by 7", "PENDING", "COMPLETED", *states.GOING_ON]),
        "AllocTRES": TRES,
        "JobID": st.sampled_from(
            ["7", "7_3", "5_[1-9:2,12%2]", "5_[1-...", "7+1", "", "x_y", "5_[1-99999999999999999999]"]
        ),
        "ExitCode": st.sampled_from(["0:0", "1:0", "0:9", "255:255", "256:0", "", "x", "-1:0", "1:0:0"]),
        **dict.fromkeys(("User", "Account", "QOS", "Partition"), NAMES),
    }
)
GOOD = {"DBIndex": st.integers(1, 9).map(str), "JobIDRaw": st.just("7"), "ElapsedRaw": st.just("1")}
GOOD |= {
    "Cluster": st.just("hpg"),
    "Suspended": st.just(""),
    "AllocTRES": TRES.filter(lambda text: text[-1:] not in "?N"),
}


def agree(answer: Answer) -> rows.Told:
    """What the plain way reads, which is what the other reads; the words for a reject may be others."""
    plain, table = rows.parse(answer, "hpg"), ask.parse(answer, "hpg")
    assert [tuple(run) for run in plain.runs] == list(table.jobs.astype(object).itertuples(index=False, name=None))
    assert sorted((one.key, one.line) for one in plain.rejects) == sorted((one.key, one.line) for one in table.rejects)
    return plain


def test_a_run_has_the_columns_of_the_table() -> None:
    assert rows.Run._fields == model.COLUMNS
    assert tuple(name for name in model.NUMBERS if name not in ask._MADE) == rows._NUMBERS


@given(st.lists(ROW, max_size=6), st.lists(st.sampled_from(["no row", "", "a\rb"]), max_size=1))
def test_any_answer_is_read_the_same(told: list[dict[str, str]], torn: list[str]) -> None:
    agree(sacct_answer([*(sacct_line(**row) for row in told), *torn]))


@given(st.lists(st.builds(lambda row, good: row | good, ROW, st.fixed_dictionaries(GOOD)), min_size=1, max_size=9))
def test_what_runs_hold_is_the_same(told: list[dict[str, str]]) -> None:
    answer = sacct_answer([sacct_line(**row) for row in told])
    runs, jobs = agree(answer).runs, ask.parse(answer, "hpg").jobs
    observables = (*OBSERVABLES, *gpus_in(run.alloc_tres for run in runs))
    assert set(observables) <= {*OBSERVABLES, *gpu_observables(jobs)}, "a table may have a type that none holds"
    assert held_by(runs, NOW, observables) == held_now(jobs, NOW, observables)
    window = window_until(NOW, seconds=3600, bin_seconds=3600, zone="UTC")
    assert places_now(runs, NOW, observables) == places_of(seen_at(jobs.loc[model.goes_on(jobs)], window, observables))
    for run, on, under in zip(runs, model.goes_on(jobs).tolist(), model.under_way(jobs, NOW).tolist(), strict=True):
        assert states.goes_on(run.start, run.end, run.state) == on
        assert states.under_way(run.start, run.end, run.state, NOW) == under


def test_where_a_job_runs_that_began_before_now_and_has_no_end() -> None:
    lines = [
        sacct_line(DBIndex="1", Start="100", End="Unknown", State="RUNNING", Partition="cpu", Account="lab"),
        sacct_line(DBIndex="2", Start=str(NOW), End="Unknown", State="RUNNING", Partition="late"),
        sacct_line(DBIndex="3", Start="100", End="Unknown", State="COMPLETED", Partition="lost"),
    ]
    found = places_now(rows.parse(sacct_answer(lines), "hpg").runs, NOW, OBSERVABLES)
    assert found["cpu"] == {(PartitionName("cpu"), AccountName("lab"))}


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("", "no table"),
        ("something else\n", "no table"),
        (HEADER, "no table"),
        (f"{HEADER}\n{sacct_line()}\n{sacct_line()[:9]}", "cut off"),
        (f"{HEADER}\n", ""),
        (f"{HEADER}\n", "complains"),
    ],
)
def test_an_answer_that_is_not_whole_is_refused_by_both(out: str, said: str) -> None:
    answer = Answer(0, out.encode(), "sacct: error: x" if said == "complains" else "")
    for parse in (rows.parse, ask.parse):
        if said:
            with pytest.raises(SlurmError, match=said):
                parse(answer, "hpg")
        else:
            assert not parse(answer, "hpg").rejects
