"""What a cycle asks Slurm: little while all is as it was, and more where an answer speaks against what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.demo.group import RULES
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.jobs import look
from librarian.subjects.jobs.daily import CLUSTERS, PRIVATE, TRACKED
from librarian.subjects.limits.collect import PARTITIONS
from librarian.subjects.queue import ask, table
from librarian.subjects.queue.keep import QueueSamples
from librarian.system.host import user_name
from librarian.system.processes import Answer
from tests.unit.cycles import AVERY, AVERY_B, BASE, NOW, TWO_DAYS, configured, ended
from tests.unit.runs import run_of

LATER = NOW + 600
STEADY = ["sacct", "sacct", "squeue", "sacctmgr qos", "sacctmgr assoc", "sacct steps"]
DAILY = ["sacctmgr tres", "sacctmgr config", "sacctmgr cluster", "scontrol partition"]


def going(number: int, **changes: object) -> Run:
    times = {"submit": NOW - 9000, "eligible": NOW - 9000, "start": NOW - 7200}
    return run_of(number, **{**times, "end": None, "state": "RUNNING", **changes})


def pending(number: int, **changes: object) -> Run:
    return going(number, **{"start": None, "state": "PENDING", "alloc_tres": "", **changes})


class Counting(DemoSlurm):
    """A Slurm that remembers what it was asked; `refused` are the kinds of questions that fail."""

    def __init__(self, runs: Sequence[Run], **more: object) -> None:
        rules = replace(RULES, partitions={"cpu": ""})
        super().__init__(runs, **{"now": NOW, "user": user_name(), "rules": rules, **more})  # type: ignore[arg-type]
        self.asked: list[str] = []
        self.lines: list[Sequence[str]] = []
        self.refused: set[str] = set()

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        words = [PurePosixPath(argv[0]).name]
        words += argv[argv.index("show") + 1 :][:1] if "show" in argv else []
        words += ["steps"] if words == ["sacct"] and "-X" not in argv else []
        self.asked.append(" ".join(words))
        self.lines.append(argv)
        if self.asked[-1] in self.refused:
            return Answer(1, b"", f"{words[0]}: error: Access/permission denied\n")
        return super().__call__(argv, timeout=timeout, env=env)


RUNS = (ended(1), going(2, user="bob"), pending(3), ended(4, qos="avery-b"), going(5, qos="avery-b", user="bob"))


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return configured(tmp_path, BASE + TWO_DAYS + AVERY + AVERY_B)


def cycle(setup: Setup, slurm: Counting, now: int, *, full: bool = False) -> tuple[list[str], list[LibrarianError]]:
    """What one cycle asked, and what failed."""
    slurm.now, slurm.asked, slurm.lines = now, [], []
    problems = stages.collect_all(setup, Slurm(runner=slurm), now, full=full)
    return slurm.asked, problems


def test_a_steady_cycle_asks_six_questions(setup: Setup) -> None:
    slurm = Counting(RUNS)
    first, _ = cycle(setup, slurm, NOW)
    assert sorted(first) == sorted([*STEADY, *DAILY])
    for now in (LATER, LATER + 600):
        asked, problems = cycle(setup, slurm, now)
        assert (sorted(asked), problems) == (sorted(STEADY), [])
        assert asked.index("squeue") > max(place for place, name in enumerate(asked) if name == "sacct"), (
            "a run that begins between the two is none that is gone"
        )


def test_one_look_at_squeue_tells_of_each_queue(setup: Setup) -> None:
    slurm = Counting([*RUNS, pending(6, qos="avery-b", user="carol")])
    cycle(setup, slurm, NOW)
    (line,) = (line for line in slurm.lines if line[0] == "squeue")
    assert "--qos=avery,avery-b" in line
    with opened(setup.places.store, "demo") as store:
        queues = [QueueSamples(store).last(setup.config.scope(entry)) for entry in setup.config.qos]
    assert [[row.user for row in queue.table] for queue in queues] == [["alice"], ["carol"]]


def test_a_part_of_a_qos_is_asked_for_alone(setup: Setup) -> None:
    config = BASE + TWO_DAYS + AVERY + 'accounts = ["nobody"]\n' + AVERY_B
    asked, _ = cycle(configured(setup.places.base, config), Counting(RUNS), NOW)
    assert asked.count("squeue") == 2 + 1, "and sacct's answer without any run has a witness"


def test_what_changes_seldom_is_asked_again_the_next_day(setup: Setup) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    assert not {*cycle(setup, slurm, NOW + DAY - 600)[0]} & {*DAILY}
    assert {*DAILY} <= {*cycle(setup, slurm, NOW + DAY)[0]}
    assert not {*cycle(setup, slurm, NOW + DAY + 600)[0]} & {*DAILY}
    assert {*DAILY} <= {*cycle(setup, slurm, NOW + DAY + 1200, full=True)[0]}
    assert {*DAILY} <= {*cycle(setup, slurm, NOW)[0]}, "the clock went back"


@pytest.mark.parametrize(("question", "fact"), [*zip(DAILY, (TRACKED, PRIVATE, CLUSTERS, PARTITIONS), strict=True)])
def test_a_daily_question_that_fails_leaves_what_is_known_and_is_asked_in_the_next_cycle(
    setup: Setup, question: str, fact: str
) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    slurm.refused = {question}
    for now in (NOW + DAY, NOW + DAY + 600):
        asked, problems = cycle(setup, slurm, now)
        assert question in asked
        assert len(problems) == (question != "scontrol partition")
        with opened(setup.places.store, "demo") as store:
            assert store.fact(fact) not in (None, {})
            assert store.seen(fact) == NOW
    slurm.refused = set()
    assert question in cycle(setup, slurm, NOW + DAY + 1200)[0]
    assert question not in cycle(setup, slurm, NOW + DAY + 1800)[0]


def test_gpus_that_were_not_tracked_are_when_a_run_has_some(setup: Setup) -> None:
    slurm = Counting(RUNS, tracked=False)
    cycle(setup, slurm, NOW)
    assert sorted(cycle(setup, slurm, LATER)[0]) == sorted(STEADY)
    slurm._tracked = True
    slurm.runs = [*RUNS, going(7, alloc_tres="cpu=1,gres/gpu=2")]
    assert sorted(cycle(setup, slurm, LATER + 600)[0]) == sorted([*STEADY, "sacctmgr tres"])
    with opened(setup.places.store, "demo") as store:
        assert store.fact(TRACKED) is True
    assert sorted(cycle(setup, slurm, LATER + 1200)[0]) == sorted(STEADY)


def test_jobs_that_are_hidden_from_one_cycle_to_the_next_are_noticed(setup: Setup) -> None:
    """Also where nobody's job was running."""
    slurm = Counting([ended(1), ended(2, user=user_name()), ended(4, qos="avery-b")])
    cycle(setup, slurm, NOW)
    slurm._private = True
    asked, problems = cycle(setup, slurm, LATER)
    assert asked.count("sacctmgr config") == 1
    with opened(setup.places.store, "demo") as store:
        assert store.fact(PRIVATE) == ["jobs"]
    assert len(problems) == 1, "of avery-b nothing is told that must be"


