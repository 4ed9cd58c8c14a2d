"""Years back: in whatever slices, however often ended, the same hours and months as from all runs at once."""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian import config
from librarian.backfill import orders as backlog
from librarian.backfill.orders import Terms, bounds, orders
from librarian.backfill.slices import Hands, Outcome, Progress, fill, into_store
from librarian.cli.backfill import target_of
from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import BusyError, NoAnswerError, SlurmError, TimedOutError
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, day_edges
from librarian.slurm.command import Slurm
from librarian.slurm.site import Archive
from librarian.store import opened
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.jobs.runaway_facts import Runaway
from librarian.subjects.jobs.unended import KnownRunaways
from librarian.subjects.usage.sums import PAUSES, RUNS, USAGE
from librarian.system.lock import locked
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of
from tests.unit.shared.test_slices import Bounded

AVERY = Scope("demo", "avery")
NOW = T0 + 100 * DAY
ZONE = "US/Eastern"  # the clock changes within the history
CONFIG = f"""
[cluster]
name = "demo"
timezone = "{ZONE}"
[paths]
state = "state"
site = "site"
[[qos]]
name = "avery"
"""
TABLES = ("usage", "account_usage", "ended", "known", "month_usage", "month_ended", "day_usage")


def setup_in(folder: Path) -> Setup:
    return configfile.setup(config.parse(CONFIG), folder, {})


def hands(**changes: Any) -> Hands:
    return replace(Hands(clock=lambda: NOW, stopwatch=lambda: 0.0, pause=lambda seconds: None), **changes)


def rows(setup: Setup, table: str) -> list[tuple[Any, ...]]:
    with opened(setup.places.store, setup.config.cluster.name) as store:
        found = store.all(f"SELECT * FROM {table}")
    return sorted((row[:-1], row[-1]) for row in found)


def go(setup: Setup, slurm: Callable[..., Answer], longest: int, span: tuple[int, int], **changes: Any) -> Outcome:
    with opened(setup.places.store, setup.config.cluster.name) as store:
        todo = orders(store, [AVERY], span)
    mine = hands(**changes)
    terms = Terms("demo", ZONE, 3600, longest)
    return fill(Slurm(runner=slurm), todo, terms, into_store(target_of(setup), mine), mine)


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    """Runs of up to a month, the oldest of which has ended: some go on, some were suspended, some never began."""
    runs = [run_of(0, submit=T0 - DAY, eligible=T0 - DAY, start=T0 - DAY, end=T0 + 5)]
    for number in range(1, draw(st.integers(1, 16))):
        start = T0 + draw(st.integers(-20 * DAY, 35 * DAY))
        end = draw(st.sampled_from([None, start, start + 1, start + 3600, start + DAY, start + 30 * DAY]))
        user, account = draw(st.sampled_from(["ann", "bob", "=1+1"])), draw(st.sampled_from(["lab", "class"]))
        held = {"alloc_tres": f"cpu={draw(st.integers(1, 64))},mem=3G,gres/gpu:a100=1"}
        held["state"] = "RUNNING" if end is None else "COMPLETED"
        run = run_of(number, submit=start, eligible=start, start=start, end=end, user=user, account=account, **held)
        if draw(st.integers(0, 4)) == 0 and end is not None:
            run = replace(run, start=None, state="CANCELLED by 7", alloc_tres="")
        elif draw(st.integers(0, 4)) == 0 and end != start:
            run = replace(run, suspended=min(600, (end or NOW) - start))
        runs.append(run)
    return runs


class StoppedError(Exception):
    pass


def stop_after(slices: int) -> Callable[[Progress], None]:
    left = [slices]

    def tell(_: Progress) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError

    return tell


@pytest.mark.slow
@settings(max_examples=15)
@given(histories(), st.data())
def test_slices_of_any_length_and_any_number_of_ends_change_nothing(runs: list[Run], data: st.DataObject) -> None:
    span = (T0 - T0 % 3600, T0 - T0 % 3600 + 30 * DAY)
    slurm = DemoSlurm(runs, now=NOW)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole, sliced = setup_in(Path(one)), setup_in(Path(other))
        go(whole, slurm, 400 * DAY, span)
        for _ in range(data.draw(st.integers(0, 4))):
            longest = data.draw(st.integers(2 * DAY, 20 * DAY))
            with contextlib.suppress(StoppedError):
                go(sliced, slurm, longest, span, tell=stop_after(data.draw(st.integers(0, 9))))
        go(sliced, slurm, data.draw(st.integers(2 * DAY, 30 * DAY)), span)
        for table in TABLES:
            expected, found = rows(whole, table), rows(sliced, table)
            assert [key for key, _ in found] == [key for key, _ in expected]
            assert [value for _, value in found] == pytest.approx([value for _, value in expected], rel=1e-12, abs=1e-6)
        assert_is_what_the_runs_held(whole, runs, span)


