"""When accounting does not answer, or does not tell all: a real slurmdbd that is down, and one with PrivateData."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from librarian.subjects.jobs.doubts import AGAIN
from tests.cluster.client import CHECKOUT, Cluster
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("finished")]


@contextmanager
def slurmdbd_down(cluster: Cluster) -> Iterator[None]:
    cluster.stop_slurmdbd()
    try:
        yield
    finally:
        cluster.start_slurmdbd()


@contextmanager
def slurmctld_down(cluster: Cluster) -> Iterator[None]:
    cluster.stop_slurmctld()
    try:
        yield
    finally:
        cluster.start_slurmctld()


@contextmanager
def query_fails(cluster: Cluster) -> Iterator[None]:
    """The table that slurmdbd looks for runs in is called otherwise for a moment."""
    cluster.sql("RENAME TABLE hpg_job_table TO hpg_job_table_away")
    try:
        yield
    finally:
        cluster.sql("RENAME TABLE hpg_job_table_away TO hpg_job_table")


@contextmanager
def ends_lost(cluster: Cluster, states: Mapping[str, int]) -> Iterator[None]:
    """slurmdbd has not been told of the ends of some jobs: their rows are open, in these states of its own."""
    was = {job: cluster.sql(f"SELECT state, time_end FROM hpg_job_table WHERE id_job = {job}")[0] for job in states}
    for job, state in states.items():
        cluster.sql(f"UPDATE hpg_job_table SET state = {state}, time_end = 0 WHERE id_job = {job}")
    try:
        yield
    finally:
        for job, (state, end) in was.items():
            cluster.sql(f"UPDATE hpg_job_table SET state = {state}, time_end = {end} WHERE id_job = {job}")


@contextmanager
def private_data(cluster: Cluster) -> Iterator[None]:
    """slurmdbd shows ordinary users their own jobs only."""
    settings = cluster.root / "etc/slurm/slurmdbd.conf"
    before = settings.read_text()
    with slurmdbd_down(cluster):
        settings.write_text(before + "PrivateData=jobs\n")
    try:
        yield
    finally:
        with slurmdbd_down(cluster):
            settings.write_text(before)


def test_while_slurmdbd_is_down_the_last_data_stay(cluster: Cluster) -> None:
    report = Program(cluster, "erin", "/home/erin/trouble")
    report.configure(["kim"])
    report.run("run")
    good = report.data("kim")
    assert set(good["users"]) == {"erin", "frank"}
    with slurmdbd_down(cluster):
        done = report.run("run", check=False)
        assert done.returncode == 3, done.stderr
        assert "| 3 | Slurm" in (CHECKOUT / "docs/commands.md").read_text(encoding="utf-8")
        assert "Connection refused" in done.stderr
        old, entry = report.data("kim"), report.entry("kim")
        assert (entry["stale"], old["staleness"]["stale"]) == (True, True)
        assert old["staleness"]["since"] == entry["since"] == good["metadata"]["last_updated_epoch"]
        assert old["staleness"]["reason"] == entry["reason"] == "Slurm did not answer"
        for part in ("edges", "users", "observables", "totals", "limits", "now"):
            assert old[part] == good[part], part
        status = report.run("status", check=False)
        assert status.returncode == 1
        assert "Connection refused" in status.stdout
    report.run("run")
    assert report.entry("kim")["stale"] is False
    assert report.data("kim")["staleness"] == {"stale": False, "since": None, "reason": None}
    assert report.run("status").returncode == 0


def test_an_answer_that_slurmdbd_lost_is_no_answer(cluster: Cluster) -> None:
    """sacct prints its header and exits 0 where slurmdbd's query fails; so it does where nothing ran."""
    report, fresh = Program(cluster, "erin", "/home/erin/lost"), Program(cluster, "frank", "/home/frank/lost")
    for program in (report, fresh):
        program.configure(["kim"])
    report.run("run")
    good = report.data("kim")
    assert good["users"]
    with query_fails(cluster):
        alone = cluster.run(
            "erin", "sacct", "-a", "-X", "-P", "-S", "now-7days", "-q", "kim", "-o", "JobID", check=False
        )
        assert (alone.returncode, alone.stdout.splitlines()) == (0, ["JobID"]), "else the test proves nothing"
        done = report.run("run", check=False)
        fresh.run("run", check=False)
    assert done.returncode == 3, done.stderr
    assert "sacct" in done.stderr
    old = report.data("kim")
    assert old["staleness"]["stale"] is True
    assert (old["users"], old["totals"]) == (good["users"], good["totals"])
    for program in (report, fresh):
        program.run("run")
        assert program.data("kim")["users"] == good["users"], "all is there again"
        assert program.entry("kim")["stale"] is False


EARLIER = f"""
import json, sqlite3, sys
store = sqlite3.connect(sys.argv[1])
name, text = store.execute("SELECT name, value FROM fact WHERE name LIKE 'runaways [%'").fetchone()
fact = json.loads(text)
fact["runs"] = [[*run[:2], run[2] - {AGAIN}, *run[3:]] for run in fact["runs"]]
store.execute("UPDATE fact SET value = ? WHERE name = ?", (json.dumps(fact), name))
store.commit()
"""


