"""The question for what runs used, and its answers, with whatever others can put into them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.errors import SlurmError, TooWideError
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.efficiency import ask as module
from librarian.subjects.efficiency.ask import FIELDS, Question, Told, arguments, ask, parse
from librarian.subjects.efficiency.model import Flag, Peak, Source
from librarian.subjects.jobs.question import DELIMITER
from librarian.system.processes import Answer
from tests.unit.runs import T0
from tests.unit.subjects.efficiency.used import MAIN, STEP, jobstats, line, told

AVERY = (Scope("demo", "avery"),)


def read(*lines: bytes) -> Told:
    return parse(told(lines), AVERY)


def reasons(*lines: bytes) -> set[str]:
    found = read(*lines)
    assert not found.runs
    return set(found.rejects)


def test_one_question_for_all_qos_by_time_and_state_with_steps() -> None:
    scopes = (Scope("demo", "kim"), Scope("demo", "avery", ("a",)))
    found = arguments(Question(scopes, 5, 9))
    assert found[:5] == ["-a", "-D", "-P", "--noconvert", f"--delimiter={DELIMITER}"]
    assert found[5:] == [
        *("--state=CD,F,TO,CA,OOM,NF,PR,DL,BF,RQ,RS", "-S", "uts5", "-E", "uts9", "-M", "demo", "--qos=avery,kim"),
        *("-o", ",".join(FIELDS)),
    ]
    assert FIELDS[-1] == "AdminComment", "free text, which may hold anything"


def test_accounts_and_partitions_narrow_it_where_every_scope_has_some() -> None:
    scopes = (Scope("demo", "kim", ("b",), ("gpu",)), Scope("demo", "avery", ("a",), ("cpu", "gpu")))
    assert {"--accounts=a,b", "--partition=cpu,gpu"} < set(arguments(Question(scopes, 5, 9)))
    narrow = Scope("demo", "AVERY", ("b",))
    assert parse(told([line(), line(STEP)]), (narrow,)).runs == {}
    assert set(parse(told([line(Account="b")]), (narrow,)).runs) == {7}
    assert parse(told([line()]), (Scope("demo", "avery", (), ("gpu",)),)).runs == {}


def test_a_run_and_its_step() -> None:
    (used,) = read(line(), line(STEP)).runs.values()
    assert (used.run.user, used.run.start, used.run.end, used.run.limit) == ("alice", T0, T0 + 100, 3600)
    assert (used.use.cpu, used.use.user, used.use.system) == (200_000, 180_000, 20_000)
    assert (used.use.memory, used.use.read, used.use.written, used.use.peak) == (1000, 5, 6, Peak.STEP)
    assert (used.use.source, used.use.flags) == (Source.STEPS, frozenset())


def test_a_requeued_job_is_two_runs_with_steps_of_their_own() -> None:
    first, second = {"DBIndex": "7"}, {"DBIndex": str(2**63 + 8)}
    rows = [line(**first, State="REQUEUED"), line(STEP, **second), line(**second), line(STEP, **first, MaxRSS="5")]
    found = read(*rows).runs
    assert set(found) == {7, 2**63 + 8}
    assert found[7].run.state == "REQUEUED"


def test_a_resized_job_begins_again_at_its_resize() -> None:
    (used,) = read(line(Submit=str(T0 + 60))).runs.values()
    assert (used.run.start, used.run.elapsed) == (T0 + 60, 40)


def test_jobstats_count_and_the_steps_fill_in() -> None:
    node = {"c1": {"total_time": 250, "used_memory": 5000, "gpu_utilization": {"0": 37.5, "1": 0}}}
    gpus = {"AllocTRES": "cpu=4,gres/gpu=2,mem=4096M", "AdminComment": jobstats(node)}
    (used,) = read(line(**gpus), line(STEP)).runs.values()
    use = used.use
    assert (use.cpu, use.memory, use.gpu, use.source) == (250_000, 5000, 37_500, Source.JOBSTATS)
    assert (use.peak, use.user, use.read) == (Peak.NODES, 180_000, 5)
    partly = {**gpus, "AdminComment": jobstats({"c1": {"gpu_utilization": {"0": 10}}})}
    (used,) = read(line(**partly), line(STEP)).runs.values()
    assert (used.use.cpu_source, used.use.gpu_source, used.use.cpu) == (Source.STEPS, Source.JOBSTATS, 200_000)


def test_jobstats_that_are_refused_leave_the_steps() -> None:
    (used,) = read(line(AdminComment="JS1:aGVsbG8="), line(STEP)).runs.values()
    assert (used.use.source, used.use.flags) == (Source.STEPS, {Flag.BAD_STATS})
    (used,) = read(line(AdminComment="JS1:Short"), line(STEP)).runs.values()
    assert (used.use.source, used.use.flags) == (Source.STEPS, {Flag.SHORT})


def test_a_comment_that_holds_a_delimiter_or_a_newline_spoils_no_field() -> None:
    found = read(line(AdminComment=f"x{DELIMITER}y\nz{DELIMITER}"), line(STEP))
    assert found.runs[7].use.cpu == 200_000
    assert found.rejects == {"has not the number of fields that was asked for": 1}


def test_more_than_allocated_is_kept_and_flagged() -> None:
    rows = line(TotalCPU="10:00.000"), line(STEP, TRESUsageInTot=f"mem={5 << 30}", TotalCPU="10:00.000")
    (used,) = read(*rows).runs.values()
    assert (used.use.cpu, used.use.memory) == (600_000, 5 << 30)
    assert used.use.flags == {Flag.MORE_CPU, Flag.MORE_MEMORY}


def test_a_run_that_never_began_is_no_run_and_no_reject() -> None:
    for start in ("None", "Unknown"):
        assert read(line(Start=start, AllocTRES="", ElapsedRaw="0")) == Told({}, 1, {})


def test_rows_that_cannot_be_are_left_out_with_a_reason() -> None:
    assert reasons(line(Cluster="other")) == {"is of another cluster"}
    assert reasons(line(DBIndex="x")) == reasons(line(DBIndex=str(2**64))) == {"its number is none"}
    assert reasons(line(JobIDRaw="1+0")) == {"its number is none"}
    assert reasons(line(End="Unknown")) == reasons(line(ElapsedRaw="x")) == {"holds a time that is none"}
    assert reasons(line(End=str(T0 - 5))) == {"ends before it starts"}
    assert reasons(line(Start="5", Submit="5")) == {"lasts longer than is believed"}
    assert reasons(line(AllocTRES="cpu")) == reasons(line(AllocTRES=f"cpu={2**40}")) == {"AllocTRES is not understood"}
    assert reasons(line(STEP)) == {"step of a run that is not told"}
    assert reasons(b"\xff\x00") == {"has not the number of fields that was asked for"}


def test_one_bad_row_does_not_stop_the_others() -> None:
    found = read(b"nonsense", line(DBIndex="9", End="x"), line(), line(STEP))
    assert set(found.runs) == {7}
    assert sum(found.rejects.values()) == 2


def test_answers_that_are_none() -> None:
    for answer in (Answer(0, b"", "sacct: error"), Answer(0, b"sacct: fatal: no\n", ""), told([], header="Cluster")):
        with pytest.raises(SlurmError, match="no table"):
            parse(answer, AVERY)
    with pytest.raises(SlurmError, match="cut off"):
        parse(Answer(0, told([line()]).stdout[:-5], ""), AVERY)
    with pytest.raises(SlurmError, match="complains"):
        parse(told([], "sacct: error: slurmdbd"), AVERY)
    assert parse(told([]), AVERY) == Told({}, 0, {})


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_ANSWER", 1000)
    answer = told([line(AdminComment="x" * 1000)])
    with pytest.raises(TooWideError, match="too large"):
        ask(Slurm(runner=lambda *_, **__: answer), Question(AVERY, 0, 1))


def test_so_it_is_where_a_real_command_prints_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "LARGEST_ANSWER", 100_000)
    (tmp_path / "sacct").write_text("#!/bin/sh\nhead -c 3000000 /dev/zero\n")
    (tmp_path / "sacct").chmod(0o755)
    with pytest.raises(TooWideError, match="too large"):
        ask(Slurm(bin_dir=str(tmp_path)), Question(AVERY, 0, 1))


CELLS = st.one_of(
    st.sampled_from(["", "0", "Unknown", "None", "5", "-1", "x", str(T0), "00:01.5", "mem=5"]), st.text(max_size=5)
)


@given(st.lists(st.tuples(st.sampled_from([MAIN, STEP]), st.dictionaries(st.sampled_from(FIELDS), CELLS)), max_size=5),
       st.randoms(use_true_random=False))  # fmt: skip
def test_no_row_breaks_it_and_the_order_changes_nothing(
    rows: list[tuple[dict[str, str], dict[str, str]]], random: object
) -> None:
    lines = [line(base, **changes) for base, changes in rows]
    mixed = list(lines)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    if not any(b"\n" in one for one in lines):
        assert read(*mixed) == read(*lines)