def assert_is_what_the_runs_held(setup: Setup, runs: list[Run], span: tuple[int, int]) -> None:
    """Counted here a run and an hour at a time."""
    edges = day_edges(*span, 3600, ZONE).tolist()
    held: dict[Any, float] = defaultdict(float)
    ended: Counter[Any] = Counter()
    for run in runs:
        if run.end is not None and span[0] <= run.end < span[1]:
            hour = max(edge for edge in edges if edge <= run.end)
            ended[hour, run.user, run.account, run.state.split()[0]] += 1
        if run.start is None:
            continue
        end = NOW if run.end is None else run.end
        share = 1 - run.suspended / max(1, end - run.start)
        for hour, after in itertools.pairwise(edges):
            overlap = min(end, after) - max(run.start, hour)
            if overlap > 0 and span[0] <= hour < span[1]:
                cpus = int(run.alloc_tres.split(",")[0].removeprefix("cpu="))
                held["NCPUS", hour, run.user] += cpus * share * overlap
                held["NJOBS", hour, run.user] += overlap  # which a pause does not stop
    stored = {(key, start, user): amount for (_, start, _, key, user), amount in rows(setup, "usage")}
    found = {key: amount for key, amount in stored.items() if key[0] in ("NCPUS", "NJOBS")}
    assert found == pytest.approx({key: amount for key, amount in held.items() if amount}, rel=1e-9)
    assert {key[1:2] + key[3:]: runs for key, runs in rows(setup, "ended")} == ended


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return setup_in(tmp_path)


SPAN = (T0 - T0 % 3600, T0 - T0 % 3600 + 28 * DAY)


def known(setup: Setup, what: str = USAGE) -> tuple[tuple[int, int], ...]:
    with opened(setup.places.store, setup.config.cluster.name) as store:
        return store.known(AVERY, what)


def test_what_slurmdbd_may_have_purged_stays_unknown(setup: Setup) -> None:
    """A time of which nothing is told may be one in which nothing ran: only if older runs are still told of."""
    run = run_of(1, submit=T0 + 10 * DAY, eligible=T0 + 10 * DAY, start=T0 + 10 * DAY, end=T0 + 10 * DAY + 60)
    goes_on = run_of(2, end=None, user="runaway")
    outcome = go(setup, DemoSlurm([run, goes_on], now=NOW), 7 * DAY, SPAN)
    assert known(setup) == known(setup, RUNS) == known(setup, PAUSES) == ((SPAN[0] + 7 * DAY, SPAN[1]),)
    assert outcome.since == {"avery": SPAN[0] + 7 * DAY}
    assert go(setup, DemoSlurm([goes_on], now=NOW), 7 * DAY, SPAN).since == {"avery": None}
    assert known(setup) == ((SPAN[0] + 7 * DAY, SPAN[1]),)


def test_hours_that_are_known_are_never_asked_for_nor_lost(setup: Setup) -> None:
    runs = [run_of(number, start=T0 + number * DAY, end=T0 + number * DAY + 60) for number in range(28)]
    go(setup, DemoSlurm(runs, now=NOW), 7 * DAY, SPAN)
    before = rows(setup, "usage")
    slurm = Bounded([], now=NOW)
    slurm.asked = []
    assert go(setup, slurm, 7 * DAY, SPAN).slices == 0
    assert slurm.asked == []
    assert rows(setup, "usage") == before
    wider = (SPAN[0] - 7 * DAY, SPAN[1])
    go(setup, slurm, 7 * DAY, wider)
    assert slurm.asked == [7 * DAY, 7 * DAY + 7200], "no run at all is asked for twice"


