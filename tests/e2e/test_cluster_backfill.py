"""A backfill on a real Slurm: within MaxQueryTimeRange, killed and gone on with, and as a job array."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from librarian.shared.scope import Scope
from librarian.store import opened
from librarian.subjects.efficiency.facts import group
from librarian.subjects.efficiency.keep import RunUses
from tests.cluster import load, oracle
from tests.cluster.client import Cluster
from tests.cluster.program import Json, Program

pytestmark = [pytest.mark.slow, pytest.mark.one_version]
RUNS = 3000
DAY = 86_400
DAYS = 60
SHORT_WINDOW = '\n[report]\nwindow_days = 2\n[scrontab]\nmemory = "1G"\naccount = "avery"\n'

# Stands before sacct on PATH: writes down what is asked, and answers no more from the question on that `stop` tells.
GATE = """#!/bin/bash
span=
for word; do [[ $word != uts* ]] || span+=$word; done
[ -z "$span" ] || echo "$span" >>~/gate/asked
[ -e ~/gate/stop ] && [ "$(wc -l <~/gate/asked)" -ge "$(cat ~/gate/stop)" ] && exec sleep 1000
exec /usr/bin/sacct "$@"
"""


@pytest.fixture(scope="module")
def past(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster of its own with two months of runs, whose slurmdbd answers questions of five days at most."""
    made = Cluster("backfill", cluster.slurm)
    try:
        made.start()
        now = int(time.time())
        load.fill(made, RUNS, now - DAYS * DAY, now - DAY)
        made.stop_slurmdbd()
        made.shell("root", "echo MaxQueryTimeRange=5-00:00:00 >>/etc/slurm/slurmdbd.conf")
        made.start_slurmdbd()
        yield made
    finally:
        made.stop()


def program(cluster: Cluster, name: str) -> Program:
    made = Program(cluster, "alice", f"/home/alice/{name}")
    made.configure(["avery"], SHORT_WINDOW)
    return made


def day(ago: int) -> str:
    return datetime.fromtimestamp(time.time() - ago * DAY, timezone.utc).strftime("%Y-%m-%d")


def months(program: Program) -> list[Json]:
    found: list[Json] = json.loads(program.run("report", "--month", "all", "--json").stdout)["qos"][0]["months"]
    return found


def assert_is_what_the_database_holds(program: Program) -> None:
    """Every hour of every user, all runs that ended, and nothing twice."""
    told = json.loads(program.run("report", "--month", "all", "--json").stdout)["qos"][0]
    assert sum(month["total"]["jobs"] for month in told["months"]) == RUNS
    for month in told["months"]:
        assert month["known_seconds"] == month["known_to"] - month["known_from"], "in one piece"
        since, until = month["known_from"], month["known_to"]
        # a month that is known in part may have had no run in that part
        expected = oracle.hours(program.cluster, told["now"], since, until, by="user").get("avery", {})
        held = {name: it["hours"] for name, it in month["users"].items() if any(it["hours"].values())}
        assert set(held) == {name for name, hours in expected.items() if max(hours.values()) >= 0.005}
        for name, hours in held.items():
            assert hours == pytest.approx(expected[name], abs=0.0051), (month["month"], name)


def asked(cluster: Cluster) -> list[str]:
    """The begin and the end of each question to sacct so far."""
    return cluster.shell("alice", "cat gate/asked").stdout.split()


def gated(cluster: Cluster, name: str) -> Program:
    """A program that has collected, and whose questions to sacct go through the gate."""
    made = Program(cluster, "alice", f"/home/alice/{name}")
    made.configure(["avery"], SHORT_WINDOW + '[slurm]\nbin_dir = "/home/alice/gate"\n')
    commands = "/usr/bin/sacctmgr /usr/bin/scontrol /usr/bin/squeue"
    cluster.shell("alice", f"mkdir -p gate && ln -sf {commands} gate && touch gate/asked")
    cluster.run("alice", "tee", "gate/sacct", text=GATE, folder="/home/alice")
    cluster.shell("alice", "chmod 755 gate/sacct")
    made.run("collect")
    return made


def kill_at(cluster: Cluster, program: Program, question: int, *arguments: str) -> None:
    """Begin a backfill, and end it by kill -9 while its question of that number is asked."""
    backfill = f"python3 -m librarian --config {program.config} backfill {' '.join(arguments)}"
    command = f"PYTHONPATH=/opt/librarian exec {backfill} >gate/out 2>&1"
    cluster.shell("alice", f": >gate/asked; echo {question} >gate/stop; {command} & echo $! >gate/pid")
    cluster.wait_for(lambda: len(asked(cluster)) == question, f"{question - 1} slices to come in")
    cluster.shell("alice", "kill -9 $(cat gate/pid); rm gate/stop; pkill -x sleep", check=False)


