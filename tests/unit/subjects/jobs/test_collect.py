"""Collection: the picture does not depend on when, how often and with what failures Slurm was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, SlurmError, StoreError, TimedOutError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs.amounts import gpu_observables
from librarian.subjects.jobs.collect import FULL_EVERY, OVERLAP, NextQuestion, Request, collect, plan
from librarian.subjects.jobs.covered import TRACKED, Coverage
from librarian.subjects.jobs.daily import CLUSTERS, observe_cluster
from librarian.subjects.jobs.keep import Intake, JobRuns
from librarian.subjects.limits.collect import keep_limits, known_limits, observe
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.subject import Asking, Watched
from librarian.subjects.usage.binning import Usage, bin_jobs
from librarian.system import processes
from librarian.system.host import user_name
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of
from tests.unit.tables import sacct_answer, sacct_line

SCOPE = Scope("demo", "avery")
SPAN = 3 * DAY  # the history that tests make up


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    runs = []
    for number in range(draw(st.integers(0, 25))):
        submit = T0 - DAY + draw(st.integers(0, SPAN))
        start = submit + draw(st.integers(0, 40_000))
        end = start + draw(st.sampled_from([0, 1, 600, 7200, 2 * DAY]))
        cancelled = draw(st.integers(0, 5)) == 0
        never = {"start": None, "end": start, "state": "CANCELLED by 1", "alloc_tres": ""}
        times = {"submit": submit, "eligible": submit, "start": start, "end": end}
        user = draw(st.sampled_from(["alice", "bob", "007"]))
        runs.append(run_of(number, user=user, **{**times, **(never if cancelled else {})}))
    return runs


def ask(slurm: DemoSlurm, store: Store, now: int, *, full: bool = False, days: int = 2) -> None:
    slurm.now = now
    collect(Slurm(runner=slurm), store, Request(SCOPE, now, now - days * DAY, full=full))


def observe_limits(slurm: Slurm, store: Store, now: int) -> list[SlurmError]:
    return observe(Asking(slurm, store, now, "demo", (Watched(SCOPE),), now - 2 * DAY))


def picture(store: Store, now: int) -> Usage:
    window = window_until(now, seconds=2 * DAY, bin_seconds=3600, zone="US/Eastern")
    jobs = JobRuns(store).jobs(SCOPE, window.start)
    return bin_jobs(jobs, window, (*OBSERVABLES, *gpu_observables(jobs)))


def same(one: Usage, other: Usage) -> None:
    assert one.users == other.users
    np.testing.assert_allclose(one.integrals, other.integrals, rtol=1e-12, atol=1e-6)
    np.testing.assert_array_equal(one.holding, other.holding)


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.lists(st.integers(0, SPAN), max_size=8))
def test_how_it_was_collected_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, runs: list[Run], times: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("stores")
    end = T0 + SPAN
    slurm = DemoSlurm(runs, now=end)
    with opened(folder / "often.sqlite", "demo") as often, opened(folder / "once.sqlite", "demo") as once:
        for moment in [*sorted(times), SPAN, SPAN]:
            ask(slurm, often, T0 + moment)
        ask(slurm, once, end)
        same(picture(often, end), picture(once, end))
        ask(slurm, often, end, full=True)
        same(picture(often, end), picture(once, end))


class LateSlurm(DemoSlurm):
    """A Slurm whose database was down for a while: what happened in the outage is recorded at its end."""

    outage = (T0 + 20_000, T0 + 20_000 + 6 * 3600)

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        now, (begin, end) = self.now, self.outage
        if begin <= now < end:
            self.now = begin
        try:
            return super().__call__(argv, timeout=timeout, env=env)
        finally:
            self.now = now


@pytest.mark.slow
def test_an_end_that_was_recorded_hours_late_is_found(tmp_path: Path) -> None:
    slurm = LateSlurm([run_of(1, end=LateSlurm.outage[0] + 60), run_of(2, end=T0 + 80_000)], now=T0)
    with opened(tmp_path / "s", "demo") as store:
        for now in range(T0 + 600, T0 + 60_000, 600):
            ask(slurm, store, now)
        jobs = JobRuns(store).jobs(SCOPE, 0)
        assert dict(zip(jobs["jobid"], jobs["end"], strict=True))[1] == LateSlurm.outage[0] + 60


def test_a_run_that_left_the_qos_is_dropped_and_one_that_is_hidden_is_not(tmp_path: Path) -> None:
    there, moved = run_of(1, end=T0 + 90_000), run_of(2, end=T0 + 90_000, user="bob")
    slurm = DemoSlurm([there, moved], now=T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 600)
        hidden = DemoSlurm([there, moved], now=T0, user="alice", private=True)
        observe_cluster(Slurm(runner=hidden), store, T0 + 700)
        with pytest.raises(SlurmError, match="Slurm hides the jobs of others now"):
            ask(hidden, store, T0 + 1200)
        coverage = JobRuns(store).coverage(SCOPE)
        assert coverage and coverage.complete_at == T0 + 600
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [1, 2]
        slurm.runs = [there, replace(moved, qos="avery-b")]
        observe_cluster(Slurm(runner=slurm), store, T0 + 1300)
        ask(slurm, store, T0 + 1800)
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [1]


def test_where_slurm_does_not_tell_what_it_hides_an_answer_without_others_is_refused(tmp_path: Path) -> None:
    mine, others = run_of(1, end=T0 + 90_000), run_of(2, end=T0 + 90_000, user="bob")
    with opened(tmp_path / "s", "demo") as store:
        ask(DemoSlurm([mine, others, run_of(3, user="carol")], now=T0), store, T0 + 600)
        store.know("private_data", [site.UNTOLD], T0 + 1200)
        with pytest.raises(SlurmError, match="does not tell its PrivateData"):
            ask(DemoSlurm([replace(mine, user=user_name())], now=T0), store, T0 + 1200)
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [1, 2, 3]
        ask(DemoSlurm([mine, run_of(4, end=T0 + 90_000, user="carol")], now=T0), store, T0 + 1800)
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [1, 4], "others are seen, so these left the QoS"


def test_a_failure_changes_nothing_but_is_remembered(tmp_path: Path) -> None:
    slurm = DemoSlurm([run_of(1)], now=T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 600)
        before = JobRuns(store).jobs(SCOPE, 0)

        def down(argv: object, *, timeout: float, env: object) -> Answer:
            return Answer(1, b"", "sacct: error: slurmdbd is down")

        with pytest.raises(SlurmError, match="slurmdbd is down"):
            collect(Slurm(runner=down), store, Request(SCOPE, T0 + 1200, T0, full=False))
        pd.testing.assert_frame_equal(JobRuns(store).jobs(SCOPE, 0), before)
        coverage, last = JobRuns(store).coverage(SCOPE), JobRuns(store).last_query(SCOPE)
        assert coverage and coverage.complete_at == T0 + 600
        assert last and last.error and "slurmdbd is down" in last.error
        ask(slurm, store, T0 + 9000)
        assert JobRuns(store).jobs(SCOPE, 0)["end"].tolist() == [T0 + 5000]


@pytest.mark.parametrize("cut", [False, True])
def test_an_answer_goes_into_the_store_while_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: bool
) -> None:
    """Of an answer that breaks off nothing stays, though most of it was written."""
    text = sacct_answer(sacct_line(DBIndex=str(number), QOS="avery") for number in range(1, 40)).stdout
    for room, name in ((accounting, "_AT_ONCE"), (processes, "_AT_ONCE"), (processes, "_BLOCK")):
        monkeypatch.setattr(room, name, 500)  # bytes
    seen: list[int] = []
    take = Intake.take
    monkeypatch.setattr(Intake, "take", lambda self, jobs: (seen.append(len(jobs)), take(self, jobs))[1])
    scope = replace(SCOPE, cluster="hpg")  # as the lines of the table have it
    slurm = Slurm(bin_dir=str(tmp_path))
    (tmp_path / "answer").write_bytes(text[:-9] if cut else text)
    (tmp_path / "sacct").write_text(f"#!/bin/sh\nexec cat {tmp_path}/answer\n")
    (tmp_path / "sacct").chmod(0o755)
    with opened(tmp_path / "s", "demo") as store:
        request = Request(scope, T0, 0, full=False)
        if cut:
            with pytest.raises(SlurmError, match="cut off"):
                collect(slurm, store, request)
        else:
            collect(slurm, store, request)
        assert (len(seen) > 3, sum(seen) >= 38) == (True, True), "nearly all of it, in several parts"
        assert len(JobRuns(store).jobs(scope, 0)) == (0 if cut else 39)
        assert (JobRuns(store).coverage(scope) is None) is cut
        last = JobRuns(store).last_query(scope)
        assert last and bool(last.error) is cut


def test_a_store_that_fails_while_an_answer_comes_is_not_slurms_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Intake, jobs: pd.DataFrame) -> None:
        raise StoreError("the store cannot be used", "database or disk is full")

    monkeypatch.setattr(accounting, "_AT_ONCE", 1)
    monkeypatch.setattr(Intake, "take", full)
    script = f"printf '%s\\n' '{accounting.HEADER}' '{sacct_line(QOS='avery')}'"
    (tmp_path / "sacct").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "sacct").chmod(0o755)
    with opened(tmp_path / "s", "demo") as store:
        with pytest.raises(StoreError, match="disk is full"):
            collect(Slurm(bin_dir=str(tmp_path)), store, Request(replace(SCOPE, cluster="hpg"), T0, 0, full=False))
        assert JobRuns(store).last_query(replace(SCOPE, cluster="hpg")) is None


def test_an_unknown_cluster_and_an_unknown_qos_name_what_exists(tmp_path: Path) -> None:
    slurm = Slurm(runner=DemoSlurm([], now=T0))
    with opened(tmp_path / "s", "demo") as store:
        assert observe_cluster(slurm, store, T0) == []
        with pytest.raises(SlurmError, match="knows no cluster hpg: it knows demo"):
            collect(slurm, store, Request(replace(SCOPE, cluster="hpg"), T0, 0))
        with pytest.raises(SlurmError, match="Valid QOS's are normal,avery,avery-b"):
            collect(slurm, store, Request(Scope("demo", "nosuch"), T0, 0))


def down_at_once(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
    return Answer(1, b"", "down")


def test_what_is_known_stays_known_when_slurm_does_not_answer(tmp_path: Path) -> None:
    with opened(tmp_path / "s", "demo") as store:
        assert known_limits(store, "avery") is None
        up, down = Slurm(runner=DemoSlurm([], now=T0)), Slurm(runner=down_at_once)
        assert [*observe_limits(up, store, T0), *observe_cluster(up, store, T0)] == []
        failures = [*observe_limits(down, store, T0), *observe_cluster(down, store, T0)]
        told = [str(failure).partition(":")[0] for failure in failures]
        assert told == ["limits", "limits of accounts", "what is tracked", "what is hidden", "clusters"]
        limits = known_limits(store, "Avery")
        assert limits and (limits.tres["cpu"], limits.tres["gres/gpu"], limits.tres["mem"]) == (430, 39, 3359)
        assert (store.fact(TRACKED), store.fact(CLUSTERS)) == (True, ["demo"])


REFUSED = "sacctmgr: error: Sending PersistInit msg: Connection refused"


@pytest.mark.parametrize("hangs", [True, False])
@pytest.mark.parametrize(("questions", "first"), [(observe_limits, "limits"), (observe_cluster, "what is tracked")])
def test_when_nobody_answers_no_other_question_is_asked(
    tmp_path: Path, hangs: bool, questions: Callable[[Slurm, Store, int], list[SlurmError]], first: str
) -> None:
    asked = []

    def down(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        asked.append(argv)
        if hangs:
            raise LibrarianError("sacctmgr did not answer", "stopped after 120 s")
        return Answer(1, b"", REFUSED)

    with opened(tmp_path / "s", "demo") as store:
        (failure,) = questions(Slurm(runner=down), store, T0)
    assert len(asked) == 1
    assert isinstance(failure, SlurmError)
    assert str(failure).startswith(f"{first}: sacctmgr " + ("did not answer" if hangs else "failed"))


def test_a_question_that_is_refused_alone_leaves_the_others(tmp_path: Path) -> None:
    inner = DemoSlurm([], now=T0)

    def partly(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        refused = Answer(1, b"", "sacctmgr: error: Access/permission denied")
        return refused if "config" in argv else inner(argv, timeout=timeout, env=env)

    with opened(tmp_path / "s", "demo") as store:
        (failure,) = observe_cluster(Slurm(runner=partly), store, T0)
        assert "what is hidden: sacctmgr failed with status 1: sacctmgr: error: Access" in str(failure)
        assert (store.fact(TRACKED), store.fact(CLUSTERS)) == (True, ["demo"])


def test_limits_are_kept_when_they_change_and_not_when_slurm_is_silent(tmp_path: Path) -> None:
    with opened(tmp_path / "s", "demo") as store:
        assert keep_limits(store, Scope("demo", "avery"), {}, T0), (
            "that nothing is known yet is the first that is known"
        )
        for moment in (T0 + 600, T0 + 1200):
            observe_limits(Slurm(runner=DemoSlurm([], now=moment)), store, moment)
            assert keep_limits(store, Scope("demo", "avery"), {}, moment) is (moment == T0 + 600)
        observe_limits(Slurm(runner=lambda *_, **__: Answer(1, b"", REFUSED)), store, T0 + 1800)
        assert not keep_limits(store, Scope("demo", "avery"), {}, T0 + 1800)
        assert keep_limits(store, Scope("demo", "avery"), {"cpu": 8.0}, T0 + 2400)
        changes = LimitChanges(store).of(Scope("demo", "avery"))
    assert [change.since for change in changes] == [T0, T0 + 600, T0 + 2400]
    assert changes[1].slurm == changes[2].slurm


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (None, NextQuestion(T0, True)),
        (Coverage(T0, T0 + 90_000, T0 + 90_000), NextQuestion(T0 + 90_000 - OVERLAP, False)),
        (Coverage(T0 + 1, T0 + 90_000, T0 + 90_000), NextQuestion(T0, True)),
        (Coverage(0, T0 + 90_000, T0 + 100_000 - FULL_EVERY), NextQuestion(T0, True)),
        (Coverage(0, T0 + 999_999, T0 + 90_000), NextQuestion(T0, True)),
        (Coverage(0, T0 - 40 * DAY, T0 - 40 * DAY), NextQuestion(T0 - 40 * DAY - OVERLAP, True)),
    ],
    ids=["never asked", "steady", "a longer window", "once a day", "the clock went back", "after a long pause"],
)
def test_what_is_asked_next(coverage: Coverage | None, expected: NextQuestion) -> None:
    assert plan(coverage, T0 + 100_000, T0, full=False) == expected
    assert plan(coverage, T0 + 100_000, T0, full=True) == NextQuestion(min(expected.since, T0), True)


def test_a_window_that_hung_is_asked_for_in_quarters(tmp_path: Path) -> None:
    """A question that takes longer than a command may would fail in each cycle anew."""
    runs = [run_of(number, start=T0 + number * 3600, end=T0 + number * 3600 + 60) for number in range(40)]
    now, asked = T0 + 2 * DAY, []

    class Slow(DemoSlurm):
        def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            since, until = (int(argv[argv.index(option) + 1][3:]) for option in ("-S", "-E"))
            asked.append(until - since)
            if until - since > DAY:
                raise TimedOutError("sacct did not answer")
            return super().__call__(argv, timeout=timeout, env=env)

    slow = Slow(runs, now=now)
    with opened(tmp_path / "s", "demo") as store, pytest.raises(SlurmError):
        collect(Slurm(runner=slow, timeout=0.0), store, Request(SCOPE, now, T0, full=False))
    with opened(tmp_path / "s", "demo") as store:
        collect(Slurm(runner=slow, timeout=0.0), store, Request(SCOPE, now, T0, full=False))
        assert asked == [2 * DAY, *[DAY // 2] * 4]
        assert len(JobRuns(store).jobs(SCOPE, T0)) == 40
