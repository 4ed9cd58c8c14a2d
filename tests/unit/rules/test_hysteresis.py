"""The laws of firing and clearing, held for any values at any times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from librarian.rules.hysteresis import Law, Memory, after_telling, due, step

NOW = 1_793_100_000
laws = st.builds(
    lambda level, room, seconds, clear: Law(">", level, level - room, seconds, clear, 3600),
    st.integers(0, 10), st.integers(0, 5), st.integers(0, 7200), st.integers(0, 7200),
)  # fmt: skip
looks = st.lists(st.tuples(st.integers(-4000, 8000), st.none() | st.integers(-5, 15).map(float)), max_size=40)


def course(law: Law, given_looks: list[tuple[int, float | None]]) -> list[tuple[int, float | None, Memory]]:
    """Each look with the memory after it; times are steps from the look before."""
    memory, now, found = Memory(), NOW, []
    for passed, value in given_looks:
        now += passed
        memory = step(law, memory, value, now)
        found.append((now, value, memory))
    return found


@given(laws, looks)
def test_what_is_not_known_neither_fires_nor_clears(law: Law, all_looks: list[tuple[int, float | None]]) -> None:
    before = Memory()
    for _, value, memory in course(law, all_looks):
        assert memory.firing == before.firing or value is not None
        assert memory.unknown == (value is None)
        before = memory


@given(laws, looks)
def test_it_changes_only_where_the_value_says_so(law: Law, all_looks: list[tuple[int, float | None]]) -> None:
    before = Memory()
    for _, value, memory in course(law, all_looks):
        if memory.firing and not before.firing:
            assert value is not None and value > law.level
        if before.firing and not memory.firing:
            assert value is not None and value <= law.clears
        before = memory


@given(laws, looks)
def test_it_fires_after_no_less_than_its_time(law: Law, all_looks: list[tuple[int, float | None]]) -> None:
    """Counted by hand: seconds between looks in a row that both found it met, of each gap an hour at most."""
    held, was, before = 0, None, Memory()
    for now, value, memory in course(law, all_looks):
        if value is None:
            was = None
        elif before.firing or value <= law.level:
            held, was = 0, None
        else:
            held, was = held + (min(max(0, now - was), law.gap) if was is not None else 0), now
        if memory.firing and not before.firing:
            assert held >= law.seconds
            held, was = 0, None
        elif value is not None and not memory.firing and not before.firing and value > law.level:
            assert held < law.seconds
        before = memory


@given(laws, st.lists(st.integers(-5, 15).map(float), max_size=40))
def test_the_band_between_the_levels_changes_nothing(law: Law, values: list[float]) -> None:
    before = Memory()
    for _, value, memory in course(law, [(600, value) for value in values]):
        if value is not None and law.clears < value <= law.level:
            assert memory.firing == before.firing
        before = memory


@given(laws, looks, st.integers(0, 200_000))
def test_somebody_hears_in_turns_and_not_within_the_quiet_time(
    law: Law, all_looks: list[tuple[int, float | None]], quiet: int
) -> None:
    memory, now, heard = Memory(), NOW, []
    for passed, value in all_looks:
        now += abs(passed)
        memory = step(law, memory, value, now)
        what = due(memory, quiet, now)
        memory = after_telling(memory, what, now)
        heard += [(what, now)] if what else []
    assert [what for what, _ in heard] == ["fired", "cleared"] * (len(heard) // 2) + ["fired"] * (len(heard) % 2)
    fired = [at for what, at in heard if what == "fired"]
    assert all(later - earlier >= quiet for earlier, later in pairwise(fired))


def test_a_rule_that_flaps_in_each_cycle_is_told_once_in_its_quiet_time() -> None:
    law, memory, heard = Law(">", 1, 1), Memory(), []
    for cycle in range(2 * 144):
        now = NOW + 600 * cycle
        memory = step(law, memory, float(2 * (cycle % 2)), now)
        what = due(memory, 86400, now)
        memory, heard = after_telling(memory, what, now), [*heard, *filter(None, [what])]
    assert heard == ["fired", "cleared"] * 2


def test_a_clock_that_jumps_counts_no_more_than_a_gap() -> None:
    law = Law(">", 1, 1, seconds=4 * 3600)
    found = course(law, [(0, 5.0), (30 * 86400, 5.0), (-60 * 86400, 5.0), (3600, 5.0)])
    assert [memory.firing for _, _, memory in found] == [False] * 4
    assert found[-1][2].held == 7200


def test_a_time_in_the_future_keeps_nobody_quiet() -> None:
    memory = Memory(firing=True, at=NOW, told_at=NOW + 10**8)
    assert due(memory, 86400, NOW) == "fired"
