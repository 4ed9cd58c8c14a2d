"""Every reason that Slurm's library knows is told in plain words; limits name who holds what is short."""

from __future__ import annotations

from pathlib import Path

import pytest

from librarian.subjects.limits.model import Limit
from librarian.subjects.queue.explain import Case, told
from librarian.subjects.queue.reasons import GROUPS, explain, read_reason

# the names that libslurm of 22.05 and 24.11 can print, a line each
NAMES = (Path(__file__).parents[1] / "data/reasons.txt").read_text(encoding="utf-8").split()
UNKNOWN = explain("NobodyKnowsThis")
CPUS = {"NCPUS": Limit("limit", 430.0, "GrpTRES cpu")}


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_is_told(name: str) -> None:
    reason = explain(name)
    assert reason != UNKNOWN, name
    assert reason.group in GROUPS
    assert reason.words.endswith(".")
    assert reason.todo.endswith(".")
    assert name not in reason.words, "plain words, not Slurm's"


def test_there_are_as_many_as_slurm_has() -> None:
    assert len(NAMES) == len(set(NAMES)) > 200


@pytest.mark.parametrize(
    ("name", "per", "owner", "resource", "group"),
    [
        ("QOSGrpCpuLimit", "group", "QoS", "cpu", "competing"),
        ("QOSGrpGRES", "group", "QoS", "gres/gpu", "competing"),
        ("QOSGrpMemLimit", "group", "QoS", "mem", "competing"),
        ("QOSGrpJobsLimit", "group", "QoS", "jobs", "competing"),
        ("QOSMaxCpuPerUserLimit", "user", "QoS", "cpu", "competing"),
        ("QOSMaxJobsPerUserLimit", "user", "QoS", "jobs", "competing"),
        ("MaxGRESPerAccount", "account", "QoS", "gres/gpu", "competing"),
        ("AssocGrpCpuLimit", "group", "account", "cpu", "competing"),
        ("AssocMaxJobsLimit", "user", "account", "jobs", "competing"),
    ],
)
def test_whose_limit_it_is_and_on_what(name: str, per: str, owner: str, resource: str, group: str) -> None:
    reason = explain(name)
    assert reason.limit
    assert (reason.limit.per, reason.limit.owner, reason.limit.resource, reason.group) == (per, owner, resource, group)
    assert reason.limit.running


@pytest.mark.parametrize(
    "name",
    ["QOSMaxWallDurationPerJobLimit", "QOSMaxCpuPerJobLimit", "QOSMinGRES", "AssocMaxCpuMinutesPerJobLimit",
     "InvalidQOS", "AssocMaxCpuPerNode", "AssocMaxWallDurationPerJobLimit", "BadConstraints",
     "JobArrayTaskLimit", "JobHeldAdmin"],
)  # fmt: skip
def test_what_waits_for_a_person_does_not_compete(name: str) -> None:
    assert explain(name).group == "held"


def test_budgets_have_no_holders() -> None:
    for name in ("QOSGrpCPUMinutesLimit", "QOSGrpCPURunMinutesLimit", "MaxCpuRunMinsPerUser", "QOSGrpWallLimit"):
        assert told(case(name), CPUS, {"alice": {"NCPUS": 430.0}})[2] == ()


@pytest.mark.parametrize(
    ("text", "name", "more"),
    [
        ("Priority", "Priority", ""),
        ("(Resources)", "Resources", ""),
        ("ReqNodeNotAvail, UnavailableNodes:c[01-02],c04", "ReqNodeNotAvail", "UnavailableNodes:c[01-02],c04"),
        ("ReqNodeNotAvail,_UnavailableNodes:c01", "ReqNodeNotAvail", "UnavailableNodes:c01"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in better partitions",
            "Resources",
            "",
        ),
        ("(Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved)", "Resources", ""),
        ("job requeued in held state", "JobHeldUser", ""),
        ("launch_failed_requeued_held", "JobLaunchFailure", ""),
        ("SomethingNew, with more", "SomethingNew, with more", ""),
        ("", "None", ""),
    ],
)
def test_how_squeue_writes_a_reason(text: str, name: str, more: str) -> None:
    assert read_reason(text) == (name, more)


