"""pytest fixtures that give a real Slurm cluster, and what takes a while in it, once a session.

`workload` starts the jobs and goes on; tests that need them ended ask for `finished`, which waits. So tests that do not
mind running jobs cost no time of their own when they come first.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.client import Cluster, why_not
from tests.cluster.program import Program
from tests.cluster.workload import Workload
from tests.patience import CEILING, Patience

ODD_USER, ODD_QOS = "o.dd-u_ser9", "9.odd-q_os"
GROUPS = ("avery", "avery-b", "kim", "kim-b")


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A fresh cluster with Librarian at /opt/librarian, of each version in turn; skips where there can be none."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with _alone(request.param):
        started = Cluster("tests", request.param)
        try:
            started.start()
            yield started
        finally:
            started.stop()


class _alone:  # noqa: N801
    """There is one cluster of a version for tests: a second session waits until the first is done with it."""

    def __init__(self, slurm: str) -> None:
        self._slurm = slurm

    def __enter__(self) -> None:
        root = os.environ.get("LIBRARIAN_CLUSTER_ROOT", "")
        name = f"librarian-cluster-{self._slurm}-{zlib.crc32(root.encode()):08x}.lock"
        self._file = (Path(tempfile.gettempdir()) / name).open("a")
        patience = Patience("another session's end", sign=time.monotonic, ceiling=4 * CEILING)
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                patience.go_on()
                time.sleep(1)

    def __exit__(self, *_: object) -> None:
        self._file.close()


@dataclass
class Under:
    """The jobs under way; `done` ends when all of them were requeued, suspended, resized and so on."""

    jobs: Workload
    done: Future[None]
    reporter: Program
    """Librarian of the user with odd names, whose scrontab runs it every minute."""


@pytest.fixture(scope="session")
def workload(cluster: Cluster) -> Iterator[Under]:
    """All the jobs, submitted and going on by themselves; where there is scrontab it runs Librarian each minute."""
    jobs = Workload(cluster)
    reporter = Program(cluster, ODD_USER, f"/home/{ODD_USER}/by scrontab")
    reporter.begin()
    reporter.run("run")
    cluster.run(ODD_USER, "tee", f"{reporter.place}/first-run", text=str(reporter.entry(ODD_QOS)["last_updated"]))
    command = f"cd 'by scrontab' && PYTHONPATH=/opt/librarian python3 -m librarian run >>'{reporter.place}/log' 2>&1"
    table = f"#SCRON -J librarian -t 5 -c 1 --mem=900M\n* * * * * {command}\n"
    with ThreadPoolExecutor(1) as pool:
        jobs.submit()
        if cluster.has_scrontab:
            cluster.run(ODD_USER, "scrontab", "-", text=table)
        yield Under(jobs, pool.submit(jobs.disturb), reporter)


@pytest.fixture(scope="session")
def finished(workload: Under) -> Workload:
    """The jobs, when every one has ended that will end, and slurmdbd knows it."""
    workload.done.result()  # each of its waits is given up some time
    workload.jobs.finish()
    return workload.jobs


@pytest.fixture(scope="session")
def report(cluster: Cluster, finished: Workload) -> Program:
    """Alice's report on both groups, after one run."""
    program = Program(cluster, "alice", "/home/alice/usage")
    program.configure(GROUPS)
    program.run("run")
    return program
