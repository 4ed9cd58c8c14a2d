"""A million job runs in slurmdbd: the numbers are still those of the database, and the next run asks for little."""

from __future__ import annotations

import time

import pytest

from tests.cluster import load
from tests.cluster.client import Cluster
from tests.cluster.compare import assert_equals_oracle
from tests.cluster.program import Program

pytestmark = [pytest.mark.slow, pytest.mark.one_version]
RUNS = 1_000_000
DAY = 86_400


def test_a_million_runs(cluster: Cluster) -> None:
    """In a cluster of its own, since the other tests would have to read them too."""
    loaded = Cluster("load", cluster.slurm)
    try:
        loaded.start()
        now = int(time.time())
        load.fill(loaded, RUNS, now - 29 * DAY, now)
        program = Program(loaded, "alice", "/home/alice/usage")
        program.configure(["avery"], "[slurm]\ntimeout_seconds = 3600\n")
        for answered in (RUNS, RUNS // 100):
            program.run("run")
            data = program.data("avery")
            assert sum(sum(totals["ended"].values()) for totals in data["totals"]["users"].values()) == RUNS
            assert_equals_oracle(loaded, data)
            assert answered_runs(program) <= answered, "a later run must ask for what may have changed only"
    finally:
        loaded.stop()


def answered_runs(program: Program) -> int:
    """How many runs the last answer of sacct had."""
    words = program.run("status").stdout.split("the last answer had ")[1]
    return int(words.split()[0].replace(",", ""))
