"""The first things a user does on a cluster, on a real Slurm: `init`, a first run, and the mistakes one makes then.

These tests come before those of test_cluster_jobs.py and run while its jobs do.
"""

from __future__ import annotations

import pytest

from librarian.shared.troubles import WORDS
from tests.cluster.client import Cluster
from tests.cluster.fixture import ODD_QOS, ODD_USER, Under
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("workload")]


def test_a_site_without_plotly(cluster: Cluster) -> None:
    """What the cluster stands for: a Python with the packages of a module, and no plotly."""
    done = cluster.run("alice", "python3", "-c", "import pandas, matplotlib, pytz, jinja2; import plotly", check=False)
    assert done.returncode == 1
    assert "No module named 'plotly'" in done.stderr


def test_init_finds_the_groups_and_run_works_with_it(cluster: Cluster) -> None:
    program = Program(cluster, "carol", "/home/carol/first")
    cluster.run("carol", "mkdir", program.place)
    program.plain("init", folder=program.place)
    assert (cluster.root / "home/carol/.config/librarian/librarian.toml").is_file()
    done = program.plain("run", folder="/tmp")
    assert (done.stdout, done.stderr) == ("", ""), "in cron there is nothing to say when all went well"
    site = cluster.root / "home/carol/.local/state/librarian/site"
    assert (site / "index.html").stat().st_size > 10_000
    assert {"data_avery.json", "data_avery-b.json"} <= {path.name for path in site.iterdir()}


def test_init_and_run_with_odd_names(cluster: Cluster, workload: Under) -> None:
    program = workload.reporter
    assert f'name = "{ODD_QOS}"' in cluster.run(ODD_USER, "cat", program.config).stdout
    assert 'timezone = "America/New_York"' in cluster.run(ODD_USER, "cat", program.config).stdout
    assert program.entry(ODD_QOS)["stale"] is False
    assert program.data(ODD_QOS)["limits"]["NCPUS"]["value"] == 4


def test_scrontab_is_where_it_is_said_to_be(cluster: Cluster) -> None:
    found = cluster.run("alice", "scrontab", "-l", check=False)
    assert (found.returncode == 127) != cluster.has_scrontab, found.stderr


def test_limits_none_and_zero_are_two_things(cluster: Cluster) -> None:
    program = Program(cluster, "erin", "/home/erin/limits")
    program.configure(["avery", "avery-b", "kim", "kim-b"])
    program.run("run")
    limits = {qos: program.data(qos)["limits"] for qos in ("avery", "avery-b", "kim", "kim-b")}
    said = {
        qos: [found[key]["value"] for key in ("NCPUS", "NGPUS", "MEMORY", "NJOBS")] for qos, found in limits.items()
    }
    assert said == {
        "avery": [430, 39, 3359, None],
        "avery-b": [3870, None, 30234, None],
        "kim": [8, 2, 64, 20],
        "kim-b": [16, 0, 128, None],
    }
    assert limits["avery-b"]["NGPUS"]["kind"] == "none"
    assert limits["kim-b"]["NGPUS"]["kind"] == "limit"


def test_an_unknown_qos_is_told_with_those_that_exist(cluster: Cluster) -> None:
    program = Program(cluster, "bob", "/home/bob/unknown-qos")
    program.configure(["nosuch", "kim"])
    done = program.run("run", check=False)
    assert done.returncode == 3, done.stderr
    assert "nosuch" in done.stderr
    for name in ("avery", "avery-b", "kim", "kim-b", ODD_QOS):
        assert name in done.stderr
    assert program.entry("nosuch")["data"] is None
    assert program.entry("nosuch")["reason"] in WORDS.values(), "what Slurm said is the operator's"
    assert program.entry("kim")["stale"] is False, "one QoS that fails takes no other with it"


def test_an_unknown_cluster_is_no_empty_report(cluster: Cluster) -> None:
    """To `-M nosuch` sacct answers with a header, no rows and status 0."""
    program = Program(cluster, "bob", "/home/bob/unknown-cluster")
    program.configure(["avery"])
    cluster.run("bob", "sed", "-i", 's/name = "hpg"/name = "nosuch"/', program.config)
    done = program.run("run", check=False)
    assert done.returncode in (2, 3), "the run took a cluster that does not exist for an idle one"
    assert "nosuch" in done.stderr
    assert "hpg" in done.stderr


def test_nothing_is_written_into_the_program(workload: Under) -> None:
    """The program stands in a folder that is read-only for everybody."""
    cluster = workload.jobs.cluster
    for user in ("root", "alice"):
        assert cluster.run(user, "touch", "/opt/librarian/librarian/x", check=False).returncode == 1