def test_a_run_that_was_suspended_and_goes_on_counts_the_same_part_in_each_slice(setup: Setup) -> None:
    """For half of its time it was suspended, of which the oldest slice alone would know too little."""
    begin = SPAN[0] + DAY
    whole = NOW - begin
    half = run_of(2, submit=begin, eligible=begin, start=begin, end=None, suspended=whole // 2, state="RUNNING")
    half = replace(half, user="bob")
    go(setup, DemoSlurm([run_of(1), half], now=NOW), 7 * DAY, SPAN)
    amounts = [amount for key, amount in rows(setup, "usage") if key[3] == "NCPUS" and key[4] == "bob"]
    assert amounts == pytest.approx([4 * 3600 / 2] * (27 * 24))


def test_a_runaway_counts_up_to_the_same_moment_in_each_slice(setup: Setup) -> None:
    """The store knows it; a row that is over by its state counts nothing without that."""
    begin, life = SPAN[0] + DAY, SPAN[0] + 3 * DAY
    lost = run_of(2, submit=begin, eligible=begin, start=begin, end=None, state="RUNNING", user="bob")
    slurm = DemoSlurm([run_of(1), lost, replace(lost, dbindex=3, state="CANCELLED")], now=NOW)
    with opened(setup.places.store, setup.config.cluster.name) as store:
        KnownRunaways(store).keep(AVERY, [Runaway(lost.dbindex, begin, NOW, life, True)], NOW, NOW)
        todo = orders(store, [AVERY], SPAN)
        terms = backlog.with_runaways(Terms("demo", ZONE, 3600, 7 * DAY), store, [AVERY])
    again = Terms(**json.loads(json.dumps(asdict(terms))))
    assert again.unended == terms.unended, "tasks of a job array read it from a file"
    fill(Slurm(runner=slurm), todo, again, into_store(target_of(setup), hands()), hands())
    amounts = [amount for key, amount in rows(setup, "usage") if key[3] == "NCPUS" and key[4] == "bob"]
    assert amounts == pytest.approx([4 * 3600] * (2 * 24))


class Losing(DemoSlurm):
    """slurmdbd gives up on some questions: sacct prints its header alone, and all looks well."""

    lost = 1
    """How many questions about the week without its run are answered so."""

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        answer = super().__call__(argv, timeout=timeout, env=env)
        since, until = (int(argv[argv.index(option) + 1][3:]) for option in ("-S", "-E"))
        if since <= LOST < until and until - since == 7 * DAY and self.lost > 0:
            self.lost -= 1
            return replace(answer, stdout=answer.stdout.split(b"\n")[0] + b"\n")
        return answer


LOST = SPAN[1] - 10 * DAY
A_WEEK_EACH = [
    run_of(number, submit=start - 60, eligible=start - 60, start=start, end=start + 7200)
    for number, start in enumerate((LOST - 14 * DAY, LOST - 7 * DAY, LOST, LOST + 7 * DAY))
]


def test_an_answer_that_slurmdbd_lost_is_asked_for_again(tmp_path: Path) -> None:
    whole, lossy = setup_in(tmp_path / "whole"), setup_in(tmp_path / "lossy")
    go(whole, DemoSlurm(A_WEEK_EACH, now=NOW), 7 * DAY, SPAN)
    go(lossy, Losing(A_WEEK_EACH, now=NOW), 7 * DAY, SPAN)
    assert known(lossy) == known(whole) == (SPAN,)
    assert rows(lossy, "usage") == rows(whole, "usage")


def test_where_answers_contradict_each_other_those_hours_alone_stay_unknown(setup: Setup) -> None:
    slurm = Losing(A_WEEK_EACH, now=NOW)
    slurm.lost = 2
    when = r"QoS avery, [\dT:-]+ to [\dT:-]+: sacct's answer is refused: it names no run, and another answer has some"
    with pytest.raises(SlurmError, match=when):
        go(setup, slurm, 7 * DAY, SPAN)
    assert sum(end - begin for begin, end in known(setup)) == SPAN[1] - SPAN[0] - 7 * DAY
    assert not any(begin <= LOST < end for begin, end in known(setup))
    go(setup, slurm, 7 * DAY, SPAN)
    assert known(setup) == (SPAN,), "asked again, they are fetched"


def test_rows_of_which_none_is_understood_are_no_answer(setup: Setup) -> None:
    class Odd(DemoSlurm):
        def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
            answer = super().__call__(argv, timeout=timeout, env=env)
            return replace(answer, stdout=answer.stdout.replace(b"cpu=", b"cpu=x"))

    with pytest.raises(SlurmError, match="none of its 1 rows is understood"):
        go(setup, Odd([run_of(1)], now=NOW), 30 * DAY, SPAN)
    assert known(setup) == ()


def test_people_are_met(setup: Setup) -> None:
    go(setup, DemoSlurm([run_of(1, user="zoe")], now=NOW), 7 * DAY, SPAN)
    with opened(setup.places.store, setup.config.cluster.name) as store:
        assert JobRuns(store).people() == {"zoe"}
        assert len(JobRuns(store).jobs(AVERY, 0)) == 0, "runs are not kept"


def test_too_wide_a_slice_makes_all_shorter(setup: Setup) -> None:
    slurm = Bounded([run_of(1)], now=NOW)
    slurm.longest = 2 * DAY
    go(setup, slurm, 7 * DAY, SPAN)
    assert slurm.asked[:2] == [7 * DAY, 3 * DAY + DAY // 2]
    assert len([length for length in slurm.asked if length > 2 * DAY]) == 2
    assert known(setup) == (SPAN,)


class Slow(DemoSlurm):
    """sacct hangs for questions longer than a bound, at first."""

    longest = 3 * DAY

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        since, until = (int(argv[argv.index(option) + 1][3:]) for option in ("-S", "-E"))
        if until - since > self.longest:
            raise TimedOutError("sacct did not answer")
        return super().__call__(argv, timeout=timeout, env=env)


def test_a_slice_that_takes_too_long_is_asked_for_in_parts(setup: Setup) -> None:
    go(setup, Slow([run_of(1)], now=NOW), 7 * DAY, SPAN)
    assert known(setup) == (SPAN,)


def test_when_even_a_day_takes_too_long_it_stops(setup: Setup) -> None:
    slurm = Slow([run_of(1)], now=NOW)
    slurm.longest = 0
    with pytest.raises(NoAnswerError):
        go(setup, slurm, 7 * DAY, SPAN)


def test_it_rests_as_long_as_it_took_and_slices_get_shorter(setup: Setup) -> None:
    pauses: list[float] = []
    ticks = iter([0, 40, 40, 80, *(80 + 7 * tick for tick in range(200))])
    slurm = Bounded([run_of(1)], now=NOW)
    go(setup, slurm, 7 * DAY, SPAN, pause=pauses.append, stopwatch=lambda: float(next(ticks)))
    once = [length for before, length in itertools.pairwise([0, *slurm.asked]) if length != before + 7200]
    assert pauses == [40.0, 40.0, *[7.0] * (len(once) - 2)]
    first = 7 * DAY
    assert once[:5] == [first, first // 2, first // 4, first // 2, first], "and longer again"


def test_it_waits_for_a_run_to_end_and_holds_its_lock_for_moments_only(setup: Setup) -> None:
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if seconds == 2.0:
            entered.pop().__exit__(None, None, None)

    entered = [locked(setup.places.lock, "a run")]
    entered[0].__enter__()
    go(setup, DemoSlurm([run_of(1)], now=NOW), 7 * DAY, SPAN, pause=pause)
    assert pauses.count(2.0) == 1
    assert known(setup) == (SPAN,)
    with locked(setup.places.lock, "a run"), pytest.raises(BusyError):
        ticks = iter(range(0, 10**6, 600))
        go(
            setup,
            DemoSlurm([run_of(1, submit=T0 - 6 * DAY, eligible=T0 - 6 * DAY)], now=NOW),
            7 * DAY,
            (SPAN[0] - 7 * DAY, SPAN[1]),
            stopwatch=lambda: float(next(ticks)),
        )


def test_the_time_that_is_asked_for(setup: Setup) -> None:
    terms, asked = Terms("demo", setup.zone, 3600), (T0 - 300 * DAY, T0 - 200 * DAY)

    def found(begin: int, end: int | None, kept: int | None = None) -> tuple[int, int]:
        return bounds(terms, 30, (begin, end), NOW, Archive(kept=kept))

    begin, end = found(*asked)
    assert asked[0] <= begin < asked[0] + 3600
    assert asked[1] - 3600 < end <= asked[1]
    window = found(begin, None)[1]
    assert NOW - 30 * DAY <= window < NOW - 30 * DAY + 3600, "what is newer the runs look after"
    assert found(begin, NOW)[1] == window
    assert found(begin, None, 100 * DAY)[0] >= NOW - 100 * DAY
    assert len(set(found(NOW, None))) == 1
    assert backlog.within(terms, Archive(2 * DAY)).longest == 2 * DAY - 60 - 7200, (
        "a bin more at each end is asked for too"
    )
    assert backlog.within(replace(terms, longest=9 * DAY), Archive()).longest == 9 * DAY


def test_a_cluster_that_is_not_known_is_refused(setup: Setup) -> None:
    slurm = Slurm(runner=DemoSlurm([], now=NOW))
    assert backlog.look(slurm, "Demo") == Archive()
    with pytest.raises(SlurmError, match="knows no cluster"):
        backlog.look(slurm, "nosuch")


def test_less_than_a_bin_cannot_be_asked_for(tmp_path: Path) -> None:
    slurm = Bounded([run_of(1)], now=NOW)
    slurm.longest = 60
    paused: list[float] = []
    with pytest.raises(SlurmError):
        go(setup_in(tmp_path), slurm, 7 * DAY, SPAN, pause=paused.append)
    assert len(slurm.asked) < 60
