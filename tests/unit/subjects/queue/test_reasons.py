"""Every reason that Slurm's library knows is told in plain words; limits name who holds what is short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from librarian.shared.names import AccountName, PartitionName
from librarian.subjects.limits.model import CONFIGURED, Limit, QosLimits
from librarian.subjects.limits.rules import Account, PartitionQos
from librarian.subjects.queue import explain as explaining
from librarian.subjects.queue.blocking import Bounds
from librarian.subjects.queue.explain import Case, Holder
from librarian.subjects.queue.reasons import GROUPS, explain, read_reason
from tests.places import DATA

# the names that libslurm of 22.05 and 24.11 can print, a line each
NAMES = (DATA / "reasons.txt").read_text(encoding="utf-8").split()
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
        ("SomethingNew:(with brackets)", "SomethingNew:(with brackets)", ""),
        ("RaisedSignal:53(Real-time signal 19)", "RaisedSignal", "53(Real-time signal 19)"),
        ("(RaisedSignal:9(Killed))", "RaisedSignal", "9(Killed)"),
        ("NonZeroExitCode:1", "NonZeroExitCode", "1"),
        ("(ReqNodeNotAvail", "ReqNodeNotAvail", ""),
        ("(null)", "None", ""),
        ("()", "None", ""),
        ("", "None", ""),
    ],
)
def test_how_squeue_writes_a_reason(text: str, name: str, more: str) -> None:
    assert read_reason(text) == (name, more)


def told(
    waiting: Case, limits: dict[str, Limit], now: dict[str, dict[str, float]], **more: object
) -> tuple[str, str, tuple[Holder, ...]]:
    return explaining.told(waiting, Bounds(limits, now, **more))  # type: ignore[arg-type]


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
    # who holds nothing asks for too much, or fills a limit that others fill too: nobody can tell
    assert told(case("QOSMaxCpuPerUserLimit"), CPUS, held(alice=300.0))[0] == "The limit of one user is reached: CPUs."


def test_an_account_is_named_and_its_use_elsewhere_is_not_made_up() -> None:
    text = told(case("AssocGrpCpuLimit"), CPUS, held(alice=9.0))[0]
    assert text == (
        "The limit of the account lab, one above it, or the user in it, is reached: CPUs. In this QoS alice holds 9."
    )


def test_details_and_names_are_fit_to_be_read() -> None:
    text = told(case("ReqNodeNotAvail", details=["UnavailableNodes:c01\u202e"]), {}, {})[0]
    assert text.endswith("Slurm says: UnavailableNodes:c01\ufffd.")
    assert "\u202e" not in told(case("QOSGrpCpuLimit"), CPUS, {"a\u202e": {"NCPUS": 430.0}})[0]


# what is told, to the last border of each rule

UNLIMITED = Limit("none", None, "")
GPU_USE = {"alice": {"NGPUS": 20.0, "NGPUS:a100": 2.0}}


def limit(value: float) -> Limit:
    return Limit("limit", value, "")


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        ("QOSGrpCpuLimit", "NCPUS", "All of the group's 8 CPUs are in use: alice holds 6, bob 2."),
        ("QOSGrpGRES", "NGPUS", "All of the group's 8 GPUs are in use: alice holds 6, bob 2."),
        ("QOSGrpMemLimit", "MEMORY", "All of the group's 8 GiB of memory are in use: alice holds 6, bob 2."),
        ("QOSGrpBilling", "BILLING", "All of the group's 8 billing units are in use: alice holds 6, bob 2."),
        ("QOSGrpJobsLimit", "NJOBS", "The group runs 8 jobs of the 8 that it may run at a time: alice runs 6, bob 2."),
    ],
)
def test_each_resource_is_told_by_its_own_limit_and_use(name: str, key: str, text: str) -> None:
    other = "NCPUS" if key != "NCPUS" else "NJOBS"
    now = {"alice": {key: 6.0, other: 70.0}, "bob": {key: 2.0, other: 90.0}, "carol": {other: 5.0}}
    assert told(case(name), {key: limit(8.0), other: limit(99.0)}, now)[0] == text


@pytest.mark.parametrize("name", ["QOSGrpNodeLimit", "QOSMaxNodePerUserLimit", "MaxNodePerAccount"])
def test_a_limit_on_what_is_not_counted_here_has_no_holders(name: str) -> None:
    reason = explain(name)
    assert told(case(name), CPUS, held(alice=430.0, carol=9.0)) == (reason.words, reason.todo, ())


def test_a_reason_without_a_limit_is_told_in_its_own_words() -> None:
    reason = explain("Priority")
    assert told(case("Priority"), CPUS, held(alice=430.0)) == (reason.words, reason.todo, ())


def test_a_budget_is_told_with_slurms_details_and_no_limit_of_now() -> None:
    text, todo, holders = told(case("QOSGrpCPUMinutesLimit", details=["a", "b", "c", "d"]), CPUS, held(alice=430.0))
    reason = explain("QOSGrpCPUMinutesLimit")
    assert text == f"{reason.words} Slurm says: a; b; c."
    assert (todo, holders) == (reason.todo, ())


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        # a limit of 0 is full: fuller than what is in use by half, and no fuller than what is in use as a whole
        ({"NGPUS": limit(39.0), "NGPUS:b200": limit(0.0)}, "The group may have no GPUs of type b200: its limit is 0."),
        ({"NGPUS": limit(20.0), "NGPUS:b200": limit(0.0)}, "All of the group's 20 GPUs are in use: alice holds 20."),
        ({"NGPUS": limit(0.0), "NGPUS:a100": limit(2.0)}, "The group may have no GPUs: its limit is 0."),
        # no limit is emptier than one of which nothing is in use
        ({"NGPUS": UNLIMITED, "NGPUS:b200": limit(4.0)}, "0 of the group's 4 GPUs of type b200 are in use."),
        ({"NGPUS:b200": limit(1.0)}, "0 of the group's 1 GPUs of type b200 are in use."),
        ({"NGPUS": limit(40.0), "NGPUS:b200": limit(1.0)}, "20 of the group's 40 GPUs are in use: alice holds 20."),
        ({"NGPUS:b200": limit(4.0)}, "0 of the group's 4 GPUs of type b200 are in use."),
        ({"NGPUS:a100": limit(4.0)}, "2 of the group's 4 GPUs of type a100 are in use: alice holds 2."),
        # where nothing tells which it is, GPUs of all types are meant
        ({"NGPUS:a100": UNLIMITED}, "The limit of the group is reached: GPUs. In this QoS alice holds 20."),
        ({}, "The limit of the group is reached: GPUs. In this QoS alice holds 20."),
        ({"NCPUS": limit(1.0)}, "The limit of the group is reached: GPUs. In this QoS alice holds 20."),
    ],
)  # fmt: skip
def test_which_limit_of_gpus_is_the_fullest(limits: dict[str, Limit], text: str) -> None:
    assert told(case("QOSGrpGRES"), limits, GPU_USE)[0] == text


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (429.0, "429 of the group's 430 CPUs are in use: alice holds 429."),
        (430.0, "All of the group's 430 CPUs are in use: alice holds 430."),
        (431.0, "All of the group's 430 CPUs are in use: alice holds 431."),
        (1.5, "1.5 of the group's 430 CPUs are in use: alice holds 1.5."),
    ],
)
def test_when_all_of_a_limit_is_in_use(used: float, text: str) -> None:
    assert told(case("QOSGrpCpuLimit"), CPUS, held(alice=used))[0] == text


@pytest.mark.parametrize("value", [0.5, 1.0, 1234.0])
def test_a_small_limit_and_a_large_one_are_told_as_they_are(value: float) -> None:
    text = told(case("QOSGrpCpuLimit"), {"NCPUS": limit(value)}, held(alice=value))[0]
    assert text == f"All of the group's {value:,g} CPUs are in use: alice holds {value:,g}."


def test_who_holds_nothing_is_no_holder_and_the_same_amount_goes_by_name() -> None:
    now = held(dave=1.0, carol=0.5, bob=1.0, alice=0.0)
    holders = told(case("QOSGrpCpuLimit"), CPUS, now)[2]
    assert [(holder.user, holder.value) for holder in holders] == [("bob", 1.0), ("dave", 1.0), ("carol", 0.5)]


@pytest.mark.parametrize(
    ("number", "rest"), [(1, ""), (3, ", b 9, c 8"), (4, ", b 9, c 8, 1 other 7"), (5, ", b 9, c 8, 2 others 13")]
)
def test_three_holders_are_named_and_the_others_added_up(number: int, rest: str) -> None:
    now = held(**{user: 10.0 - place for place, user in enumerate("abcde"[:number])})
    assert told(case("QOSGrpCpuLimit"), {}, now)[0].endswith(f" In this QoS a holds 10{rest}.")


@pytest.mark.parametrize("name", ["QOSGrpCpuLimit", "AssocGrpCpuLimit", "MaxCpuPerAccount", "QOSMaxCpuPerUserLimit"])
def test_ten_holders_are_listed_whosever_limit_it_is(name: str) -> None:
    users = [f"user{number:02}" for number in range(11)]
    waiting = case(name, users=dict.fromkeys(users, 1))
    text, todo, holders = told(waiting, CPUS, held(**{user: 50.0 - place for place, user in enumerate(users)}))
    assert [holder.user for holder in holders] == users[:10]
    assert "8 others" in text
    assert todo == explain(name).todo


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        (["lab"], "the account lab"),
        (["lab", "lib"], "the accounts lab, lib"),
        (["a", "b", "c"], "the accounts a, b, c"),
        (["a", "b", "c", "d"], "the accounts a, b, c…"),
    ],
)
@pytest.mark.parametrize("name", ["AssocGrpCpuLimit", "MaxCpuPerAccount"])
def test_a_limit_of_accounts_names_them(name: str, accounts: list[str], words: str) -> None:
    it = "it" if len(accounts) == 1 else "them"
    whose = f"{words}, one above {it}, or the user in {it}," if name == "AssocGrpCpuLimit" else words
    text = told(case(name, accounts=accounts), CPUS, held(alice=9.0))[0]
    assert text == f"The limit of {whose} is reached: CPUs. In this QoS alice holds 9."
    assert told(case(name, accounts=accounts), CPUS, {})[0] == f"The limit of {whose} is reached: CPUs."


def test_a_limit_of_a_user_in_an_account_is_theirs() -> None:
    text, _, holders = told(case("AssocMaxJobsLimit"), {}, held(alice=9.0, carol=4.0))
    assert text == "The limit of the user in the account lab is reached: running jobs. In this QoS carol runs 1."
    assert [holder.user for holder in holders] == ["carol"]


FITS = "By its numbers one would fit"
NEVER = "for more than that alone and can never start."


@pytest.mark.parametrize(
    ("used", "asked", "fits"),
    [
        (422.0, [(8.0, 1)], True),  # to the last CPU
        (423.0, [(8.0, 1)], False),
        (430.0, [(1.0, 1)], False),
        (429.0, [(1.0, 1)], True),
        (429.5, [(0.5, 1)], True),
        (422.0, [(20.0, 1), (8.0, 1)], True),  # the smallest of them
        (428.0, [(0.0, 1), (8.0, 1)], False),  # what asks for none of it does not count
        (0.0, [(0.0, 1)], False),
        (0.0, [(430.0, 1)], True),
        (0.0, [], False),
    ],
)
def test_what_would_fit(used: float, asked: list[tuple[float, int]], fits: bool) -> None:
    text, todo, _ = told(case("QOSGrpCpuLimit", asked={"NCPUS": asked}), CPUS, held(alice=used))
    assert (FITS in text) is fits, text
    assert (NEVER in text, "Cancel" in todo) == (False, False)


def test_nothing_fits_or_is_too_large_where_no_limit_is_known() -> None:
    asked = case("QOSGrpCpuLimit", asked={"NCPUS": [(8.0, 1)]})
    for limits in ({}, {"NCPUS": UNLIMITED}):
        assert told(asked, limits, {})[0] == "The limit of the group is reached: CPUs."
    elsewhere = told(case("QOSGrpCpuLimit", asked={"NGPUS": [(500.0, 1)]}), CPUS, {})
    assert elsewhere[0] == "0 of the group's 430 CPUs are in use."


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([(430.0, 5)], ""),
        ([(430.5, 1)], "One job asks"),
        ([(431.0, 1)], "One job asks"),
        ([(431.0, 2)], "2 jobs ask"),
        ([(431.0, 1), (500.0, 999), (8.0, 7)], "1,000 jobs ask"),
    ],
)
def test_what_is_larger_than_the_whole_limit(asked: list[tuple[float, int]], words: str) -> None:
    reason = explain("QOSGrpCpuLimit")
    text, todo, _ = told(case("QOSGrpCpuLimit", asked={"NCPUS": asked}), CPUS, held(alice=430.0))
    end = f" {words} {NEVER}" if words else ""
    assert text == f"All of the group's 430 CPUs are in use: alice holds 430.{end}"
    assert todo == (f"{reason.todo} Cancel what can never start, and ask for less." if words else reason.todo)


def test_what_is_too_large_is_told_and_not_that_another_fits() -> None:
    text = told(case("QOSGrpCpuLimit", asked={"NCPUS": [(500.0, 1), (1.0, 1)]}), CPUS, {})[0]
    assert text == f"0 of the group's 430 CPUs are in use. One job asks {NEVER}"


# whose limit it is, where Slurm has several places that set one

LONG = PartitionQos("long", {"GrpTRES": {"cpu": 430.0}, "GrpJobs": {"jobs": 4.0}, "MaxTRESPerUser": {"cpu": 30.0}})
LAB = Account(AccountName("lab"), AccountName("college"), {"GrpTRES": {"gres/gpu": 4.0}}, True)
COLLEGE = Account(AccountName("college"), AccountName(""), {"GrpTRES": {"gres/gpu": 9.0}}, False)
POLICY = QosLimits({"cpu": 430.0}, None, {"MaxTRESPerUser": {"cpu": 64.0}}, (), {"p": LONG}, (LAB, COLLEGE))
IN_P, IN_Q = (frozenset({(PartitionName(name), AccountName("lab"))}) for name in "pq")
EVERYBODY = "Jobs of every QoS in the partition count."


def in_policy(name: str, waiting: frozenset[object], now: dict[str, dict[str, float]], **more: object) -> str:
    asked = {"NCPUS": [(8.0, 1)], "NGPUS": [(2.0, 1)]}
    return told(case(name, places=waiting, asked=asked), CPUS, now, policy=POLICY, **more)[0]


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        ({}, "The limit of the partition's QoS long is reached: 430 CPUs."),
        ({"partition QoS long": {"cpu": 430.0}}, "All 430 CPUs of the partition's QoS long are in use."),
        ({"partition QoS long": {"cpu": 426.0}}, "426 of the 430 CPUs of the partition's QoS long are in use."),
        ({"partition QoS other": {"cpu": 1.0}}, "The limit of the partition's QoS long is reached: 430 CPUs."),
    ],
)
def test_a_partitions_qos_is_filled_by_jobs_of_any_qos(counted: dict[str, dict[str, float]], words: str) -> None:
    assert in_policy("QOSGrpCpuLimit", IN_P, {}, counted=counted) == f"{words} {EVERYBODY}"
    # what the QoS's jobs hold in other partitions does not count, and nobody knows where alice's run
    assert in_policy("QOSGrpCpuLimit", IN_P, held(alice=9.0), counted=counted) == f"{words} {EVERYBODY}"
    inside = {"places": {"cpu": IN_P}, "counted": counted}
    assert in_policy("QOSGrpCpuLimit", IN_P, held(alice=9.0), **inside) == (
        f"{words} {EVERYBODY} In this QoS alice holds 9."
    )


def test_jobs_of_a_partitions_qos() -> None:
    text = in_policy("QOSGrpJobsLimit", IN_P, {}, counted={"partition QoS long": {"jobs": 4.0}})
    assert text == f"4 jobs of the 4 that the partition's QoS long lets run at a time are running. {EVERYBODY}"
    none = replace(POLICY, partitions={"p": PartitionQos("long", {"GrpTRES": {"cpu": 0.0}})})
    text = told(case("QOSGrpCpuLimit", places=IN_P), CPUS, {}, policy=none)[0]
    assert text == "The partition's QoS long allows no CPUs."


def test_elsewhere_it_is_the_qos_itself() -> None:
    now = held(alice=426.0)
    assert in_policy("QOSGrpCpuLimit", IN_Q, now) == "426 of the group's 430 CPUs are in use: alice holds 426."
    both = in_policy("QOSGrpCpuLimit", IN_P | IN_Q, now)
    assert both == "The limit of the group is reached: CPUs. In this QoS alice holds 426.", "either of the two"
    over = replace(POLICY, flags=("OverPartQOS",))
    text = told(case("QOSGrpCpuLimit", places=IN_P), CPUS, now, policy=over)[0]
    assert text == "426 of the group's 430 CPUs are in use: alice holds 426."


def test_a_number_of_the_configuration_stands_for_the_groups() -> None:
    limits = {"NCPUS": Limit("limit", 8.0, CONFIGURED)}
    text = told(case("QOSGrpCpuLimit", places=IN_P), limits, held(alice=8.0), policy=POLICY)[0]
    assert text == "All of the group's 8 CPUs are in use: alice holds 8."


def test_what_other_accounts_of_the_qos_hold_is_not_forgotten() -> None:
    some = {"whole": False}
    assert in_policy("QOSGrpCpuLimit", IN_Q, held(alice=9.0), **some) == (
        "The limit of the group is reached: 430 CPUs. Among its jobs that are shown here alice holds 9."
    )
    told_by_slurm = {**some, "counted": {"QoS": {"cpu": 430.0}}}
    assert in_policy("QOSGrpCpuLimit", IN_Q, held(alice=9.0), **told_by_slurm) == (
        "All of the group's 430 CPUs are in use: alice holds 9, others 421."
    )
    assert in_policy("QOSGrpCpuLimit", IN_Q, {}, **told_by_slurm) == "All of the group's 430 CPUs are in use."


def test_a_limit_that_is_not_known_is_not_made_up() -> None:
    """Slurm's reason names a limit of a QoS, and none is known: it is newer, or of a place that is not."""
    assert in_policy("QOSGrpMemLimit", IN_P, {}) == "The limit of the group is reached: memory."
    assert in_policy("QOSGrpGRES", IN_P, {"alice": {"NGPUS": 3.0}}) == (
        "The limit of the group is reached: GPUs. In this QoS alice holds 3."
    )