def case(name: str, **fields: object) -> Case:
    return Case(**{"name": name, "users": {"carol": 3}, "asked": {}, "accounts": ["lab"], "details": [], **fields})  # type: ignore[arg-type]


def held(**cpus: float) -> dict[str, dict[str, float]]:
    return {user: {"NCPUS": amount, "NJOBS": 1.0} for user, amount in cpus.items()}


def test_who_holds_a_full_limit() -> None:
    now = held(alice=210.0, bob=150.0, dave=40.0, erin=20.0, frank=10.0)
    text, todo, holders = told(case("QOSGrpCpuLimit"), CPUS, now)
    assert text == "All of the group's 430 CPUs are in use: alice holds 210, bob 150, dave 40, 2 others 30."
    assert todo.startswith("Wait")
    assert [(holder.user, holder.value) for holder in holders][:2] == [("alice", 210), ("bob", 150)]


def test_a_limit_that_is_nearly_full() -> None:
    asked = {"NCPUS": [(8.0, 3)]}
    text = told(case("QOSGrpCpuLimit", asked=asked), CPUS, held(alice=428.0))[0]
    assert text == "428 of the group's 430 CPUs are in use: alice holds 428."


def test_a_job_that_would_fit_by_its_numbers_may_want_whole_nodes() -> None:
    text = told(case("QOSGrpCpuLimit", asked={"NCPUS": [(1.0, 1)]}), CPUS, {})[0]
    assert text.startswith("0 of the group's 430 CPUs are in use. By its numbers one would fit")
    assert "--exclusive" in text


def test_jobs_that_ask_for_more_than_the_limit_never_start() -> None:
    text, todo, _ = told(case("QOSGrpCpuLimit", asked={"NCPUS": [(500.0, 2), (8.0, 1)]}), CPUS, held(a=430.0))
    assert text.endswith("2 jobs ask for more than that alone and can never start.")
    assert "Cancel" in todo


def test_no_limit_that_is_known() -> None:
    for limits in ({}, {"NCPUS": Limit("unknown", None, "")}, {"NCPUS": Limit("none", None, "GrpTRES cpu")}):
        text = told(case("QOSGrpCpuLimit"), limits, held(alice=9.0))[0]
        assert text == "The limit of the group is reached: CPUs. In this QoS alice holds 9."
    text = told(case("QOSGrpCpuLimit"), {"NCPUS": Limit("limit", 0.0, "")}, {})[0]
    assert text == "The group may have no CPUs: its limit is 0."


def test_of_gpus_the_fullest_limit_is_named() -> None:
    limits = {"NGPUS": Limit("limit", 39.0, ""), "NGPUS:a100": Limit("limit", 4.0, "")}
    now = {"alice": {"NGPUS": 4.0, "NGPUS:a100": 4.0}}
    assert told(case("QOSGrpGRES"), limits, now)[0].startswith("All of the group's 4 GPUs of type a100 are in use")


def test_a_limit_for_each_user_tells_what_those_who_wait_hold() -> None:
    text, todo, holders = told(case("QOSMaxCpuPerUserLimit"), CPUS, held(alice=300.0, carol=40.0))
    assert text == "Who waits here is at a limit that holds for each user: CPUs; carol holds 40."
    assert [holder.user for holder in holders] == ["carol"]
    assert "your own" in todo
    assert "asks for more" in told(case("QOSMaxCpuPerUserLimit"), CPUS, held(alice=300.0))[0]


def test_an_account_is_named_and_its_use_elsewhere_is_not_made_up() -> None:
    text = told(case("AssocGrpCpuLimit"), CPUS, held(alice=9.0))[0]
    assert text == "The limit of the account lab is reached: CPUs. In this QoS alice holds 9."


def test_details_and_names_are_fit_to_be_read() -> None:
    text = told(case("ReqNodeNotAvail", details=["UnavailableNodes:c01\u202e"]), {}, {})[0]
    assert text.endswith("Slurm says: UnavailableNodes:c01\ufffd.")
    assert "\u202e" not in told(case("QOSGrpCpuLimit"), CPUS, {"a\u202e": {"NCPUS": 430.0}})[0]
