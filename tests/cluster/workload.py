"""Jobs of every kind that Slurm's accounting tells apart, submitted by several users at once.

All of it takes about 90 s, of which the job that runs into its time limit needs the most: Slurm's shortest limit is a
minute, and it looks at limits every half minute.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.cluster.client import Cluster

HOSTILE_NAME = "a|b\n\"c'</script><script>alert(1)</script>é\u202e"

# What is to be disturbed runs until it was, however slow the machine is.
AGAIN = '[ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && exec sleep 5; exec sleep 86400'
UNTIL = "until [ -e /tmp/{} ]; do sleep 1; done; sleep 4"

# Label -> user, options of sbatch, command. The first is the one that takes longest.
BATCH: dict[str, tuple[str, str, str]] = {
    "timed out": ("alice", "-t 1 -c 2 --mem=1G", "sleep 600"),
    "exclusive": ("carol", "-p gpu -w c02 --exclusive --mem=0", "sleep 6"),
    "plain": ("alice", "-c 4 --mem=2G", "sleep 8"),
    "memory per cpu": ("bob", "-c 3 --mem-per-cpu=1500M", "sleep 7"),
    "odd memory": ("bob", "-c 1 --mem=1537M", "sleep 5"),
    "typed gpu": ("carol", "-p gpu --gres=gpu:a100:2 -c 2 --mem=8G", "sleep 9"),
    "untyped gpu": ("dave", "-p gpu --gres=gpu:1 -c 1 --mem=4G", "sleep 5"),
    "gpus": ("alice", "-p gpu -G 3 -c 2 --mem=3G", "sleep 6"),
    "gpus per node": ("bob", "-p gpu -w c03,c04 -N 2 --gpus-per-node=b200:2 -c 4 --mem=5G", "sleep 7"),
    "two tasks, two nodes": ("dave", "-N 2 -n 2 -c 3 --mem=2G", "sleep 6"),
    "array": ("dave", "--array=1-6%2 -c 1 --mem=512M", "sleep 3"),
    "array waits": ("dave", "--array=1-5%1 -c 1 --mem=512M", "sleep 86400"),
    "failed": ("bob", "-c 2 --mem=1G", "sleep 3; exit 3"),
    "cancelled before start": ("carol", "-c 2 --mem=1G --begin=now+1hour", "sleep 1"),
    "cancelled while held": ("carol", "-c 2 --mem=1G --hold", "sleep 1"),
    "cancelled": ("dave", "-c 6 --mem=1G", "sleep 86400"),
    "held": ("alice", "-c 2 --mem=1G --hold", "sleep 1"),
    "requeued": ("bob", "-c 5 --mem=1G --requeue", AGAIN),
    "resumed": ("carol", "-c 7 --mem=1G", UNTIL.format("resumed")),
    "suspended": ("carol", "-c 1 --mem=1G", "sleep 86400"),
    "resized": ("alice", "-N 2 -n 2 -c 1 --mem=1G --no-requeue", UNTIL.format("resized")),
    "node failed": ("bob", "-p gpu -w c04 -c 3 --mem=2G --gres=gpu:b200:1 --no-requeue", "sleep 86400"),
    "running": ("bob", "-c 2 --mem=3G", "sleep 86400"),
    "running gpu": ("alice", "-p gpu -c 2 --mem=3G --gres=gpu:a100:1", "sleep 86400"),
    "burst": ("alice", "-q avery-b -c 32 --mem=16G", "sleep 6"),
    "kim": ("erin", "-c 4 --mem=4G", "sleep 7"),
    "kim gpu": ("frank", "-p gpu --gres=gpu:b200:1 -c 2 --mem=4G", "sleep 6"),
    "kim fills its limit": ("erin", "-c 8 --mem=4G --begin=now+12", "sleep 86400"),
    "kim waits for its limit": ("frank", "-c 8 --mem=4G --begin=now+14", "sleep 86400"),
    "kim burst": ("frank", "-q kim-b -c 16 --mem=16G", "sleep 6"),
    "odd names": ("o.dd-u_ser9", "-c 2 --mem=1G", "sleep 5"),
    "out of memory": ("alice", "-c 1 --mem=50M", "python3 -c 'import time; a = bytearray(300 << 20); time.sleep(60)'"),
    "preempted": ("frank", "-q kim-b -p small -c 4 --mem=1G --no-requeue", "sleep 600"),
    "preempted and requeued": ("frank", "-q kim-b -p small -c 4 --mem=1G --requeue", AGAIN),
    "preempts": ("dave", "-p small -c 8 --mem=1G --hold", "sleep 3"),
    "kim gives up waiting": ("frank", "-c 8 --mem=4G --begin=now+14", "sleep 1"),
}
HET = """#!/bin/bash
#SBATCH -c 2 --mem=1G
#SBATCH hetjob
#SBATCH -p gpu -c 5 --mem=3G --gres=gpu:b200:1
sleep 6
"""
STAY = ("suspended", "running", "running gpu", "array waits", "held", "kim fills its limit", "kim waits for its limit")
CRON = "#SCRON -J reporter -c 1 --mem=512M -t 2 -q avery\n* * * * * sleep 2\n"


@dataclass
class Workload:
    """The jobs in a cluster."""

    cluster: Cluster
    ids: dict[str, str] = field(default_factory=dict)
    """Label -> Slurm's id of the job."""

    def submit(self) -> None:
        """Submit all jobs, in a fixed order, so that they get the same ids in every fresh cluster."""
        for label in BATCH:
            self._batch(label)
        self._sbatch("heterogeneous", "alice", "-J", "heterogeneous", text=HET)
        self._sbatch("hostile name", "dave", "-J", HOSTILE_NAME, "-c", "1", "--mem=1G", "--wrap", "sleep 4")

    def _batch(self, label: str) -> None:
        user, options, command = BATCH[label]
        self._sbatch(label, user, "-J", label, *options.split(), "--wrap", command)

    def _sbatch(self, label: str, user: str, *options: str, text: str = "") -> None:
        done = self.cluster.run(user, "sbatch", "--parsable", "-o", "/dev/null", *options, text=text)
        self.ids[label] = done.stdout.strip().partition(";")[0]

    def disturb(self) -> None:
        """Requeue, suspend, resume, cancel, resize, preempt and break jobs; takes about 20 s."""
        steps = (self._cancel, self._requeue, self._suspend, self._resize, self._preempt)
        with ThreadPoolExecutor(len(steps)) as pool:
            for done in [pool.submit(step) for step in steps]:
                done.result()
        self._break_node()

    def _cancel(self) -> None:
        for label, user in (("cancelled before start", "carol"), ("cancelled while held", "carol")):
            self.cluster.run(user, "scancel", self.ids[label])
        self._await_state("cancelled", "RUNNING")
        self.cluster.run("root", "sleep", "4")
        self.cluster.run("dave", "scancel", self.ids["cancelled"])
        self._await("kim gives up waiting", "%r", "QOSGrpCpuLimit")
        self.cluster.run("frank", "scancel", self.ids["kim gives up waiting"])

    def _requeue(self) -> None:
        self._await_state("requeued", "RUNNING")
        self.cluster.run("root", "sleep", "3")
        self.cluster.run("bob", "scontrol", "requeue", self.ids["requeued"])

    def _suspend(self) -> None:
        for label in ("resumed", "suspended"):
            self._await_state(label, "RUNNING")
        self.cluster.run("root", "sleep", "3")
        for label in ("resumed", "suspended"):
            self.cluster.run("root", "scontrol", "suspend", self.ids[label])
        self.cluster.run("root", "sleep", "6")
        self.cluster.run("root", "scontrol", "resume", self.ids["resumed"])
        self.cluster.run("root", "touch", "/tmp/resumed")

    def _resize(self) -> None:
        self._await_state("resized", "RUNNING")
        self.cluster.run("root", "sleep", "4")
        self.cluster.run("alice", "scontrol", "update", f"JobId={self.ids['resized']}", "NumNodes=1")
        self.cluster.run("root", "touch", "/tmp/resized")

    def _preempt(self) -> None:
        """A QoS that may preempt wants a node that is full: one job of the other is cancelled, one requeued."""
        for label in ("preempted", "preempted and requeued"):
            self._await_state(label, "RUNNING")
        self.cluster.run("root", "sleep", "2")
        self.cluster.run("root", "scontrol", "release", self.ids["preempts"])

    def _break_node(self) -> None:
        """The node goes down under its job and comes back; the other jobs that used it must have ended."""
        self._await_state("node failed", "RUNNING")
        self.cluster.wait_for(lambda: self._on_node("c04") == {self.ids["node failed"]}, "c04 to run one job alone")
        self.cluster.run("root", "scontrol", "update", "NodeName=c04", "State=DOWN", "Reason=test")
        # the node may have come back by itself, and is then not to be resumed
        self.cluster.run("root", "scontrol", "update", "NodeName=c04", "State=RESUME", check=False)
        state = ("sinfo", "-h", "-n", "c04", "-p", "gpu", "-o", "%T")
        self.cluster.wait_for(lambda: "down" not in self.cluster.run("root", *state).stdout, "c04 to be back")

    def _on_node(self, node: str) -> set[str]:
        return set(self.cluster.run("root", "squeue", "-h", "-w", node, "-o", "%A").stdout.split())

    def _await_state(self, label: str, state: str) -> None:
        self._await(label, "%T", state)

    def _await(self, label: str, column: str, value: str) -> None:
        asked = ("squeue", "-h", "-j", self.ids[label], "-o", column)
        self.cluster.wait_for(
            lambda: value in self.cluster.run("root", *asked, check=False).stdout, f"“{label}” to be {value}"
        )

    def finish(self) -> None:
        """Wait until every job has ended that will, and slurmdbd knows it."""
        ends = {job for label, job in self.ids.items() if label not in STAY}
        self.cluster.wait_for(lambda: not ends & self._queued(), "the jobs to end")
        self.cluster.wait_for(lambda: not ends & self._open_in_database(), "slurmdbd to hear of the ends")
        self._call_it_out_of_memory()

    def _call_it_out_of_memory(self) -> None:
        """Slurm has ended the job for its memory, but tells so in the state only where cgroups told it: not here."""
        self.cluster.sql(f"UPDATE hpg_job_table SET state = 11 WHERE id_job = {self.ids['out of memory']}")

    def _queued(self) -> set[str]:
        return set(self.cluster.run("root", "squeue", "-h", "-a", "-o", "%F").stdout.split())

    def _open_in_database(self) -> set[str]:
        query = "SELECT IF(id_array_job, id_array_job, id_job) FROM hpg_job_table WHERE time_end = 0"
        return {row[0] for row in self.cluster.sql(query)}