def test_of_several_limits_of_gpus_without_their_use_none_is_named() -> None:
    typed = PartitionQos("long", {"GrpTRES": {"gres/gpu": 8.0, "gres/gpu:a100": 2.0}})
    policy, name = replace(POLICY, partitions={"p": typed}), "QOSGrpGRES"
    assert told(case(name, places=IN_P), {}, {}, policy=policy)[0] == "The limit of the group is reached: GPUs."
    counted = {"partition QoS long": {"gres/gpu": 3.0, "gres/gpu:a100": 2.0}}
    text = told(case(name, places=IN_P), {}, {}, policy=policy, counted=counted)[0]
    assert text == f"All 2 GPUs of type a100 of the partition's QoS long are in use. {EVERYBODY}"


@pytest.mark.parametrize(
    ("places", "most", "part"),
    [
        (IN_Q, " (at most 64)", ""),
        (IN_P, " (at most 30 by the partition's QoS long)", "in this QoS "),
        (IN_P | IN_Q, "", "in this QoS "),
    ],
)
def test_what_each_user_may_have(places: frozenset[object], most: str, part: str) -> None:
    name = "QOSMaxCpuPerUserLimit"
    words = f"Who waits here is at a limit that holds for each user: CPUs{most}; "
    assert in_policy(name, places, held(carol=29.0)) == f"{words}{part}carol holds 29."
    some = in_policy(name, places, held(carol=29.0), whole=False)
    assert some == f"{words}among the jobs that are shown here carol holds 29."
    assert in_policy(name, places, {}) == f"The limit of one user is reached: CPUs{most}."


