"""The numbers, on a real Slurm: what the program reports is what slurmdbd's database holds.

Every kind of job that accounting tells apart is in the workload; the numbers it is compared with come from one SQL
query (tests/cluster/oracle.py) that shares nothing with the program.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math

import pytest

from tests.cluster import oracle
from tests.cluster.client import CHECKOUT, Cluster
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.fixture import GROUPS
from tests.cluster.program import Json, Program
from tests.cluster.workload import STAY, Workload

pytestmark = pytest.mark.slow


def test_the_workload_has_every_kind_of_end(cluster: Cluster, finished: Workload) -> None:
    """Without this, the comparison below could compare nothing."""
    states = {state for by_user in oracle.ended(cluster, 2**40).values() for user in by_user.values() for state in user}
    assert states == set(oracle.STATES.values()) - {"BOOT_FAIL", "DEADLINE"}, "nodes do not boot here"
    open_states = {row[0] for row in cluster.sql("SELECT DISTINCT state FROM hpg_job_table WHERE time_end = 0")}
    assert {"0", "1", "2"} <= open_states, "pending, running, suspended"
    assert cluster.sql("SELECT COUNT(*) FROM hpg_suspend_table") == [["2"]]
    assert set(STAY) <= set(finished.ids)


@pytest.mark.parametrize("qos", GROUPS)
def test_hours_are_those_of_the_database(cluster: Cluster, report: Program, qos: str) -> None:
    assert_equals_oracle(cluster, report.data(qos))


@pytest.mark.parametrize("qos", GROUPS)
def test_ended_runs_are_those_of_the_database(cluster: Cluster, report: Program, qos: str) -> None:
    data = report.data(qos)
    told = {user: totals["ended"] for user, totals in data["totals"]["users"].items() if totals["ended"]}
    assert told == oracle.ended(cluster, data["metadata"]["last_updated_epoch"])[qos]


@pytest.mark.parametrize("qos", GROUPS)
def test_bins_add_up_to_the_hours(report: Program, qos: str) -> None:
    data = report.data(qos)
    edges, now = data["edges"], data["metadata"]["last_updated_epoch"]
    assert edges[-2] <= now <= edges[-1]
    passed = [min(end, now) - begin for begin, end in itertools.pairwise(edges)]
    for key, rows in data["observables"].items():
        for user, means in rows.items():
            total = math.fsum(mean * seconds for mean, seconds in zip(means, passed, strict=True)) / 3600
            assert total == pytest.approx(data["totals"]["users"][user]["hours"][key], rel=1e-5, abs=1e-9), (key, user)


def test_gpu_types_are_those_of_the_database(cluster: Cluster, report: Program) -> None:
    """Untyped requests (`--gres=gpu:1`, `-G 3`) are allocated GPUs of a type, and are counted under it."""
    data = report.data("avery")
    now = data["metadata"]["last_updated_epoch"]
    for gpu in ("a100", "b200"):
        held = data["gpu_types"][gpu]
        users = [*held["only"], *held["users"]]
        told = {user: data["totals"]["users"][user]["hours"][f"NGPUS:{gpu}"] for user in users}
        expected = oracle.gpu_hours(cluster, now, "avery", gpu)
        assert set(told) == set(expected)
        for user, hours in expected.items():
            assert told[user] == pytest.approx(hours, rel=1e-6), (gpu, user)


def test_now_is_what_runs(report: Program) -> None:
    """A suspended job, which is carol's, holds all but its CPUs; pending and held ones hold nothing."""
    now = {
        user: {key: value for key, value in held.items() if value}
        for user, held in report.data("avery")["now"]["users"].items()
    }
    assert now == {
        "alice": {"NCPUS": 2, "NGPUS": 1, "MEMORY": 3, "NJOBS": 1, "BILLING": 10, "NGPUS:a100": 1},
        "bob": {"NCPUS": 2, "MEMORY": 3, "NJOBS": 1, "BILLING": 2},
        "carol": {"MEMORY": 1, "NJOBS": 1, "BILLING": 1},
        "dave": {"NCPUS": 1, "MEMORY": 0.5, "NJOBS": 1, "BILLING": 1},
    }
    assert report.data("kim")["now"]["users"]["erin"]["NCPUS"] == 8


def test_nothing_was_rejected_and_nothing_is_old(report: Program) -> None:
    for qos in GROUPS:
        data = report.data(qos)
        assert data["rejects"]["count"] == 0
        assert data["staleness"]["stale"] is False
        assert report.entry(qos)["stale"] is False


def test_job_names_are_not_in_the_site(report: Program) -> None:
    """The workload has a job whose name is an attack; the program asks for no names."""
    for path in (report.cluster.root / report.place.lstrip("/") / "site").iterdir():
        data = path.read_bytes()
        assert b"alert(1)" not in (gzip.decompress(data) if path.suffix == ".gz" else data), path.name


def test_files_are_what_they_are_called(report: Program) -> None:
    magic = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
    for entry in report.index()["qos"]:
        assert {"NCPUS", "NGPUS", "MEMORY", "NJOBS", "overview"} <= set(entry["figures"])
        for files in entry["figures"].values():
            for kind, name in files.items():
                assert report.file(name).startswith(magic[kind]), name
        assert gzip.decompress(report.file(entry["csv"])).startswith(b"start,")
    page = report.file("index.html").decode()
    assert "Group &lt;kim&gt;" in page
    assert "Group <kim>" not in page


def test_data_are_as_the_schemas_say(report: Program) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = {name: json.loads((CHECKOUT / "docs" / f"{name}.schema.json").read_text()) for name in ("data", "index")}
    jsonschema.validate(report.index(), schema["index"])
    for qos in GROUPS:
        jsonschema.validate(report.data(qos), schema["data"])


def test_reading_again_changes_nothing_but_what_runs(cluster: Cluster, report: Program) -> None:
    """A second run asks only for what changed, `--full` for everything; neither may count anything twice."""
    before = {qos: report.data(qos) for qos in GROUPS}
    for again in (["run"], ["collect", "--full"], ["render"]):
        report.run(*again)
        if again != ["collect", "--full"]:
            for qos in GROUPS:
                after = report.data(qos)
                assert_equals_oracle(cluster, after)
                assert_same_for_those_without_running_jobs(before[qos], after)
    assert report.data("avery")["metadata"]["last_updated_epoch"] > before["avery"]["metadata"]["last_updated_epoch"]


def test_a_slow_sacct_changes_no_number(cluster: Cluster, finished: Workload) -> None:
    """sacct speaks of a running or suspended job as of its own clock; the report is as of the time the run began."""
    program = Program(cluster, "carol", "/home/carol/slow")
    program.configure(["avery"], '\n[slurm]\nbin_dir = "/home/carol/slow/bin"\n')
    script = f"""mkdir {program.place}/bin && cd {program.place}/bin && ln -s /usr/bin/sacctmgr /usr/bin/scontrol .
        printf '#!/bin/sh\nsleep 3\nexec /usr/bin/sacct "$@"\n' >sacct && chmod +x sacct"""
    cluster.shell("carol", script)
    program.run("run")
    assert_equals_oracle(cluster, program.data("avery"))


def assert_same_for_those_without_running_jobs(before: Json, after: Json) -> None:
    for user in set(before["users"]) - set(before["now"]["users"]):
        was, now_is = before["totals"]["users"][user], after["totals"]["users"][user]
        assert now_is["hours"] == pytest.approx(was["hours"]), user
        assert now_is["ended"] == was["ended"], user
