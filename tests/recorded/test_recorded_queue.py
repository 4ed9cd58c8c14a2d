"""What squeue of real clusters printed, read: the program's own question, beside plain squeue -r of the same moment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from librarian.errors import NoAnswerError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.queue import ask
from librarian.subjects.queue.reasons import explain
from librarian.subjects.queue.table import held, understood
from tests.recorded.test_recorded import RECORDINGS, answer

WITH_QUEUE = [folder for folder in RECORDINGS if (folder / "squeue-busy-avery.txt").exists()]


@pytest.fixture(params=WITH_QUEUE, ids=lambda folder: folder.name)
def recording(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_there_are_recordings() -> None:
    assert {folder.name for folder in WITH_QUEUE} >= {"slurm-22.05", "slurm-24.11"}


def plain(recording: Path, when: str, qos: str, state: str) -> list[list[str]]:
    """The rows of squeue -r: JobID, JobArrayID, UserName, Account, QOS, Partition, State, Reason, tres-alloc, …"""
    rows = [line.split("|") for line in answer(recording, f"squeue-{when}").text.splitlines()]
    return [row for row in rows if row[4] == qos and row[6] == state]


@pytest.mark.parametrize("qos", ["avery", "kim"])
def test_the_jobs_are_those_of_squeue(recording: Path, qos: str) -> None:
    told = ask.parse(answer(recording, f"squeue-calm-{qos}"))
    assert told.rejects == ()
    for state in ("PENDING", "RUNNING"):
        rows = [row for row in told.table if row.state == state]
        counted: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            counted[row.user, row.reason, row.tres] += row.tasks
        assert counted == Counter((row[2], row[7], row[8]) for row in plain(recording, "calm", qos, state))


@pytest.mark.parametrize("qos", ["avery", "kim"])
def test_while_jobs_start_none_is_lost(recording: Path, qos: str) -> None:
    """The two answers are a moment apart, in which some jobs started; none ended."""
    told = ask.parse(answer(recording, f"squeue-busy-{qos}"))
    assert told.rejects == ()
    expected = Counter(row[2] for state in ("PENDING", "RUNNING") for row in plain(recording, "busy", qos, state))
    tasks: Counter[str] = Counter()
    for one in told.table:
        tasks[one.user] += one.tasks
    assert tasks == expected


def test_every_reason_is_known(recording: Path) -> None:
    table = ask.parse(answer(recording, "squeue-busy-avery")).table
    waiting = understood(table, max(row.submit for row in table))
    assert {one.name for one in waiting} >= {"JobArrayTaskLimit", "JobHeldUser", "BeginTime"}
    assert not [one.name for one in waiting if explain(one.name) == explain("?")]


def test_what_is_held_is_what_the_jobs_hold(recording: Path) -> None:
    table = ask.parse(answer(recording, "squeue-calm-avery")).table
    held_cpus: Counter[str] = Counter()
    for state in ("RUNNING", "SUSPENDED"):
        for row in plain(recording, "calm", "avery", state):
            held_cpus[row[2]] += int(dict(part.split("=") for part in row[8].split(","))["cpu"])
    assert "carol" in held_cpus, "whose job is suspended"
    assert {user: amounts["NCPUS"] for user, amounts in held(table, OBSERVABLES).items()} == held_cpus


def test_no_controller_is_nobody(recording: Path) -> None:
    told = answer(recording, "squeue-avery-slurmctld-down")
    assert told.status == 1
    with pytest.raises(NoAnswerError, match="squeue failed"):
        ask.ask(Slurm(runner=lambda *_, **__: told), ask.Question(Scope("hpg", "avery")))
