"""Collecting use: one question while all is as it was, slices where much ended, and nothing that hurts the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import SlurmError, TimedOutError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.efficiency import collect as module
from librarian.subjects.efficiency import late
from librarian.subjects.efficiency.collect import FIRST, OVERLAP, SHORTEST, collect
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.options import EfficiencyOptions
from librarian.subjects.efficiency.subject import Efficiency
from librarian.subjects.jobs.subject import Jobs
from librarian.subjects.subject import ACCOUNTING, Asking, Watched
from librarian.system.host import user_name
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of

AVERY, KIM = Scope("demo", "avery"), Scope("demo", "kim")
NOW = T0 + 9000
ALWAYS = (0, 2**40)


class Asked(DemoSlurm):
    """A made-up Slurm that remembers the spans for which it was asked with steps, and how long it might take."""

    def __init__(self, runs: Sequence[Run], **more: object) -> None:
        limits = {"avery": ("", ""), "kim": ("", "")}
        super().__init__(runs, **{"now": NOW, "limits": limits, **more})  # type: ignore[arg-type]
        self.spans: list[tuple[int, int]] = []
        self.qos: list[str] = []
        self.timeouts: list[float] = []
        self.answer: Answer | Exception | None = None

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "sacct" and any(word.startswith("--state") for word in argv):
            self.spans.append((int(argv[argv.index("-S") + 1][3:]), int(argv[argv.index("-E") + 1][3:])))
            self.qos += [word for word in argv if word.startswith("--qos")]
            self.timeouts.append(timeout)
            if isinstance(self.answer, Exception):
                raise self.answer
            if self.answer:
                return self.answer
        return super().__call__(argv, timeout=timeout, env=env)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def asking(slurm: Asked, store: Store, now: int = NOW, *scopes: Scope) -> Asking:
    """A cycle whose runs are told already."""
    slurm.now, slurm.spans, slurm.qos = now, [], []
    made = Asking(Slurm(runner=slurm), store, now, "demo", tuple(map(Watched, scopes or (AVERY, KIM))), now - 9 * DAY)
    Jobs().collect(made)
    return made


def ended(count: int, **changes: object) -> list[Run]:
    times = [T0 + 10 + 60 * number for number in range(count)]
    return [run_of(number, start=T0, end=end, **changes) for number, end in enumerate(times, start=1)]


def indexes(store: Store, scope: Scope = AVERY) -> set[int]:
    return {used.run.jobid for used in RunUses(store).runs(scope, *ALWAYS)}


def test_a_cycle_asks_once_for_all_qos_from_shortly_before_the_last_time(store: Store) -> None:
    slurm = Asked([*ended(5), run_of(77, qos="kim", end=T0 + 600)])
    assert collect(asking(slurm, store), 20) == []
    assert (slurm.spans, slurm.qos) == ([(NOW - FIRST, NOW)], ["--qos=avery,kim"])
    assert (indexes(store), indexes(store, KIM)) == ({1, 2, 3, 4, 5}, {77})
    assert RunUses(store).known(AVERY) == RunUses(store).known(KIM) == ((NOW - FIRST, NOW),)
    collect(asking(slurm, store, NOW + 600), 20)
    assert slurm.spans == [(NOW - OVERLAP, NOW + 600)]
    assert RunUses(store).until(AVERY) == NOW + 600


def test_much_is_asked_in_slices_and_the_rest_comes_in_the_next_cycle(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNS_AT_ONCE", 10)
    slurm = Asked(ended(35))
    collect(asking(slurm, store, NOW, AVERY), 20)
    assert len(slurm.spans) == 4
    assert [begin for begin, _ in slurm.spans[1:]] == [end for _, end in slurm.spans[:-1]]
    assert len(indexes(store)) == 35


def test_a_slice_that_does_not_fit_into_the_time_waits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RUNS_AT_ONCE", 10)
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr(module, "stopwatch", lambda: next(clock))
    slurm = Asked(ended(35))
    collect(asking(slurm, store, NOW, AVERY), 15)
    assert 0 < len(slurm.spans) < 4
    assert max(slurm.timeouts) < 15, "nor may one question take longer than what is left"
    known = indexes(store)
    assert 0 < len(known) < 35
    monkeypatch.undo()
    until = RunUses(store).until(AVERY)
    assert until is not None
    collect(asking(slurm, store, NOW, AVERY), 20)
    assert slurm.spans[0][0] == until - OVERLAP
    assert len(indexes(store)) == 35


def test_an_answer_that_is_too_large_is_asked_for_in_parts(store: Store) -> None:
    class Small(Asked):
        def _table(self, options: Mapping[str, str], fields: Sequence[str], runs: Iterator[Run]) -> str:
            chosen = list(runs)
            if "--state" in options and len(chosen) > 8:
                raise ValueError("too many")
            return super()._table(options, fields, iter(chosen))

        def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            try:
                return super().__call__(argv, timeout=timeout, env=env)
            except ValueError:
                return Answer(1, b"", "sacct: error: Query result exceeds size limit\n")

    slurm = Small(ended(30))
    assert collect(asking(slurm, store, NOW, AVERY), 20) == []
    assert len(indexes(store)) == 30
    assert RunUses(store).known(AVERY) == ((NOW - FIRST, NOW),)


class Narrow(Asked):
    """Refuses questions for which `refuses(since, until)` is true."""

    def __init__(self, runs: Sequence[Run], refuses: Callable[[int, int], bool]) -> None:
        super().__init__(runs)
        self.refuses = refuses

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        words = list(argv)
        if any(word.startswith("--state=") for word in words):
            since, until = (int(words[words.index(option) + 1].removeprefix("uts")) for option in ("-S", "-E"))
            if self.refuses(since, until):
                return Answer(1, b"", "sacct: error: Too wide of a date range in query\n")
        return super().__call__(argv, timeout=timeout, env=env)


@pytest.mark.parametrize("count", [0, 5])
def test_a_range_that_is_too_wide_is_asked_in_parts(store: Store, count: int) -> None:
    slurm = Narrow(ended(count), lambda since, until: until - since > 21600)
    assert collect(asking(slurm, store, NOW, AVERY), 20) == []
    assert RunUses(store).known(AVERY) == ((NOW - FIRST, NOW),)
    assert len(indexes(store)) == count


def test_a_moment_that_is_too_much_is_left_out_once_and_holds_nothing_up(store: Store) -> None:
    bad = NOW - 40_000
    slurm = Narrow(ended(5), lambda since, until: since <= bad < until)
    assert collect(asking(slurm, store, NOW, AVERY), 20) == []
    kept = RunUses(store)
    assert kept.until(AVERY) == NOW
    (before, after) = kept.known(AVERY)
    assert (before[0], after[1]) == (NOW - FIRST, NOW)
    assert before[1] <= bad < after[0] <= before[1] + SHORTEST
    assert kept.last()["error"] is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(1, b"", "sacct: error: Connection refused\n"),
        Answer(0, b"", ""),
        TimedOutError("sacct took longer than 20 s"),
    ],
    ids=["refused", "empty", "hung"],
)
def test_what_fails_is_noted_and_asked_for_again(store: Store, answer: Answer | Exception) -> None:
    slurm = Asked(ended(5))
    slurm.answer = answer
    made = asking(slurm, store)
    assert Efficiency().collect(made) == [], "no run fails for it"
    assert made.silent == {}, "nor is anything else left out"
    assert RunUses(store).last()["error"]
    assert (RunUses(store).until(AVERY), len(slurm.spans)) == (None, 1)
    slurm.answer = None
    Efficiency().collect(asking(slurm, store, NOW + 600))
    assert (len(indexes(store)), RunUses(store).last()["error"]) == (5, None)


def test_an_answer_without_a_run_is_not_believed_where_some_have_ended(store: Store) -> None:
    empty = Asked([])
    header = empty(_steps_argv(), timeout=1, env={"SLURM_TIME_FORMAT": "%s"})
    assert header.status == 0
    slurm = Asked(ended(5))
    slurm.answer = header
    (error,) = collect(asking(slurm, store), 20)
    assert isinstance(error, SlurmError)
    assert "is refused" in str(error)
    assert RunUses(store).until(AVERY) is None


def _steps_argv() -> list[str]:
    from librarian.subjects.efficiency.ask import Question, arguments

    return ["sacct", *arguments(Question((AVERY,), 0, 1))]


def test_a_qos_that_slurm_does_not_know_spoils_no_other(store: Store) -> None:
    slurm = Asked(ended(3))
    collect(asking(slurm, store, NOW, AVERY, Scope("demo", "nosuch")), 20)
    assert slurm.qos == ["--qos=avery"]
    assert len(indexes(store)) == 3


def test_a_qos_that_came_later_has_a_question_of_its_own_until_it_stands_where_others_do(store: Store) -> None:
    slurm = Asked([*ended(3), run_of(77, qos="kim", end=T0 + 600)])
    collect(asking(slurm, store, NOW, AVERY), 20)
    collect(asking(slurm, store, NOW + 600), 20)
    assert slurm.qos == ["--qos=avery", "--qos=kim"]
    collect(asking(slurm, store, NOW + 1200), 20)
    assert slurm.qos == ["--qos=avery,kim"]
    assert RunUses(store).known(KIM) == ((NOW + 600 - FIRST, NOW + 1200),)


def test_where_slurm_hides_the_jobs_of_others_nothing_is_known_of_the_group(store: Store) -> None:
    me = user_name()
    slurm = Asked([*ended(2, user=me), *[run_of(9, user="bob", end=T0 + 600)]], private=True, user=me)
    collect(asking(slurm, store, NOW, AVERY), 20)
    assert indexes(store) == {1, 2}, "one's own are"
    assert (RunUses(store).known(AVERY), RunUses(store).until(AVERY)) == ((), NOW)


def test_a_slice_that_takes_all_of_the_time_is_smaller_in_the_next_cycle(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNS_AT_ONCE", 60)
    monkeypatch.setattr(module, "FEWEST_AT_ONCE", 20)
    slurm = Asked(ended(70))
    slurm.answer = TimedOutError("sacct took longer than 20 s")
    for expected in (30, 20, 20):
        made = asking(slurm, store, NOW, AVERY)
        clock = iter(range(0, 10_000, 30))
        with monkeypatch.context() as patch:
            patch.setattr(module, "stopwatch", lambda clock=clock: next(clock))
            collect(made, 35)
        assert RunUses(store).last()["runs_at_once"] == expected
    slurm.answer = None
    collect(asking(slurm, store, NOW, AVERY), 20)
    assert len(slurm.spans) == 4
    assert (len(indexes(store)), RunUses(store).last()["runs_at_once"]) == (70, 40)


def test_after_a_clock_went_back_it_is_asked_anew(store: Store) -> None:
    slurm = Asked(ended(5))
    collect(asking(slurm, store, NOW + 5000, AVERY), 20)
    collect(asking(slurm, store, NOW, AVERY), 20)
    assert slurm.spans == [(NOW - FIRST, NOW)]
    collect(asking(slurm, store, NOW + 600, AVERY), 20)
    assert slurm.spans == [(NOW - OVERLAP, NOW + 600)], "once"


def test_what_was_dropped_is_not_asked_for_again(store: Store) -> None:
    slurm = Asked([*ended(5), run_of(6, start=T0, end=NOW - 30)])
    collect(asking(slurm, store, NOW, AVERY), 20)
    RunUses(store).forget(NOW - 60)
    collect(asking(slurm, store, NOW + 600, AVERY), 20)
    assert slurm.spans == [(NOW - 60, NOW + 600)]


def test_nothing_is_asked_where_it_is_turned_off_or_slurmdbd_is_silent(store: Store) -> None:
    slurm = Asked(ended(5))
    made = asking(slurm, store)
    made.silent[ACCOUNTING] = SlurmError("gone")
    Efficiency().collect(made)
    off = asking(slurm, store)
    off.options["efficiency"] = EfficiencyOptions(enabled=False)  # type: ignore[index]
    Efficiency().collect(off)
    assert slurm.spans == []


LATE = run_of(77, start=T0, end=T0 + 600, submit=T0 - 5, eligible=T0 - 5)


def test_a_run_that_slurm_recorded_late_is_asked_for_once_the_jobs_question_tells_it(store: Store) -> None:
    slurm = Asked(ended(5))
    collect(asking(slurm, store), 20)
    slurm.runs.append(LATE)
    collect(asking(slurm, store, NOW + DAY + 600), 20)
    assert slurm.spans == [(NOW - OVERLAP, NOW + DAY + 600), (T0 + 600, T0 + 601)]
    assert indexes(store) == {1, 2, 3, 4, 5, 77}
    collect(asking(slurm, store, NOW + DAY + 1200), 20)
    assert len(slurm.spans) == 1, "and no more"
    assert RunUses(store).until(AVERY) == NOW + DAY + 1200


def test_one_whose_end_was_corrected_is_too(store: Store) -> None:
    slurm = Asked(ended(3))
    collect(asking(slurm, store), 20)
    slurm.runs[0] = replace(slurm.runs[0], end=T0 + 500)
    collect(asking(slurm, store, NOW + DAY + 600), 20)
    assert {used.run.jobid: used.run.end for used in RunUses(store).runs(AVERY, *ALWAYS)}[1] == T0 + 500


def test_what_does_not_come_is_asked_for_once_a_cycle_and_never_again(store: Store) -> None:
    class Silent(Asked):
        def _table(self, options: Mapping[str, str], fields: Sequence[str], runs: Iterator[Run]) -> str:
            chosen = [run for run in runs if "--state" not in options or run.jobid != 77]
            return super()._table(options, fields, iter(chosen))

    slurm = Silent(ended(5))
    collect(asking(slurm, store), 20)
    slurm.runs.append(LATE)
    for days, expected in ((1, 2), (2, 1), (3, 1)):
        assert collect(asking(slurm, store, NOW + days * DAY + 600), 20) == []
        assert (len(slurm.spans), indexes(store)) == (expected, {1, 2, 3, 4, 5})


def test_those_that_ended_close_together_are_one_question_and_few_are_asked_in_a_cycle() -> None:
    assert list(late.questions([T0 + 5, T0, T0 + 899, T0 + 900, T0])) == [(T0, T0 + 900), (T0 + 900, T0 + 901)]
    assert len(list(late.questions(range(T0, T0 + 10**6, 1000)))) == late.MOST


def test_time_of_which_use_is_not_known_is_not_looked_through(store: Store) -> None:
    slurm = Asked(ended(5))
    asking(slurm, store)
    assert late.unused(store, AVERY, 0) == {}
    RunUses(store).take([AVERY], (T0, T0 + 75), [])
    assert sorted(late.unused(store, AVERY, 0).values()) == [T0 + 10, T0 + 70]
    assert late.unused(store, AVERY, T0 + 60).keys() == {
        index for index, end in late.unused(store, AVERY, 0).items() if end == T0 + 70
    }
