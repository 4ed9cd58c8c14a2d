"""Which limit binds: Slurm's order of the places that set one, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.names import Places
from librarian.shared.resources import OBSERVABLES
from librarian.shared.scope import Scope
from librarian.shared.window import window_until
from librarian.store import opened
from librarian.subjects.limits.effective_limits import Branch, Partition, compose
from librarian.subjects.limits.held import held_now
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.limits.model import Change, histories, limits_of
from librarian.subjects.limits.policy import OWN, Held, LimitRow, rows
from librarian.subjects.limits.rules import (
    SETTINGS,
    Account,
    PartitionQos,
    QosLimits,
    binding,
    enforced,
    everywhere,
    pack,
    sources,
    unpack,
)
from librarian.subjects.usage.places import places_of, seen_at
from tests.unit.tables import jobs_table

CPU = ("GrpTRES", "cpu")
LONG = PartitionQos("long", {"GrpTRES": {"cpu": 3.0}, "MaxTRESPerUser": {"cpu": 2.0}})
LAB = Account("lab", "college", {"GrpTRES": {"cpu": 9.0, "node": 4.0}, "MaxJobs": {"jobs": 5.0}}, True)
COLLEGE = Account("college", "", {"GrpTRES": {"cpu": 7.0}, "MaxJobs": {"jobs": 50.0}, "MaxTRES": {"cpu": 6.0}}, False)
HERE: Places = {"cpu": frozenset({("p", "lab")}), "jobs": frozenset({("p", "lab")})}


def qos(cpu: float | None = None, **more: object) -> QosLimits:
    return QosLimits({} if cpu is None else {"cpu": cpu}, None, **more)  # type: ignore[arg-type]


def bound(limits: QosLimits, places: Places = HERE) -> tuple[float | None, str]:
    limit = limits_of(OBSERVABLES, limits, {}, places)["NCPUS"]
    return limit.value, limit.source


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (qos(8.0), (8, "GrpTRES cpu")),
        (qos(8.0, partitions={"p": LONG}), (3, "GrpTRES cpu of partition QoS long")),
        (qos(2.0, partitions={"p": LONG}), (3, "GrpTRES cpu of partition QoS long")),
        (qos(8.0, partitions={"p": LONG}, flags=("OverPartQOS",)), (8, "GrpTRES cpu")),
        (qos(None, partitions={"p": LONG}, flags=("OverPartQOS",)), (3, "GrpTRES cpu of partition QoS long")),
        (qos(8.0, accounts=(replace(LAB, rules={"GrpTRES": {"cpu": 4.0}}),)), (8, "GrpTRES cpu")),
        (qos(None, accounts=(LAB, COLLEGE)), (7, "GrpTRES cpu of association college")),
        (qos(None, accounts=(LAB,)), (9, "GrpTRES cpu of association lab")),
        (qos(0.0, accounts=(LAB,)), (0, "GrpTRES cpu")),
        (qos(None), (None, "GrpTRES cpu")),
        (qos(None, partitions={"other": LONG}), (None, "GrpTRES cpu")),
    ],
    ids=[
        *("its own", "the partition's", "the partition's though larger", "its own by the flag", "the flag alone"),
        *("the QoS excludes the account", "of two accounts the tighter", "an account", "0 is a limit", "none"),
        "another partition's",
    ],
)
def test_what_binds(limits: QosLimits, expected: tuple[float | None, str]) -> None:
    assert bound(limits) == expected


def test_a_limit_of_a_part_is_none_of_the_whole() -> None:
    two: Places = {"cpu": frozenset({("p", "lab"), ("q", "lab")})}
    assert bound(qos(None, partitions={"p": LONG}), two) == (None, "GrpTRES cpu")
    assert bound(qos(8.0, partitions={"p": LONG}), two) == (8, "GrpTRES cpu")
    assert bound(qos(None, partitions={"p": LONG, "q": LONG}), two)[0] == 3
    groups: Places = {"cpu": frozenset({("p", "lab"), ("p", "guests")})}
    assert bound(qos(None, accounts=(LAB, COLLEGE)), groups) == (None, "GrpTRES cpu")
    guests = Account("guests", "college", {}, True)
    assert bound(qos(None, accounts=(LAB, COLLEGE, guests)), groups)[0] == 7


def test_without_jobs_it_is_what_binds_wherever_the_qos_may_be_used() -> None:
    assert bound(qos(None, partitions={"p": LONG}, elsewhere=(False, True)), {})[0] == 3
    assert bound(qos(None, partitions={"p": LONG}), {})[0] is None
    assert bound(qos(None, accounts=(LAB, COLLEGE), elsewhere=(True, False)), {})[0] == 7


def test_limits_of_each_user_come_from_the_nearest_account() -> None:
    jobs = ("MaxJobsPerUser", "jobs")
    (found,) = enforced(qos(accounts=(LAB, COLLEGE)), jobs, ("p", "lab"))
    assert (found.value, found.words) == (5, "MaxJobs of association lab")
    own = qos(more={"MaxJobsPerUser": {"jobs": 90.0}}, accounts=(LAB, COLLEGE))
    assert [source.words for source in enforced(own, jobs, ("p", "lab"))] == ["MaxJobsPerUser"]


def test_a_circle_of_accounts_ends() -> None:
    circle = (Account("a", "b", {}, True), Account("b", "a", {"GrpTRES": {"cpu": 1.0}}, False))
    assert bound(qos(accounts=circle), {"cpu": frozenset({("p", "a")})})[0] == 1


# what holds of any limits

amounts = st.sampled_from([0.0, 1.0, 5.0, 8.0])
rules = st.dictionaries(
    st.sampled_from(["GrpTRES", "MaxTRESPerUser", "MaxTRES"]), st.dictionaries(st.sampled_from(["cpu", "mem"]), amounts)
)
names = st.sampled_from(["a", "b", "c"])
many = st.builds(
    QosLimits,
    st.dictionaries(st.sampled_from(["cpu", "mem", "gres/gpu"]), amounts),
    st.sampled_from([None, 0.0, 20.0]),
    st.dictionaries(st.sampled_from(["MaxTRES", "MaxTRESPerUser"]), st.dictionaries(st.just("cpu"), amounts)),
    st.sampled_from([None, (), ("OverPartQOS",)]),
    st.dictionaries(names, st.builds(PartitionQos, st.sampled_from(["x", "y"]), rules)),
    st.lists(st.builds(Account, names, names, rules, st.booleans()), unique_by=lambda found: found.name).map(tuple),
    st.tuples(st.booleans(), st.booleans()),
)


@given(many)
def test_what_is_kept_is_read_again(limits: QosLimits) -> None:
    assert unpack(json.loads(json.dumps(pack(limits)))) == limits


@given(many, names, names)
def test_of_several_only_accounts_of_a_group_count_together(limits: QosLimits, partition: str, account: str) -> None:
    for key in sources(limits):
        found = enforced(limits, key, (partition, account))
        assert len({source.kind for source in found}) <= 1
        assert len(found) <= 1 or (found[0].kind == "association" and found[0].setting.per == "group")


@given(many)
def test_what_binds_counts_somewhere(limits: QosLimits) -> None:
    for key in sources(limits):
        whole = binding(limits, key, frozenset())
        every = [source for place in everywhere(limits) for source in enforced(limits, key, place)]
        assert whole is None or whole in every


@given(many)
def test_of_each_resource_and_kind_of_holder_at_most_one_row_binds(limits: QosLimits) -> None:
    told = rows("avery", limits, {"mem": 4.0}, {}, {})
    keys = [row.source.key for row in told if row.binds]
    assert len(keys) == len(set(keys))
    assert [row.of for row in told if row.binds and row.source.key == ("GrpTRES", "mem")] == ["configuration"]
    per = [row.source.setting.per for row in told]
    assert per == sorted(per, key=["group", "account", "user", "job"].index)


# the store

OLD = '[{"cpu": 4.0}, 20.0]'


def test_the_store_reads_what_older_versions_wrote(tmp_path: Path) -> None:
    wide = qos(8.0, flags=("DenyOnLimit",), partitions={"p": LONG}, accounts=(LAB, COLLEGE))
    with opened(tmp_path / "s", "hpg") as store:
        LimitChanges(store).keep(Scope("hpg", "avery"), Change(10, QosLimits({"cpu": 4.0}, 20.0), {}))
        assert store.one("SELECT slurm FROM limit_change") == (OLD,)
        assert LimitChanges(store).keep(Scope("hpg", "avery"), Change(20, wide, {}))
        assert not LimitChanges(store).keep(Scope("hpg", "avery"), Change(30, wide, {}))
        changes = LimitChanges(store).of(Scope("hpg", "avery"))
    assert [change.slurm for change in changes] == [QosLimits({"cpu": 4.0}, 20.0), wide]
    history = histories(OBSERVABLES, changes, limits_of(OBSERVABLES, wide, {}, HERE), (0, 50), HERE)["NCPUS"]
    told = [(step.since, step.limit.value, step.limit.source) for step in history]
    assert told == [(0, 4, "GrpTRES cpu"), (20, 3, "GrpTRES cpu of partition QoS long")]


# what Slurm tells, put together

TABLE = {"avery": qos(8.0), "long": QosLimits({"cpu": 3.0}, None), "empty": QosLimits({}, None)}
TREE = (
    Branch("root", "", (), {}),
    Branch("college", "root", (), {"GrpTRES": {"cpu": 7.0}}),
    Branch("dept", "college", (), {}),
    Branch("lab", "dept", ("avery",), {"GrpJobs": {"jobs": 9.0}}),
    Branch("guests", "dept", ("AVERY",), {}),
    Branch("strangers", "root", ("kim",), {"GrpJobs": {"jobs": 1.0}}),
)


def composed(partitions: Mapping[str, Partition], tree: tuple[Branch, ...] = TREE) -> QosLimits:
    found = compose("Avery", TABLE, partitions, tree)
    assert found is not None
    return found


def test_partitions_that_let_the_qos_in() -> None:
    partitions = {
        "p": Partition("LONG"),
        "q": Partition("long", ("kim", "Avery")),
        "r": Partition("long", ("kim",)),
        "s": Partition("long", None, ("avery",)),
        "t": Partition("empty"),
        "u": Partition("gone"),
        "v": Partition("avery"),
    }
    found = composed(partitions)
    assert {name: partition.name for name, partition in found.partitions.items()} == {"p": "long", "q": "long"}
    assert found.elsewhere[0]
    assert not composed({"p": Partition("long")}).elsewhere[0]
    assert composed({}).elsewhere[0]


def test_accounts_with_limits_and_those_above_them() -> None:
    found = composed({})
    told = [(account.name, account.parent, account.holds) for account in found.accounts]
    assert told == [("college", "", False), ("guests", "college", True), ("lab", "college", True)]
    assert not found.elsewhere[1]
    assert composed({}, (*TREE, Branch("free", "root", ("avery",), {}))).elsewhere[1]
    assert composed({}, ()).accounts == ()


def test_a_qos_that_slurm_does_not_know() -> None:
    assert compose("nosuch", TABLE, {}, ()) is None


# rows for people

JOBS = jobs_table(
    {"user": "alice", "account": "lab", "start": 0, "alloc_tres": "cpu=4,mem=2G,gres/gpu:a100=2", "partition": "p"},
    {"user": "bob", "account": "lab", "start": 0, "alloc_tres": "cpu=3,mem=1G", "partition": "q"},
    {"user": "bob", "account": "guests", "start": 0, "alloc_tres": "cpu=3", "partition": "q", "state": "SUSPENDED"},
    {"user": "carol", "account": "lab", "start": 0, "end": 50, "alloc_tres": "cpu=90", "partition": "old"},
)
NOW = 7000
WIDE = qos(
    8.0,
    more={
        "MaxTRESPerAccount": {"cpu": 9.0},
        "MaxTRESPerUser": {"cpu": 6.0, "node": 2.0},
        "MaxJobsPerUser": {"jobs": 2.0},
        "GrpSubmitJobs": {"submitted": 50.0},
        "MaxTRES": {"cpu": 6.0},
        "MaxWall": {"walltime": 3600.0},
    },
    partitions={"q": LONG},
)


def test_each_row_tells_what_slurm_counts_and_whose_it_is() -> None:
    held = held_now(JOBS, NOW, OBSERVABLES)
    assert held.total["cpu"] == 10, "suspended jobs count, those that ended do not"
    told = {row.source.words: (row.used, row.by, row.binds) for row in rows("avery", WIDE, {}, {}, {OWN: held})}
    assert told == {
        "GrpTRES cpu": (10, None, True),
        "GrpTRES cpu of partition QoS long": (None, None, False),
        "GrpSubmitJobs": (None, None, True),
        "MaxTRESPerAccount cpu": (7, "lab", True),
        "MaxTRESPerUser cpu": (6, "bob", True),
        "MaxTRESPerUser cpu of partition QoS long": (None, None, False),
        "MaxTRESPerUser node": (None, None, True),
        "MaxJobsPerUser": (2, "bob", True),
        "MaxTRES cpu": (None, None, True),
        "MaxWall": (None, None, True),
    }


def test_where_each_limit_counts() -> None:
    """Not where jobs are now: the limit of a partition without any may be the very one that keeps them back."""
    told = {row.source.words: row.enforced for row in rows("avery", WIDE, {"cpu": 3.0}, {}, {})}
    assert told["GrpTRES cpu of partition QoS long"] == "partly"
    assert told["GrpTRES cpu"] == "partly"
    assert told["MaxTRESPerUser node"] == "everywhere"
    alone = rows("avery", replace(WIDE, accounts=(LAB,), elsewhere=(False, False)), {}, {}, {})
    found = {row.source.words: (row.enforced, row.binds) for row in alone if row.source.key == CPU}
    assert found == {
        "GrpTRES cpu of partition QoS long": ("everywhere", True),
        "GrpTRES cpu": ("never", False),
        "GrpTRES cpu of association lab": ("never", False),
    }


def row(told: tuple[LimitRow, ...], words: str) -> LimitRow:
    (found,) = (row for row in told if row.source.words == words)
    return found


def test_use_of_nobody_is_nobodys_and_unknown_use_is_not_0() -> None:
    told = rows("avery", WIDE, {}, {}, {OWN: held_now(JOBS.loc[[]], NOW, OBSERVABLES)})
    assert (row(told, "MaxTRESPerUser cpu").used, row(told, "MaxTRESPerUser cpu").by) == (0, None)
    assert row(told, "MaxTRESPerUser node").used is None
    typed = rows("avery", QosLimits({"gres/gpu:a100": 2.0}, None), {}, {}, {OWN: Held({"gres/gpu": 0.0})})
    assert (typed[0].used, typed[0].name, typed[0].unit) == (0, "GPUs a100", "GPUs")
    untracked = rows("avery", QosLimits({"gres/gpu": 2.0}, None), {}, {}, {OWN: Held({"cpu": 1.0})})
    assert untracked[0].used is None


def test_where_jobs_hold_what() -> None:
    window = window_until(NOW, seconds=3600, bin_seconds=3600, zone="UTC")
    found = places_of(seen_at(JOBS, window, OBSERVABLES))
    assert found["cpu"] == {("p", "lab"), ("q", "lab"), ("q", "guests")}, "what ended before the window is left out"
    assert found["gres/gpu"] == {("p", "lab")}
    assert "billing" not in found


def test_every_setting_has_a_name_of_its_own() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
