"""Runs that accounting has open though Slurm does not run them count up to their last sign of life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from librarian.demo.slurm import DemoSlurm, Run
from librarian.errors import SlurmError
from librarian.health.status import QosStatus, Status
from librarian.health.verdict import judged
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, Window
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs import runaway_lines, signs
from librarian.subjects.jobs.changes import NEVER, changed_from
from librarian.subjects.jobs.daily import PRIVATE
from librarian.subjects.jobs.doubts import AGAIN
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.look import FIELDS
from librarian.subjects.jobs.look import ask as ask_squeue
from librarian.subjects.jobs.model import RUNAWAY, counting, ended, goes_on, stuck, under_way
from librarian.subjects.jobs.runaways import compared, look
from librarian.subjects.jobs.section import JobsSection, Runaways
from librarian.subjects.jobs.subject import Jobs
from librarian.subjects.jobs.unended import KnownRunaways, Unended
from librarian.subjects.limits.held import held_now
from librarian.subjects.subject import CONTROLLER, Asking, Reading, Watched
from librarian.subjects.usage.binning import bin_jobs, span
from librarian.subjects.usage.keep import Hours
from librarian.subjects.usage.subject import Usage
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of
from tests.unit.tables import jobs_table

SCOPE = Scope("demo", "avery")
HOUR = 3600
NOW = T0 + 10 * HOUR
WINDOW = Window(np.array([T0, T0 + 5 * HOUR, NOW]), NOW, "UTC", 5 * HOUR)
OVER = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "REQUEUED", "RESIZING")


class Forgetful(DemoSlurm):
    """A Slurm that does not run some of the jobs that its accounting has open; `steps` are sacct's rows of steps."""

    forgotten: frozenset[int] = frozenset()
    steps = ""
    silent = False

    def __init__(self, runs: list[Run]) -> None:
        super().__init__(runs, now=T0)
        self.asked: list[str] = []

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        command = PurePosixPath(argv[0]).name
        self.asked.append(command)
        if command == "sacct" and "-j" in argv:
            return Answer(0, f"DBIndex|Start|End\n{self.steps}".encode(), "")
        if command == "squeue" and self.silent:
            return Answer(1, b"", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
        everything = self.runs
        try:
            if command == "squeue":
                self.runs = [run for run in everything if run.jobid not in self.forgotten]
            return super().__call__(argv, timeout=timeout, env=env)
        finally:
            self.runs = everything


def going(number: int, **changes: object) -> Run:
    return run_of(number, end=None, state="RUNNING", **changes)


def ask(slurm: Forgetful, store: Store, now: int, *, counted: bool = False) -> Asking:
    slurm.now = now
    asking = Asking(Slurm(runner=slurm), store, now, "demo", (Watched(SCOPE),), T0 - DAY, count_runaways=counted)
    assert Jobs().collect(asking) == []
    return asking


def cpu_hours(store: Store, now: int) -> list[float]:
    """CPU-hours of each hour up to `now`, as a cycle computes them, with what it keeps."""
    edges = np.arange(T0, now + HOUR, HOUR)
    reading = Reading(store, Watched(SCOPE), Window(edges, now, "UTC", HOUR))
    facts = Usage().read(reading)
    usage = facts.tally.usage
    return [float(value) for value in (usage.integrals[usage.row("NCPUS")].sum(axis=0) / HOUR).round(9)]


# what has no end and is over


@pytest.mark.parametrize("state", OVER)
def test_a_run_that_is_over_by_its_state_does_not_run_for_ever(state: str) -> None:
    jobs = jobs_table({"start": T0, "state": state, "alloc_tres": "cpu=4"}, {"start": T0, "end": T0 + HOUR})
    assert [part.tolist() for part in span(jobs, NOW)] == [[T0, T0], [T0, T0 + HOUR]]
    assert under_way(jobs, NOW).tolist() == [False, False]
    assert len(counting(jobs, NOW)) == 0
    assert (stuck(jobs).tolist(), goes_on(jobs).tolist()) == ([True, False], [False, False])
    usage = bin_jobs(jobs, WINDOW, OBSERVABLES)
    assert usage.integrals[usage.row("NCPUS")].tolist() == [[HOUR, 0.0]]
    assert held_now(jobs, NOW, OBSERVABLES).total["cpu"] == 0


@pytest.mark.parametrize(
    "state", ["RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED", "SIGNALING", "STAGE_OUT"]
)
def test_what_runs_goes_on_until_now(state: str) -> None:
    jobs = jobs_table({"start": T0, "state": state, "elapsed": 10 * HOUR})
    assert span(jobs, NOW)[1].tolist() == [NOW]
    assert (under_way(jobs, NOW).tolist(), stuck(jobs).tolist()) == ([True], [False])


def test_what_is_pending_neither_runs_nor_is_over() -> None:
    jobs = jobs_table({"start": T0, "state": "PENDING"}, {"state": "CANCELLED"})
    assert not (goes_on(jobs) | stuck(jobs) | under_way(jobs, NOW)).any()


def test_a_row_that_is_over_without_an_end_changes_all_from_its_start() -> None:
    runs = jobs_table({"start": T0}), jobs_table({"start": T0, "state": "CANCELLED"})
    assert changed_from(*runs, jobs_table()) == T0
    assert changed_from(runs[0], runs[0], jobs_table()) == NEVER


def test_a_settled_run_ends_where_it_was_last_known_to_live_and_counts_as_no_ending() -> None:
    jobs = jobs_table(
        {"start": T0}, {"start": T0, "state": "COMPLETED"}, {"start": T0, "state": "FAILED"}, {"start": T0, "end": NOW}
    )
    settled = Unended({1: T0 + HOUR, 2: T0 + 60, 4: T0}).settled(jobs)
    assert settled["end"].tolist() == [T0 + HOUR, T0 + 60, T0, NOW], "an end that Slurm tells stays"
    assert settled["state"].tolist() == [RUNAWAY] * 3 + ["RUNNING"]
    assert ended(settled, T0, NOW).tolist() == [False, False, False, True]
    counted = Unended({1: T0 + HOUR}, counted=True).settled(jobs)
    assert goes_on(counted).tolist() == [True, True, True, False]


# who is missing


def test_a_run_is_a_runaway_when_squeue_does_not_name_it_twice() -> None:
    opened = jobs_table({"jobid": 7, "start": T0}, {"jobid": 8, "start": T0})
    (first,) = compared(opened, (), frozenset({8}), T0 + 100, NOW)
    assert (first.dbindex, first.since, first.life, first.sure) == (1, NOW, T0 + 100, False)
    (second,) = compared(opened, (first,), frozenset({8}), NOW, NOW + AGAIN - 1)
    assert not second.sure, "that was too soon to be another answer"
    (third,) = compared(opened, (second,), frozenset({8}), NOW, NOW + AGAIN)
    assert (third.sure, third.life, third.until) == (True, T0 + 100, T0 + 100)
    assert compared(opened, (third,), frozenset({7, 8}), NOW, NOW + 2 * AGAIN) == (), "it runs after all"
    assert compared(opened, (third,), None, NOW, NOW + 2 * AGAIN) == (third,), "nobody knows anything new"


def test_of_several_open_runs_of_a_job_the_last_is_what_squeue_names() -> None:
    opened = jobs_table({"jobid": 7, "start": T0}, {"jobid": 7, "start": T0 + HOUR})
    (found,) = compared(opened, (), frozenset({7}), None, NOW)
    assert (found.dbindex, found.life) == (1, None)


def test_what_squeue_was_never_seen_to_name_has_no_sign_of_life_from_it() -> None:
    opened = jobs_table({"jobid": 7, "start": T0 + HOUR})
    (found,) = compared(opened, (), frozenset(), T0, NOW)
    assert (found.life, found.until) == (None, T0 + HOUR)


# a cycle after the other


def test_a_runaway_counts_up_to_its_last_sign_of_life(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0), going(2, start=T0, user="bob")])
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2 * HOUR)
        assert cpu_hours(store, T0 + 2 * HOUR) == [8.0, 8.0]
        slurm.forgotten = frozenset({1})
        ask(slurm, store, T0 + 3 * HOUR)
        assert cpu_hours(store, T0 + 3 * HOUR) == [8.0] * 3, "the record of its end may be on its way"
        ask(slurm, store, T0 + 4 * HOUR)
        assert cpu_hours(store, T0 + 4 * HOUR) == [8.0, 8.0, 4.0, 4.0]
        kept = Hours(store).usage(SCOPE, T0, NOW)
        mine = kept[(kept["user"] == "alice") & (kept["observable"] == "NCPUS")]
        assert mine["start"].tolist() == [T0, T0 + HOUR], "nor in the hours that are kept for good"
        now = Jobs().read(Reading(store, Watched(SCOPE), Window(np.array([T0, NOW]), T0 + 4 * HOUR, "UTC", HOUR)))
        assert now.counting["user"].tolist() == ["bob"]
        assert now.runaways == Runaways(1, 8.0, 0.0)
        slurm.forgotten = frozenset()
        ask(slurm, store, T0 + 5 * HOUR)
        assert cpu_hours(store, T0 + 5 * HOUR) == [8.0] * 5, "squeue names it again"


