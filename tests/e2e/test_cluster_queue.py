"""Who waits, and why: QoS of their own on a real cluster, filled to their limits, with jobs behind for every reason
that can be made there. What the program tells is compared with plain squeue, and the waits with slurmdbd's tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from librarian.subjects.queue.reasons import explain, read_reason
from tests.cluster.client import Cluster
from tests.cluster.program import Program

pytestmark = pytest.mark.slow

QOS = ("wq-cpu", "wq-gpu", "wq-mem", "wq-jobs", "wq-user", "wq-none")
LIMITS = {
    "wq-cpu": "GrpTRES=cpu=8",
    "wq-gpu": "GrpTRES=gres/gpu=3",
    "wq-mem": "GrpTRES=mem=8G",
    "wq-jobs": "GrpJobs=2",
    "wq-user": "MaxTRESPerUser=cpu=3 MaxWall=60",
    "wq-none": "",
}
DRAWN = ("wq-cpu", "wq-jobs")  # the QoS of the site: to draw takes longer than to ask
SLEEP = "sleep 300"
# QoS, user, options: first what fills the limit, then what waits behind it.
FILL = (
    ("wq-cpu", "alice", "-c 5 --mem=100M -t 60"),
    ("wq-cpu", "bob", "-c 3 --mem=100M -t 45"),
    ("wq-gpu", "alice", "-p gpu --gres=gpu:a100:2 -c 1 --mem=100M -t 60"),
    ("wq-gpu", "bob", "-p gpu -G 1 -c 1 --mem=100M -t 60"),
    ("wq-mem", "carol", "-c 1 --mem=7G -t 60"),
    ("wq-jobs", "alice", "-c 1 --mem=100M -t 60"),
    ("wq-jobs", "alice", "-c 1 --mem=100M -t 60"),
    ("wq-user", "dave", "-c 3 --mem=100M -t 60"),
    ("wq-none", "alice", "-p small -c 8 --mem=100M -t 60"),
    ("wq-none", "carol", "--array=1-9%1 -c 2 --mem=100M -t 60"),
)
GROUPS_JOBS = "group's jobs"
WAIT = {
    "group's CPUs": ("wq-cpu", "carol", "-c 4 --mem=1G -t 60"),
    "an array": ("wq-cpu", "dave", "--array=1-20,30-40:2 -c 1 --mem=512M -t 60"),
    "more than the limit": ("wq-cpu", "alice", "-c 9 --mem=100M -t 60"),
    "cpus of two nodes": ("wq-cpu", "bob", "-N 2 -n 3 -c 2 --mem-per-cpu=150M -t 60"),
    "group's GPUs": ("wq-gpu", "dave", "-p gpu -G 3 -c 2 --mem=3G -t 60"),
    "GPUs by node": ("wq-gpu", "carol", "-p gpu -N 2 --gpus-per-node=b200:2 -c 4 --mem=5G -t 60"),
    "group's memory": ("wq-mem", "bob", "-c 2 --mem=1537M -t 60"),
    GROUPS_JOBS: ("wq-jobs", "bob", "-c 1 --mem=100M -t 60"),
    "own CPUs": ("wq-user", "dave", "-c 2 --mem=100M -t 60"),
    "too long": ("wq-user", "carol", "-c 1 --mem=100M -t 120"),
    "full node": ("wq-none", "bob", "-p small -c 8 --mem=100M -t 30"),
    "behind that": ("wq-none", "dave", "-p small -c 4 --mem=100M -t 30"),
    "held by user": ("wq-none", "bob", "--hold -c 1 --mem=100M -t 60"),
    "held by admin": ("wq-none", "bob", "--hold -c 1 --mem=200M -t 60"),
    "two partitions": ("wq-none", "bob", "-p cpu,small --hold -c 3 --mem=100M -t 60"),
    "begins later": ("wq-none", "dave", "--begin=now+1hour -c 1 --mem=100M -t 60"),
}
EXPECTED = {
    "wq-cpu": {"QOSGrpCpuLimit"},
    "wq-gpu": {"QOSGrpGRES"},
    "wq-mem": {"QOSGrpMemLimit"},
    "wq-jobs": {"QOSGrpJobsLimit"},
    "wq-user": {"QOSMaxCpuPerUserLimit", "QOSMaxWallDurationPerJobLimit"},
    "wq-none": {
        *("Resources", "Priority", "JobHeldUser", "JobHeldAdmin", "BeginTime", "JobArrayTaskLimit", "Dependency"),
        "DependencyNeverSatisfied",
    },
}


@dataclass
class Crowd:
    """Jobs that run and wait in QoS of their own."""

    cluster: Cluster
    program: Program
    ids: dict[str, str] = field(default_factory=dict)
    fills: list[str] = field(default_factory=list)

    def submit(self, qos: str, user: str, options: str, command: str = SLEEP) -> str:
        where = ("-q", qos, "-A", "wq", "-o", "/dev/null", "--parsable")
        done = self.cluster.run(user, "sbatch", *where, *options.split(), "--wrap", command)
        return done.stdout.strip()

    def start(self) -> None:
        self.fills = [self.submit(*job) for job in FILL]
        self.cluster.wait_for(lambda: self.count("RUNNING", self.fills) == len(self.fills), "the limits to be full")
        self.ids = {label: self.submit(*job) for label, job in WAIT.items()}
        self.cluster.run("root", "scontrol", "hold", self.ids["held by admin"])
        failed = self.submit("wq-none", "bob", "-c 1 --mem=50M -t 5", "false")
        self.ids["waits"] = self.submit("wq-none", "bob", f"-c 1 --mem=50M -d afterok:{self.fills[-1]}")
        self.ids["waits in vain"] = self.submit("wq-none", "bob", f"-c 1 --mem=50M -d afterok:{failed}")
        self.cluster.wait_for(lambda: all(self.reasons(qos) >= EXPECTED[qos] for qos in QOS), "every reason to be told")

    def squeue(self, qos: str, fields: str, *options: str) -> list[list[str]]:
        """What plain squeue says of the jobs that wait, with arrays expanded by itself."""
        chosen = ("-r", "-h", "-a", "-t", "PD", "-q", qos, *options, "-O", fields)
        argv = ("env", "SLURM_TIME_FORMAT=%s", "squeue", *chosen)
        return [line.split("|") for line in self.cluster.run("alice", *argv).stdout.splitlines()]

    def reasons(self, qos: str) -> set[str]:
        return {row[0] for row in self.squeue(qos, "Reason:|")}

    def count(self, state: str, jobs: Sequence[str]) -> int:
        argv = ("squeue", "-h", "-t", state, "-j", ",".join(jobs), "-o", "%F")
        return len(set(self.cluster.run("root", *argv, check=False).stdout.split()))


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> Iterator[Crowd]:
    mgr = ("sacctmgr", "-i")
    cluster.run("root", *mgr, "add", "qos", ",".join(QOS))
    for qos, limits in LIMITS.items():
        if limits:
            cluster.run("root", *mgr, "modify", "qos", qos, "set", *limits.split())
    users = ("alice", "bob", "carol", "dave")
    cluster.run("root", *mgr, "add", "account", "wq", f"qos={','.join(QOS)}", "defaultqos=wq-none")
    cluster.run("root", *mgr, "add", "user", ",".join(users), "account=wq")
    program = Program(cluster, "alice", "/home/alice/waiting")
    program.configure(DRAWN)
    found = Crowd(cluster, program)
    try:
        found.start()
        yield found
    finally:
        cluster.run("root", "scancel", "-A", "wq")
        gone = ("squeue", "-h", "-a", "-A", "wq", "-o", "%F")
        cluster.wait_for(lambda: not cluster.run("root", *gone).stdout, "the jobs to be gone")
        cluster.run("root", *mgr, "delete", "account", "wq")
        cluster.run("root", *mgr, "delete", "qos", ",".join(QOS))


@dataclass(frozen=True)
class Both:
    """The answer of `librarian queue --json`, and plain squeue's of the same moment."""

    told: dict[str, dict[str, Any]]
    squeue: dict[str, list[list[str]]]
    starts: dict[str, list[list[str]]]


