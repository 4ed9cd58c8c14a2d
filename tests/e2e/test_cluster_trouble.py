"""When accounting does not answer, or does not tell all: a real slurmdbd that is down, and one with PrivateData."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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
        assert "Connection refused" in old["staleness"]["reason"]
        for part in ("edges", "users", "observables", "totals", "limits", "now"):
            assert old[part] == good[part], part
        status = report.run("status", check=False)
        assert status.returncode == 1
        assert "Connection refused" in status.stdout
    report.run("run")
    assert report.entry("kim")["stale"] is False
    assert report.data("kim")["staleness"] == {"stale": False, "since": None, "reason": None}
    assert report.run("status").returncode == 0


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
