"""Collection, to the last border: what is asked when, what is believed, and what is kept of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import SlurmError, TooSlowError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs import ask as accounting
from librarian.subjects.jobs import pieces
from librarian.subjects.jobs.collect import OVERLAP, NextQuestion, Request, begin, collect, plan
from librarian.subjects.jobs.covered import Coverage
from librarian.subjects.jobs.daily import observe_cluster
from librarian.subjects.jobs.keep import Asked, Intake, JobRuns
from librarian.subjects.limits.collect import known_limits, observe
from librarian.subjects.limits.model import QosLimits
from librarian.subjects.limits.rules import pack
from librarian.subjects.subject import Asking, Watched
from librarian.system.host import stopwatch, user_name
from librarian.system.processes import Answer, Runner
from tests.unit.runs import T0, run_of
from tests.unit.tables import jobs_table

SCOPE = Scope("demo", "avery")


def ask(slurm: DemoSlurm, store: Store, now: int, *, full: bool = False, days: int = 2) -> None:
    slurm.now = now
    collect(Slurm(runner=slurm), store, Request(SCOPE, now, now - days * DAY, full=full))


@pytest.mark.parametrize(
    ("covered_from", "complete_at", "full_at", "since", "full"),
    [
        (0, 90_000, 13_601, 86_400, False),  # a second less than a day since the last whole reading
        (0, 90_000, 13_600, 50_000, True),  # a day
        (50_000, 90_000, 90_000, 86_400, False),  # known from the begin of the window on
        (50_001, 90_000, 90_000, 50_000, True),
        (0, 100_000, 90_000, 96_400, False),  # complete up to now
        (0, 100_001, 90_000, 50_000, True),  # complete up to a time that is yet to come
        (0, 53_600, 13_600, 50_000, True),
        (0, 53_599, 13_600, 49_999, True),  # an hour before the last answer is before the window
    ],
)
def test_to_the_second_what_is_asked_next(
    covered_from: int, complete_at: int, full_at: int, since: int, full: bool
) -> None:
    """At 100,000 s, where the window begins at 50,000 s; a day has 86,400."""
    assert plan(Coverage(covered_from, complete_at, full_at), 100_000, 50_000, full=False) == NextQuestion(since, full)


class Noting(DemoSlurm):
    """Notes the spans of the questions."""

    def __init__(self, runs: Sequence[Run], now: int) -> None:
        super().__init__(list(runs), now=now)
        self.asked: list[int] = []

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "sacct":
            since, until = (int(argv[argv.index(option) + 1][3:]) for option in ("-S", "-E"))
            self.asked.append(until - since)
        return super().__call__(argv, timeout=timeout, env=env)


WINDOW = 2 * DAY + 1  # its quarter is no whole number of seconds


@pytest.mark.parametrize(
    ("seconds", "error", "spans"),
    [
        (120.0, "it hung", [43_200, 43_200, 43_200, 43_201]),
        (119.9, "it failed", [WINDOW]),
        (500.0, "it hung", [43_200, 43_200, 43_200, 43_201]),
        (500.0, None, [WINDOW]),
        (500.0, "", [WINDOW]),
    ],
)
def test_what_hung_is_what_failed_and_took_as_long_as_a_command_may(
    tmp_path: Path, seconds: float, error: str | None, spans: list[int]
) -> None:
    now = T0 + WINDOW
    slurm = Noting([run_of(1)], now)
    request = Request(SCOPE, now, T0)
    with opened(tmp_path / "s", "demo") as store:
        JobRuns(store).failed(SCOPE, Asked(T0, now - 600, seconds, error=error))
        collect(Slurm(runner=slurm, timeout=120.0), store, request)
        assert slurm.asked == spans
        assert JobRuns(store).jobs(SCOPE, T0)["jobid"].tolist() == [1]


def test_a_short_question_that_hung_is_asked_as_a_whole_again(tmp_path: Path) -> None:
    """Only whole windows are cut: the question since the last answer is short already."""
    now = T0 + 2 * DAY
    slurm = Noting([run_of(1, end=now - 60)], now)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, now)
        JobRuns(store).failed(SCOPE, Asked(now - OVERLAP, now + 600, 500.0, error="it hung"))
        ask(slurm, store, now + 1200)
        assert slurm.asked == [2 * DAY, 3600 + 1200]
        JobRuns(store).failed(SCOPE, Asked(now - OVERLAP, now + 600, 500.0, error="it hung"))
        ask(slurm, store, now + 1800, full=True)
        assert slurm.asked[2:] == [DAY // 2] * 4


def test_sacct_begins_with_what_is_asked_as_a_whole_and_not_with_quarters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[accounting.Query] = []
    monkeypatch.setattr(accounting, "begin", lambda slurm, query: begun.append(query))
    scope = Scope("demo", "avery", ("a", "b"), ("gpu",))
    request = Request(scope, T0 + DAY, T0)
    run = run_of(1, account="a", partition="gpu", end=T0 + DAY - 60)
    slurm = Slurm(runner=DemoSlurm([run], now=T0 + DAY), timeout=120.0)
    with opened(tmp_path / "s", "demo") as store:
        begin(slurm, store, request)
        assert begun == [accounting.Query(scope, T0, T0 + DAY)]
        collect(slurm, store, request)
        begin(slurm, store, replace(request, now=T0 + DAY + 600))
        assert begun[1:] == [replace(begun[0], since=T0 + DAY - OVERLAP, until=T0 + DAY + 600)]
        JobRuns(store).failed(scope, Asked(T0, T0 + DAY, 120.0, error="it hung"))
        begin(slurm, store, replace(request, full=True))
        assert len(begun) == 2


def test_what_was_asked_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [run_of(1), run_of(2, end=T0 + 90_000), run_of(3, alloc_tres="cpu=much")]
    order: list[str] = []
    complete = Intake.complete
    monkeypatch.setattr(
        Intake, "complete", lambda self, *arguments: (order.append("kept"), complete(self, *arguments))[1]
    )
    slurm = Slurm(runner=DemoSlurm(runs, now=T0 + DAY))
    monkeypatch.setattr(accounting, "begun", lambda slurm, query: stopwatch() - 50)
    with opened(tmp_path / "s", "demo") as store:
        told = collect(slurm, store, Request(SCOPE, T0 + DAY, T0), lambda: order.append("meanwhile"))
        assert order == ["meanwhile", "kept"]
        assert (told.since, told.until, told.rows, told.rejects, told.error, told.full) == (
            *(T0, T0 + DAY, 2, 1),
            *(None, True),
        )
        assert 50 <= told.seconds < 110, "since sacct has begun"
        assert JobRuns(store).last_query(SCOPE) == replace(told, full=False)
        again = collect(slurm, store, Request(SCOPE, T0 + DAY + 60, T0))
        assert (again.full, again.since) == (False, T0 + DAY - OVERLAP)


def test_nothing_is_done_meanwhile_where_the_answer_is_no_good(tmp_path: Path) -> None:
    order: list[str] = []
    with opened(tmp_path / "s", "demo") as store:
        down = Slurm(runner=lambda *_, **__: Answer(1, b"", "sacct: error: slurmdbd is down"))
        with pytest.raises(SlurmError):
            collect(down, store, Request(SCOPE, T0, T0 - DAY), lambda: order.append("meanwhile"))
        last = JobRuns(store).last_query(SCOPE)
    assert order == []
    assert last and (last.since, last.until, last.rows) == (T0 - DAY, T0, 0)
    assert 0 <= last.seconds < 60


def test_the_name_of_a_cluster_is_the_same_in_any_case(tmp_path: Path) -> None:
    with opened(tmp_path / "s", "demo") as store:
        store.know("clusters", ["Demo", "other"], T0)
        for name in ("demo", "DEMO", "Other"):
            collect(
                Slurm(runner=DemoSlurm([], now=T0, cluster=name)),
                store,
                Request(replace(SCOPE, cluster=name), T0, T0 - DAY),
            )
        with pytest.raises(SlurmError, match="knows no cluster hpg: it knows Demo, other"):
            collect(Slurm(runner=DemoSlurm([], now=T0)), store, Request(replace(SCOPE, cluster="hpg"), T0, T0 - DAY))


@pytest.mark.parametrize(
    ("private", "mine", "refused"),
    [
        ([], False, False),
        (["jobs"], False, True),
        (["jobs"], True, False),  # my own that has left is not hidden from me
        (["users", "usage"], False, False),
        ([site.UNTOLD], False, True),
        ([site.UNTOLD], True, False),
    ],
)
def test_when_runs_that_are_gone_are_hidden(tmp_path: Path, private: list[str], mine: bool, refused: bool) -> None:
    user = user_name() if mine else "bob"
    with opened(tmp_path / "s", "demo") as store:
        ask(DemoSlurm([run_of(1, end=T0 + 90_000, user=user)], now=T0), store, T0 + 600)
        store.know("private_data", private, T0 + 1200)  # of this very cycle
        if refused:
            with pytest.raises(SlurmError, match="running jobs that were seen before are not told any more"):
                ask(DemoSlurm([], now=T0), store, T0 + 1200)
        else:
            with pytest.raises(SlurmError, match="does not name the run that it must name"):
                ask(DemoSlurm([], now=T0), store, T0 + 1200)
            ask(DemoSlurm([], now=T0), store, T0 + 1500)
        assert len(JobRuns(store).jobs(SCOPE, 0)) == refused


def test_what_is_not_named_is_asked_for_from_its_start_or_its_submission(tmp_path: Path) -> None:
    runs = [
        run_of(1, submit=T0 - 9000, eligible=T0 - 9000, start=T0 - 5000, end=T0 + 900_000),
        run_of(2, submit=T0 - 7000, eligible=T0 - 7000, start=None, end=None, state="PENDING", alloc_tres=""),
        run_of(3, submit=T0 - 9900, eligible=T0 - 9900, start=T0 - 9000, end=T0 + 900_000),
    ]
    now = T0 + 2 * DAY
    slurm = Noting(runs, now)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, now)
        assert JobRuns(store).open_runs(SCOPE)["jobid"].tolist() == [1, 2, 3]
        slurm.runs = [runs[2]]
        ask(slurm, store, now + 600)
        assert slurm.asked == [2 * DAY, OVERLAP + 600, now + 600 - (T0 - 7000)]
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [3]
        ask(slurm, store, now + 1200)
        assert slurm.asked[3:] == [OVERLAP + 600], "all that is open was named"


def test_an_open_run_whose_row_is_not_understood_any_more_has_not_left(tmp_path: Path) -> None:
    run, other = run_of(1, end=T0 + 90_000), run_of(2, end=T0 + 90_000)
    slurm = Noting([run, other], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 600)
        slurm.runs = [replace(run, alloc_tres="cpu=much"), other]
        ask(slurm, store, T0 + 1200)
        assert len(slurm.asked) == 2, "it was named"
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [1, 2]
        (reject,) = JobRuns(store).rejects(SCOPE)
        assert reject.key == f"run {run.dbindex}"


def test_rejects_of_both_questions_are_kept(tmp_path: Path) -> None:
    """Those of the question that is asked again, from the start of what was not named, are counted once."""
    gone, late = run_of(1, end=T0 + 90_000), run_of(2, end=T0 + 300, alloc_tres="cpu=much")
    over = run_of(4, end=T0 + 8000)
    slurm = Noting([gone, over], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 9000)
        slurm.runs = [over, late, run_of(3, end=T0 + 9100, alloc_tres="cpu=much")]
        slurm.now = T0 + 9600
        told = collect(Slurm(runner=slurm), store, Request(SCOPE, T0 + 9600, T0 - DAY))
        assert told.rejects == 2
        assert {reject.key for reject in JobRuns(store).rejects(SCOPE)} == {f"run {2**63 + 2}", f"run {2**63 + 3}"}
        assert JobRuns(store).jobs(SCOPE, 0)["jobid"].tolist() == [4]


def asking(runner: Runner, store: Store, now: int = T0) -> Asking:
    return Asking(Slurm(runner=runner), store, now, "demo", (Watched(SCOPE),), now - DAY)


def test_what_is_known_of_the_cluster_goes_by_these_names(tmp_path: Path) -> None:
    """They are in every store that there is."""
    with opened(tmp_path / "s", "demo") as store:
        slurm = DemoSlurm([], now=T0)
        assert observe_cluster(Slurm(runner=slurm), store, T0) == []
        assert {name for (name,) in store.all("SELECT name FROM fact")} == {"gpus_tracked", "private_data", "clusters"}
        assert observe(asking(slurm, store)) == []
        known = {name for (name,) in store.all("SELECT name FROM fact")}
        assert known == {"limits", "gpus_tracked", "private_data", "clusters", "partitions", "accounts"}
        assert store.fact("gpus_tracked") is True
        assert store.fact("private_data") == []
        assert store.fact("clusters") == ["demo"]
        assert "avery" in store.fact("limits")
        assert all(set(found) == {"qos", "allowed", "denied"} for found in store.fact("partitions").values())
        assert all(set(found) == {"account", "parent", "qos", "rules"} for found in store.fact("accounts"))
        assert store.fact("partitions")


def test_partitions_stay_as_they_were_where_slurmctld_is_down(tmp_path: Path) -> None:
    inner = DemoSlurm([], now=T0)

    def partly(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        return Answer(1, b"", "connect failure") if argv[0] == "scontrol" else inner(argv, timeout=timeout, env=env)

    with opened(tmp_path / "s", "demo") as store:
        observe(asking(inner, store))
        before = store.fact("partitions")
        assert observe(asking(partly, store, T0 + 600)) == [], "they are no part of what must be known"
        assert store.fact("partitions") == before


def test_the_limits_of_a_qos_are_put_together_from_all_that_is_known(tmp_path: Path) -> None:
    own, special = QosLimits({"cpu": 430.0}, 20.0), QosLimits({"cpu": 8.0}, None, {"MaxTRESPU": {"cpu": 4.0}})
    with opened(tmp_path / "s", "demo") as store:
        store.know("limits", {"avery": pack(own), "part": pack(special)}, T0)
        store.know(
            "partitions",
            {
                "gpu": {"qos": "part", "allowed": ["avery"], "denied": []},
                "all": {"qos": "part", "allowed": None, "denied": []},
                "closed": {"qos": "part", "allowed": ["other"], "denied": []},
                "barred": {"qos": "part", "allowed": None, "denied": ["Avery"]},
                "plain": {"qos": "", "allowed": None, "denied": []},
            },
            T0,
        )
        rules = {"GrpTRES": {"cpu": 100.0}}
        store.know("accounts", [{"account": "lab", "parent": "root", "qos": ["avery"], "rules": rules}], T0)
        known = known_limits(store, "AVERY")
        assert known
        assert (known.tres, known.jobs) == ({"cpu": 430.0}, 20.0)
        assert set(known.partitions) == {"gpu", "all"}
        assert [(account.name, account.rules) for account in known.accounts] == [("lab", rules)]
        assert known_limits(store, "nosuch") is None


def test_a_question_that_runs_out_of_time_is_remembered_and_its_rows_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(slurm: Slurm, query: object, longest: object, sink: Callable[[pd.DataFrame], None]) -> None:
        sink(jobs_table({"dbindex": 5}))
        raise TooSlowError("the run has taken as long as it may")

    monkeypatch.setattr(pieces, "ask", slow)
    with opened(tmp_path / "s", "demo") as store:
        with pytest.raises(TooSlowError):
            collect(Slurm(runner=DemoSlurm([], now=T0)), store, Request(SCOPE, T0, T0 - DAY))
        last = JobRuns(store).last_query(SCOPE)
        assert last and last.error and "as long as it may" in last.error
        assert (len(JobRuns(store).jobs(SCOPE, 0)), JobRuns(store).coverage(SCOPE)) == (0, None)


def test_what_is_told_when_it_is_asked_for_again_is_kept(tmp_path: Path) -> None:
    """An end that was recorded too late for the question since the last answer."""
    run = run_of(1, end=T0 + 9000)
    slurm = Noting([run], T0)
    with opened(tmp_path / "s", "demo") as store:
        ask(slurm, store, T0 + 600)
        late = T0 + 9000 + OVERLAP + 600
        JobRuns(store).add(SCOPE, Asked(T0, late - 300, 0.5), jobs_table(), ())
        ask(slurm, store, late)
        assert slurm.asked[1:] == [OVERLAP + 300, late - (T0 + 10)]
        (kept,) = JobRuns(store).jobs(SCOPE, 0).to_dict("records")
        assert (kept["end"], kept["state"]) == (T0 + 9000, "COMPLETED")
