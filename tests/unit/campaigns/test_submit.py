"""Submitting: every row once, whatever happens around sbatch."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from librarian.campaigns import submitting
from librarian.campaigns.folder import Folder
from tests.places import ROOT
from tests.unit.campaigns.fakes import Home

PYTHON = [sys.executable, "-m", "librarian", "campaign"]


@pytest.fixture
def sweep(home: Home) -> Home:
    """24 tasks: 3 × 4, twice."""
    home.script("echo $PARAM_lr\n")
    home("new", "s", "work.sh")
    home("add", "s", "lr=1,2,3", "seed=1..4", "--repeat", "2")
    return home


def outside(home: Home, *words: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    return subprocess.Popen(
        [*PYTHON, words[0], "--path", str(home.folder / "c"), *words[1:]],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_arrays_are_as_long_as_slurm_allows(sweep: Home) -> None:
    sweep.slurm.write(max_array=10)
    assert "24 tasks would be submitted, in 3 arrays" in sweep("submit", "s", "--dry-run")
    assert sweep.slurm.jobs == []
    told = sweep("submit", "s", "--max-running", "6", "--", "-p", "gpu", "--mem=2G")
    assert told.splitlines() == [
        "job 100: 10 tasks, rows 1-10",
        "job 101: 10 tasks, rows 11-20",
        "job 102: 4 tasks, rows 21-24",
    ]
    argv = sweep.slurm.jobs[0]["argv"]
    assert argv[:3] == ["-p", "gpu", "--mem=2G"]
    assert "--array=0-9%2" in argv
    assert sweep.submitted() == list(range(1, 25))
    assert sweep("submit", "s") == "nothing is left to submit\n"


def test_what_there_is_no_room_for_is_left(sweep: Home) -> None:
    sweep.slurm.write(max_submit=9)
    told = sweep("submit", "s", status=3)
    assert sum(sweep.slurm.sizes) == 9, "what is free is used to the last"
    assert "15 tasks not submitted" in sweep.err, told
    assert sweep.counts() == [24, 15, 9, 0, 0, 0]
    assert sweep("submit", "s", "--feed") == "", "a line in scrontab is no failure where there is no room"
    for job in range(len(sweep.slurm.jobs)):
        sweep.slurm.end("COMPLETED", job=job)
    sweep.slurm.write(max_submit=100)
    sweep("submit", "s", "--limit", "5")
    sweep("submit", "s", "--feed")
    assert sweep.submitted() == list(range(1, 25))


def test_arrays_that_became_shorter_share_what_may_run(sweep: Home) -> None:
    sweep.slurm.write(max_submit=11)
    sweep("submit", "s", "--max-running", "4", status=3)
    spans = [word for job in sweep.slurm.jobs for word in job["argv"] if word.startswith("--array")]
    assert spans == ["--array=0-5%4", "--array=0-2%1", "--array=0-0%1", "--array=0-0%1"]


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 1, 7, 12, 23])
def test_what_is_free_is_found_with_few_questions(sweep: Home, room: int) -> None:
    sweep.slurm.write(max_submit=room)
    sweep("submit", "s", status=3)
    assert sum(sweep.slurm.sizes) == room
    assert len(sweep.slurm.calls("sbatch")) <= 7
    assert sweep.submitted() == list(range(1, room + 1))


def test_what_slurm_refuses_for_another_reason_is_not_tried_again(sweep: Home) -> None:
    sweep.slurm.write(mode="refuse")
    sweep("submit", "s", "--", "-p", "nowhere", status=3)
    assert "Invalid partition" in sweep.err
    assert len(sweep.slurm.calls("sbatch")) == 1
    assert sweep.counts() == [24, 24, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("said", "room"),
    [
        ("QOSMaxSubmitJobPerUserLimit sbatch: error: Job violates accounting/QOS policy (job submit limit, …)", True),
        ("AssocGrpSubmitJobsLimit sbatch: error: Job violates accounting/QOS policy (job submit limit, …)", True),
        (
            "QOSMaxWallDurationPerJobLimit sbatch: error: Job violates accounting/QOS policy (job submit limit, …)",
            False,
        ),
        ("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, …)", True),
        ("sbatch: error: Batch job submission failed: Invalid qos specification", False),
    ],
)
def test_want_of_room_is_told_from_what_can_never_be_taken(said: str, room: bool) -> None:
    assert submitting.is_no_room(said) == room


def test_tasks_inherit_the_environment_of_who_submits(sweep: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "US/Eastern")
    monkeypatch.delenv("SLURM_TIME_FORMAT", raising=False)
    sweep("submit", "s")
    found = sweep.slurm.jobs[0]["environment"]
    assert found["TZ"] == "US/Eastern"
    assert "SLURM_TIME_FORMAT" not in found


def test_an_array_whose_answer_was_lost_is_found(sweep: Home) -> None:
    sweep.slurm.write(mode="lost", max_array=10)
    sweep("submit", "s")
    assert sweep.submitted() == list(range(1, 25))
    assert sweep.counts() == [24, 0, 24, 0, 0, 0]


@pytest.mark.parametrize("mode", ["kill-before", "kill-after"])
def test_killed_at_sbatch(sweep: Home, mode: str) -> None:
    sweep.slurm.write(mode=mode, max_array=10)
    assert outside(sweep, "submit", "s").wait() == -signal.SIGKILL
    assert sweep.counts() == [24, 14, 10, 0, 0, 0], "what may have been submitted is not told as not submitted"
    sweep.slurm.write(mode="")
    told = sweep("submit", "s")
    assert ("was submitted before" in told) == (mode == "kill-after")
    assert sweep.submitted() == list(range(1, 25))
    sweep.slurm.end("COMPLETED")
    assert sweep.counts()[0] == 24


def test_while_slurm_does_not_answer_nothing_open_is_submitted_again(sweep: Home) -> None:
    sweep.slurm.write(mode="kill-after")
    outside(sweep, "submit", "s").wait()
    sweep.slurm.write(mode="")
    for names in (["squeue"], ["sacct"]):
        sweep.slurm.down(*names)
        sweep.slurm.write(forgotten=True)  # squeue has it no more; accounting may
        sweep("submit", "s", status=3)
        sweep.slurm.up()
    assert len(sweep.slurm.jobs) == 1
    sweep("submit", "s")
    assert sweep.submitted() == list(range(1, 25))


@pytest.mark.slow
def test_thirty_kills(sweep: Home) -> None:
    """Killed at any moment, thirty times: each task is submitted once."""
    chance = random.Random(21)
    sweep.slurm.write(max_array=3)
    for _ in range(30):
        going = outside(sweep, "submit", "s", "--limit", "2")
        time.sleep(chance.uniform(0.05, 0.6))
        going.kill()
        going.wait()
    deadline = time.monotonic() + 60
    while sweep.counts()[1] and time.monotonic() < deadline:
        sweep("submit", "s")
    assert sweep.submitted() == list(range(1, 25))
    assert sweep.counts() == [24, 0, 24, 0, 0, 0]


def test_a_task_of_an_array_that_was_given_up_does_not_run(sweep: Home) -> None:
    sweep("submit", "s")
    job = Path(sweep.slurm.jobs[0]["script"])
    (job.parent / "void").touch()
    ran = subprocess.run([job], env={**os.environ, "SLURM_ARRAY_TASK_ID": "0"}, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout) == (79, b"")


def test_the_array_is_found_by_what_its_task_wrote(sweep: Home) -> None:
    sweep.slurm.write(mode="kill-after")
    outside(sweep, "submit", "s").wait()
    script = Path(sweep.slurm.jobs[0]["script"])
    environment = {**os.environ, "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_JOB_ID": "100"}
    assert subprocess.run([script], env=environment, capture_output=True, check=True).stdout == b"1\n"
    sweep.slurm.write(mode="")
    sweep.slurm.down("squeue", "sacct")
    assert "job 100 was submitted before" in sweep("submit", "s")


def test_two_members_at_once(sweep: Home) -> None:
    folder = Folder(sweep.folder / "c" / "s")
    with folder.locked("submitting"):
        threads = [threading.Thread(target=outside(sweep, "submit", "s").wait) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sweep("add", "s", "lr=9", "seed=9", status=75)
    assert sweep.slurm.jobs == []
    going = [outside(sweep, "submit", "s") for _ in range(3)]
    statuses = {one.wait() for one in going}
    assert statuses <= {0, 75}
    assert sweep.submitted() == list(range(1, 25))


def test_refused_when_the_script_or_the_commit_changed(home: Home) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(home.folder)]
    script = home.script("echo 1\n")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "work.sh"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    assert "git commit" in home("new", "s", "work.sh")
    assert "already" in home("new", "s", "work.sh")
    home("add", "s", "x=1,2")
    script.write_text("echo 2\n", encoding="utf-8")
    home("submit", "s", status=2)
    assert "work.sh has changed" in home.err
    assert "changes that are in no commit" in home.err
    home("new", "s", "work.sh", status=2)
    script.write_text("echo 1\n", encoding="utf-8")
    subprocess.run([*git, "commit", "-qm", "two", "--allow-empty"], check=True)
    home("submit", "s", status=2)
    assert "the git commit is" in home.err
    home("submit", "s", "--again")
    assert home("source", "s") == "echo 1\n"


def test_paused(sweep: Home) -> None:
    sweep("pause", "s")
    sweep("submit", "s", status=2)
    assert sweep("submit", "s", "--feed") == ""
    sweep("resume", "s")
    sweep("submit", "s")
    assert sweep.submitted() == list(range(1, 25))


def test_a_full_disk_leaves_what_was_there(sweep: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from librarian.system import host

    def full(path: Path, data: bytes, mode: int = 0o644) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name: path.read_bytes() for path in (sweep.folder / "c" / "s").glob("*.*") if path.is_file()}
    with monkeypatch.context() as patched:
        patched.setattr(host, "write_atomic", full)
        sweep("add", "s", "lr=9", "seed=9", status=4)
        sweep("submit", "s", status=4)
    assert sweep.slurm.jobs == []
    after = {path.name: path.read_bytes() for path in (sweep.folder / "c" / "s").glob("*.*") if path.is_file()}
    assert all(after[name] == data for name, data in before.items() if "lock" not in name)
    sweep("submit", "s")
    assert sweep.submitted() == list(range(1, 25))


def test_half_a_line_was_never_written(sweep: Home) -> None:
    path = sweep.folder / "c" / "s" / "submissions.jsonl"
    sweep("submit", "s", "--limit", "2")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event": "arr')
    sweep("submit", "s")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["array", "job"] * 2
    assert path.read_bytes().startswith(whole)
