"""The last week beside the one before it: counted here one run at a time."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.render.html.plain import glances
from librarian.shared.names import UserName
from librarian.shared.window import DAY
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.usage.totals import FAILED, Totals
from librarian.subjects.weeks import plain
from librarian.subjects.weeks.model import WEEK, Week, changes
from librarian.subjects.weeks.plain import signed
from librarian.subjects.weeks.section import WeeksSection
from librarian.subjects.weeks.to_json import weeks_json
from tests.unit.render.test_page import golden_datasets, golden_index
from tests.unit.reports import HOUR, NOW, Run, jobs_table, report_of, report_on
from tests.unit.subjects.usage.test_payload import data_of

STATES = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED")


@st.composite
def runs(draw: st.DrawFn) -> list[Run]:
    """Runs of the last three weeks that have ended, or go on."""
    table = []
    for _ in range(draw(st.integers(0, 6))):
        start = NOW - draw(st.integers(1, 21 * DAY))
        end = start + draw(st.integers(0, NOW - start))
        user = draw(st.sampled_from(["ann", "bob", "=1+1"]))
        table.append(Run(user, start, end, tres=f"cpu={draw(st.integers(1, 9))}", state=draw(st.sampled_from(STATES))))
    return table


@pytest.mark.slow
@given(runs(), st.sampled_from([900, HOUR, 6 * HOUR]), st.sampled_from(["UTC", "US/Eastern", "Australia/Lord_Howe"]))
def test_each_week_is_what_its_runs_come_to(table: list[Run], bin_seconds: int, zone: str) -> None:
    report = report_of(table, bin_seconds=bin_seconds, zone=zone)
    weeks = report[WeeksSection].weeks
    assert len(weeks) == 2
    last = report.window.edges[-1 if report.window.edges[-1] == NOW else -2]
    assert (weeks[0].end, weeks[1].end) == (last, weeks[0].begin)
    for week in weeks:
        assert abs(week.end - week.begin - WEEK) <= bin_seconds // 2
        held: Counter[str] = Counter()
        ended: Counter[str] = Counter()
        for run in table:
            assert run.end is not None
            cpus = int(run.tres.removeprefix("cpu="))
            held[run.user] += cpus * max(0, min(run.end, week.end) - max(run.start, week.begin))
            if week.begin <= run.end < week.end:
                ended[run.state] += 1
        told = {user: totals.hours["NCPUS"] * 3600 for user, totals in week.users.items() if totals.hours["NCPUS"]}
        assert told == pytest.approx({user: amount for user, amount in held.items() if amount})
        assert week.total.ended == dict(ended)
        assert week.total.hours["NCPUS"] * 3600 == pytest.approx(sum(held.values()))
        assert (week.wait is None) == (not any(week.begin <= run.start < week.end for run in table))


def test_a_window_of_less_than_two_weeks_compares_nothing() -> None:
    report = report_of([Run("ann", NOW - DAY, NOW - HOUR)], seconds=10 * DAY)
    section = report[WeeksSection]
    assert (len(section.weeks), section.changes) == (1, ())
    assert len(weeks_json(section)["spans"]) == 1  # type: ignore[arg-type]
    assert list(plain.glance(data_of(report), "UTC")) == []
    assert report_of([], seconds=DAY)[WeeksSection].weeks == ()


def week(total: float, **users: float) -> Week:
    hours = {UserName(user): Totals({"NCPUS": amount, "NGPUS": 0.0}, {}) for user, amount in users.items()}
    return Week(0, WEEK, hours, Totals({"NCPUS": total, "NGPUS": 0.0}, {}), None)


def test_who_changed_most_is_named_and_small_changes_are_not() -> None:
    now, before = week(1000, ann=600, bob=395, carl=5), week(800, ann=200, bob=400, dora=200)
    found = changes(now, before, ["NCPUS", "NGPUS"])
    assert [(one.user, one.hours, one.before) for one in found] == [("ann", 600, 200), ("dora", 0, 200)]
    many = {f"u{number}": float(number) for number in range(20, 40)}
    assert [one.user for one in changes(week(590, **many), week(0), ["NCPUS"])] == ["u39", "u38", "u37", "u36", "u35"]
    assert changes(week(0), week(0), ["NCPUS"]) == ()


def test_failed_and_waits_are_told() -> None:
    table = jobs_table(
        [
            Run("ann", NOW - 2 * DAY, NOW - DAY, state=FAILED[2]),
            Run("ann", NOW - 3 * DAY, NOW - DAY),
            Run("bob", NOW - 9 * DAY, NOW - 8 * DAY),
        ]
    )
    report = report_on(table.assign(eligible=table["start"] - [600, 200, 0]))
    told: Any = weeks_json(report[WeeksSection])
    assert [(one["jobs"], one["failed"], one["median_wait"]) for one in told["spans"]] == [(2, 1, 400), (1, 0, 0)]
    (part,) = plain.glance(data_of(report), "UTC")
    assert part.table
    rows = {row[0]: row[1:] for row in part.table.rows}
    assert rows["Jobs that ended"] == ("2", "1", "+100 %")
    assert rows["Of them failed"] == ("50 %", "0 %", "")
    assert rows["Median wait"] == ("6 min", "0 s", "")
    assert [name for name, _ in part.items] == ["ann", "bob"]


def test_a_change_is_told_as_a_share_of_what_was_before() -> None:
    pairs = ((0, 0), (3, 0), (1, 2), (3, 2), (2, 1000), (10_001, 10_000))
    assert [signed(*pair) for pair in pairs] == ["same", "new", "-50 %", "+50 %", "< -99 %", "< +0.1 %"]


def test_the_first_screen_answers_five_questions() -> None:
    """Headroom, who holds what, why jobs wait, this week, this month: each subject brings its part, in order."""
    report = report_of([Run("ann", NOW - 20 * DAY), Run("bob", NOW - 9 * DAY, NOW - 8 * DAY)])
    data = {**golden_datasets(), "data_avery.json": json.dumps(data_of(report)).encode()}
    found = glances(golden_index(), data, SUBJECTS)
    titles = [part.title for part in found["avery"]]
    limits, holders, why, weeks = "In use now, and limits", "Who holds what now", "Why jobs wait", plain.TITLE
    assert titles == [limits, holders, why, weeks, "Most in November 2026"]
    broken = {**golden_datasets(), "data_avery.json": b"{}"}
    assert "avery" not in glances(golden_index(), broken, SUBJECTS)
