"""What jobs used beside what was allocated to them, by month: the numbers of every format, and what is not known."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian.shared.scope import Scope
from librarian.site import assets
from librarian.store import Store, opened
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import UsedRun
from librarian.subjects.months import tables, use_tables
from librarian.subjects.months.page import page
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.months.tables import Statement
from librarian.subjects.months.use import uses
from tests.unit import reports
from tests.unit.reports import HOUR, NOW
from tests.unit.subjects.efficiency.used import measured

AVERY = Scope("demo", "avery")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "demo.sqlite", "demo") as made:
        yield made


def job(user: str, number: int, begin: int, hours: int, share: float | None = 0.5) -> UsedRun:
    """A job with 4 CPUs and 4 GiB, of which it used a share; None: not measured."""
    cpu = None if share is None else int(share * 4 * hours * HOUR * 1000)
    memory = None if share is None else int(share * 4 * 2**30)
    fields = {"dbindex": number, "user": user, "start": begin, "end": begin + hours * HOUR, "elapsed": hours * HOUR}
    return measured(cpu, memory, **fields)


def statement(store: Store) -> Statement:
    report = reports.report_of([reports.Run("ann", NOW - 10 * HOUR, NOW - 8 * HOUR)])
    section, header = report[MonthsSection], report.header
    told = uses(store, AVERY, section.months)
    return Statement(header.qos, header.title, header.cluster, header.zone, NOW, section.months, use=told)


def test_it_was_never_asked(store: Store) -> None:
    told = statement(store)
    assert told.use is None
    assert "What jobs used" not in tables.text([told])
    assert all(month["use"] is None for month in json.loads(tables.data([told], version="1"))["qos"][0]["months"])


def test_a_job_across_the_turn_of_the_month_is_in_both(store: Store) -> None:
    last = statement(store).months[-1]
    RunUses(store).take([AVERY], (last.begin - HOUR, NOW), [job("ann", 1, last.begin - HOUR, 4)])
    told = uses(store, AVERY, statement(store).months)
    assert told is not None
    before, after = (told[month.name].total["NCPUS"].in_hours() for month in statement(store).months[-2:])
    assert (before, after) == ((4, 4, 2), (12, 12, 6))


def test_all_formats_tell_the_same_and_what_is_not_measured_is_never_0(store: Store) -> None:
    last = statement(store).months[-1]
    runs = [job("ann", 1, last.begin, 5), job("=bob", 2, last.begin, 10, None), job("cy", 3, last.begin, 1, 1.5)]
    RunUses(store).take([AVERY], (last.begin, NOW), runs)
    told = statement(store)
    (cpus, *_) = [table for title, table in tables.every_table(told, last) if title == "CPU-hours used, by user"]
    assert cpus.head[1:] == ("CPU-hours of ended jobs", "measured", "used", "unused", "efficiency", "known for")
    assert cpus.rows == (
        ("ann", "20", "20", "10", "10", "50 %", "100 %"),
        ("=bob", "40", "0", "–", "–", "not measured", "–"),
        ("cy", "4", "4", "6", "-2", "150 %", "100 %"),
    )
    assert cpus.foot == ("3 users", "64", "24", "16", "8", "67 %", "38 %")
    data = json.loads(tables.data([told], version="1"))["qos"][0]["months"][-1]["use"]
    assert data["users"]["=bob"]["NCPUS"] == {"allocated_hours": 40, "measured_hours": 0, "used_hours": None}
    assert data["total"]["NCPUS"] == {"allocated_hours": 64, "measured_hours": 24, "used_hours": 16}
    rows = list(csv.DictReader(io.StringIO(tables.table_csv([told]).decode(), newline=""), strict=True))
    whole = [row for row in rows if row["kind"] == "all"][-1]
    assert [float(whole[head]) for head in use_tables.HEADS[:3]] == [64, 24, 16]
    assert whole[use_tables.HEADS[3]] == "", "no GPUs were held"
    assert "0 %" not in {cell for row in cpus.rows for cell in row}
    html = page([told], templates=assets.templates(), version="1")
    assert "CPU-hours used, by account" in html
    assert "not measured" in html


def test_names_are_cells_and_no_markup(store: Store) -> None:
    last = statement(store).months[-1]
    RunUses(store).take([AVERY], (last.begin, NOW), [job("<b>x", 1, last.begin, 1)])
    html = page([statement(store)], templates=assets.templates(), version="1")
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html


def test_which_time_is_known_is_said(store: Store) -> None:
    told = statement(store)
    last = told.months[-1]
    RunUses(store).take([AVERY], (last.begin + 2 * HOUR, last.begin + 4 * HOUR), [])
    RunUses(store).take([AVERY], (last.begin + 6 * HOUR, NOW), [])
    text = tables.text([statement(store)])
    assert "; some of the time between is not known; jobs that still ran are not in it." in text
    older = [month for month in told.months if month.end <= last.begin]
    assert text.count("What jobs used is not known of this month.") == len(older)