def test_jobs_that_are_hidden_no_more_are_noticed_too(setup: Setup) -> None:
    slurm = Counting(RUNS, private=True)
    cycle(setup, slurm, NOW)
    assert "sacctmgr config" not in cycle(setup, slurm, LATER)[0]
    slurm._private = False
    assert cycle(setup, slurm, LATER + 600)[0].count("sacctmgr config") == 1
    with opened(setup.places.store, "demo") as store:
        assert store.fact(PRIVATE) == []
    assert "sacctmgr config" not in cycle(setup, slurm, LATER + 1200)[0]


def test_running_jobs_that_vanish_are_hidden_and_the_answer_is_refused(setup: Setup) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    slurm._private = True
    _, problems = cycle(setup, slurm, LATER)
    assert [problem.what.partition(": ")[2] for problem in problems] == ["Slurm hides the jobs of others now"] * 2
    with opened(setup.places.store, "demo") as store:
        assert store.fact(PRIVATE) == ["jobs"], "which is known though the answer was refused"


def test_runs_that_vanish_are_not_taken_for_gone_while_nobody_tells_what_is_hidden(setup: Setup) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    slurm.runs = [run for run in RUNS if run.jobid != 2]

    def runner(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if "config" in argv:
            return Answer(1, b"", "sacctmgr: error: Connection refused")
        return slurm(argv, timeout=timeout, env=env)

    quiet = configured(setup.places.base, BASE + TWO_DAYS + "[run]\nretry_seconds = 0\n" + AVERY + AVERY_B)
    problems = stages.collect_all(quiet, Slurm(runner=runner), LATER)
    assert "what is hidden: sacctmgr failed" in str(problems[0])
    assert cycle(setup, slurm, LATER + 600)[1] == []


def test_a_cluster_that_is_not_known_is_asked_for_each_time(setup: Setup) -> None:
    other = configured(setup.places.base, BASE.replace('name = "demo"', 'name = "hpg"') + TWO_DAYS + AVERY)
    slurm = Counting(RUNS)
    for now in (NOW, LATER):
        assert "sacctmgr cluster" in cycle(other, slurm, now)[0]


@pytest.mark.parametrize("change", [{"partition": "new"}, {"partition": "cpu,new"}])
def test_a_partition_that_is_not_known_is_asked_for(setup: Setup, change: dict[str, str]) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    slurm.runs = [*RUNS, pending(8, **change)]
    assert sorted(cycle(setup, slurm, LATER)[0]) == sorted([*STEADY, "scontrol partition"])


def test_a_partition_that_runs_what_it_did_not_let_in_is_asked_for(setup: Setup) -> None:
    slurm = Counting(RUNS)
    cycle(setup, slurm, NOW)
    with opened(setup.places.store, "demo") as store:
        known = store.fact(PARTITIONS)
        store.know(PARTITIONS, {name: {**found, "denied": ["avery"]} for name, found in known.items()}, NOW)
    assert sorted(cycle(setup, slurm, LATER)[0]) == sorted([*STEADY, "scontrol partition"])
    with opened(setup.places.store, "demo") as store:
        assert store.fact(PARTITIONS) == known


# one look


def test_a_look_has_the_fields_and_states_of_the_queue() -> None:
    assert {*ask.FIELDS} <= {*look.FIELDS}
    assert look.PENDING == table.WAITING


def test_what_waits_and_what_runs_are_told_apart_by_the_words_of_squeue() -> None:
    states = ["PENDING", "SPECIAL_EXIT", "REQUEUED", "REQUEUE_HOLD", "RUNNING", "RESIZING", "COMPLETING", "STAGE_OUT"]
    rows = tuple({"State": state, "QOS": "Avery", "JobID": str(number)} for number, state in enumerate(states))
    told = look.Look((*rows, {"State": "RUNNING", "QOS": "kim", "JobID": "99"}))
    assert [row["JobID"] for row in told.pending("avery")] == ["0", "1"]
    assert told.running(["avery"]) == {4, 5, 6, 7}


def test_a_row_that_is_broken_is_told_of_each_qos_and_names_no_job() -> None:
    answer = Answer(
        0, ("\x1f".join([*map(str.upper, look.FIELDS), ""]) + "\n7\x1f\n").replace("JOBARRAYID", "JOBID").encode(), ""
    )
    told = look.ask(Slurm(runner=lambda *_, **__: answer), "demo", ["avery", "kim"])
    assert (told.rows, told.broken, told.running(["avery"])) == ((), 1, frozenset())
    assert [len(ask.told(told.pending(qos), told.broken).rejects) for qos in ("avery", "kim")] == [1, 1]
