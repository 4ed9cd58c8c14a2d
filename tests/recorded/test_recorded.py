"""What real clusters printed, read and counted: tests/data/slurm-<version>, recorded by tests/cluster/record.

The recordings hold more fields than are asked for, so that they need not be made again for each new one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from librarian.errors import SlurmError
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import window_until
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.limits import accounts, associations, counted, partitions, qos
from librarian.subjects.limits.effective_limits import Branch, Partition
from librarian.subjects.limits.rules import QosLimits
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.summary import ended_by_bin, ended_states
from librarian.system.processes import Answer

RECORDINGS = sorted((Path(__file__).parent.parent / "data").glob("slurm-*"))
UNTOLD = {"slurm-26.05"}  # there an ordinary user is not told slurmdbd's settings
SEPARATOR = ask.DELIMITER


@pytest.fixture(params=RECORDINGS, ids=lambda folder: folder.name)
def recording(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def answer(recording: Path, name: str) -> Answer:
    """A recorded answer."""
    errors = recording / f"{name}.stderr.txt"
    status = json.loads((recording / "commands.json").read_text())["commands"][name]["status"]
    stderr = errors.read_text(encoding="utf-8", errors="replace") if errors.exists() else ""
    return Answer(status, (recording / f"{name}.txt").read_bytes(), stderr)


def asked_for(whole: Answer) -> Answer:
    """A recorded answer of sacct, cut down to the fields that are asked for; those that it has not are not told."""
    rows = [line.split(SEPARATOR) for line in whole.text.splitlines()]
    named = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    lines = [ask.HEADER, *(SEPARATOR.join(row.get(name, "") for name in ask.FIELDS) for row in named)]
    return Answer(whole.status, "".join(f"{line}\n" for line in lines).encode(), whole.stderr)


def oracle(recording: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((recording / "oracle.json").read_text())
    return found


QOS = ("avery", "avery-b", "kim", "kim-b")


@pytest.mark.parametrize("name", QOS)
def test_totals_equal_the_database(recording: Path, name: str) -> None:
    runs = ask.parse(asked_for(answer(recording, f"sacct-{name}")), "hpg")
    assert runs.rejects == ()
    now = oracle(recording)["now"]
    window = window_until(now, seconds=86400, bin_seconds=3600, zone="US/Eastern")
    usage = bin_jobs(runs.jobs, window, OBSERVABLES)
    hours = {
        user: {o.key: usage.hours[row, column] for row, o in enumerate(usage.observables)}
        for column, user in enumerate(usage.users)
    }
    expected = oracle(recording)["hours"].get(name, {})
    assert hours.keys() == expected.keys()
    for user, amounts in expected.items():
        assert hours[user] == pytest.approx(amounts, rel=1e-9)
    assert ended_states(ended_by_bin(runs.jobs, window)) == oracle(recording)["ended"].get(name, {})


def test_the_kinds_of_jobs_are_all_there(recording: Path) -> None:
    jobs = ask.parse(asked_for(answer(recording, "sacct-avery")), "hpg").jobs
    states = set(jobs["state"])
    assert states >= {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "REQUEUED", "RUNNING"}
    assert jobs["dbindex"].is_unique
    assert (jobs["suspended"] > 0).any()
    assert jobs["jobid"].duplicated().any(), "one that was requeued"
    kim = ask.parse(asked_for(answer(recording, "sacct-kim")), "hpg").jobs
    assert ((kim["start"] == UNKNOWN) & (kim["end"] != UNKNOWN)).any(), "one that was cancelled before its start"


def test_no_jobs_and_no_answer(recording: Path) -> None:
    assert len(ask.parse(asked_for(answer(recording, "sacct-none")), "hpg").jobs) == 0
    for name, said in (("sacct-unknown-qos", "avery-b"), ("sacct-slurmdbd-down", "Connection refused")):
        told = answer(recording, name)
        with pytest.raises(SlurmError, match=said):
            ask.ask(Slurm(runner=lambda *_, told=told, **__: told), ask.Query(Scope("hpg", "x"), 0, 1))


def test_limits(recording: Path) -> None:
    told = answer(recording, "policy-qos").text
    assert told == answer(RECORDINGS[0], "policy-qos").text, "the same in every version"
    found = qos.parse(told)
    assert found["avery"] == QosLimits({"cpu": 430, "gres/gpu": 39, "mem": 3359}, None, {}, ())
    assert found["kim-b"].tres["gres/gpu"] == 0
    assert found["normal"] == QosLimits({}, None, {}, ())
    assert found["kim"].tres == {"cpu": 8, "gres/gpu": 2, "gres/gpu:b200": 1, "mem": 64, "node": 3, "billing": 900}
    assert found["kim"].jobs == 20
    assert found["kim"].flags == ("DenyOnLimit", "OverPartQOS")
    assert found["kim"].more == {
        "GrpSubmitJobs": {"submitted": 40},
        "MaxTRES": {"cpu": 8},
        "MaxTRESPerUser": {"cpu": 8, "mem": 3},
        "MaxTRESPerAccount": {"cpu": 9},
        "MaxJobsPerUser": {"jobs": 3},
        "MaxJobsPerAccount": {"jobs": 30},
        "MaxSubmitJobsPerUser": {"submitted": 35},
        "MaxSubmitJobsPerAccount": {"submitted": 36},
        "MaxWall": {"walltime": 26 * 3600},
    }


def test_partitions_and_what_they_let_in(recording: Path) -> None:
    found = partitions.parse(answer(recording, "policy-partitions").text)
    assert found["cpu"] == Partition("long")
    assert set(found["gpu"].allowed or ()) == {"avery", "kim"}
    assert found["small"] == Partition("", None, ("kim-b",))
    assert partitions.parse(answer(recording, "scontrol-partitions").text)["cpu"] == Partition("")


def test_accounts_and_their_own_limits(recording: Path) -> None:
    found = {branch.account: branch for branch in accounts.parse(answer(recording, "policy-accounts").text)}
    assert found["kim"] == Branch(
        "kim",
        "root",
        ("kim", "kim-b"),
        {
            "GrpTRES": {"cpu": 90, "node": 3},
            "GrpJobs": {"jobs": 40},
            "GrpSubmitJobs": {"submitted": 90},
            "MaxTRES": {"cpu": 30},
            "MaxJobs": {"jobs": 17},
            "MaxWall": {"walltime": 45000},
        },
    )
    assert found["kim-guests"] == Branch("kim-guests", "kim", ("kim",), {}), "what is inherited is not its own"
    assert [branch.account for branch in accounts.relevant(found.values(), ["KIM-B"])] == ["kim", "root"]


def test_what_slurmctld_counts(recording: Path) -> None:
    numbers = {5005: "erin", 5006: "frank"}
    by_qos, by_account = counted.parse(answer(recording, "policy-counted").text, numbers.__getitem__)
    held = by_qos["kim"]
    told = {name: held.total[name] for name in ("cpu", "mem", "node", "billing", "gres/gpu", "jobs", "submitted")}
    assert told == {"cpu": 8, "mem": 4, "node": 1, "billing": 8, "gres/gpu": 0, "jobs": 1, "submitted": 2}
    assert {user: (uses["cpu"], uses["jobs"], uses["submitted"]) for user, uses in held.users.items()} == {
        "erin": (8, 1, 1),
        "frank": (0, 0, 1),
    }
    assert held.accounts["kim"]["submitted"] == 2
    unused = by_qos["long"]
    assert not any(amount for uses in (unused.total, *unused.users.values()) for amount in uses.values())
    assert (by_account["kim"].total["cpu"], by_account["kim"].users["erin"]["jobs"]) == (8, 1)
    assert by_account["kim-guests"].total["jobs"] == 0
    assert counted.parse(answer(recording, "assoc-mgr-unknown").text, str) == ({}, {})


@pytest.mark.parametrize("parse", [qos.parse, accounts.parse, partitions.parse])
def test_limits_that_are_none_are_refused(recording: Path, parse: Callable[[str], object]) -> None:
    for text in ("", "sacctmgr: error: x\n", answer(recording, "sacctmgr-tres").text):
        with pytest.raises(SlurmError, match="gave no"):
            parse(text)


def test_what_is_tracked_and_hidden(recording: Path) -> None:
    assert site.parse_tracked(answer(recording, "sacctmgr-tres").text)
    told = site.parse_private(answer(recording, "sacctmgr-config").text)
    assert told == ({site.UNTOLD} if recording.name in UNTOLD else frozenset())
    told = site.parse_private(answer(recording, "sacctmgr-config-private").text)
    assert told == ({site.UNTOLD} if recording.name in UNTOLD else {"jobs", "users", "usage"})


def test_associations(recording: Path) -> None:
    rows = [line.split("|") for line in answer(recording, "sacctmgr-assoc-alice").text.splitlines()]
    places = [rows[0].index(name) for name in ("Cluster", "Account", "User", "QOS", "Def QOS")]
    text = "\n".join("|".join(row[place] for place in places) for row in rows)
    (found,) = associations.parse(text)
    assert (found.cluster, found.account, found.default_qos) == ("hpg", "avery", "avery")
    assert set(found.qos) == {"avery", "avery-b"}


def test_the_cluster_s_name(recording: Path) -> None:
    told = answer(recording, "scontrol-config")
    assert site.cluster_name(Slurm(runner=lambda *_, **__: told)) == "hpg"