FIELDS = "JobArrayID:|,UserName:|,Reason:|,tres-alloc:|,StartTime:|,SubmitTime:|,EligibleTime:|"


@pytest.fixture(scope="module")
def both(crowd: Crowd) -> Both:
    """Asked again until nothing has moved between two answers of squeue's with the program's between them."""
    found: list[Both] = []

    def settled() -> bool:
        before = {qos: crowd.squeue(qos, FIELDS) for qos in QOS}
        done = crowd.program.run("queue", "--json", *QOS)
        starts = {qos: crowd.squeue(qos, "JobArrayID:|,StartTime:|", "--sort=i") for qos in QOS}
        after = {qos: crowd.squeue(qos, FIELDS) for qos in QOS}
        found[:] = [Both({one["qos"]: one for one in json.loads(done.stdout)}, after, starts)]
        return sorted(map(str, before.items())) == sorted(map(str, after.items()))

    crowd.cluster.wait_for(settled, "the queue to stay as it is for a moment")
    return found[0]


def test_jobs_by_reason_and_user_are_squeues(both: Both) -> None:
    for qos in QOS:
        rows = both.squeue[qos]
        expected = Counter((read_reason(row[2])[0], row[1]) for row in rows)
        causes = both.told[qos]["reasons"]
        told = {(cause["reason"], user): jobs for cause in causes for user, jobs in cause["users"].items()}
        assert told == expected, qos
        assert both.told[qos]["jobs"] == len(rows)
        assert {read_reason(row[2])[0] for row in rows} >= EXPECTED[qos]
        assert all(explain(cause["reason"]).words != explain("?").words for cause in both.told[qos]["reasons"])


