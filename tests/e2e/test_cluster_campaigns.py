"""Campaigns on a real Slurm: counts that add up at each moment, limits, kills around sbatch, daemons that are down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster.client import Cluster, Ran
from tests.cluster.program import Json

pytestmark = pytest.mark.slow

QOS, ACCOUNT, USER = "camp-q", "camp", "alice"
PLACE = "/home/alice/sweeps of campaigns"
ROOM = 12  # MaxSubmitJobsPerUser of the QoS, where a test sets it
WORK = """#!/bin/bash
[ "$PARAM_lr" = 0.3 ] && exit 3
[ "$PARAM_seed $PARAM_lr" = "4 0.1" ] && exec sleep 600
echo "{\\"score\\": $PARAM_lr}" >"$CAMPAIGN_RESULT"
"""
ECHO = """#!/usr/bin/env python3
import json, os, sys
one = json.load(open(os.environ["CAMPAIGN_PARAMS"], encoding="utf-8"))["v"]
two, three = os.environb[b"PARAM_v"].decode(), os.fsencode(sys.argv[1]).decode()
assert one == two == three, (one[:80], two[:80], three[:80])
json.dump({"value": one}, open(os.environ["CAMPAIGN_RESULT"], "w"))
"""
ODD = ['it\'s "quoted"', "two\nlines\r", ";rm -rf ~", "$(id)`id`", "héλλo 🙂", "NaN", "", "x" * 102_400]
OPTIONS = ("--", f"--qos={QOS}", f"--account={ACCOUNT}", "--mem=50M", "-t", "1")
# Stands before scontrol on PATH, and tells that arrays are short.
SHORT = """#!/bin/bash
[ "$*" = "show config" ] && exec sed 's/^MaxArraySize .*/MaxArraySize = 10/' <(/usr/bin/scontrol show config)
exec /usr/bin/scontrol "$@"
"""
# Stands before sbatch, and kills who called it: before the job is there, or behind it.
KILLER = """#!/bin/bash
[ -e ~/before ] && rm ~/before && kill -9 $PPID && exit 1
/usr/bin/sbatch "$@"
kill -9 $PPID
"""


@dataclass
class Sweeps:
    """The command as a user of the cluster gives it; what it keeps is in `PLACE`."""

    cluster: Cluster

    def __call__(self, verb: str, *words: str, check: bool = True, path: str = "") -> Ran:
        found = f"PATH={path}:/usr/bin:/bin" if path else "PATH=/usr/bin:/bin"
        command = ("env", found, "PYTHONPATH=/opt/librarian", "python3", "-m", "librarian", "campaign")
        return self.cluster.run(USER, *command, verb, "--path", "c", *words, check=check, folder=PLACE)

    def status(self, name: str) -> Json:
        found: Json = json.loads(self("status", name, "--json").stdout)
        tasks = found["tasks"]
        assert sum(tasks[kind] for kind in tasks if kind != "total") == tasks["total"]
        return found

    def wait(self, name: str, **counts: int) -> Json:
        """Wait until tasks stand so, and look that they add up each time."""

        def ready() -> bool:
            tasks = self.status(name)["tasks"]
            return all(tasks[kind] == count for kind, count in counts.items())

        self.cluster.wait_for(ready, f"{name}: {counts}")
        return self.status(name)

    def write(self, name: str, text: str) -> None:
        self.cluster.run(USER, "tee", f"{PLACE}/{name}", text=text)
        self.cluster.run(USER, "chmod", "755", f"{PLACE}/{name}")

    def database(self, name: str) -> list[list[str]]:
        """State, exit status and times of each task in slurmdbd's table."""
        query = f"select job_name, id_job, id_array_task from hpg_job_table where job_name like '{name}:%'"
        return self.cluster.sql(query)


@pytest.fixture(scope="module")
def sweeps(cluster: Cluster) -> Iterator[Sweeps]:
    """A QoS and an account of its own, and a first sweep under way: 3 × 4, twice."""
    mgr = ("sacctmgr", "-i")
    cluster.run("root", *mgr, "add", "qos", QOS)
    cluster.run("root", *mgr, "add", "account", ACCOUNT, f"qos={QOS}", f"defaultqos={QOS}")
    cluster.run("root", *mgr, "add", "user", USER, f"account={ACCOUNT}")
    cluster.run(USER, "mkdir", "-p", f"{PLACE}/short", f"{PLACE}/killer")
    found = Sweeps(cluster)
    try:
        found.write("work.sh", WORK)
        found.write("echo.py", ECHO)
        found.write("short/scontrol", SHORT)
        found.write("killer/sbatch", KILLER)
        found("new", "first", "work.sh", "--describe", "three rates, four seeds")
        found("add", "first", "lr=0.1,0.2,0.3", "seed=1..4", "--repeat", "2")
        told = found("submit", "first", *OPTIONS, path=f"{PLACE}/short").stdout
        assert [line.split(": ")[1] for line in told.splitlines()] == [
            "10 tasks, rows 1-10",
            "10 tasks, rows 11-20",
            "4 tasks, rows 21-24",
        ]
        yield found
    finally:
        cluster.run("root", "scancel", "-A", ACCOUNT)
        gone = ("squeue", "-h", "-a", "-A", ACCOUNT, "-o", "%F")
        cluster.wait_for(lambda: not cluster.run("root", *gone).stdout, "the tasks to be gone")
        cluster.run("root", *mgr, "delete", "account", ACCOUNT)
        cluster.run("root", *mgr, "delete", "qos", QOS)


