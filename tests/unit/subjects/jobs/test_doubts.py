"""An answer that contradicts what is known is no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from librarian.demo.slurm import DemoSlurm, Run
from librarian.errors import SlurmError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, Window
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs import running
from librarian.subjects.jobs.ask import HEADER, Query, Runs, arguments
from librarian.subjects.jobs.collect import OVERLAP, Request, collect
from librarian.subjects.jobs.daily import CLUSTERS, PRIVATE, observe_cluster
from librarian.subjects.jobs.doubts import AGAIN, LAG, doubt
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.model import Reject
from librarian.subjects.jobs.section import JobsSection
from librarian.subjects.jobs.subject import Jobs
from librarian.subjects.limits.collect import ACCOUNTS, LIMITS, observe
from librarian.subjects.subject import Asking, Reading, Watched
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of
from tests.unit.tables import jobs_table

SCOPE = Scope("demo", "avery")
EMPTY = Answer(0, f"{HEADER}\n".encode(), "")


class Aborting(DemoSlurm):
    """A Slurm whose slurmdbd can lose its answers without a word, and whose commands can be silent."""

    lost: bytes | None = None
    silent: tuple[str, ...] = ()

    def __init__(self, runs: list[Run], now: int) -> None:
        super().__init__(runs, now=now)
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        command = PurePosixPath(argv[0]).name
        self.asked.append(command)
        if command in self.silent:
            return Answer(1, b"", f"{command}: error: Unable to contact slurm controller")
        if command == "sacct" and self.lost is not None:
            return Answer(0, self.lost, "")
        return super().__call__(argv, timeout=timeout, env=env)


def ask(slurm: Aborting, store: Store, now: int, days: int = 2) -> None:
    slurm.now = now
    collect(Slurm(runner=slurm), store, Request(SCOPE, now, now - days * DAY))


def known(store: Store) -> list[int]:
    return [int(number) for number in JobRuns(store).jobs(SCOPE, 0)["jobid"]]


def running_jobs(many: int) -> list[Run]:
    return [run_of(number, end=T0 + 9 * DAY) for number in range(1, many + 1)]


def test_running_jobs_do_not_leave_because_an_answer_was_lost(tmp_path: Path) -> None:
    slurm = Aborting(running_jobs(61), T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2000)
        slurm.lost = EMPTY.stdout
        for later in range(600, 2 * 3600, 600):
            with pytest.raises(SlurmError, match="names none of the 61 runs that it must name") as told:
                ask(slurm, store, T0 + 2000 + later)
            assert told.value.exit_status == 3
            assert len(known(store)) == 61
        coverage = JobRuns(store).coverage(SCOPE)
        assert coverage and coverage.complete_at == T0 + 2000, "the data are as old as they are"
        slurm.lost = None
        ask(slurm, store, T0 + 3 * 3600)
        assert len(known(store)) == 61


def test_what_is_cut_at_a_lines_end_is_seen_by_what_squeue_shows(tmp_path: Path) -> None:
    slurm = Aborting(running_jobs(6), T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2000)
        whole = slurm(["sacct", *_arguments(T0, T0 + 2600)], timeout=1, env={"SLURM_TIME_FORMAT": "%s"}).stdout
        slurm.lost = b"".join(whole.splitlines(keepends=True)[:4])
        with pytest.raises(SlurmError, match="squeue shows 6 running jobs, sacct 3"):
            ask(slurm, store, T0 + 2600)
        assert len(known(store)) == 6


def _arguments(since: int, until: int) -> list[str]:
    return arguments(Query(SCOPE, since, until))


def test_a_job_of_an_outage_is_found_after_it_in_a_group_that_rests(tmp_path: Path) -> None:
    """Nothing runs, and an answer without a run looks right: but it lacks the run that ended last."""
    first, missed = run_of(1, end=T0 + 600), run_of(2, submit=T0 + 5 * 3600, eligible=T0 + 5 * 3600, end=T0 + 6 * 3600)
    slurm = Aborting([first], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 700)
        for hour in (2, 3, 4):
            ask(slurm, store, T0 + hour * 3600)
        slurm.lost, slurm.runs = EMPTY.stdout, [first, replace(missed, start=T0 + 5 * 3600)]
        for minute in range(0, 240, 10):
            with pytest.raises(SlurmError, match="does not name the run that it must name"):
                ask(slurm, store, T0 + 5 * 3600 + minute * 60)
        slurm.lost = None
        ask(slurm, store, T0 + 9 * 3600)
        assert known(store) == [1, 2]


def test_a_first_window_without_a_run_is_read_again(tmp_path: Path) -> None:
    slurm = Aborting([run_of(1, end=T0 + 5000)], T0)
    now = T0 + DAY
    with opened(tmp_path / "s", "demo") as store:
        slurm.lost = EMPTY.stdout
        ask(slurm, store, now)
        assert JobRuns(store).unconfirmed(SCOPE) == now
        ask(slurm, store, now + AGAIN - 1)
        assert JobRuns(store).unconfirmed(SCOPE) == now, "that was too soon to be another answer"
        slurm.lost = None
        ask(slurm, store, now + AGAIN)
        assert (known(store), JobRuns(store).unconfirmed(SCOPE)) == ([1], None)


def test_where_nothing_ever_ran_the_second_answer_counts(tmp_path: Path) -> None:
    slurm = Aborting([], T0)
    with opened(tmp_path / "s", "demo") as store:
        for later in (0, 600, 1200):
            ask(slurm, store, T0 + later)
            assert JobRuns(store).unconfirmed(SCOPE) == (T0 if later == 0 else None)
        coverage = JobRuns(store).coverage(SCOPE)
        assert coverage and (coverage.complete_at, coverage.full_at) == (T0 + 1200, T0 + 600)


def test_runs_that_moved_to_another_qos_leave_with_the_second_answer(tmp_path: Path) -> None:
    slurm = Aborting(running_jobs(1), T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2000)
        slurm.runs = []
        for later in (2600, 2600 + AGAIN - 1):
            with pytest.raises(SlurmError, match="refused: it does not name the run"):
                ask(slurm, store, T0 + later)
        slurm.silent = ("squeue",)
        with pytest.raises(SlurmError, match="refused"):
            ask(slurm, store, T0 + 2600 + AGAIN)
        slurm.silent = ()
        ask(slurm, store, T0 + 2600 + AGAIN)
        assert known(store) == []
        assert JobRuns(store).doubted_since(SCOPE) is None


def test_beside_an_ended_run_that_is_named_one_that_left_has_left(tmp_path: Path) -> None:
    over = run_of(2, end=T0 + 1900)
    slurm = Aborting([*running_jobs(1), over], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2000)
        slurm.runs = [over]
        ask(slurm, store, T0 + 2600)
        assert known(store) == [2]


def test_rows_that_are_all_rejected_are_told_and_no_answer(tmp_path: Path) -> None:
    bad = [replace(run, alloc_tres="cpu=much", end=T0 + 5000) for run in running_jobs(3)]
    slurm = Aborting(bad, T0)
    with opened(tmp_path / "s", "demo") as store:
        with pytest.raises(SlurmError, match="none of its 3 rows is understood"):
            ask(slurm, store, T0 + DAY)
        assert JobRuns(store).coverage(SCOPE) is None
        assert len(JobRuns(store).rejects(SCOPE)) == 3, "for who looks after it"


@pytest.mark.parametrize(("bad", "many"), [(9, False), (10, True)])
def test_the_page_says_so_where_many_rows_are_left_out(tmp_path: Path, bad: int, many: bool) -> None:
    runs = [replace(run, alloc_tres="cpu=much") for run in running_jobs(bad)] + [run_of(99, end=T0 + 900)]
    slurm = Aborting(runs, T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2000)
        window = Window(np.array([T0, T0 + 3600]), T0 + 2000, "UTC", 3600)
        facts = Jobs().read(Reading(store, Watched(SCOPE), window))
    section = JobsSection(facts.rejects, facts.many_rejects)
    assert len(section.rejects) == bad
    assert [note.kind for note in section.notes] == (["rejects"] if many else [])


def test_a_header_beside_a_complaint_is_no_answer(tmp_path: Path) -> None:
    said = Answer(0, EMPTY.stdout, "sacct: error: slurmdb_jobs_get: Unspecified error\n")
    with opened(tmp_path / "s", "demo") as store:
        with pytest.raises(SlurmError, match="complains: sacct: error: slurmdb_jobs_get"):
            collect(Slurm(runner=lambda *_, **__: said), store, Request(SCOPE, T0, T0 - DAY))
        assert JobRuns(store).coverage(SCOPE) is None


@pytest.mark.parametrize("hidden", ["jobs", "untold"])
def test_where_sacct_hides_jobs_squeue_is_no_witness(tmp_path: Path, hidden: str) -> None:
    slurm = Aborting(running_jobs(2), T0)
    with opened(tmp_path / "s", "demo") as store:
        store.know(PRIVATE, [hidden], T0)
        slurm.lost = EMPTY.stdout
        ask(slurm, store, T0 + 2000)
        assert "squeue" not in slurm.asked


def test_squeue_is_asked_only_where_something_is_strange(tmp_path: Path) -> None:
    slurm = Aborting(running_jobs(2), T0)
    with opened(tmp_path / "s", "demo") as store:
        for later in (2000, 2600):
            ask(slurm, store, T0 + later)
        assert slurm.asked == ["sacct", "sacct"]


def test_a_clock_that_went_back_makes_no_doubt(tmp_path: Path) -> None:
    """What began after the moment that it is now is not told, and need not be."""
    slurm = Aborting([run_of(1, end=T0 + 5000)], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + DAY)
        ask(slurm, store, T0 - 3600)
        coverage = JobRuns(store).coverage(SCOPE)
        assert coverage and coverage.complete_at == T0 - 3600


def test_a_jobs_start_may_be_late_in_the_database() -> None:
    runs, none = Runs(jobs_table(), ()), jobs_table()
    assert doubt(runs, none, (), (T0 - LAG + 1,), T0) is None
    found = doubt(runs, none, (), (T0 - LAG,), T0)
    assert found and (found.why, found.seconds) == ("squeue shows 1 running job, sacct 0", DAY)
    rejected = Runs(jobs_table({"dbindex": 7, "end": T0}), (Reject("run 9", "why", ""),))
    assert doubt(rejected, none, (), (T0 - LAG,), T0) is None, "a row that is not understood may be that job"


def test_a_name_in_other_letters_is_slurms_cluster(tmp_path: Path) -> None:
    scope, slurm = replace(SCOPE, cluster="DEMO"), Aborting(running_jobs(2), T0)
    slurm.now = T0 + 2000
    with opened(tmp_path / "s", "DEMO") as store:
        store.know(CLUSTERS, ["demo", "other"], T0)
        collect(Slurm(runner=slurm), store, Request(scope, T0 + 2000, T0 - DAY))
        assert (len(JobRuns(store).jobs(scope, 0)), JobRuns(store).rejects(scope)) == (2, ())


@pytest.mark.parametrize(
    "times", ["START_TIME\x1f\n1793000000\x1f\nN/A\x1f\n", "CLUSTER: hpg\nSTART_TIME\x1f\n1793000000\x1f\n"]
)
def test_what_squeue_names(times: str) -> None:
    scope = Scope("hpg", "avery", ("a", "b"), ("gpu",))
    asked: list[Sequence[str]] = []

    def runner(argv: Sequence[str], **_: object) -> Answer:
        asked.append(argv)
        return Answer(0, times.encode(), "")

    assert running.started(Slurm(runner=runner), scope) == (1_793_000_000,)
    (argv,) = asked
    assert argv[:4] == ["squeue", "-a", "-M", "hpg"]
    assert {"--account=a,b", "--partition=gpu", "--qos=avery", "--states=RUNNING,SUSPENDED"} <= {*argv}


@pytest.mark.parametrize("said", ["", "CLUSTER: hpg", "squeue: nobody is here\n", "START_TIME\x1f"])
def test_what_is_no_table_is_no_witness(said: str) -> None:
    with pytest.raises(SlurmError, match="squeue gave no table"):
        running.started(Slurm(runner=lambda *_, **__: Answer(0, said.encode(), "")), SCOPE)


def test_what_would_narrow_it_makes_it_no_witness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUEUE_USERS", "alice")
    with pytest.raises(SlurmError, match="SQUEUE_USERS is set"):
        running.started(Slurm(runner=lambda *_, **__: Answer(0, b"START_TIME\x1f\n", "")), SCOPE)


@pytest.mark.parametrize("what", ["qos", "assoc", "tres", "cluster"])
def test_limits_go_on_where_sacctmgr_prints_a_header_alone(tmp_path: Path, what: str) -> None:
    class Headless(Aborting):
        def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            told = super().__call__(argv, timeout=timeout, env=env)
            if PurePosixPath(argv[0]).name == "sacctmgr" and argv[1:4] == ["-P", "show", what] and self.lost:
                return replace(told, stdout=told.stdout.partition(b"\n")[0] + b"\n")
            return told

    slurm = Headless([], T0)
    slurm._limits = {"avery": ("cpu=430", "")}
    with opened(tmp_path / "s", "demo") as store:
        asking = Asking(Slurm(runner=slurm), store, T0, "demo", (Watched(SCOPE),), T0 - DAY)
        assert [*observe(asking), *observe_cluster(asking.slurm, store, T0)] == []
        store.know(
            ACCOUNTS, store.fact(ACCOUNTS) or [{"account": "a", "parent": "", "qos": ["avery"], "rules": {}}], T0
        )
        before = {name: store.fact(name) for name in (LIMITS, ACCOUNTS, CLUSTERS, "gpus_tracked")}
        slurm.lost = b"headers alone"
        (failure,) = [*observe(asking), *observe_cluster(asking.slurm, store, T0)]
        assert "sacctmgr names no" in str(failure)
        assert {name: store.fact(name) for name in before} == before


def test_a_question_reaches_back_to_a_run_that_it_must_name(tmp_path: Path) -> None:
    slurm = Aborting([run_of(1, end=T0 + 600)], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 700)
        now = T0 + DAY - 3600
        _, query = Request(SCOPE, now, now - 2 * DAY).query(store)
        assert query.since == T0 + 700 - OVERLAP, "as ever: that is before its end"
        ask(slurm, store, now)
        _, query = Request(SCOPE, now + 600, now - 2 * DAY).query(store)
        assert query.since == T0 + 600, "and not an hour before the last answer"
        _, query = Request(SCOPE, now + 600, T0 + 601).query(store)
        assert query.since == now - OVERLAP, "but never back beyond the window"