def test_an_end_that_is_recorded_late_makes_all_right(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0), going(2, start=T0, user="bob")])
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 2 * HOUR)
        slurm.forgotten = frozenset({1})
        for hour in (3, 4):
            ask(slurm, store, T0 + hour * HOUR)
            cpu_hours(store, T0 + hour * HOUR)
        slurm.runs = [run_of(1, start=T0, end=T0 + 2 * HOUR + 1800), slurm.runs[1]]
        slurm.silent = True  # whoever knows the end needs no witness
        ask(slurm, store, T0 + 5 * HOUR)
        assert cpu_hours(store, T0 + 5 * HOUR) == [8.0, 8.0, 6.0, 4.0, 4.0]
        assert KnownRunaways(store).of(SCOPE) == ()


def test_a_row_that_is_over_counts_up_to_the_last_of_its_steps(tmp_path: Path) -> None:
    over = run_of(1, start=T0, end=None, state="COMPLETED")
    slurm = Forgetful([over, going(2, start=T0, user="bob")])
    slurm.steps = f"{2**63 + 1}|{T0}|Unknown\n{2**63 + 1}|{T0 + 60}|{T0 + HOUR}\n{2**63 + 9}|{T0}|{T0 + 2 * HOUR}\n"
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 3 * HOUR)
        assert cpu_hours(store, T0 + 3 * HOUR) == [8.0, 4.0, 4.0]
        ask(slurm, store, T0 + 4 * HOUR)
        assert cpu_hours(store, T0 + 4 * HOUR) == [8.0, 4.0, 4.0, 4.0]
    assert slurm.asked.count("sacct") == 3, "steps are asked for once"


