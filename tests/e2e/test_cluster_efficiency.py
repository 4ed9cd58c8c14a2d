"""What jobs used on a real cluster, as Librarian keeps it, beside what the jobs say of themselves."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from librarian.shared.scope import Scope
from librarian.store import opened
from librarian.subjects.efficiency.facts import group
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Flag, Source, UsedRun, hours_of
from librarian.subjects.efficiency.placed import count
from tests.cluster.client import Cluster
from tests.cluster.program import Program

pytestmark = pytest.mark.slow

QOS = "used"
MB = 10**6
# Two processes of a job with four CPUs take six CPU-seconds each by their own count, however long that is.
BURN = "import time\nwhile time.process_time() < 6: pass\n"
HOLD = """import sys, time
held = bytearray(int(sys.argv[1]) * 1000000)
held[::4096] = b"x" * len(held[::4096])
time.sleep(float(sys.argv[2]))
"""
JOBS = {
    "busy": ("-c 4 --mem=500M", "python3 burn.py & python3 burn.py & wait"),
    "four tasks": ("-n 4 -N 1 --mem=1G", "srun -n4 python3 hold.py 50 8"),
    "in turn": ("-n 2 -N 1 --mem=1G", "srun -n1 python3 hold.py 60 8; srun -n1 python3 hold.py 90 8"),
    "together": (
        "-n 2 -N 1 --mem=1G",
        "for mb in 60 90; do srun -n1 --exact --mem=400M python3 hold.py $mb 12 & done; wait",
    ),
    "short": ("--mem=100M", "true"),
    "out of memory": ("--mem=60M", "python3 hold.py 300 60"),
    "requeued": ("--mem=200M --requeue", 'test "$SLURM_RESTART_COUNT" && exit 3; sleep 600'),
    "cancelled": ("-p gpu --gres=gpu:a100:1 --mem=200M", "srun sleep 600"),
    "gpus": ("-p gpu --gres=gpu:a100:2 --mem=200M", "sleep 5"),
    "array": ("--array=0-3 --mem=50M", 'test "$SLURM_ARRAY_TASK_ID" != 1 || exit 7'),
}
ENDED = {"COMPLETED": 9, "FAILED": 3, "CANCELLED": 1, "REQUEUED": 1}


@dataclass
class Jobs:
    """The jobs by label, and what Librarian keeps of them."""

    cluster: Cluster
    ids: dict[str, str]
    program: Program
    copy: Path
    running: dict[str, Any] = field(default_factory=dict)

    def look(self) -> None:
        """Run Librarian, and take its store along."""
        self.program.run("collect")
        shutil.copy(self.cluster.root / self.program.place.lstrip("/") / "state" / "hpg.sqlite", self.copy)

    def runs(self, label: str) -> list[UsedRun]:
        with opened(self.copy, "hpg") as store:
            return list(RunUses(store).run(int(self.ids[label])))

    def __getitem__(self, label: str) -> UsedRun:
        (used,) = self.runs(label)
        return used

    def states(self) -> dict[str, int]:
        """How many runs slurmdbd has in each state that is over."""
        told = self.cluster.run("alice", "sacct", "-aXDPn", "-q", QOS, "-S", "now-1hour", "-o", "State").stdout
        words = [line.split(" ", maxsplit=1)[0] for line in told.splitlines()]
        return {word: words.count(word) for word in set(words)}


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Every job, ended, with Librarian's store of what they used."""
    cluster.shell("root", f"sacctmgr -i add qos {QOS}; sacctmgr -i modify account avery set qos+={QOS}; true")
    cluster.shell("root", f"sacctmgr -i modify user alice set qos+={QOS}")
    for name, text in (("burn.py", BURN), ("hold.py", HOLD)):
        cluster.run("alice", "tee", name, text=text, folder="/home/alice")
    program = Program(cluster, "alice", "/home/alice/used")
    program.configure([QOS])
    found = Jobs(cluster, {}, program, tmp_path_factory.mktemp("used") / "hpg.sqlite")
    for label, (options, script) in JOBS.items():
        done = cluster.shell("alice", f"cd; sbatch --parsable -o /dev/null -q {QOS} {options} --wrap '{script}'")
        found.ids[label] = done.stdout.strip()
    for label in ("requeued", "cancelled"):
        running = ("squeue", "-h", "-t", "RUNNING", "-j", found.ids[label])
        cluster.wait_for(lambda running=running: bool(cluster.run("alice", *running).stdout), f"{label} to run")  # type: ignore[misc]
    cluster.run("root", "sleep", "5")  # so that slurmd has samples of them
    found.running = json.loads(program.run("job", found.ids["cancelled"], "--json").stdout)
    cluster.run("alice", "scontrol", "requeue", found.ids["requeued"])
    cluster.run("alice", "scancel", found.ids["cancelled"])
    cluster.wait_for(lambda: found.states() == ENDED, "all jobs to end, and slurmdbd to know it")
    found.look()
    yield found