def test_a_job_that_asks_for_more_than_a_user_may_have_is_compared_with_that() -> None:
    for amount, never in ((64.0, ""), (65.0, " One job asks for more than that alone and can never start.")):
        waiting = case("QOSMaxCpuPerUserLimit", places=IN_Q, asked={"NCPUS": [(amount, 1)]})
        text, todo, _ = told(waiting, CPUS, {}, policy=POLICY)
        assert text == f"The limit of one user is reached: CPUs (at most 64).{never}"
        assert ("Cancel" in todo) is bool(never)


def test_of_accounts_what_they_may_have_is_told_and_the_user_is_not_left_out() -> None:
    words = "The limit of the account lab, one above it, or the user in it, is reached: GPUs."
    facts = "The account college may have 9. The account lab may have 4."
    assert in_policy("AssocGrpGRES", IN_Q, {}) == f"{words} {facts}"
    counted = {"association lab": {"gres/gpu": 4.0}}
    facts = "The account college may have 9. The account lab may have 4, and has 4."
    assert in_policy("AssocGrpGRES", IN_Q, {"a": {"NGPUS": 2.0}}, counted=counted) == (
        f"{words} {facts} In this QoS a holds 2."
    )
    assert in_policy("AssocGrpCpuLimit", IN_Q, {}).endswith("or the user in it, is reached: CPUs.")
    assert "account" in explain("AssocGrpNodeLimit").words and "user" in explain("AssocGrpNodeLimit").words
