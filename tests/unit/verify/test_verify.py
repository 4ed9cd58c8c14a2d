"""Hours beside sreport's and running jobs beside squeue's: what agrees, what does not, and where that may come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.demo.runs import Run
from librarian.errors import SlurmError
from librarian.health import agreed
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, day_edges, window_until
from librarian.slurm.command import Slurm
from librarian.store import Store, opened
from librarian.subjects.jobs.subject import Jobs
from librarian.subjects.subject import Asking, Reading, Watched
from librarian.subjects.usage.subject import Usage
from librarian.system.processes import Answer
from librarian.verify import reasons, sreport
from librarian.verify.compare import TOLERANCE, Held, Line, lines, running
from librarian.verify.hours import Comparison, Hours, Terms, whole
from librarian.verify.running import AGAIN, LAG, look
from tests.unit.runs import T0, run_of
from tests.unit.verify.sreporting import HOUR, TURN, Sreporting

NOW = TURN + 4 * HOUR + 100
ASKED = (NOW - DAY, NOW)
SCOPE = Scope("demo", "avery")
TERMS = Terms("UTC", HOUR)
ALICE = run_of(1, alloc_tres="cpu=4,mem=1500M,billing=8,gres/gpu=2,gres/gpu:a100=2")
BOB = run_of(
    2,
    user="bob",
    submit=T0 - 3000,
    eligible=T0 - 3000,
    start=T0 - 3000,
    end=T0 + 9000,
    alloc_tres="cpu=2,mem=3G,billing=2",
)
CARL = run_of(3, user="carl", account="b", end=None, state="RUNNING")
BURST = run_of(4, qos="avery-b", alloc_tres="cpu=16,mem=8G")
DORA = run_of(5, qos="avery-b", user="dora", alloc_tres="cpu=1,mem=1G")
RUNS = (ALICE, BOB, CARL, BURST, DORA)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def slurm_of(*runs: Run, knows_qos: bool = True) -> Sreporting:
    made = Sreporting(list(runs or RUNS), now=NOW)
    made.knows_qos = knows_qos
    return made


def collect(store: Store, slurm: Sreporting, scope: Scope = SCOPE) -> None:
    """Keep what a cycle at `NOW` does."""
    watched = Watched(scope)
    assert Jobs().collect(Asking(Slurm(runner=slurm), store, NOW, "demo", (watched,), NOW - DAY)) == []
    Usage().read(Reading(store, watched, window_until(NOW, seconds=DAY, bin_seconds=HOUR, zone="UTC")))


def compared(store: Store, slurm: Sreporting, scope: Scope = SCOPE) -> Hours:
    return Comparison(Slurm(runner=slurm), store, TERMS, NOW, "alice").of(scope, ASKED)


def unlike(found: Hours) -> list[tuple[str, str, float]]:
    return [(line.user, line.key, line.difference) for line in found.lines if not line.agrees]


def unbounded(slurm: Sreporting) -> list[tuple[str, ...]]:
    """The questions to sacct that are about all QoS."""
    return [words for words in slurm.asked if words[0] == "sacct" and not any("--qos=" in word for word in words)]


@pytest.mark.parametrize("knows_qos", [True, False])
def test_hours_agree_whether_sreport_knows_qos_or_not(store: Store, knows_qos: bool) -> None:
    slurm = slurm_of(knows_qos=knows_qos)
    collect(store, slurm)
    slurm.asked.clear()
    found = compared(store, slurm)
    assert found.agrees
    assert found.spans == ((TURN + 4 * HOUR - 24 * HOUR + HOUR, TURN + 4 * HOUR),), "whole hours that both know"
    told = {(line.user, line.key): line for line in found.lines}
    assert told["alice", "NCPUS"].ours == 4 * 4990
    assert told["alice", "NGPUS"].theirs == 2 * 4990
    assert told["alice", "MEMORY"].theirs == pytest.approx(4990 * 1500 / 1024 + (0 if knows_qos else 4990 * 8))
    assert told["carl", "NCPUS"].ours == 4 * (TURN + 4 * HOUR - T0 - 10), "one that runs counts up to the last hour"
    assert not {key for _, key in told} & {"NJOBS"}
    assert len(unbounded(slurm)) == (0 if knows_qos else 1), "one bounded question, where it is needed"
    assert {user for user, _ in told} == ({"alice", "bob", "carl"} | (set() if knows_qos else {"dora"}))
    assert told["alice", "NCPUS"].others == (0 if knows_qos else 16 * 4990)


def test_hours_that_are_not_summed_up_yet_are_not_compared(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)
    slurm.until = TURN + HOUR
    found = compared(store, slurm)
    assert found.agrees
    assert (found.spans[-1][1], found.reach) == (TURN + HOUR, TURN + HOUR)
    slurm.until = TURN - 99 * HOUR
    none = compared(store, slurm)
    assert (none.lines, none.agrees, none.why) == ((), False, "sreport has no hours for the last days")


def test_what_is_not_known_here_is_not_compared(store: Store) -> None:
    found = compared(store, slurm_of())
    assert (found.spans, found.lines, found.agrees) == ((), (), False)
    assert found.why == "no full hour of that time was collected"


def test_a_second_more_is_seen_and_named(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)
    slurm.more["bob", "cpu", "avery"] = 1
    slurm.more["eve", "gres/gpu", "avery"] = 7
    found = compared(store, slurm)
    assert unlike(found) == [("bob", "NCPUS", 1), ("eve", "NGPUS", 7)]
    assert [line.reasons for line in found.lines if not line.agrees] == [(), ()]


def test_users_who_are_hidden_are_not_taken_for_differences(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)
    slurm.tells = ("alice",)
    found = compared(store, slurm)
    assert found.agrees
    assert found.hidden == ("bob", "carl")
    assert {line.user for line in found.lines} == {"alice"}
    slurm.tells = ("bob",)
    assert ("alice", "NCPUS", -4 * 4990) in unlike(compared(store, slurm)), "oneself is never hidden"


def test_a_qos_of_one_partition_is_told_apart_by_sacct(store: Store) -> None:
    scope = replace(SCOPE, partitions=("gpu",))
    runs = (replace(ALICE, partition="gpu"), run_of(9, alloc_tres="cpu=3,mem=1G"))
    slurm = slurm_of(*runs)
    collect(store, slurm, scope)
    found = compared(store, slurm, scope)
    assert found.agrees
    assert not found.split
    (cpus,) = [line for line in found.lines if line.key == "NCPUS"]
    assert (cpus.ours, cpus.others) == (4 * 4990, 3 * 4990)


def test_hours_from_before_sreport_knew_qos_are_told_apart_by_sacct(store: Store) -> None:
    slurm = slurm_of(ALICE, BURST)
    collect(store, slurm)
    slurm.since_when_qos = T0 + 1000
    slurm.asked.clear()
    found = compared(store, slurm)
    assert len(unbounded(slurm)) == 1
    assert (found.agrees, found.split) == (True, False)


def test_what_two_qos_need_is_asked_once(store: Store) -> None:
    slurm = slurm_of(ALICE, BURST, knows_qos=False)
    for name in ("avery", "avery-b"):
        collect(store, slurm, Scope("demo", name))
    slurm.asked.clear()
    comparison = Comparison(Slurm(runner=slurm), store, TERMS, NOW, "alice")
    assert all(comparison.of(Scope("demo", name), ASKED).agrees for name in ("avery", "avery-b"))
    assert len(unbounded(slurm)) == 1


def test_where_a_difference_may_come_from(store: Store) -> None:
    """Each alone, in the words that a person reads."""
    parts = [
        run_of(1, state="RESIZING", end=T0 + 1000),
        run_of(2, user="bob", suspended=600, end=NOW + 0, state="COMPLETED"),
        run_of(3, user="carl"),
    ]
    slurm = slurm_of(*parts)
    collect(store, slurm)
    slurm.more.update({("alice", "cpu", "avery"): 50, ("bob", "cpu", "avery"): -5000, ("carl", "cpu", "avery"): 5})
    slurm.reservations = "workshop\nworkshop\nnight\n"
    found = compared(store, slurm)
    why = {line.user: line.reasons for line in found.lines if not line.agrees}
    reserved = reasons.RESERVED.format(names="night, workshop")
    assert why == {
        "alice": (reasons.RESIZED.format(jobs="1 job"), reserved),
        "bob": (reasons.PAUSED.format(jobs="1 job"),),
        "carl": (reserved,),
    }


@pytest.mark.parametrize("knows_qos", [True, False])
def test_an_account_whose_runs_are_all_missing_here_is_not_missed(store: Store, knows_qos: bool) -> None:
    slurm = slurm_of(ALICE, knows_qos=knows_qos)
    collect(store, slurm)
    slurm.runs = [ALICE, CARL]
    found = compared(store, slurm)
    assert {user for user, _, _ in unlike(found)} == {"carl"}
    assert all(line.reasons == (reasons.LATE,) for line in found.lines if not line.agrees)


@pytest.mark.parametrize("knows_qos", [True, False])
def test_that_nothing_was_used_here_and_there_is_agreement(store: Store, knows_qos: bool) -> None:
    slurm = slurm_of(BURST, knows_qos=knows_qos)
    collect(store, slurm)
    found = compared(store, slurm)
    assert (found.lines, found.agrees, found.whole) == ((), True, True)
    slurm.runs = [BURST, ALICE]
    assert not compared(store, slurm).agrees, "and all of a QoS may be missing here"


def test_a_part_of_the_time_is_no_word_on_all_of_it(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)
    assert compared(store, slurm).whole
    comparison = Comparison(Slurm(runner=slurm), store, TERMS, NOW, "alice")
    found = comparison.of(SCOPE, (NOW - 3 * DAY, NOW))
    assert (found.agrees, found.whole) == (True, False), "of two days nothing is known here"
    slurm.until = TURN - 4 * HOUR
    late = compared(store, slurm)
    assert (late.agrees, late.whole) == (True, False), "sums of this morning are no word of now"


def test_a_difference_stays_one_where_sacct_gives_no_answer(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)
    slurm.more["bob", "cpu", "avery"] = 60

    def answer(argv: Sequence[str], **options: object) -> Answer:
        return Answer(1, b"", "sacct: error: no\n") if argv[0] == "sacct" else slurm(argv, **options)  # type: ignore[arg-type]

    found = Comparison(Slurm(runner=answer), store, TERMS, NOW, "alice").of(SCOPE, ASKED)
    assert unlike(found) == [("bob", "NCPUS", 60)]


def test_what_sacct_has_purged_is_said(store: Store) -> None:
    slurm = slurm_of(knows_qos=False)
    collect(store, slurm)
    slurm.more.update({("bob", "cpu", "avery"): 2 * 12000, ("bob", "mem", "avery"): 3072 * 12000})
    slurm.more["bob", "billing", "avery"] = 2 * 12000
    slurm.more["bob", "cpu", "avery"] += 5
    slurm.runs = [run for run in slurm.runs if run.user != "bob"]
    found = compared(store, slurm)
    assert unlike(found) == [("bob", "NCPUS", 5)]
    (line,) = [line for line in found.lines if not line.agrees]
    assert line.reasons == (reasons.PURGED,)


@pytest.mark.parametrize(
    "text",
    [*("alice|a|cpu", "alice|a|cpu|many|avery", "alice|a|cpu|-1|avery", "no\n"), f"alice|a|cpu|{10**30}|avery"],
)
def test_what_is_no_table_is_an_error(text: str) -> None:
    with pytest.raises(SlurmError, match="sreport gave no table"):
        sreport.parse(text, (), "avery")


def test_accounts_below_those_that_are_meant_do_not_count() -> None:
    text = "|lab|cpu|30|avery\nann|lab|cpu|10|avery\nann|lab_sub|cpu|20|avery\nann|lab|cpu|5|other\n"
    assert sreport.parse(text, ("LAB",), "avery") == {"ann": {"cpu": 10.0}}
    assert sreport.parse(text, (), "avery") == {"ann": {"cpu": 30.0}}


def test_a_failure_of_sreport_is_not_taken_for_an_older_release(store: Store) -> None:
    slurm = slurm_of()
    collect(store, slurm)

    def answer(argv: Sequence[str], **options: object) -> Answer:
        if argv[0] == "sreport" and "AccountUtilizationByUser" in argv:
            return Answer(1, b"", "sreport: error: Access/permission denied\n")
        return slurm(argv, **options)  # type: ignore[arg-type]

    with pytest.raises(SlurmError, match="permission denied"):
        Comparison(Slurm(runner=answer), store, TERMS, NOW, "alice").of(SCOPE, ASKED)


@given(
    st.integers(1_600_000_000, 1_800_000_000),
    st.integers(0, 40 * DAY),
    st.sampled_from([900, 2700, HOUR, 5400, 6 * HOUR, DAY]),
    st.sampled_from(["UTC", "US/Eastern", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_spans_begin_and_end_at_bins_of_full_hours(begin: int, seconds: int, bin_seconds: int, zone: str) -> None:
    found = whole(((begin, begin + seconds),), Terms(zone, bin_seconds))
    length = math.lcm(bin_seconds, HOUR)
    edges = set(day_edges(begin, begin + seconds, length, zone).tolist())
    for first, last in found:
        assert begin <= first < last <= begin + seconds
        assert {first, last} <= edges
        assert first - begin < length + 2 * HOUR
        assert begin + seconds - last < length + 2 * HOUR
    assert found or seconds < 2 * length + 4 * HOUR


amounts = st.dictionaries(st.sampled_from(["ann", "bob"]), st.integers(0, 10**9), max_size=2)


@given(amounts, amounts, amounts)
def test_nobody_is_left_out_and_a_difference_is_one_to_a_millionth(
    ours: dict[str, int], others: dict[str, int], theirs: dict[str, int]
) -> None:
    def by_key(amounts: dict[str, int]) -> dict[str, dict[str, float]]:
        return {user: {"NCPUS": float(amount)} for user, amount in amounts.items()}

    counts = {user: {"cpu": float(amount)} for user, amount in theirs.items()}
    found = {line.user: line for line in lines(by_key(ours), by_key(others), counts)}
    for user in {*ours, *others, *theirs}:
        here, there = ours.get(user, 0) + others.get(user, 0), theirs.get(user, 0)
        assert (user in found) == bool(here or there)
        if user in found:
            assert found[user].agrees == (abs(here - there) <= TOLERANCE * max(here, there))


# what runs


def held(start: int, **amounts: float) -> Held:
    return Held("alice", start, {"NCPUS": 4.0, **amounts})


def test_running_jobs_are_compared_one_by_one() -> None:
    ours = {1: held(T0), 2: held(T0), 3: held(T0), 4: held(T0), 5: held(T0)}
    theirs = {
        1: held(T0),
        2: held(T0, NCPUS=2.0),
        6: held(T0),
        7: held(NOW),
        8: held(NOW - LAG),
        9: held(NOW - LAG + 1),
    }
    found = running(NOW, ours, theirs, {3, 99}, LAG)
    assert (found.same, found.since, found.missing, found.gone) == (1, 3, (6, 8), (4, 5))
    assert found.unlike == ((2, "NCPUS", 4.0, 2.0),)
    assert not found.agrees
    assert running(NOW, {1: held(T0), 3: held(T0)}, {1: held(T0), 7: held(NOW)}, {3}, LAG).agrees


def test_running_jobs_agree_with_squeue_and_one_that_ended_since_is_no_difference(store: Store) -> None:
    slurm = slurm_of(CARL, replace(CARL, jobid=30, dbindex=30), replace(CARL, jobid=31, dbindex=31, suspended=5))
    collect(store, slurm)
    found = look(Slurm(runner=slurm), store, SCOPE, NOW)
    assert found is not None
    assert (found.same, found.agrees, found.at) == (3, True, NOW)
    slurm.runs = [slurm.runs[0], replace(CARL, jobid=30, dbindex=30, end=NOW + 50, state="COMPLETED")]
    slurm.now = NOW + 100
    waited: list[float] = []
    later = look(Slurm(runner=slurm), store, SCOPE, NOW + 100, waited.append)
    assert later is not None
    assert (later.same, later.since, later.gone) == (1, 1, (31,)), "31 is in neither: nobody knows how it ended"
    assert waited == [AGAIN], "its end may be told late"
    slurm.runs = [*slurm.runs, run_of(32, end=None, state="RUNNING")]
    again = look(Slurm(runner=slurm), store, SCOPE, NOW + 100, waited.append)
    assert again is not None
    assert again.missing == (32,)


def test_an_end_that_is_told_late_is_no_difference(store: Store) -> None:
    slurm = slurm_of(CARL)
    collect(store, slurm)
    slurm.runs, slurm.now = [], NOW + 100

    def end(seconds: float) -> None:
        slurm.runs = [replace(CARL, end=NOW + 50, state="COMPLETED")]

    found = look(Slurm(runner=slurm), store, SCOPE, NOW + 100, end)
    assert found is not None
    assert (found.since, found.agrees) == (1, True)


def test_before_anything_was_collected_no_jobs_are_compared(store: Store) -> None:
    assert look(Slurm(runner=slurm_of()), store, SCOPE, NOW) is None


# when it agreed last


def test_when_it_agreed_last_is_kept_and_garbage_is_never(tmp_path: Path) -> None:
    assert agreed.last(tmp_path / "none") is None
    agreed.keep(tmp_path / "state", NOW)
    assert agreed.last(tmp_path / "state") == NOW
    assert (tmp_path / "state" / agreed.FILE).stat().st_mode & 0o777 == 0o600
    for garbage in ("", "[]", '{"agreed": "soon"}', '{"agreed": true}', '{"agreed": -5}', "\x00"):
        (tmp_path / "state" / agreed.FILE).write_text(garbage)
        assert agreed.last(tmp_path / "state") is None


def test_a_line_knows_what_agrees() -> None:
    assert Line("a", "NCPUS", 10**6, 0, 10**6 + 1).agrees
    assert not Line("a", "NCPUS", 10**6, 0, 10**6 + 2).agrees
    assert Line("a", "NCPUS", 5, 5, 10).agrees