def test_cpu_time_is_what_the_processes_say_they_took(jobs: Jobs) -> None:
    used = jobs["busy"]
    assert used.use.cpu == pytest.approx(12_000, rel=0.03, abs=300)
    hours = hours_of(used)["NCPUS"]
    assert hours.allocated == 4 * 1024 * used.run.elapsed
    assert hours.efficiency == pytest.approx(12 / (4 * used.run.elapsed), abs=0.03), "50 % where two CPUs are free"
    assert used.use.source is Source.STEPS


def test_memory_is_the_sum_over_tasks_and_over_steps_at_the_same_time(jobs: Jobs) -> None:
    assert 200 * MB <= (jobs["four tasks"].use.memory or 0) <= 265 * MB
    assert 90 * MB <= (jobs["in turn"].use.memory or 0) <= 125 * MB, "the larger one and srun"
    assert 150 * MB <= (jobs["together"].use.memory or 0) <= 205 * MB, "both and srun"


def test_a_job_that_no_sample_met_has_cpu_time_and_no_memory(jobs: Jobs) -> None:
    use = jobs["short"].use
    assert use.cpu is not None
    assert use.cpu < 1000
    assert use.memory is None


def test_a_running_job_says_which_cpus_and_gpus_of_which_node_it_holds(jobs: Jobs) -> None:
    (there,) = jobs.running["placed"]
    assert there["nodes"] == jobs.running["nodes"]
    assert count(there["cpu_ids"]) == 1
    assert count(there["gpu_ids"]) == 1
    assert there["memory"] == 200 << 20


def test_ends_of_every_kind(jobs: Jobs) -> None:
    assert (jobs["out of memory"].run.state, jobs["cancelled"].run.state) == ("FAILED", "CANCELLED")
    assert Flag.MORE_MEMORY in jobs["out of memory"].use.flags
    assert jobs["cancelled"].use.memory
    first, second = jobs.runs("requeued")
    assert (first.run.state, second.run.state) == ("REQUEUED", "FAILED")
    assert first.run.dbindex != second.run.dbindex
    assert first.run.end <= second.run.start


def test_exit_codes_and_job_arrays_in_the_list_of_jobs(jobs: Jobs) -> None:
    told = json.loads(jobs.program.run("jobs", "--since", "1h", "--json").stdout)["jobs"]
    found = [(one["id"], one["state"], one["exit_code"]) for one in told]
    number = jobs.ids["array"]
    tasks = {f"{number}_{task}": ("FAILED", "7:0") if task == 1 else ("COMPLETED", "0:0") for task in range(4)}
    assert {key: (state, code) for key, state, code in found if key.startswith(f"{number}_")} == tasks
    assert (jobs.ids["requeued"], "FAILED", "3:0") in found
    assert {state for key, state, _ in found if key == jobs.ids["requeued"]} == {"REQUEUED", "FAILED"}
    assert [state for key, state, _ in found if key == jobs.ids["cancelled"]] == ["CANCELLED"]
    lines = jobs.program.run("jobs", "--since", "1h").stdout.splitlines()
    (row,) = [line for line in lines if line.split()[0] == number]
    assert "3 COMPLETED, 1 FAILED" in row
    assert "0:0, 7:0" in row


def test_asked_again_the_sums_are_the_same_and_all_that_was_allocated_is_in_them(jobs: Jobs) -> None:
    before = _group(jobs)
    jobs.look()
    assert _group(jobs) == before
    cpus_of = "substring_index(substring_index(concat(',', tres_alloc), ',1=', -1), ',', 1)"  # TRES 1 is cpu
    held = f"SELECT sum((time_end - time_start) * {cpus_of})"
    rows = jobs.cluster.sql(f"{held} FROM hpg_job_table WHERE id_qos = (SELECT id FROM qos_table WHERE name = '{QOS}')")
    cpus = before["NCPUS"]
    assert cpus.allocated == 1024 * int(float(rows[0][0]))
    assert 0 < cpus.measured <= cpus.allocated


def _group(jobs: Jobs) -> dict[str, object]:
    with opened(jobs.copy, "hpg") as store:
        return dict(group(RunUses(store).totals(Scope("hpg", QOS), 0, 2**40)))  # type: ignore[return-value]


def test_what_jobstats_left_counts_once_it_is_there(jobs: Jobs) -> None:
    assert jobs["gpus"].use.gpu is None, "not 0 %"
    node = {"total_time": 1, "used_memory": 10 * MB, "gpu_utilization": {"0": 37.5, "1": 0}}
    packed = base64.b64encode(gzip.compress(json.dumps({"nodes": {"c01": node}}).encode())).decode()
    change = ("modify", "job", "where", f"jobid={jobs.ids['gpus']}", "set", f"admincomment=JS1:{packed}")
    jobs.cluster.run("root", "sacctmgr", "-i", *change)
    jobs.look()
    used = jobs["gpus"]
    if jobs.cluster.slurm == "22.05":  # sacctmgr stores it in lower case there
        assert (used.use.gpu, used.use.flags) == (None, {Flag.BAD_STATS})
    else:
        assert hours_of(used)["NGPUS"].efficiency == pytest.approx(0.1875, abs=0.002)
        assert used.use.source is Source.JOBSTATS
