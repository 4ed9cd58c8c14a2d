"""A QoS filled to each kind of limit by several users, with jobs that wait behind it: what Librarian says of it beside
what slurmctld counts.

Each kind has a QoS of its own, so that all are filled at once. A partition and accounts are made for it too, and all is
taken away in the end.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cluster.client import Cluster
from tests.cluster.program import Json, Program

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Case:
    """A limit and what fills it: `jobs` are users with options of sbatch, the last one waits for `reason`.

    `counted` is what slurmctld tells of it, `source` what Librarian calls it; `used` is as in its JSON, and `by` whose.
    """

    limit: str
    jobs: tuple[tuple[str, str], ...]
    reason: str
    source: str
    counted: str
    used: float
    by: str | None = None
    account: str = "press"


CPUS = "-c 2 --mem=100M"
CASES = {
    "press-cpu": Case(
        "GrpTRES=cpu=4", (("alice", CPUS), ("bob", CPUS), ("carol", CPUS)), "QOSGrpCpuLimit",
        "GrpTRES cpu", r"GrpTRES=cpu=4\(4\)", 4,
    ),
    "press-gpu": Case(
        "GrpTRES=gres/gpu=2", tuple((user, "-p gpu --gres=gpu:1 --mem=100M") for user in ("alice", "bob", "carol")),
        "QOSGrpGRES", "GrpTRES gres/gpu", r"GrpTRES=\S*gres/gpu=2\(2\)", 2,
    ),
    "press-mem": Case(
        "GrpTRES=mem=600M", tuple((user, "-c 1 --mem=300M") for user in ("alice", "bob", "carol")),
        "QOSGrpMemLimit", "GrpTRES mem", r"GrpTRES=\S*mem=600\(600\)", 600 / 1024,
    ),
    "press-node": Case(
        "GrpTRES=node=1", (("alice", "-w c05 --mem=99M"), ("bob", "-w c05 --mem=99M"), ("bob", "-w c06 --mem=99M")),
        "QOSGrpNodeLimit", "GrpTRES node", r"GrpTRES=\S*node=1\(1\)", 1,
    ),
    "press-jobs": Case(
        "GrpJobs=2", (("alice", CPUS), ("bob", CPUS), ("carol", CPUS)), "QOSGrpJobsLimit",
        "GrpJobs", r"GrpJobs=2\(2\)", 2,
    ),
    "press-user": Case(
        "MaxTRESPU=cpu=3", (("bob", CPUS), ("alice", "-c 3 --mem=100M"), ("alice", CPUS)), "QOSMaxCpuPerUserLimit",
        "MaxTRESPerUser cpu", r"MaxTRESPU=cpu=3\(3\)", 3, "alice",
    ),
    "press-userjobs": Case(
        "MaxJobsPU=1", (("bob", CPUS), ("bob", CPUS)), "QOSMaxJobsPerUserLimit",
        "MaxJobsPerUser", r"MaxJobsPU=1\(1\)", 1, "bob",
    ),
    "press-account": Case(
        "MaxTRESPA=cpu=4", (("alice", CPUS), ("bob", CPUS), ("carol", CPUS)), "MaxCpuPerAccount",
        "MaxTRESPerAccount cpu", r"MaxTRESPA=cpu=4\(4\)", 4, "press",
    ),
    # the partition's QoS comes before the job's own, which would allow more
    "press-wide": Case(
        "GrpTRES=cpu=90", tuple((user, f"-p press {CPUS}") for user in ("alice", "bob", "carol")), "QOSGrpCpuLimit",
        "GrpTRES cpu of partition QoS press-part", r"GrpTRES=cpu=90\(4\)", 4,
    ),
    # the account's counts where the QoS sets none
    "press-free": Case(
        "GrpTRES=gres/gpu=9", (("alice", CPUS), ("bob", CPUS), ("carol", CPUS)), "AssocGrpCpuLimit",
        "GrpTRES cpu of association press-lab", r"GrpTRES=cpu=N\(4\)", 4, account="press-lab",
    ),
}  # fmt: skip
# to draw them all would take long
SEEN = "%i|%q|%P|%u|%t|%r|%C|%m|%N"
SHOWN = ("press-cpu", "press-gpu", "press-jobs", "press-user", "press-account", "press-wide", "press-free")
PREPARE = """
set -eu
mgr() { sacctmgr -i "$@" >/dev/null; }
mgr add qos NAMES,press-part
LIMITS
mgr modify qos press-part set GrpTRES=cpu=4
mgr add account press set qos=NAMES defaultqos=press-cpu
mgr add account press-lab parent=press set qos=press-free defaultqos=press-free
mgr modify account press-lab set GrpTRES=cpu=5
mgr add user alice,bob,carol account=press
mgr add user alice,bob,carol account=press-lab
scontrol create PartitionName=press Nodes=c05 State=UP QoS=press-part
"""
CLEAR = """
squeue -h -a -q NAMES -o %A | xargs -r scancel
for _ in $(seq 100); do [ -z "$(squeue -h -a -q NAMES -o %A)" ] && break; sleep 0.2; done
scontrol delete PartitionName=press
sacctmgr -i delete user alice,bob,carol account=press-lab
sacctmgr -i delete user alice,bob,carol account=press
sacctmgr -i delete account press-lab
sacctmgr -i delete account press
sacctmgr -i delete qos NAMES,press-part
"""


@dataclass
class Filled:
    """The QoS, each filled to its limit, and the first report on them."""

    program: Program
    """Librarian with all of them in its configuration."""
    ids: dict[str, list[str]]
    """QoS -> Slurm's ids of its jobs."""
    data: dict[str, Json]
    """What a site says of those in SHOWN."""