def test_what_they_ask_for_is_what_sbatch_was_told(crowd: Crowd, both: Both) -> None:
    def asked(qos: str, reason: str) -> tuple[float, ...]:
        (cause,) = (cause for cause in both.told[qos]["reasons"] if cause["reason"] == reason)
        return (cause["jobs"], cause["NCPUS"], cause["NGPUS"], cause["MEMORY"])

    # -c 4; 26 tasks of one; -c 9; 3 tasks with 2 CPUs each, 150 MiB a CPU
    assert asked("wq-cpu", "QOSGrpCpuLimit") == (29, 4 + 26 + 9 + 6, 0, pytest.approx(1 + 13 + (100 + 900) / 1024))
    # -G 3; two nodes with 2 GPUs, 4 CPUs and 5 GiB each
    assert asked("wq-gpu", "QOSGrpGRES") == (2, 2 + 8, 3 + 4, 3 + 10)
    assert asked("wq-mem", "QOSGrpMemLimit") == (1, 2, 0, 1537 / 1024)
    assert asked("wq-none", "JobArrayTaskLimit")[:2] == (8, 16)
    (held,) = (c for c in both.told["wq-none"]["reasons"] if c["reason"] == "JobHeldUser")
    assert (held["jobs"], held["NCPUS"]) == (2, 4), "a job for two partitions counts once"


def test_who_competes_and_who_waits_for_something_else(both: Both) -> None:
    groups = {cause["reason"]: cause["group"] for one in both.told.values() for cause in one["reasons"]}
    assert {reason for reason, group in groups.items() if group == "competing"} >= {
        *("QOSGrpCpuLimit", "QOSGrpGRES", "QOSGrpMemLimit", "QOSGrpJobsLimit", "QOSMaxCpuPerUserLimit"),
        *("Resources", "Priority"),
    }
    assert groups["Dependency"] == groups["DependencyNeverSatisfied"] == "dependency"
    assert groups["BeginTime"] == "begin"
    for reason in ("JobHeldUser", "JobHeldAdmin", "JobArrayTaskLimit", "QOSMaxWallDurationPerJobLimit"):
        assert groups[reason] == "held", reason
    none = both.told["wq-none"]["groups"]
    assert [none[group]["jobs"] for group in ("competing", "held", "dependency", "begin")] == [2, 3 + 8, 2, 1]


def test_who_holds_what_is_short_is_named(both: Both) -> None:
    texts = {cause["reason"]: cause for one in both.told.values() for cause in one["reasons"]}
    cpus = texts["QOSGrpCpuLimit"]
    assert cpus["text"].startswith("All of the group's 8 CPUs are in use: alice holds 5, bob 3. One job asks for more")
    assert cpus["holders"] == [{"user": "alice", "value": 5}, {"user": "bob", "value": 3}]
    assert texts["QOSGrpGRES"]["text"].startswith("All of the group's 3 GPUs are in use: alice holds 2, bob 1.")
    assert texts["QOSGrpMemLimit"]["text"].startswith("7 of the group's 8 GiB of memory are in use: carol holds 7.")
    assert "alice runs 2" in texts["QOSGrpJobsLimit"]["text"]
    assert "dave holds 3" in texts["QOSMaxCpuPerUserLimit"]["text"]


def test_estimated_starts_are_slurms(both: Both) -> None:
    known = 0
    for qos in QOS:
        starts = {row[0]: row[1] for row in both.starts[qos]}
        rows = both.told[qos]["waiting"]
        for row in rows:
            if "[" not in row["job"]:
                start = starts[row["job"]]
                assert str(row["start"]) == (start if start.isdigit() else "None")
                known += start.isdigit()
        counted = ("competing", "begin")
        groups = {cause["reason"]: cause["group"] for cause in both.told[qos]["reasons"]}
        to_come = [row for row in rows if row["start"] and row["start"] > both.told[qos]["at"]]
        first = [row["start"] for row in to_come if groups[read_reason(row["reason"])[0]] in counted]
        assert both.told[qos]["next_start"] == min(first, default=None)
    assert known >= 2, "the begin time, and the first job for the node that is full"