def test_where_jobs_are_hidden_squeue_makes_nobody_a_runaway(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0), run_of(2, start=T0, end=None, state="FAILED")])
    slurm.forgotten = frozenset({1})
    with opened(tmp_path / "s", "demo") as store:
        slurm._private, slurm._user = True, "alice"
        for hour in (2, 3, 4):
            ask(slurm, store, T0 + hour * HOUR)
        assert "jobs" in store.fact(PRIVATE)
        assert [run.dbindex for run in KnownRunaways(store).sure(SCOPE)] == [2**63 + 2], "its state says so"
        assert "squeue" not in slurm.asked


def test_squeue_is_asked_for_all_of_the_qos_as_accounting_spells_it(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0)])
    asked: list[Sequence[str]] = []

    def runner(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        asked.append(argv)
        return slurm(argv, timeout=timeout, env=env)

    scope = Scope("demo", "Avery", ("a",), ("cpu",))
    slurm.now = T0 + HOUR
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + HOUR)
        store.execute("UPDATE scope SET scope = ?", (scope.key,))
        look(Asking(Slurm(runner=runner), store, T0 + HOUR, "demo", (Watched(scope),), T0))
    (argv,) = asked
    assert "--qos=avery" in argv
    assert not any(word.startswith(("--account", "--partition")) for word in argv)


def test_a_silent_controller_changes_nothing_and_is_not_asked_again(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0)])
    with opened(tmp_path / "s", "demo") as store:
        slurm.silent = True
        for hour in (2, 3, 4):
            asking = ask(slurm, store, T0 + hour * HOUR)
            assert CONTROLLER in asking.silent
        assert KnownRunaways(store).of(SCOPE) == ()
        assert cpu_hours(store, T0 + 4 * HOUR) == [4.0] * 4


def test_a_key_lets_a_site_count_them_as_slurm_does(tmp_path: Path) -> None:
    slurm = Forgetful([going(1, start=T0), run_of(2, start=T0, end=None, state="CANCELLED")])
    with opened(tmp_path / "s", "demo") as store:
        for hour in (2, 3):
            slurm.forgotten = frozenset({1}) if hour > 2 else frozenset()
            ask(slurm, store, T0 + hour * HOUR)
        ask(slurm, store, T0 + 4 * HOUR)
        assert cpu_hours(store, T0 + 4 * HOUR) == [4.0, 4.0, 0.0, 0.0]
        ask(slurm, store, T0 + 5 * HOUR, counted=True)
        assert cpu_hours(store, T0 + 5 * HOUR) == [8.0] * 5
        facts = Jobs().read(Reading(store, Watched(SCOPE), Window(np.array([T0, NOW]), T0 + 5 * HOUR, "UTC", HOUR)))
        assert (len(facts.counting), facts.runaways.runs, facts.runaways.counted) == (2, 2, True)
        assert "They count as running, as in Slurm's own sums: 32 CPU-hours" in facts.runaways.note
        ask(slurm, store, T0 + 6 * HOUR)
        assert cpu_hours(store, T0 + 6 * HOUR) == [4.0, 4.0, 0.0, 0.0, 0.0, 0.0]


# what is told


