"""Limits in the data files: what is told of each, of pressure, and of what is not known."""

from __future__ import annotations

import pytest

from librarian.subjects.limits.model import QosLimits
from librarian.subjects.limits.rules import Account, PartitionQos
from tests.unit import reports
from tests.unit.subjects.usage.test_payload import CASES, data_of


def test_pressure_is_told_with_who_held_the_limit() -> None:
    """Alice and Bob held all 4 GPUs from before the window until the limit was raised."""
    data = data_of(reports.golden())
    start, changed = data["edges"][0], reports.epoch("2026-10-31 21:10")
    gpus = data["pressure"]["NGPUS"]
    assert (gpus["used"], gpus["limit"], gpus["share"]) == (2, 39, pytest.approx(2 / 39))
    assert gpus["peak"] == {"value": 4, "at": start}
    assert gpus["seconds_near"] == changed - start == sum(data["near"]["NGPUS"])
    assert gpus["longest"] == {"from": start, "to": changed}
    assert gpus["holders"] == [{"user": user, "mean": 2, "share": 0.5} for user in ("alice", "bob")]
    assert list(data["peaks"]) == ["NCPUS", "NGPUS", "MEMORY", "NJOBS"]
    assert all(len(peaks) == len(data["time_idxs"]) for peaks in data["peaks"].values())
    assert "BILLING" not in data["pressure"], "it has no limit and no chart"


def test_what_is_not_tracked_has_no_pressure() -> None:
    data = data_of(CASES["untracked"]())
    assert "NGPUS" not in {*data["pressure"], *data["near"]}
    (row,) = (row for row in data["policy"] if row["resource"] == "gres/gpu")
    assert row["used"] is None


def test_flags_that_are_none_or_not_known() -> None:
    assert data_of(reports.golden())["flags"] == ["DenyOnLimit"]
    assert data_of(reports.empty(limits=QosLimits({}, None, {}, ())))["flags"] == []
    assert data_of(reports.empty(limits=None))["flags"] is None


def test_an_override_is_shown_as_such_and_slurms_limit_beside_it() -> None:
    data = data_of(reports.report_of([], limits=QosLimits({"mem": 9.0}, 5.0), overrides={"mem": 7.0, "jobs": 0.0}))
    told = {(row["resource"], row["of"]): (row["limit"], row["binds"]) for row in data["policy"]}
    assert told == {
        ("mem", "configuration"): (7, True),
        ("mem", "QoS avery"): (9, False),
        ("jobs", "configuration"): (0, True),
        ("jobs", "QoS avery"): (5, False),
    }
    assert data["pressure"]["NJOBS"]["limit"] == 0
    assert data["pressure"]["NJOBS"]["share"] is None


def paused() -> list[reports.Run]:
    """Of 32 CPUs and 6 GPUs that Slurm counts 5 CPUs belong to a suspended job."""
    return [
        reports.Run("alice", reports.NOW - 7200, tres="billing=27,cpu=27,gres/gpu=4,node=1", state="RUNNING"),
        reports.Run(
            "bob", reports.NOW - 7200, tres="billing=5,cpu=5,gres/gpu=2,node=1", state="SUSPENDED", suspended=60
        ),
    ]


def test_beside_a_limit_stands_what_slurm_counts_against_it() -> None:
    data = data_of(reports.report_of(paused(), limits=QosLimits({"cpu": 430.0}, None), overrides={"gres/gpu": 8.0}))
    cpus, gpus = (data["limits"][key] for key in ("NCPUS", "NGPUS"))
    assert (data["now"]["total"]["NCPUS"], cpus["used"]) == (27, 32)
    assert (gpus["source"], gpus["used"]) == ("configuration", 6)
    assert data["limits"]["MEMORY"]["used"] is None, "it has no limit"
    assert data["pressure"]["NCPUS"]["share"] == pytest.approx(32 / 430)
    assert [row["used"] for row in data["policy"] if row["resource"] == "cpu"] == [cpus["used"]]


def test_what_counts_where_others_count_too_is_not_known() -> None:
    partitions = {"gpu": PartitionQos("short", {"GrpTRES": {"cpu": 24.0}})}
    accounts = (Account("lab", "", {"GrpTRES": {"gres/gpu": 12.0}}, True),)
    limits = QosLimits({}, None, {}, (), partitions, accounts, (False, False))
    data = data_of(reports.report_of(paused(), limits=limits))
    for key, source in (
        ("NCPUS", "GrpTRES cpu of partition QoS short"),
        ("NGPUS", "GrpTRES gres/gpu of association lab"),
    ):
        told = data["limits"][key]
        assert (told["kind"], told["source"], told["used"]) == ("limit", source, None)
        assert data["pressure"][key]["share"] is None