@pytest.fixture(scope="module")
def filled(cluster: Cluster) -> Iterator[Filled]:
    names = ",".join(CASES)
    limits = "\n".join(f"mgr modify qos {name} set {case.limit}" for name, case in CASES.items())
    cluster.shell("root", PREPARE.replace("NAMES", names).replace("LIMITS", limits))
    try:
        known = ("scontrol", "show", "assoc_mgr", "flags=assoc", "account=press-lab", "user=carol")
        cluster.wait_for(lambda: "press-lab" in cluster.run("root", *known).stdout, "slurmctld to hear of the accounts")
        ids = {name: [submitted(cluster, name, case, *job) for job in case.jobs] for name, case in CASES.items()}
        expected = {ids[name][-1]: case.reason for name, case in CASES.items()}
        try:
            cluster.wait_for(lambda: waiting(cluster) == expected, "each last job to wait for its limit")
        except AssertionError as error:
            seen = cluster.run("root", "squeue", "-a", "-o", SEEN).stdout
            raise AssertionError(f"{error}\nexpected {expected}, and there was:\n{seen}") from None
        program = Program(cluster, "alice", "/home/alice/pressure")
        program.configure(list(CASES))
        cluster.wait_for(lambda: started(cluster, ids) is not None, "slurmdbd to hear of the starts")
        site = Program(cluster, "alice", "/home/alice/pressure on a site")
        site.configure(SHOWN)

        def told() -> bool:
            site.run("run")
            return all(site.data(name)["now"]["total"]["NJOBS"] > 0 for name in SHOWN)

        cluster.wait_for(told, "the site to know what runs")
        yield Filled(program, ids, {name: site.data(name) for name in SHOWN})
    finally:
        cluster.shell("root", CLEAR.replace("NAMES", names))


def submitted(cluster: Cluster, qos: str, case: Case, user: str, options: str) -> str:
    command = ("sbatch", "--parsable", "-o", "/dev/null", "-A", case.account, "-q", qos, *options.split())
    return cluster.run(user, *command, "--wrap", "sleep 86400").stdout.strip()


def waiting(cluster: Cluster) -> dict[str, str]:
    """Job -> reason of the jobs that wait."""
    rows = cluster.run("root", "squeue", "-h", "-a", "-t", "PD", "-q", ",".join(CASES), "-o", "%A|%r").stdout
    return dict(row.split("|") for row in rows.split())


