"""Limits as they were in a window: what holds at each moment, told once and only as far as it is known."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from librarian.shared.resources import OBSERVABLES
from librarian.subjects.limits.model import Change, QosLimits, Since, histories, limits_of

START, END = 1000, 2000

slurms = st.one_of(
    st.none(),
    st.builds(
        QosLimits,
        st.dictionaries(st.sampled_from(["cpu", "mem", "gres/gpu"]), st.sampled_from([0.0, 4.0, 8.0])),
        st.sampled_from([None, 0.0, 20.0]),
    ),
)
overrides = st.dictionaries(st.sampled_from(["cpu", "jobs"]), st.sampled_from([0.0, 4.0]))
changes = st.lists(st.builds(Change, st.integers(0, 3000), slurms, overrides), max_size=6).map(
    lambda found: tuple(sorted({change.since: change for change in found}.values(), key=lambda change: change.since))
)


def histories_of(past: tuple[Change, ...]) -> dict[str, tuple[Since, ...]]:
    last = past[-1] if past else Change(0, None, {})
    return histories(OBSERVABLES, past, limits_of(OBSERVABLES, last.slurm, last.overrides), (START, END))


@given(changes)
def test_at_each_moment_the_history_tells_what_held_then(past: tuple[Change, ...]) -> None:
    for key, history in histories_of(past).items():
        for moment in range(START, END, 50):
            known = [change for change in past if change.since <= moment]
            told = [step.limit for step in history if step.since <= moment]
            held = limits_of(OBSERVABLES, known[-1].slurm, known[-1].overrides)[key] if known else None
            if held and held.kind != "unknown":
                assert told[-1] == held
            elif told and all(limits_of(OBSERVABLES, c.slurm, c.overrides)[key].kind == "unknown" for c in known):
                assert told == [history[0].limit], "nothing was known yet: the first that was goes back"


@given(changes)
def test_it_is_in_order_has_no_needless_steps_and_ends_with_now(past: tuple[Change, ...]) -> None:
    last = past[-1] if past else Change(0, None, {})
    now = limits_of(OBSERVABLES, last.slurm, last.overrides)
    for key, history in histories_of(past).items():
        assert history[-1].limit == now[key]
        assert all(START <= step.since <= END for step in history)
        assert all(a.since < b.since and a.limit != b.limit for a, b in pairwise(history))


def test_what_is_known_first_is_taken_for_the_time_before_too() -> None:
    history = histories_of((Change(1200, None, {}), Change(1500, QosLimits({"cpu": 4.0}, None), {})))
    assert [(step.since, step.limit.value) for step in history["NCPUS"]] == [(START, 4)]
    assert [(step.since, step.limit.kind) for step in history["NJOBS"]] == [(START, "none")]


def test_an_override_holds_from_when_it_was_seen() -> None:
    slurm = QosLimits({"cpu": 4.0}, None)
    history = histories_of((Change(10, slurm, {}), Change(1500, slurm, {"cpu": 9.0}), Change(1700, slurm, {})))
    told = [(step.since, step.limit.value, step.limit.source) for step in history["NCPUS"]]
    assert told == [(START, 4, "GrpTRES cpu"), (1500, 9, "configuration"), (1700, 4, "GrpTRES cpu")]


def test_a_qos_that_slurm_no_longer_knows_has_no_known_limit_from_then_on() -> None:
    history = histories_of((Change(10, QosLimits({"cpu": 4.0}, None), {}), Change(1500, None, {})))
    assert [(step.since, step.limit.kind) for step in history["NCPUS"]] == [(START, "limit"), (1500, "unknown")]


def test_without_any_change_there_is_one_step() -> None:
    now = limits_of(OBSERVABLES, QosLimits({"cpu": 4.0}, None), {})
    found = histories(OBSERVABLES, (), now, (START, END))
    assert {key: [(step.since, step.limit) for step in history] for key, history in found.items()} == {
        key: [(START, limit)] for key, limit in now.items()
    }