def test_the_page_the_status_and_a_list_tell_of_them(tmp_path: Path) -> None:
    runs = [going(1, start=T0, alloc_tres="cpu=4,gres/gpu=2"), going(2, start=T0, user="bob")]
    slurm = Forgetful(runs)
    with opened(tmp_path / "s", "demo") as store:
        for hour in (2, 3, 4):
            slurm.forgotten = frozenset({1}) if hour > 2 else frozenset()
            ask(slurm, store, T0 + hour * HOUR)
        window = Window(np.array([T0, NOW]), T0 + 4 * HOUR, "UTC", HOUR)
        facts = Jobs().read(Reading(store, Watched(SCOPE), window))
        asked = Jobs().asked(store, Watched(SCOPE))
        assert len(JobRuns(store).open_runs(SCOPE)) == 2, "what Slurm told is kept as it is"
    (note,) = JobsSection((), runaways=facts.runaways).notes
    assert note.kind == "runaways"
    assert note.text == (
        "Slurm's accounting has 1 job open that Slurm does not run. It counts up to its last sign of life: "
        "8 CPU-hours and 4 GPU-hours of this window are left out."
    )
    assert asked and asked.runaways == 1
    row = QosStatus(T0, T0, 1.0, None, name="avery", rows=2, runaways=asked.runaways)
    told, code = judged(Status("demo", 600, last_try=T0, last_success=T0, state="ok", qos=(row,)), T0, "UTC")
    assert "  1 job open in accounting that Slurm does not run (librarian status --runaways)" in told
    assert code == 0
    (line,) = runaway_lines.lines(tmp_path / "s", [SCOPE], T0 + 4 * HOUR)
    assert line == (
        "avery: job 1 of alice, RUNNING in accounting: no sign of life for 2 h, after 2 h; "
        "8 CPU-hours and 4 GPU-hours since"
    )
    assert runaway_lines.lines(tmp_path / "none", [SCOPE], T0) == []


# questions


def test_squeue_is_asked_for_numbers_in_every_state_that_a_job_of_slurms_can_be_in() -> None:
    asked: list[Sequence[str]] = []

    def runner(argv: Sequence[str], **_: object) -> Answer:
        asked.append(argv)
        rows = ["".join(f"{cell}\x1f" for cell in row) + "\n" for row in (heads, *map(cells, ("12", "7 ", "N/A")))]
        return Answer(0, f"CLUSTER: hpg\n{''.join(rows)}".encode(), "")

    def cells(number: str) -> list[str]:
        return [{"State": "RUNNING", "QOS": "avery", "JobID": number}.get(name, "") for name in FIELDS]

    heads = ["JOBID" if name == "JobArrayID" else name.upper() for name in FIELDS]
    assert ask_squeue(Slurm(runner=runner), "demo", ["avery"]).running(["avery"]) == {7, 12}
    states = "--states=PENDING,SPECIAL_EXIT,RESV_DEL_HOLD,"
    states += "RUNNING,SUSPENDED,CONFIGURING,COMPLETING,STOPPED,SIGNALING,STAGE_OUT"
    assert {"--qos=avery", states} <= {*asked[0]}


def test_steps_are_asked_for_by_the_numbers_of_their_jobs() -> None:
    runs = jobs_table({"jobid": 9, "start": T0 + 5}, {"jobid": 7, "start": T0})
    asked: list[Sequence[str]] = []

    def runner(argv: Sequence[str], **_: object) -> Answer:
        asked.append(argv)
        return Answer(0, f"DBIndex|Start|End\n1|{T0}|{NOW + 1}\n2|None|\nx|1|2\n\n".encode(), "")

    assert signs.ask(Slurm(runner=runner), "hpg", runs, NOW) == {1: T0, 2: 0}
    assert {"-a", "-D", "-P", f"uts{T0}", f"uts{NOW}", "hpg", "7,9"} <= {*asked[0]}
    assert "-X" not in asked[0]


def test_so_many_are_asked_for_at_once_and_the_others_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "MOST", 1)
    slurm = Forgetful([run_of(number, start=T0 + number, end=None, state="FAILED") for number in (1, 2)])
    with opened(tmp_path / "s", "demo") as store:
        for hour, lives in ((1, {2: T0 + 2, 1: None}), (2, {2: T0 + 2, 1: T0 + 1})):
            ask(slurm, store, T0 + hour * HOUR)
            assert {run.dbindex - 2**63: run.life for run in KnownRunaways(store).sure(SCOPE)} == lives


def test_an_answer_about_steps_that_is_no_table_is_none() -> None:
    with pytest.raises(SlurmError, match="no table of steps"):
        signs.parse(Answer(0, b"", ""), NOW)


def test_a_little_that_is_left_out_is_not_told_as_nothing() -> None:
    assert "2 jobs open" in Runaways(2, 0.001).note
    assert "< 0.01 CPU-hours" in Runaways(2, 0.001).note