def started(cluster: Cluster, ids: dict[str, list[str]]) -> dict[str, int] | None:
    """Job -> start (UTC epoch) of those that run, or None while slurmdbd does not know all of them."""
    every = [job for jobs in ids.values() for job in jobs[:-1]]
    query = f"SELECT id_job, time_start FROM hpg_job_table WHERE id_job IN ({','.join(every)}) AND time_start > 0"
    found = {job: int(start) for job, start in cluster.sql(query)}
    return found if len(found) == len(every) else None


def counted(cluster: Cluster, qos: str) -> str:
    """What slurmctld tells an ordinary user of a QoS."""
    return cluster.run("alice", "scontrol", "show", "assoc_mgr", "flags=qos", f"qos={qos}").stdout


def rows_of(filled: Filled, *arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    """QoS and source -> row of `librarian limits --json`."""
    told = json.loads(filled.program.run("limits", "--json", *arguments).stdout)
    return {(row["qos"], row["source"]): row for row in told}


def test_librarian_limits_tells_what_slurmctld_counts(cluster: Cluster, filled: Filled) -> None:
    told = rows_of(filled)
    for name, case in CASES.items():
        assert re.search(case.counted, counted(cluster, name)), (name, counted(cluster, name))
        row = told[name, case.source]
        assert row["used"] == pytest.approx(case.used), name
        assert row["binds"], name
        assert row["by"] is None or case.by in (None, row["by"]), name
    assert told["press-wide", "GrpTRES cpu"]["binds"] is False
    assert told["press-wide", "GrpTRES cpu"]["used"] == 4
    assert told["press-free", "GrpTRES cpu of association press-lab"]["limit"] == 5


def test_the_table_names_each_limit(filled: Filled) -> None:
    lines = filled.program.run("limits", "press-user", "press-wide").stdout.splitlines()
    assert lines[0].split() == ["QOS", "RESOURCE", "PER", "LIMIT", "USED", "SHARE", "FREE", "WHO", "SOURCE"]
    user = next(line.split() for line in lines if "MaxTRESPerUser" in line)
    assert user[:9] == ["press-user", "cpu", "user", "3", "3", "100", "%", "0", "alice"]


def test_the_site_tells_the_same(cluster: Cluster, filled: Filled) -> None:
    for name, case in ((name, CASES[name]) for name in SHOWN):
        rows = filled.data[name]["policy"]
        words, _, of = case.source.partition(" of ")
        (row,) = (
            row
            for row in rows
            if row["binds"]
            and words in (row["setting"], f"{row['setting']} {row['resource']}")
            and of in ("", row["of"])
        )
        # what others hold in a partition or an account a QoS's own jobs do not tell
        assert row["used"] == (None if of else pytest.approx(case.used)), name
        assert row["by"] == case.by, name
        assert filled.data[name]["flags"] == []
    assert filled.data["press-cpu"]["limits"]["NCPUS"]["used"] == CASES["press-cpu"].used
    assert filled.data["press-wide"]["limits"]["NCPUS"]["used"] is None, "jobs of every QoS in the partition count"
    assert filled.data["press-wide"]["limits"]["NCPUS"]["source"] == "GrpTRES cpu of partition QoS press-part"
    assert filled.data["press-free"]["limits"]["NCPUS"] | {"history": []} == {
        **{"kind": "limit", "value": 5, "source": "GrpTRES cpu of association press-lab"},
        **{"used": None, "history": []},
    }


def test_why_jobs_wait_is_told_of_the_limit_that_slurm_looks_at(filled: Filled) -> None:
    """On the site and at once; nothing is told that slurmctld's reason does not tell."""
    known = {one["qos"]: one for one in json.loads(filled.program.run("queue", "--json", *SHOWN).stdout)}
    whose = "The limit of the account press-lab, one above it, or the user in it, is reached: CPUs."
    texts = {
        "press-cpu": "All of the group's 4 CPUs are in use: alice holds 2, bob 2.",
        "press-user": "Who waits here is at a limit that holds for each user: CPUs (at most 3); alice holds 3.",
        "press-wide": "All 4 CPUs of the partition's QoS press-part are in use. "
        "Jobs of every QoS in the partition count. In this QoS alice holds 2, bob 2.",
        "press-free": f"{whose} The account press-lab may have 5. In this QoS alice holds 2, bob 2.",
    }
    for name, text in texts.items():
        (told,) = filled.data[name]["queue"]["reasons"]
        assert told["text"] == text, name
    (at_once,) = known["press-free"]["reasons"]
    assert at_once["text"] == texts["press-free"].replace("may have 5.", "may have 5, and has 4.")
    for name in ("press-cpu", "press-user", "press-wide"):
        assert [reason["text"] for reason in known[name]["reasons"]] == [texts[name]]


def test_pressure_is_that_of_the_jobs_that_hold_the_limit(cluster: Cluster, filled: Filled) -> None:
    starts = started(cluster, filled.ids)
    assert starts is not None
    for name, key, each in (("press-cpu", "NCPUS", 2), ("press-gpu", "NGPUS", 1), ("press-jobs", "NJOBS", 1)):
        data = filled.data[name]
        now, first, second = data["metadata"]["last_updated_epoch"], *sorted(starts[j] for j in filled.ids[name][:2])
        pressure = data["pressure"][key]
        assert pressure["used"] == pressure["limit"] == pressure["peak"]["value"] == 2 * each
        assert pressure["share"] == 1
        assert pressure["peak"]["at"] == second
        assert pressure["seconds_near"] == sum(data["near"][key]) == now - second
        assert pressure["longest"] == {"from": second, "to": now}
        assert pressure["holders"] == [{"user": user, "mean": each, "share": 0.5} for user in ("alice", "bob")]
        assert max(data["peaks"][key]) == 2 * each
        assert first <= second


@pytest.fixture(scope="module")
def few(cluster: Cluster, filled: Filled) -> Program:
    """A report on two of the QoS that has run once: drawing all of them again and again would take long."""
    program = Program(cluster, "alice", "/home/alice/pressure of few")
    program.configure(["press-cpu", "press-jobs"])
    program.run("run")
    return program


def test_suspended_jobs_still_count_against_the_limit(cluster: Cluster, filled: Filled, few: Program) -> None:
    job = filled.ids["press-jobs"][0]
    cluster.run("root", "scontrol", "suspend", job)
    told = ("squeue", "-h", "-j", job, "-o", "%T")
    cluster.wait_for(lambda: "SUSPENDED" in cluster.run("root", *told).stdout, "the job to be suspended")
    assert re.search(r"GrpJobs=2\(2\)", counted(cluster, "press-jobs"))
    assert rows_of(filled, "press-jobs")["press-jobs", "GrpJobs"]["used"] == 2
    in_database = f"SELECT state FROM hpg_job_table WHERE id_job = {job}"
    cluster.wait_for(lambda: cluster.sql(in_database) == [["2"]], "slurmdbd to hear of it")
    few.run("run")
    data = few.data("press-jobs")
    (row,) = (row for row in data["policy"] if row["setting"] == "GrpJobs")
    assert (row["used"], data["pressure"]["NJOBS"]["used"], data["now"]["total"]["NJOBS"]) == (2, 2, 2)
    assert data["limits"]["NJOBS"]["used"] == 2
    assert data["now"]["total"]["NCPUS"] == 2, "one of the two has given its CPUs back"


def test_a_limit_that_changes_twice_is_in_the_history_twice(cluster: Cluster, few: Program) -> None:
    before = time.time()
    for cpus in (6, 5):
        cluster.run("root", "sacctmgr", "-i", "modify", "qos", "press-cpu", "set", f"GrpTRES=cpu={cpus}")
        few.run("run")
    data = few.data("press-cpu")
    history = data["limits"]["NCPUS"]["history"]
    assert [step["value"] for step in history] == [4, 6, 5]
    assert [step["from"] for step in history] == sorted({step["from"] for step in history})
    assert history[1]["from"] >= int(before)
    assert data["pressure"]["NCPUS"]["limit"] == 5
