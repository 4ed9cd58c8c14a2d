"""Rules on the JSON of a QoS: what each kind reads, what is not known, who is told; and the last 30 days."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.config import rule_options
from librarian.rules import readings
from librarian.rules.evaluate import Key, Span, evaluate, logged, replayed
from librarian.rules.hysteresis import Memory
from tests.places import ROOT

DATA = json.loads((ROOT / "tests/data/golden/data_avery.json").read_text())
NOW = DATA["metadata"]["last_updated_epoch"] + 60
HOSTILE = ("<script>alert(1)</script>", "a\r\nBcc: x@y", "__proto__", "../../etc", "\u202etxt", "é" * 500)


def rule(**entry: Any) -> rule_options.RuleOptions:
    return rule_options.rule({"name": "one", **entry})


def look(data: Any, now: int = NOW, memory: Any = None, **entry: Any) -> Any:
    return evaluate([rule(**entry)], {"avery": data}, memory or {}, now, 600)


def but(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DATA), **changes}


PRESSURE = {"NGPUS": {"share": 0.97, "used": 32}}


@pytest.mark.parametrize(
    ("entry", "changes", "says"),
    [
        ({"kind": "at-limit", "hours": 0}, {"pressure": PRESSURE}, "97 % of the limit on GPUs is held"),
        ({"when": "pressure.NGPUS.share > 0.95"}, {"pressure": PRESSURE}, "pressure.NGPUS.share is 0.97"),
        ({"kind": "headroom", "below": 4}, {"limits": {"NGPUS": {"value": 33, "used": 32}}}, "1 GPUs are left"),
        (
            {"kind": "pending"},
            {
                "queue": {"at": NOW, "error": None, "oldest": {"user": "a", "since": NOW - 40_000}},
                "waits": {"ranges": {"7d": {"columns": {"user": [None, "a"], "size": [None, None], "p90": [4000, 1]}}}},
            },
            "has waited 10 times as long",
        ),
        (
            {"kind": "allocation"},
            {"allocations": [{"key": "NGPUS", "used": 50, "projected": 150, "now": NOW, "to": NOW + 100 * 86400,
                              "amount": 100}]},
            "gone 50 days before its period ends",
        ),
        (
            {"kind": "unused", "above": 100},
            {"efficiency": {"ranges": {"7d": {"users": {"ada": {"NGPUS": {"measured_hours": 300, "used_hours": 20}},
                                                        "bo": {"NGPUS": {"measured_hours": 90, "used_hours": 0}}}}}}},
            "ada left 280 GPU-hours unused",
        ),
        (
            {"kind": "idle-gpus"},
            {"efficiency": {"ranges": {"24h": {"users": {"ada": {"NGPUS": {"measured_hours": 300, "used_hours": 20}},
                                                         "bo": {"NGPUS": {"measured_hours": 9, "used_hours": 0}}}}}}},
            "bo held 9 GPU-hours in the last 24 hours at 0 % use",
        ),
    ],
)  # fmt: skip
def test_each_kind_reads_its_number(entry: dict[str, Any], changes: dict[str, Any], says: str) -> None:
    found = look(but(**changes), **entry)
    assert [event.what for event in found.events] == ["fired"]
    assert says in found.events[0].text


def test_data_that_are_old_fire_their_own_rule_and_no_other() -> None:
    later = NOW + 5 * 3600
    assert look(DATA, later, kind="data-age", hours=4).events[0].text == "avery: the data are 5.02 hours old"
    found = look(but(pressure=PRESSURE), later, kind="at-limit", hours=0)
    assert [(one.state, one.text) for one in found.now] == [("unknown", "avery: the data are old")]
    assert not found.events


@pytest.mark.parametrize("kind", rule_options.KINDS)
@pytest.mark.parametrize("broken", [None, {}, [], "text", 5])
def test_what_is_missing_is_unknown(kind: str, broken: Any) -> None:
    more = {"headroom": {"below": 4}, "unused": {"above": 1}}.get(kind, {})
    names = ("pressure", "limits", "allocations", "efficiency", "queue", "waits", "metadata")
    kept = () if kind == "data-age" else ("metadata",)
    found = look(but(**{name: broken for name in names if name not in kept}), kind=kind, **more)
    assert [one.state for one in found.now] == ["unknown"]
    assert not found.events


def test_a_qos_without_data_is_unknown_and_stops_no_other() -> None:
    rules = [rule(kind="at-limit", hours=0)]
    found = evaluate(rules, {"kim": None, "avery": but(pressure=PRESSURE)}, {}, NOW, 600)
    assert [(one.key.qos, one.state) for one in found.now] == [("kim", "unknown"), ("avery", "firing")]


def test_what_fires_stays_so_while_its_number_is_not_known() -> None:
    first = look(but(pressure=PRESSURE), kind="at-limit", hours=0)
    second = look(but(pressure={}), NOW + 600, first.memory, kind="at-limit", hours=0)
    assert (second.events, [one.state for one in second.now]) == ((), ["firing"])
    third = look(but(pressure={"NGPUS": {"share": 0.5}}), NOW + 1200, second.memory, kind="at-limit", hours=0)
    assert [event.what for event in third.events] == ["cleared"]


def test_a_user_who_is_gone_clears() -> None:
    def use(users: dict[str, Any]) -> dict[str, Any]:
        return but(efficiency={"ranges": {"7d": {"users": users}}})

    first = look(use({"ada": {"NGPUS": {"measured_hours": 300, "used_hours": 20}}}), kind="unused", above=100)
    second = look(use({}), NOW + 600, first.memory, kind="unused", above=100)
    assert [(event.what, event.key.whom) for event in second.events] == [("cleared", "ada")]


def test_three_thousand_users_with_hostile_names_are_told_at_once() -> None:
    names = [*HOSTILE, *(f"user{number}" for number in range(3000))]
    use = {name: {"NGPUS": {"measured_hours": 300, "used_hours": 20}} for name in names}
    data = but(efficiency={"ranges": {"7d": {"users": use}}})
    found = look(data, kind="unused", above=100)
    assert len(found.events) == len(names)
    again = look(data, NOW + 600, found.memory, kind="unused", above=100)
    assert not again.events


def test_nothing_is_remembered_of_those_who_never_fired() -> None:
    use = {f"user{number}": {"NGPUS": {"measured_hours": 3, "used_hours": 2}} for number in range(3000)}
    assert not look(but(efficiency={"ranges": {"7d": {"users": use}}}), kind="unused", above=100).memory


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(sorted(DATA)), json_values), st.sampled_from(rule_options.KINDS))
def test_whatever_the_file_holds_a_look_ends(changes: dict[str, Any], kind: str) -> None:
    one = rule(kind=kind, **{"headroom": {"below": 4}, "unused": {"above": 1}}.get(kind, {}))
    found = readings.read(one, {**DATA, **changes}, NOW, 600)
    assert all(value is None or isinstance(value, float) for value in found.values.values())
    replayed(one, "avery", {**DATA, **changes})


def steady(shares: list[float]) -> dict[str, Any]:
    """A report in which all held these shares of a limit of 10 GPUs, an hour each."""
    edges = [NOW - 3600 * (len(shares) - number) for number in range(len(shares) + 1)]
    return {
        "metadata": {"last_updated_epoch": NOW, "time_resolution_seconds": 3600},
        "edges": edges,
        "observables": {"NGPUS": {"ada": [share * 4 for share in shares], "bo": [share * 6 for share in shares]}},
        "limits": {"NGPUS": {"history": [{"from": edges[0], "value": 10}]}},
        "peaks": {"NGPUS": [share * 10 for share in shares]},
    }


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "at-limit", "hours": 2},
        {"kind": "headroom", "below": 0.6, "hours": 2},
        {"when": "pressure.NGPUS.share >= 0.95 for 2h"},
        {"when": "now.total.NGPUS >= 9.5 for 2h"},
        {"when": "peaks.NGPUS[-1] >= 9.5 for 2h"},
        {"when": "now.users.ada.NGPUS >= 3.8 for 2h"},
    ],
)
def test_the_past_is_replayed_by_bins(entry: dict[str, Any]) -> None:
    data = steady([0.5, 1, 1, 0.5, 1, 1, 1, 1, 0.5, 0.5])
    spans = replayed(rule(**entry), "avery", data)
    assert spans is not None
    assert [((one.start - NOW) // 3600, ((one.end or 0) - NOW) // 3600) for one in spans] == [(-3, -1)]


@pytest.mark.parametrize(
    "entry",
    [{"kind": "data-age"}, {"kind": "pending"}, {"when": "queue.jobs > 1"}, {"when": "peaks.NCPUS[-2] > 1"}],
)
def test_a_number_without_a_history_has_none(entry: dict[str, Any]) -> None:
    assert replayed(rule(**entry), "avery", DATA) is None


def test_what_fired_is_kept_for_thirty_days() -> None:
    old = Span(Key("one", "avery"), NOW - 40 * 86400, NOW - 31 * 86400)
    open_one = Span(Key("one", "avery"), NOW - 40 * 86400, None)
    assert logged([old, open_one], (), NOW) == [open_one]
    first = look(but(pressure=PRESSURE), kind="at-limit", hours=0)
    spans = logged([], first.changes, NOW)
    over = look(but(pressure={"NGPUS": {"share": 0.5}}), NOW + 600, first.memory, kind="at-limit", hours=0)
    assert [(one.start, one.end) for one in logged(spans, over.changes, NOW + 600)] == [(NOW, NOW + 600)]


def test_a_memory_of_another_rule_is_left_alone() -> None:
    memory = {Key("other", "avery"): Memory(firing=True)}
    assert Key("other", "avery") not in look(DATA, memory=memory, kind="at-limit").memory
