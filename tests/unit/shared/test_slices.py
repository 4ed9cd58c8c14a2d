"""Slices of time: nothing is lost or counted twice, however a span is cut."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.errors import SlurmError, TooWideError
from librarian.shared.scope import Scope
from librarian.shared.slices import cut, gaps, newest
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.jobs import ask, pieces
from librarian.subjects.jobs.ask import Query
from librarian.system.processes import Answer
from tests.unit.runs import T0, run_of

DAY = 86400
WIDE = Answer(1, b"JobID\n", "sacct: error: Too wide of a date range in query\n")
CONFIG = "SlurmDBD configuration:\nMaxQueryTimeRange      = {}\nPurgeJobAfter          = {}\n"
times = st.integers(0, 10**6)


class Bounded(DemoSlurm):
    """A slurmdbd that refuses questions longer than `longest` seconds; `tells` what its configuration says of that."""

    longest = 10**9
    tells = "UNLIMITED"

    def __call__(self, argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        if argv[0] == "sacctmgr" and argv[-1] == "config":
            return Answer(0, CONFIG.format(self.tells, "NONE").encode(), "")
        if argv[0] == "sacct":
            since, until = (int(argv[argv.index(option) + 1][3:]) for option in ("-S", "-E"))
            self.asked = [*getattr(self, "asked", []), until - since]
            if until - since > self.longest:
                return WIDE
        return super().__call__(argv, timeout=timeout, env=env)


@given(times, st.integers(1, 10**6), st.integers(1, 10**6))
def test_pieces_are_the_span(begin: int, length: int, longest: int) -> None:
    found = cut(begin, begin + length, max(longest, length // 500))
    assert found[0][0] == begin
    assert found[-1][1] == begin + length
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(0 < until - since <= max(longest, length // 500) for since, until in found)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6), st.integers(0, 60), st.integers(0, 60))
def test_gaps_are_what_is_not_known(known: list[tuple[int, int]], begin: int, end: int) -> None:
    seconds = {second for one in known for second in range(*one)}
    found = gaps([one for one in known if one[0] < one[1]], begin, end)
    assert [second for one in found for second in range(*one)] == sorted(set(range(begin, end)) - seconds)


@given(times, st.integers(1, 500), st.integers(1, 200), st.sampled_from([1, 7, 24]))
def test_slices_from_the_newest_are_the_span(begin: int, length: int, longest: int, step: int) -> None:
    edges, end, found = np.arange(begin // step * step, begin + length, step), begin + length, []
    while begin < end:
        since, until = newest((begin, end), longest, edges)
        assert since < until == end
        assert since in {begin, *edges.tolist()}
        assert until - since <= max(longest, step)
        found.append((since, until))
        end = since
    assert sum(until - since for since, until in found) == length


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    runs = []
    for number in range(draw(st.integers(0, 20))):
        start = T0 + draw(st.integers(0, 9 * DAY))
        end = draw(st.sampled_from([None, start, start + 600, start + DAY, start + 8 * DAY]))
        runs.append(run_of(number, submit=start - 60, eligible=start - 60, start=start, end=end))
    return runs


@pytest.mark.slow
@settings(max_examples=40)
@given(histories(), st.integers(DAY, 12 * DAY), st.booleans())
def test_a_question_in_pieces_has_the_same_answer(runs: list[Run], longest: int, told: bool) -> None:
    """A run that overlaps several pieces is told in each, and is there once."""
    query = Query(Scope("demo", "avery"), T0, T0 + 10 * DAY)
    slurm = Bounded(runs, now=T0 + 11 * DAY)
    whole = ask.ask(Slurm(runner=slurm), query).jobs
    slurm.longest, slurm.asked = longest, []
    slurm.tells = f"{longest // DAY}-{longest // 3600 % 24:02d}:{longest // 60 % 60:02d}:{longest % 60:02d}"
    if not told:
        slurm.tells = "UNLIMITED"
    found = pieces.ask(Slurm(runner=slurm), query).jobs
    assert sum(length for length in slurm.asked if length <= longest) == 10 * DAY
    assert len([length for length in slurm.asked if length > longest]) <= (1 if told else 12)
    pd.testing.assert_frame_equal(
        found.sort_values("dbindex", ignore_index=True),
        whole.sort_values("dbindex", ignore_index=True),
        check_categorical=False,
    )


def test_what_is_too_wide_at_any_length_is_told() -> None:
    slurm = Bounded([], now=T0)
    slurm.longest = 1
    with pytest.raises(TooWideError, match="Too wide"):
        pieces.ask(Slurm(runner=slurm), Query(Scope("demo", "avery"), T0, T0 + DAY))
    assert len(slurm.asked) < 12


def test_another_failure_is_no_reason_to_ask_for_less() -> None:
    with pytest.raises(SlurmError) as caught:
        pieces.ask(Slurm(runner=DemoSlurm([], now=T0)), Query(Scope("demo", "nosuch"), T0, T0 + DAY))
    assert not isinstance(caught.value, TooWideError)


@pytest.mark.parametrize(
    ("longest", "purge", "expected"),
    [
        ("UNLIMITED", "NONE", site.Archive()),
        ("3-00:00:00", "12 months", site.Archive(3 * DAY, 336 * DAY)),
        ("12:00:00", "90 days*", site.Archive(DAY // 2, 90 * DAY)),
        ("0-01:00:00", "36 hours", site.Archive(3600, 36 * 3600)),
    ],
)
def test_how_far_slurmdbd_lets_one_look(longest: str, purge: str, expected: site.Archive) -> None:
    assert site.parse_archive("PurgeJobAfter = 1 days\n" + CONFIG.format(longest, purge)) == expected
    assert site.parse_archive("") == site.Archive()