def test_the_tables_are_for_people(crowd: Crowd) -> None:
    text = crowd.program.run("queue", "wq-cpu", "WQ-NONE").stdout
    assert "wq-cpu: 29 jobs waiting" in text
    assert "Its owner holds it." in text
    assert max(map(len, text.splitlines())) <= 80
    done = crowd.program.run("queue", "nosuch", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Slurm knows no QoS nosuch" in done.stderr


def test_the_site_has_the_queue_its_history_and_the_waits(crowd: Crowd) -> None:
    crowd.cluster.run("root", "scancel", crowd.fills[5])
    begun = f"SELECT 1 FROM hpg_job_table WHERE id_job = {crowd.ids[GROUPS_JOBS]} AND time_start > time_eligible"
    crowd.cluster.wait_for(lambda: bool(crowd.cluster.sql(begun)), "the next job to start, and slurmdbd to know it")
    crowd.program.run("run")
    crowd.program.run("run")
    data = crowd.program.data("wq-cpu")
    assert data["queue"]["jobs"] == 29
    assert data["queue"]["error"] is None
    assert sum(data["waiting"]["sampled"]) == 2
    last = {user: row[-1] for user, row in data["waiting"]["NCPUS"].items()}
    if data["waiting"]["sampled"][-1] == 2:  # not so where an hour began between the two
        assert last == {"alice": 9, "bob": 6, "carol": 4, "dave": 26}
    for qos in DRAWN:
        columns = crowd.program.data(qos)["waits"]["ranges"]["6h"]["columns"]
        rows = zip(*(columns[name] for name in ("user", "kind", "size", "jobs", "median")), strict=True)
        told = {(user, kind): (jobs, median) for user, kind, size, jobs, median in rows if size is None}
        assert told == waits_in_database(crowd.cluster, qos), qos


def waits_in_database(cluster: Cluster, qos: str) -> dict[tuple[str | None, str], tuple[int, int]]:
    """Runs that started, and the median of start - eligible, of each user and of all, by slurmdbd's tables."""
    found: dict[tuple[str | None, str], tuple[int, int]] = {}
    for whom in ("user", "'*'"):
        rows = cluster.sql(f"""
            SELECT DISTINCT whom, n, MEDIAN(wait) OVER (PARTITION BY whom) FROM (
                SELECT {whom} AS whom, COUNT(*) OVER (PARTITION BY {whom}) AS n,
                    CAST(j.time_start AS SIGNED) - CAST(j.time_eligible AS SIGNED) AS wait
                FROM hpg_job_table j JOIN hpg_assoc_table a ON a.id_assoc = j.id_assoc
                    JOIN qos_table q ON q.id = j.id_qos
                WHERE q.name = '{qos}' AND j.time_start > 0
            ) AS waits""")
        for name, jobs, middle in rows:
            found[None if name == "*" else name, "cpu"] = (int(jobs), int(float(middle) + 0.5))
    return found


def asked_for(queue: dict[str, Any]) -> dict[str, Any]:
    """What squeue told of the queue; who holds what is short is slurmdbd's, and may be told later."""
    told = [{key: value for key, value in one.items() if key not in ("text", "holders")} for one in queue["reasons"]]
    return {**queue, "reasons": told}


def test_without_slurmctld_the_last_queue_stays(crowd: Crowd) -> None:
    crowd.program.run("run")
    before = crowd.program.data("wq-cpu")
    crowd.cluster.stop_slurmctld()
    try:
        done = crowd.program.run("run", check=False)
        after = crowd.program.data("wq-cpu")
        asked = crowd.program.run("queue", check=False)
    finally:
        crowd.cluster.start_slurmctld()
    assert done.returncode == 0, "usage is slurmdbd's, and was told"
    assert "the queue of wq-cpu is not known now" in done.stderr
    assert len(done.stderr.splitlines()) == 1, "the other QoS were not asked"
    assert after["staleness"]["stale"] is False
    assert asked_for(after["queue"]) == {**asked_for(before["queue"]), "error": after["queue"]["error"]}
    assert after["queue"]["error"] == "Slurm did not answer"
    assert sum(after["waiting"]["sampled"]) == sum(before["waiting"]["sampled"])
    assert (asked.returncode, asked.stdout, len(asked.stderr.splitlines())) == (3, "", 1)
