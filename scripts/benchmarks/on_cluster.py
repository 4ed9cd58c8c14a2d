"""On the tests' live cluster: the plain way, ours, and what cannot be avoided, in turn on the same slurmdbd."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from benchmarks.table import Row
from benchmarks.tools import Taken, progress, quickest, taken_of
from librarian.shared.scope import Scope
from librarian.slurm.command import ENVIRONMENT
from librarian.subjects.jobs import ask
from tests.cluster import load
from tests.cluster.client import Cluster
from tests.cluster.program import Program

DAY = 86_400
QOS = ("avery", "avery-b")
USERS = 37  # who are there beside the cluster's four
SOURCE = "/opt/librarian"
PARTS = f"{SOURCE}/scripts/benchmarks"
# what a script needs that reads with pandas, and saves figures as PNG and PDF
IMPORTS = ("pandas", "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")
PYTHON = {"PYTHONPATH": SOURCE, "PYTHONPYCACHEPREFIX": "/home/alice/.cache/python"}


def rows(runs: int, slurm: str, *, plain: bool) -> Iterator[Row]:
    """Measurements with `runs` job runs in the window, half of them of each of two QoS; without `plain` only ours."""
    cluster = Cluster("bench", slurm)
    try:
        cluster.start()
        _fill(cluster, runs)
        yield from _Session(cluster, runs).measured(plain=plain)
    finally:
        cluster.stop()


def _fill(cluster: Cluster, runs: int) -> None:
    progress(f"loading {runs:,} runs with two steps each into slurmdbd")
    names = ",".join(f"u{number:02d}" for number in range(USERS))
    cluster.run("root", "sacctmgr", "-i", "add", "user", names, "account=avery")
    now = int(time.time())
    for place, qos in enumerate(QOS):
        load.fill(cluster, runs // 2, now - 30 * DAY + 3600, now, qos, load.FIRST_JOB + place * runs)
    load.add_steps(cluster)


class _Session:
    """One cluster, and one user's Librarian on it."""

    def __init__(self, cluster: Cluster, runs: int) -> None:
        self.cluster, self.runs = cluster, runs
        self.program = Program(cluster, "alice", "/home/alice/usage")
        self.program.configure(QOS)
        # as where it is installed: Python has compiled all of it before
        self._in_cluster(
            ["python3", "-c", "import librarian.cycle.stages, librarian.subjects.usage.pictures, matplotlib"]
        )

    def measured(self, *, plain: bool) -> Iterator[Row]:
        """The rows; what they are set against is measured between them."""
        progress("sacct alone, then the first collection")
        whole = self._asked(30 * DAY, 2)
        first = quickest([self._first_collection() for _ in range(2)])
        beside = "sacct alone, the whole window"
        yield Row("the first collection", first.wall, whole.wall, beside, 1.2, cpu=first.cpu, memory=first.mib)
        first = self._ours("render")
        yield Row("the first rendering", first.wall, cpu=first.cpu, memory=first.mib)
        progress("steady cycles, and their parts")
        drawn = [self._drawing()]
        parts = {"sacct": self._asked(4200, 2), "imports": self._imports(), "savefig": self._savefig()}
        drawn.append(self._drawing())
        ours, floor = quickest(drawn), sum(part.wall for part in parts.values())
        for name, part in parts.items():
            words = {
                "sacct": "the incremental sacct calls",
                "imports": "importing pandas, matplotlib and what it writes with",
            }
            what = f"unavoidable: {words.get(name, 'savefig of all pictures')}"
            yield Row(what, part.wall, cpu=part.cpu, memory=part.mib or None)
        what = f"a cycle that draws all, {self.runs:,} runs in the window"
        yield Row(what, ours.wall, floor, "the unavoidable parts", 1.5, cpu=ours.cpu, memory=ours.mib)
        yield Row("memory of such a cycle", max(one.mib for one in drawn), None, "", 400, "MiB")
        quiet = min((self._ours("run") for _ in range(3)), key=lambda one: one.cpu)
        beside, floor = "the unavoidable parts of one that draws all", sum(part.cpu for part in parts.values())
        yield Row("CPU of a cycle that closes no bin", quiet.cpu, floor, beside, 0.35, memory=quiet.mib)
        yield Row("a cycle that closes no bin", quiet.wall, None, "", 1.5, cpu=quiet.cpu, memory=quiet.mib)
        if plain:
            progress("the plain way")
            slow = self._in_cluster(["python3", f"{PARTS}/plain.py", "/home/alice/plain", *QOS])
            yield Row("the plain way", slow.wall, cpu=slow.cpu, memory=slow.mib)
            yield Row(what, ours.wall, slow.wall, "the plain way", 1 / 25, cpu=ours.cpu, memory=ours.mib)

    def _first_collection(self) -> Taken:
        self.cluster.run("alice", "rm", "-rf", f"{self.program.place}/state")
        return self._ours("collect")

    def _drawing(self) -> Taken:
        """A cycle that does not know the pictures that are there, and so draws all."""
        self._forget_pictures()
        return self._ours("run")

    def _forget_pictures(self) -> None:
        self.cluster.run("alice", "sh", "-c", f"rm -f {self.program.place}/state/*.pictures.json")

    def _ours(self, command: str) -> Taken:
        return self._in_cluster(["python3", "-m", "librarian", "--config", self.program.config, command])

    def _asked(self, seconds: int, times: int) -> Taken:
        """sacct as we call it, for both QoS, from `seconds` ago: the sum over the QoS of the quickest calls."""
        now = int(time.time())
        parts = []
        for qos in QOS:
            argv = ["sacct", *ask.arguments(ask.Query(Scope("hpg", qos), now - seconds, now))]
            parts.append(quickest([self._in_cluster(argv) for _ in range(times)]))
        return Taken(sum(part.wall for part in parts), sum(part.cpu for part in parts), max(p.mib for p in parts))

    def _imports(self) -> Taken:
        return quickest([self._in_cluster(["python3", "-c", f"import {', '.join(IMPORTS)}"]) for _ in range(3)])

    def _savefig(self) -> Taken:
        self._forget_pictures()
        argv = ["python3", f"{PARTS}/savefig.py", self.program.config]
        told = json.loads(self.cluster.run("alice", *argv, ceiling=3600).stdout)
        progress(f"{told['pictures']} pictures")
        return Taken(told["wall"], told["cpu"], 0.0)

    def _in_cluster(self, argv: Sequence[str]) -> Taken:
        settings = [f"{name}={value}" for name, value in {**ENVIRONMENT, **PYTHON}.items()]
        command = ["env", *settings, "python3", f"{PARTS}/measure.py", *argv]
        return taken_of(self.cluster.run("alice", *command, ceiling=7200).stdout)