def test_killed_in_the_midst_it_goes_on(past: Cluster) -> None:
    ours = gated(past, "killed")
    kill_at(past, ours, 5, "--from", day(70))
    told = months(ours)
    reached = min(month["known_from"] for month in told)
    assert 20 * DAY < time.time() - reached < 24 * DAY, "four slices of five days, and the window"

    done = ours.run("backfill", "--from", day(70))
    questions = asked(past)
    assert questions[4] == questions[5], "it goes on with the slice that it was killed in"
    assert len(set(questions)) == len(questions) - 1, "and asks for no other again"
    assert "Slurm tells of no older run that ended" in done.stdout
    assert_is_what_the_database_holds(ours)
    assert ours.run("backfill", "--from", day(50)).stdout == "nothing is left to fetch\n"


def test_a_window_that_is_too_wide_for_slurmdbd(past: Cluster) -> None:
    ours = Program(past, "bob", "/home/bob/wide")
    ours.configure(["avery"], "\n[report]\nwindow_days = 65\n")
    ours.run("collect")
    assert_is_what_the_database_holds(ours)


def test_as_a_job_array(past: Cluster) -> None:
    ours = program(past, "by array")
    ours.run("collect")
    done = ours.run("backfill", "--from", day(62), "--slurm", "--tasks", "3")
    array, merge = (
        word.rstrip(":;,") for word in done.stdout.split() if word.rstrip(":;,").isdigit() and len(word) > 3
    )
    past.wait_for(
        lambda: not past.run("alice", "squeue", "-h", "-j", f"{array},{merge}", check=False).stdout, "the jobs"
    )
    left = past.shell("alice", "cd 'by array/state/backfill'; find . -type f -exec tail -n 3 {} +").stdout
    assert left == "", "all parts are merged and removed"
    assert_is_what_the_database_holds(ours)
    assert ours.run("backfill", "--merge").stdout.startswith("merged 0 parts")


def test_what_jobs_used_killed_in_the_midst_and_with_steps_that_are_purged(
    past: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    load.add_steps(past)
    purged = int(time.time()) - 30 * DAY
    past.sql(f"DELETE s FROM hpg_step_table s JOIN hpg_job_table j USING (job_db_inx) WHERE j.time_end < {purged}")
    ours = gated(past, "used")
    kill_at(past, ours, 3, "--use", "--from", day(70))
    assert "Slurm tells of no older run that ended" in ours.run("backfill", "--use", "--from", day(70)).stdout
    assert ours.run("backfill", "--use", "--from", day(50)).stdout == "nothing is left to fetch\n"
    copy = tmp_path_factory.mktemp("used") / "hpg.sqlite"
    shutil.copy(past.root / ours.place.lstrip("/") / "state" / "hpg.sqlite", copy)
    cpus_of = "substring_index(substring_index(concat(',', tres_alloc), ',1=', -1), ',', 1)"  # TRES 1 is cpu
    held = f"SELECT sum((time_end - time_start) * {cpus_of}) FROM hpg_job_table WHERE id_job >= {load.FIRST_JOB}"
    whole, old = (int(float(past.sql(f"{held}{more}")[0][0])) for more in ("", f" AND time_end < {purged}"))
    with opened(copy, "hpg") as store:
        kept = RunUses(store)
        loaded = int(time.time()) - DAY // 2  # later ones are real jobs, of other tests
        cpus = group(kept.totals(Scope("hpg", "avery"), 0, loaded))["NCPUS"]
        assert len(kept.known(Scope("hpg", "avery"))) == 1, "in one piece, with what cycles ask"
        assert kept.until(Scope("hpg", "avery")) > time.time() - 600  # type: ignore[operator]
    assert cpus.allocated == 1024 * whole, "every run once"
    assert cpus.allocated - cpus.measured == 1024 * old > 0, "what has no steps any more is not measured"


def test_when_slurmdbd_is_gone_it_stops(past: Cluster) -> None:
    ours = program(past, "gone")
    past.stop_slurmdbd()
    try:
        done = ours.run("backfill", "--from", day(9), check=False)
    finally:
        past.start_slurmdbd()
    assert done.returncode == 3
    assert "run the same command again" in done.stderr
    assert "fetched back to" in ours.run("backfill", "--from", day(9)).stdout
