"""Two Pythons: the cluster's own, with its distribution's packages, and this one, with the newest; one report."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests import patience
from tests.cluster.client import CHECKOUT, Cluster
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.fixture import GROUPS
from tests.cluster.program import ZONE, Json, Program, configuration

pytestmark = pytest.mark.slow


def test_this_python_reports_what_the_cluster_s_python_does(cluster: Cluster, report: Program, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    commands.mkdir()
    cluster.wrappers("alice", commands)
    config = tmp_path / "librarian.toml"
    config.write_text(configuration(GROUPS, f"\n[slurm]\nbin_dir = {json.dumps(str(commands))}\n"), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TZ": ZONE}
    command = [sys.executable, "-m", "librarian", "--config", str(config), "run"]
    done = patience.run(command, sign=cluster.sign, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    report.run("run")
    for qos in GROUPS:
        here: Json = json.loads((tmp_path / "site" / report.entry(qos)["data"]).read_text(encoding="utf-8"))
        there = report.data(qos)
        assert_equals_oracle(cluster, here)
        for part in ("limits", "untracked", "colours", "units", "nice_names"):
            assert here[part] == there[part], part
        assert here["now"]["users"] == there["now"]["users"]
        assert {user: told["ended"] for user, told in here["totals"]["users"].items()} == {
            user: told["ended"] for user, told in there["totals"]["users"].items()
        }
