"""What jobs used, for the past: the same sums in whatever slices, however often ended, and nothing twice."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.backfill.slices import Outcome, Progress
from librarian.backfill.use import UseOrder, fill_use, longest_slice, use_bounds, use_into_store, use_orders
from librarian.cli.backfill import target_of
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import SlurmError, TimedOutError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.slurm.site import Archive
from librarian.store import Store, opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Total
from librarian.system.processes import Answer
from tests.unit.backfill.test_slices import StoppedError, hands, setup_in, stop_after
from tests.unit.runs import T0, run_of
from tests.unit.subjects.efficiency.used import measured

AVERY, KIM, PART = Scope("demo", "avery"), Scope("demo", "kim"), Scope("demo", "avery", ("b",))
NOW = T0 + 100 * DAY
PAST = (T0, NOW)
SINCE = NOW - DAY  # from where on cycles have asked
MIDST = T0 + 50 * DAY + 77
ALWAYS = (0, 2**40)


class Asked(DemoSlurm):
    """A made-up Slurm that remembers the spans of questions with steps, and answers some of them with `answer`."""

    def __init__(self, runs: Sequence[Run], **more: object) -> None:
        super().__init__(runs, **{"now": NOW, "limits": {"avery": ("", ""), "kim": ("", "")}, **more})  # type: ignore[arg-type]
        self.spans: list[tuple[int, int]] = []
        self.qos: list[str] = []
        self.answer: Callable[[int, int], Answer | None] = lambda begin, end: None

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "sacct" and any(word.startswith("--state") for word in argv):
            span = int(argv[argv.index("-S") + 1][3:]), int(argv[argv.index("-E") + 1][3:])
            self.spans.append(span)
            self.qos += [word for word in argv if word.startswith("--qos")]
            if (made := self.answer(*span)) is not None:
                return made
        return super().__call__(argv, timeout=timeout, env=env)


@contextlib.contextmanager
def place(*scopes: Scope) -> Iterator[tuple[Path, Store]]:
    """A folder with a store in which a cycle has asked from `SINCE` on."""
    with tempfile.TemporaryDirectory() as folder:
        setup = setup_in(Path(folder))
        with opened(setup.places.store, "demo") as store:
            RunUses(store).take(scopes or (AVERY,), (SINCE, NOW), [])
            yield Path(folder), store


def go(
    folder: Path,
    slurm: Callable[..., Answer],
    longest: int = 7 * DAY,
    span: tuple[int, int] = PAST,
    scopes: Sequence[Scope] = (AVERY,),
    **changes: object,
) -> Outcome:
    setup, mine = setup_in(folder), hands(**changes)
    with opened(setup.places.store, "demo") as store:
        todo, _ = use_orders(store, scopes, span)
    return fill_use(Slurm(runner=slurm), todo, longest, use_into_store(target_of(setup), mine), mine)


def ended(*ends: int, **changes: object) -> list[Run]:
    return [run_of(number, start=end - 600, end=end, **changes) for number, end in enumerate(ends, start=1)]


def allocated(store: Store, scope: Scope = AVERY) -> int:
    return sum(t.hours.allocated for t in RunUses(store).totals(scope, *ALWAYS) if t.resource == "NCPUS")


def totals(store: Store) -> tuple[Total, ...]:
    return RunUses(store).totals(AVERY, *ALWAYS)


FEW = (NOW - 9 * DAY, NOW)
ENDS = st.lists(st.integers(FEW[0] + 1, SINCE + DAY - 1), min_size=1, max_size=12)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(ENDS, st.data())
def test_slices_of_any_length_and_any_number_of_ends_change_nothing(ends: list[int], data: st.DataObject) -> None:
    slurm = Asked(ended(FEW[0], *ends))
    with place() as (one, whole), place() as (other, sliced):
        go(one, slurm, 400 * DAY, FEW)
        for store in (whole, sliced):
            if data.draw(st.booleans()):
                RunUses(store).forget(NOW - data.draw(st.integers(0, 9)) * DAY)
        for _ in range(data.draw(st.integers(0, 4))):
            with contextlib.suppress(StoppedError):
                longest = data.draw(st.integers(DAY // 3, 3 * DAY))
                go(other, slurm, longest, FEW, tell=stop_after(data.draw(st.integers(0, 9))))
            RunUses(sliced).forget(NOW - data.draw(st.integers(0, 9)) * DAY)
        go(other, slurm, data.draw(st.integers(DAY, 30 * DAY)), FEW)
        assert totals(sliced) == totals(whole)
        assert RunUses(sliced).known(AVERY) == RunUses(whole).known(AVERY) == (FEW,)
        assert RunUses(sliced).until(AVERY) == NOW, "cycles go on where they were"
        slurm.spans = []
        assert (go(other, slurm, span=FEW).slices, slurm.spans) == (0, []), "nothing that is known is asked for again"


def test_what_cycles_know_is_left_to_them_and_the_newest_comes_first() -> None:
    slurm = Asked(ended(T0 + 5, T0 + DAY, SINCE - 1, SINCE, SINCE + 5))
    with place() as (folder, store):
        told = go(folder, slurm)
        assert told.runs == 3
        assert slurm.spans[0] == (SINCE - DAY, SINCE), "the first slice is of a day"
        assert max(end - begin for begin, end in slurm.spans) == 7 * DAY
        assert [begin for begin, _ in slurm.spans[:-1]] == [end for _, end in slurm.spans[1:]]
        ends = [used.run.end for used in RunUses(store).runs(AVERY, *ALWAYS)]
        assert ends == [T0 + 5, T0 + DAY, SINCE - 1]


def test_old_runs_stay_in_the_sums_alone() -> None:
    slurm = Asked(ended(T0 + 700, T0 + DAY, SINCE - 1))
    with place() as (folder, store):
        RunUses(store).take((AVERY,), (SINCE, NOW), [measured(dbindex=99, end=NOW - 5)])
        RunUses(store).forget(SINCE - DAY)
        before = allocated(store)
        go(folder, slurm)
        assert [used.run.end for used in RunUses(store).runs(AVERY, *ALWAYS)] == [SINCE - 1, NOW - 5]
        assert allocated(store) - before == 3 * 600 * 1024 * int(
            slurm.runs[0].alloc_tres.split("cpu=")[1].split(",")[0]
        )


def test_a_run_of_a_scope_that_was_asked_for_before_is_not_counted_twice() -> None:
    """A QoS whose accounts are others in the configuration now has other keys, and the same sums."""
    slurm = Asked([*ended(T0 + 5, T0 + 10, account="b"), run_of(7, start=T0, end=T0 + 20, account="c")])
    with place(AVERY, PART) as (folder, store):
        RunUses(store).take((AVERY,), (SINCE, NOW), [measured(dbindex=99, end=NOW - 5)])
        go(folder, slurm, scopes=[PART])
        once = allocated(store, PART)
        RunUses(store).forget(NOW - DAY)
        go(folder, slurm, scopes=[AVERY])
        assert allocated(store, PART) == once
        assert RunUses(store).known(AVERY) == ((T0, NOW),)
        assert {total.account for total in totals(store)} >= {"b", "c"}


def test_qos_that_lack_the_same_time_are_asked_for_at_once() -> None:
    slurm = Asked([*ended(T0 + 5), run_of(9, start=T0, end=T0 + 7, qos="kim")])
    with place(AVERY, KIM) as (folder, store):
        told = go(folder, slurm, scopes=[AVERY, KIM])
        assert set(slurm.qos) == {"--qos=avery,kim"}
        assert told.since == {"avery": T0, "kim": T0}
        assert allocated(store, KIM)


def test_a_qos_that_no_cycle_asked_for_is_left_to_it() -> None:
    with place(AVERY) as (_, store):
        todo, never = use_orders(store, [AVERY, KIM], PAST)
    assert ([order.scopes for order in todo], never) == ([(AVERY,)], [KIM])


def test_time_of_which_slurm_tells_no_run_stays_unknown() -> None:
    with place() as (folder, store):
        told = go(folder, Asked(ended(T0 + 50 * DAY)))
        (since, until) = RunUses(store).known(AVERY)[0]
        assert until == NOW
        assert T0 + 43 * DAY <= since <= T0 + 50 * DAY
        assert told.since == {"avery": since}


def test_an_empty_answer_is_refused_where_some_have_ended_and_holds_no_other_up() -> None:
    slurm = Asked(ended(T0 + 5, MIDST, SINCE - 50))
    header = Asked([])(_argv(), timeout=1, env={"SLURM_TIME_FORMAT": "%s"})
    slurm.answer = lambda begin, end: header if begin <= MIDST < end else None
    with place() as (folder, store):
        with pytest.raises(SlurmError, match="refused"):
            go(folder, slurm)
        before, after = RunUses(store).known(AVERY)
        assert before[0] == T0
        assert before[1] <= MIDST < after[0]
        slurm.answer = lambda begin, end: None
        assert go(folder, slurm).runs == 1
        assert RunUses(store).known(AVERY) == ((T0, NOW),)


def _argv() -> list[str]:
    from librarian.subjects.efficiency.ask import Question, arguments

    return ["sacct", *arguments(Question((AVERY,), 0, 1))]


@pytest.mark.parametrize("slow", [True, False])
def test_what_is_too_much_for_one_answer_is_asked_for_in_shorter_slices(slow: bool) -> None:
    def answer(begin: int, end: int) -> Answer | None:
        if end - begin <= 3 * 3600:
            return None
        if slow:
            raise TimedOutError("sacct took longer than 120 s")
        return Answer(1, b"", "sacct: error: Too wide of a date range in query\n")

    slurm, pauses = Asked(ended(SINCE - 3 * DAY, SINCE - 5)), []
    slurm.answer = answer
    with place() as (folder, store):
        go(folder, slurm, span=(SINCE - 3 * DAY, NOW), pause=pauses.append)
        assert RunUses(store).known(AVERY) == ((SINCE - 3 * DAY, NOW),)
        assert len(list(RunUses(store).runs(AVERY, *ALWAYS))) == 2
    assert (max(pauses) == 60) is slow


def test_it_leaves_slurmdbd_in_peace_as_long_as_it_was_busy() -> None:
    ticks, pauses = iter(range(0, 10**6, 20)), []
    slurm = Asked(ended(T0 + 5))
    with place() as (folder, _):
        go(folder, slurm, pause=pauses.append, stopwatch=lambda: next(ticks))
    assert pauses
    assert set(pauses) == {20}


def test_where_slurm_hides_the_jobs_of_others_nothing_is_known_of_the_group() -> None:
    with place() as (folder, store):
        from librarian.subjects.jobs.daily import PRIVATE

        store.know(PRIVATE, ["jobs"], NOW)
        from librarian.system.host import user_name

        go(folder, Asked(ended(T0 + 5, user=user_name())))
        assert RunUses(store).known(AVERY) == ((SINCE, NOW),)
        once = allocated(store)
        assert once, "one's own are kept"
        RunUses(store).take((AVERY,), (SINCE, NOW), [measured(dbindex=99, end=NOW - 5)])
        RunUses(store).forget(NOW - DAY)
        more = allocated(store)
        go(folder, Asked(ended(T0 + 5, user=user_name())))
        assert allocated(store) == more, "and not twice"


def test_bounds() -> None:
    assert use_bounds((5, None), NOW, Archive()) == (5, NOW)
    assert use_bounds((5, NOW + 9), NOW, Archive(kept=DAY)) == (NOW - DAY, NOW)
    assert longest_slice(7 * DAY, Archive()) == 7 * DAY
    assert longest_slice(7 * DAY, Archive(longest_query=DAY)) < DAY


def test_progress_names_all_that_are_asked_for_at_once() -> None:
    told: list[Progress] = []
    slurm = Asked(ended(T0 + 5))
    with place(AVERY, KIM) as (folder, _):
        go(folder, slurm, scopes=[AVERY, KIM], tell=told.append)
    assert (told[0].done, told[0].scope.qos) == (0, "avery, kim")
    assert told[-1].done == told[-1].whole == UseOrder((AVERY,), ((T0, SINCE),)).seconds
