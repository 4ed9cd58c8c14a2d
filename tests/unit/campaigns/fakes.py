"""A stand-in for Slurm: programs on PATH that keep arrays in a folder, and are told how to fail."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from librarian.cli.main import main

PROGRAM = r"""#!PYTHON -I
import fcntl, json, os, signal, sys, time
root = "ROOT"
name = os.path.basename(sys.argv[0])
if os.path.exists(os.path.join(root, "down-" + name)):
    sys.stderr.write("slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n")
    sys.exit(1)
file = open(os.path.join(root, "jobs.json"), "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
state = json.load(file)
with open(os.path.join(root, "calls"), "a") as calls:
    calls.write(json.dumps([name] + sys.argv[1:]) + "\n")
def option(key):
    return [word[len(key) + 1:] for word in sys.argv if word.startswith(key + "=")][-1]
def spread(text):
    found = []
    for part in text.split("%")[0].split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return found
def save():
    file.seek(0); file.truncate(); json.dump(state, file); file.flush(); os.fsync(file.fileno())
def tasks(jobs):
    return [(job, int(index), task) for job in jobs for index, task in job["tasks"].items()]
if name == "sbatch":
    rows = spread(option("--array"))
    used = sum(task["state"] in ("PENDING", "RUNNING") for _, _, task in tasks(state["jobs"]))
    if state.get("mode") == "kill-before":
        os.kill(os.getppid(), signal.SIGKILL); sys.exit(1)
    if used + len(rows) > state["max_submit"]:
        sys.stderr.write("sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: "
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)\n")
        sys.exit(1)
    if state.get("mode") == "refuse":
        sys.stderr.write("sbatch: error: Batch job submission failed: Invalid partition name specified\n"); sys.exit(1)
    number = 100 + len(state["jobs"])
    state["jobs"].append({"id": number, "name": option("--job-name"), "script": sys.argv[-1], "argv": sys.argv[1:],
        "environment": dict(os.environ),
        "tasks": {row: {"state": "PENDING", "exit": "0:0"} for row in rows}})
    save()
    if state.get("mode") == "kill-after":
        os.kill(os.getppid(), signal.SIGKILL)
    if state.get("mode") == "lost":
        sys.stderr.write("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n")
        sys.exit(1)
    print(number)
elif name == "squeue":
    if any(word.startswith("--name=") for word in sys.argv):
        print("ARRAY_JOB_ID|NAME")
        for job in state["jobs"]:
            if job["name"] == option("--name") and not state.get("forgotten"): print("%d|%s" % (job["id"], job["name"]))
    else:
        print("ARRAY_JOB_ID|ARRAY_TASK_ID|STATE|REASON")
        for job, index, task in tasks(state["jobs"]):
            if task["state"] in ("PENDING", "RUNNING"):
                print("%d|%d|%s|%s" % (job["id"], index, task["state"], "Resources"))
elif name == "sacct":
    if any(word.startswith("--name=") for word in sys.argv):
        print("JobID|JobName")
        for job in state["jobs"]:
            if job["name"] == option("--name"): print("%d_0|%s" % (job["id"], job["name"]))
    else:
        print("JobID|State|ExitCode|Start|End|ElapsedRaw|CPUTimeRAW")
        wanted = sys.argv[sys.argv.index("-j") + 1].split(",")
        for job, index, task in tasks(state["jobs"]):
            if str(job["id"]) in wanted and not task.get("purged"):
                print("%d_%d|%s|%s|1000|1060|60|120" % (job["id"], index, task["state"], task["exit"]))
elif name == "scontrol":
    print("MaxArraySize            = %d" % state["max_array"])
elif name == "scancel":
    for job, index, task in tasks(state["jobs"]):
        if str(job["id"]) in sys.argv and task["state"] in ("PENDING", "RUNNING"):
            task["state"] = "CANCELLED"
    save()
"""


class FakeSlurm:
    """Slurm as the stand-ins keep it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.bin = root, root / "bin"
        self.bin.mkdir(parents=True)
        self.write(jobs=[], max_submit=10_000, max_array=1001)
        for name in ("sbatch", "squeue", "sacct", "scontrol", "scancel"):
            path = self.bin / name
            path.write_text(PROGRAM.replace("PYTHON", sys.executable).replace("ROOT", str(root)), encoding="utf-8")
            path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{self.bin}:{os.environ['PATH']}")

    def write(self, **state: Any) -> None:
        path = self.root / "jobs.json"
        before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(before | state), encoding="utf-8")

    @property
    def jobs(self) -> list[dict[str, Any]]:
        return list(json.loads((self.root / "jobs.json").read_text(encoding="utf-8"))["jobs"])

    @property
    def sizes(self) -> list[int]:
        return [len(job["tasks"]) for job in self.jobs]

    def end(self, state: str, exit_code: str = "0:0", *, rows: range | None = None, job: int = -1, **more: Any) -> None:
        """Let tasks of an array (by index) be in a state."""
        jobs = self.jobs
        for index in jobs[job]["tasks"]:
            if rows is None or int(index) in rows:
                jobs[job]["tasks"][index] = {"state": state, "exit": exit_code, **more}
        self.write(jobs=jobs)

    def down(self, *names: str) -> None:
        for name in names:
            (self.root / f"down-{name}").touch()

    def up(self) -> None:
        for path in self.root.glob("down-*"):
            path.unlink()

    def calls(self, name: str) -> list[list[str]]:
        lines = (self.root / "calls").read_text(encoding="utf-8").splitlines() if (self.root / "calls").exists() else []
        return [call for call in map(json.loads, lines) if call[0] == name]


class Home:
    """A folder to work in, with campaigns in `c` and a stand-in for Slurm."""

    def __init__(self, folder: Path, slurm: FakeSlurm, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self.slurm, self._capfd = folder, slurm, capfd
        self.err = ""

    def __call__(self, verb: str, *words: str, status: int = 0) -> str:
        self._capfd.readouterr()
        found = main(["campaign", verb, "--path", str(self.folder / "c"), *words])
        out, self.err = self._capfd.readouterr()
        assert found == status, (found, out, self.err)
        return out

    def json(self, name: str = "s") -> dict[str, Any]:
        return dict(json.loads(self("status", name, "--json")))

    def counts(self, name: str = "s") -> list[int]:
        tasks = self.json(name)["tasks"]
        assert sum(tasks[kind] for kind in tasks if kind != "total") == tasks["total"]
        return list(tasks.values())

    def script(self, text: str, name: str = "work.sh") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def submitted(self) -> list[int]:
        """The rows of all arrays that Slurm has, by what the tasks would read."""
        rows = []
        for job in self.slurm.jobs:
            lines = (Path(job["script"]).parent / "rows.jsonl").read_text(encoding="ascii").splitlines()
            rows += [json.loads(lines[int(index)])["row"] for index in job["tasks"]]
        return sorted(rows)