def missing_for_long(program: Program) -> None:
    """As if squeue had been asked for the first time when another answer is another one already."""
    program.cluster.run(program.user, "python3", "-c", EARLIER, f"{program.place}/state/hpg.sqlite")


def test_jobs_whose_end_was_lost_do_not_count_for_ever(cluster: Cluster) -> None:
    """One is over by its row and has no end; one is RUNNING there, and slurmctld knows no such job."""
    before, program = Program(cluster, "erin", "/home/erin/runaways"), Program(cluster, "frank", "/home/frank/runaways")
    for one in (before, program):
        one.configure(["kim"])
    over = cluster.sql(
        """SELECT j.id_job FROM hpg_job_table j JOIN qos_table q ON q.id = j.id_qos WHERE q.name = 'kim' AND j.state = 3
        AND j.time_start > 0 AND j.time_end > j.time_start AND EXISTS (SELECT 1 FROM hpg_step_table s
        WHERE s.job_db_inx = j.job_db_inx AND s.time_end > j.time_start)"""
    )
    (first,), (second,), *_ = over
    before.run("run")
    good = before.data("kim")
    with ends_lost(cluster, {first: 3, second: 1}):
        plain = ("sacct", "-X", "-n", "-P", "-a", "-j", f"{first},{second}", "-o", "State,End")
        assert {*cluster.run("frank", *plain).stdout.split()} == {"COMPLETED|Unknown", "RUNNING|Unknown"}
        program.run("collect")  # the first look at them: of when they lived their steps alone can tell
        missing_for_long(program)
        program.run("run")
        data = program.data("kim")
        told = program.run("status", "--runaways").stdout
    assert told.count("no sign of life for") == 2
    assert "after 0 s" not in told, "their steps tell how long they lived"
    assert data["now"]["total"]["NJOBS"] == good["now"]["total"]["NJOBS"], "neither runs"
    (note,) = (note["text"] for note in data["notes"] if note["kind"] == "runaways")
    assert "Slurm's accounting has 2 jobs open that Slurm does not run" in note
    program.run("collect", "--full")
    program.run("run")
    assert_equals_oracle(cluster, program.data("kim"))
    assert "runaways" not in {note["kind"] for note in program.data("kim")["notes"]}


def test_private_data_is_told_and_not_taken_for_zero(cluster: Cluster) -> None:
    """sacct hides the jobs of others without a word and with status 0."""
    program, older = Program(cluster, "bob", "/home/bob/private"), Program(cluster, "alice", "/home/alice/private")
    program.configure(["avery", "kim"])
    older.configure(["avery"])
    older.run("run")
    known = older.data("avery")["totals"]["users"]["carol"]["ended"]
    with private_data(cluster):
        program.run("run")
        done = older.run("run", check=False)
    assert done.returncode == 3, done.stderr
    assert "Slurm hides the jobs of others now" in done.stderr
    assert older.entry("avery")["stale"] is True
    for qos, users in (("avery", ["bob"]), ("kim", [])):
        data = program.data(qos)
        assert data["users"] == users, "PrivateData had no effect: the test proves nothing"
        told = {note["kind"]: note["text"] for note in data["notes"]}
        assert "PrivateData" in told["private_data"]
    assert older.data("avery")["totals"]["users"]["carol"]["ended"] == known, "what was known before was lost"
    program.run("run")
    assert set(program.data("avery")["users"]) == {"alice", "bob", "carol", "dave"}
    assert "private_data" not in {note["kind"] for note in program.data("avery")["notes"]}


def test_without_slurmctld_accounting_goes_on(cluster: Cluster) -> None:
    """The numbers are slurmdbd's; the controller is not needed for them."""
    program = Program(cluster, "erin", "/home/erin/no-controller")
    program.configure(["kim"])
    with slurmctld_down(cluster):
        program.run("run")
        assert_equals_oracle(cluster, program.data("kim"))
    assert program.entry("kim")["stale"] is False
    assert program.data("kim")["limits"]["NCPUS"]["value"] == 8


def test_a_limit_that_changes_while_jobs_run(cluster: Cluster) -> None:
    program = Program(cluster, "frank", "/home/frank/limit")
    program.configure(["kim"])
    program.run("run")
    before = program.data("kim")
    cluster.run("root", "sacctmgr", "-i", "modify", "qos", "kim", "set", "GrpTRES=cpu=12,gres/gpu=-1")
    try:
        program.run("run")
        after = program.data("kim")
        said = {key: after["limits"][key]["value"] for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS")}
        assert said == {"NCPUS": 12, "NGPUS": None, "MEMORY": 64, "NJOBS": 20}
        assert after["limits"]["NGPUS"]["kind"] == "none"
        assert before["limits"]["NCPUS"]["value"] == 8
        assert_equals_oracle(cluster, after)
    finally:
        cluster.run("root", "sacctmgr", "-i", "modify", "qos", "kim", "set", "GrpTRES=cpu=8,gres/gpu=2")
    program.run("run")
    limits = program.data("kim")["limits"]
    assert [(step["kind"], step["value"]) for step in limits["NCPUS"]["history"]] == [
        ("limit", 8),
        ("limit", 12),
        ("limit", 8),
    ]
    assert [step["kind"] for step in limits["NGPUS"]["history"]] == ["limit", "none", "limit"]
    assert limits["MEMORY"] == before["limits"]["MEMORY"]