def test_values_arrive_byte_for_byte(sweeps: Sweeps) -> None:
    sweeps.cluster.run(USER, "tee", f"{PLACE}/v.jsonl", text="".join(json.dumps({"v": value}) + "\n" for value in ODD))
    sweeps("new", "odd", "echo.py", "--arguments", "values")
    sweeps("add", "odd", "@v.jsonl")
    sweeps("submit", "odd", *OPTIONS)
    told = sweeps.wait("odd", pending=0, running=0)
    assert told["tasks"]["done"] == len(ODD), sweeps("log", "odd", "1", check=False).stdout
    sweeps("collect", "odd", "-o", "odd.json")
    table = json.loads(sweeps.cluster.run(USER, "cat", f"{PLACE}/odd.json").stdout)
    assert [row["value"] for row in table] == ODD


def test_no_room_midway(sweeps: Sweeps) -> None:
    set_room = ("sacctmgr", "-i", "modify", "qos", QOS, "set")
    sweeps("new", "many", "work.sh")
    sweeps("add", "many", "lr=0.2", "seed=1..30")
    sweeps.wait("first", pending=0, done=14)  # what is left of the first: two that sleep
    sweeps.cluster.run("root", *set_room, f"MaxSubmitJobsPerUser={ROOM}")
    try:
        done = sweeps("submit", "many", *OPTIONS, "--hold", check=False)
        assert done.returncode == 3, done.stderr
        assert "QOSMaxSubmitJobPerUserLimit" in done.stderr
        tasks = sweeps.status("many")["tasks"]
        held = 2 if sweeps.status("first")["tasks"]["running"] else 0
        assert tasks["pending"] == ROOM - held, "what was free is used to the last"
        assert tasks["not_submitted"] == 30 - tasks["pending"]
    finally:
        sweeps.cluster.run("root", *set_room, "MaxSubmitJobsPerUser=-1")
    sweeps("submit", "many", *OPTIONS)
    assert sweeps.status("many")["tasks"]["not_submitted"] == 0
    sweeps("stop", "many", "--yes")
    told = sweeps.status("many")
    assert told["failed_by"]["CANCELLED"] == {"0:0": told["tasks"]["failed"]}


def test_killed_around_sbatch(sweeps: Sweeps) -> None:
    sweeps("new", "killed", "work.sh")
    sweeps("add", "killed", "lr=0.2", "seed=1..12")
    for limit, before in (("5", False), ("3", True), ("4", False)):
        if before:
            sweeps.cluster.run(USER, "touch", "/home/alice/before")
        sweeps("submit", "killed", "--limit", limit, *OPTIONS, check=False, path=f"{PLACE}/killer")
    assert sweeps.status("killed")["tasks"]["not_submitted"] < 12
    sweeps("submit", "killed", *OPTIONS)
    told = sweeps.wait("killed", not_submitted=0, pending=0, running=0)
    assert told["tasks"]["done"] == 12
    tasks = json.loads(sweeps("tasks", "killed", "--json").stdout)
    assert all(len(task["tries"]) == 1 for task in tasks)
    in_database = [row for row in sweeps.database("killed") if row[2] != "4294967294"]
    assert len(in_database) == 12, "Slurm has had each task once"


def test_last_state_while_daemons_are_down(sweeps: Sweeps) -> None:
    sweeps("new", "down", "work.sh")
    sweeps("add", "down", "lr=0.2,0.3", "seed=1..2")
    sweeps("submit", "down", *OPTIONS)
    told = sweeps.wait("down", pending=0, running=0)
    for stop, start in (
        (sweeps.cluster.stop_slurmdbd, sweeps.cluster.start_slurmdbd),
        (sweeps.cluster.stop_slurmctld, sweeps.cluster.start_slurmctld),
    ):
        stop()
        try:
            now = json.loads(sweeps("status", "down", "--json", check=False).stdout)
        finally:
            start()
        assert (now["tasks"], now["failed_by"]) == (told["tasks"], told["failed_by"])


def test_the_sums_are_exact_and_retry_submits_what_failed(sweeps: Sweeps) -> None:
    told = sweeps.wait("first", pending=0, running=0)
    assert told["tasks"] == {"total": 24, "not_submitted": 0, "pending": 0, "running": 0, "done": 14, "failed": 10}
    assert told["failed_by"]["FAILED"] == {"3:0": 8}
    assert sum(told["failed_by"]["TIMEOUT"].values()) == 2
    assert len([row for row in sweeps.database("first") if row[2] != "4294967294"]) == 24
    said = sweeps("retry", "first", "--state", "FAILED").stdout
    rows = [int(row["row"]) for row in json.loads(sweeps("tasks", "first", "--where", "lr=0.3", "--json").stdout)]
    assert said.split("rows ")[1].strip() == "17-24"
    assert rows == [*range(17, 25)]
    again = sweeps.wait("first", pending=0, running=0)
    assert again["failed_by"] == told["failed_by"], "they failed again, and count once"
    sweeps("collect", "first", "-o", "first.csv")
    lines = sweeps.cluster.run(USER, "cat", f"{PLACE}/first.csv").stdout.splitlines()
    assert (len(lines), lines[0]) == (25, "row,repeat,lr,seed,state,score")
