"""Unattended on a real cluster: daemons that stop and start within a run, a run that is ended, the doctor, alerts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.client import Cluster
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("finished")]

# Stands before sacct on PATH: says that it was called, then waits until it may go on.
GATE = """#!/bin/sh
: >"$HOME/gate/called"
while [ ! -e "$HOME/gate/open" ]; do sleep 0.1; done
exec /usr/bin/sacct "$@"
"""


@pytest.fixture
def program(cluster: Cluster) -> Program:
    made = Program(cluster, "frank", "/home/frank/unattended")
    cluster.shell("frank", "rm -rf unattended gate")
    alert = '\n[alert]\ncommand = ["tee", "-a", "/home/frank/unattended/told"]\nafter_failures = 1\n'
    made.configure(["kim"], f'{alert}[slurm]\nbin_dir = "/home/frank/gate/bin"\n[run]\nretry_seconds = 8\n')
    cluster.shell("frank", "mkdir -p gate/bin && touch gate/open")
    cluster.shell("frank", "ln -s /usr/bin/sacctmgr /usr/bin/scontrol /usr/bin/squeue gate/bin")
    cluster.run("frank", "tee", "gate/bin/sacct", text=GATE, folder="/home/frank")
    cluster.shell("frank", "chmod 755 gate/bin/sacct")
    return made


@pytest.fixture
def daemons(cluster: Cluster) -> Iterator[None]:
    """Whatever a test stops is started again."""
    yield
    if not cluster.runs("slurmctld"):
        cluster.start_slurmctld()
    if not cluster.runs("slurmdbd"):
        cluster.start_slurmdbd()


def status(program: Program) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(program.cluster.run("frank", "cat", f"{program.place}/state/status.json").stdout)
    return found


def read(program: Program, name: str) -> str:
    return program.cluster.run("frank", "cat", f"{program.place}/{name}").stdout


class Running:
    """A run that waits before sacct until `go_on`."""

    def __init__(self, program: Program) -> None:
        self._program = program
        program.cluster.shell("frank", "rm -f gate/open gate/called")
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        gate = program.cluster.root / "home/frank/gate/called"
        program.cluster.wait_for(gate.exists, "the run to ask sacct")

    def _run(self) -> None:
        self.done = self._program.run("run", check=False)

    def go_on(self) -> None:
        self._program.cluster.shell("frank", "touch gate/open")

    def ended(self) -> int:
        self._thread.join()  # the run in it ends, or is given up
        return self.done.returncode


@pytest.mark.usefixtures("daemons")
def test_daemons_that_stop_and_start_within_a_run(cluster: Cluster, program: Program) -> None:
    program.run("run")
    assert status(program)["state"] == "ok"
    good = program.data("kim")

    # slurmctld is gone: accounting does not need it
    run = Running(program)
    cluster.stop_slurmctld()
    run.go_on()
    assert run.ended() == 0, run.done.stderr
    cluster.start_slurmctld()

    # slurmdbd is gone for as long as its restart takes: the second try within the run has its answer
    run = Running(program)
    cluster.stop_slurmdbd()
    run.go_on()
    cluster.wait_for(
        lambda: "all is asked again" in read(program, "state/librarian.log").splitlines()[-1],
        "the first try to fail",
    )
    cluster.start_slurmdbd()
    assert run.ended() == 0, run.done.stderr
    assert status(program)["state"] == "ok"
    assert program.entry("kim")["stale"] is False

    # slurmdbd stays away: the last good data stay up, and somebody is told, once
    run = Running(program)
    cluster.stop_slurmdbd()
    run.go_on()
    assert run.ended() == 3, run.done.stderr
    found = status(program)
    assert (found["state"], found["failures"], found["qos"][0]["name"]) == ("partial", 1, "kim")
    assert "onnection refused" in found["error"]
    assert found["qos"][0]["last_success"] == program.entry("kim")["since"]
    assert program.data("kim")["totals"]["users"].keys() == good["totals"]["users"].keys()
    assert json.loads(program.file("status.json"))["failures"] == 1
    cluster.start_slurmdbd()
    program.run("run")
    told = [line for line in read(program, "told").splitlines() if line.startswith("Librarian on")]
    assert [("1 run has failed" in line, "all is well again" in line) for line in told] == [
        (True, False),
        (False, True),
    ]
    assert status(program)["state"] == "ok"


def test_a_run_that_slurm_ends_leaves_everything_as_it_was(cluster: Cluster, program: Program) -> None:
    program.run("run")
    before = program.file("index.html")
    run = Running(program)
    cluster.shell("frank", "pkill -TERM -u frank -f -- '[-]m librarian .*unattended.* run$'")
    assert run.ended() == 143, run.done.stderr
    assert run.done.stderr == "librarian: ended by SIGTERM\n"
    assert cluster.shell("frank", "pgrep -u frank -f gate/bin/sacct", check=False).returncode == 1, "a child is left"
    assert program.file("index.html") == before
    assert status(program)["error"] == "ended by SIGTERM"
    run.go_on()
    program.run("run")
    assert status(program)["state"] == "ok"


def test_the_doctor_finds_what_is_wrong(cluster: Cluster, program: Program) -> None:
    program.run("run")
    found = findings(program)
    fine = (
        "slurm sacct",
        "slurm sacctmgr",
        "slurm scontrol",
        "slurm clock",
        "cluster",
        "qos kim",
        "hidden jobs",
        "gpus",
    )
    fine += ("store", "lock", "last run", "site", "disk state", "pandas")
    for name in fine:
        assert found[name]["state"] == "ok", found
    assert cluster.slurm in found["slurm sacct"]["text"]
    text = read(program, "librarian.toml").replace('name = "kim"', 'name = "kin"').replace('"hpg"', '"hgp"')
    cluster.run("frank", "tee", program.config, text=text)
    done = program.run("doctor", check=False)
    assert done.returncode == 2
    assert "fail  cluster: accounting knows no cluster hgp: it knows hpg" in done.stdout
    assert "fail  qos kin: Slurm knows no such QoS" in done.stdout


def findings(program: Program) -> dict[str, dict[str, str]]:
    done = program.run("doctor", "--json", check=False)
    found = {row["name"]: row for row in json.loads(done.stdout)}
    states = {row["state"] for row in found.values()}
    assert done.returncode == (2 if "fail" in states else int("warn" in states))
    return found


@pytest.mark.scrontab
def test_the_doctor_sees_entries_of_scrontab(cluster: Cluster, program: Program) -> None:
    cluster.shell("frank", "ln -s /usr/bin/scrontab gate/bin/")
    program.run("run")
    found = findings(program)
    assert (found["scrontab"]["state"], found["entries"]["todo"]) == ("ok", "librarian scrontab install")
    program.run("scrontab", "install")
    try:
        cluster.wait_for(lambda: findings(program)["entries"]["state"] == "ok", "the entries' jobs")
        cluster.shell("frank", "scancel --cron --me 2>/dev/null || scancel --me")
        cluster.wait_for(lambda: "disabled" in findings(program)["entries"]["text"], "the entries to be disabled")
    finally:
        program.run("scrontab", "remove")
