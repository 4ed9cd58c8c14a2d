"""Whose month: the same numbers as text, CSV, JSON, HTML, PDF and picture, whatever the names hold."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from librarian.render.pictures import figure, style
from librarian.shared.files import MONTH
from librarian.shared.report import Report
from librarian.site import assets
from librarian.subjects.months import page as monthly_page
from librarian.subjects.months import pdf
from librarian.subjects.months import pictures as month_pictures
from librarian.subjects.months import tables as monthly
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.plain import describe, parts
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.months.tables import Statement
from librarian.subjects.months.to_json import month_json, pace_json
from librarian.subjects.usage.section import UsageSection
from librarian.subjects.usage.totals import jobs_failed
from tests.unit import rendering, reports
from tests.unit.render.test_page import Elements, policy_of

HEAD = ("User", "CPU-hours", "share", "GPU-hours", "share", "GiB-hours", "Job-hours", "Billing")
SHARED = (
    Allocation("NGPUS", 30_000.0, date(2026, 7, 1), ("avery", "avery-b")),
    Allocation("NCPUS", 40.0, date(2026, 7, 1), ("avery",), always=True),
)


def statement(report: Report, **changes: Any) -> Statement:
    header = report.header
    made = Statement(
        *(header.qos, header.title, header.cluster, header.zone, report.window.now),
        *(report[MonthsSection].months, report[MonthsSection].paces, report[UsageSection].untracked),
    )
    return replace(made, **changes)


def older(report: Report) -> Statement:
    """The months as of a store that kept users alone at first."""
    before, now = report[MonthsSection].months
    bare = {user: replace(totals, ended={}) for user, totals in before.users.items()}
    before = replace(before, runs_from=None, accounts={}, users=bare, total=replace(before.total, ended={}))
    half = {account: replace(it, hours={k: v / 2 for k, v in it.hours.items()}) for account, it in now.accounts.items()}
    return statement(report, months=(before, replace(now, runs_from=now.begin + 3600, accounts=half)))


def table_of(told: Sequence[Statement]) -> list[dict[str, str]]:
    text = monthly.table_csv(told).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def html_of(told: Sequence[Statement]) -> str:
    return monthly_page.page(told, templates=assets.templates(), version="0.1.0")


def test_the_table_of_text() -> None:
    text = monthly.text([statement(reports.golden())])
    lines = text.splitlines()
    assert lines[0] == 'Avery Lab & "Friends" (QoS avery): October 2026'
    assert lines[1] == "From 2026-10-31 14:00 EDT to 2026-11-01 00:00 EDT; what was before is not known."
    assert re.split("  +", lines[3]) == [*HEAD, "jobs", "failed"]
    assert lines[5].split() == ["alice", "172", "67", "%", "20", "50", "%", "670", "13", "172", "1", "100", "%"]
    assert lines[10].split() == [
        "4",
        "users",
        "255",
        "100",
        "%",
        "40",
        "100",
        "%",
        "707",
        "26",
        "258",
        "3",
        "33",
        "%",
    ]
    tables = [block for block in text.split("\n\n") if "---" in block]
    assert all(len({len(line) for line in block.splitlines()}) == 1 for block in tables)
    assert max(map(len, lines)) <= 100
    assert "GPU allocation from 2026-07-01 to 2027-07-01: 17,520 GPU-hours\n  used 74.8 (0.4 %)\n" in text
    assert "  what was used before 2026-10-31 14:00 EDT is not known\n" in text


def test_hours_of_the_older_rule_are_said_to_be_so() -> None:
    report = reports.golden()
    before, now = report[MonthsSection].months
    told = statement(report, months=(replace(before, older_rule_to=before.end), now))
    said = "Up to 2026-11-01 00:00 EDT suspended jobs count as holding nothing, as an older release had it."
    first, second = (block for block in monthly.text([told]).split("\nAvery Lab") if block)
    assert said in first
    assert "older release" not in second
    assert html_of([told]).count(said) == 1
    data = {"months": [month_json(month) for month in told.months], "resources": [], "units": {}, "untracked": []}
    texts = [text for part in parts(data, told.zone) for text in part.sentences]
    assert texts == [f"2026-10: {said}"]


def test_accounts_that_are_not_known_are_said_to_be_so() -> None:
    told = older(reports.golden())
    before, now = (block for block in monthly.text([told]).split("\nAvery Lab") if block)
    assert "Accounts and the runs that ended are not known of this month." in before
    assert re.search(r"^account not known +255 +100 %", before, re.MULTILINE)
    assert re.search(r"^alice .* – +–$", before, re.MULTILINE)
    assert re.search(r"^account not known +133 +50 %", now, re.MULTILINE)
    assert "are known from 2026-11-01 01:00 EDT on." in now
    rows = table_of([told])
    assert {row["jobs ended"] for row in rows if row["month"] == "2026-10"} == {""}
    unknown = [row for row in rows if row["kind"] == "unknown"]
    assert [(row["month"], row["CPU-hours"]) for row in unknown] == [("2026-10", "255.0"), ("2026-11", "133.25")]


def test_gpus_that_are_not_tracked_are_not_zero() -> None:
    told = statement(reports.busy(3, gpus=False, gpus_tracked=False))
    assert "GPUs are not tracked on this cluster." in monthly.text([told])
    assert {row["GPU-hours"] for row in table_of([told])} == {""}
    assert json.loads(monthly.data([told], version="1"))["qos"][0]["untracked"] == ["NGPUS"]


def test_a_month_that_one_of_them_does_not_know() -> None:
    text = monthly.text([statement(reports.busy(1)), statement(reports.empty(), months=(), qos="b", title="b")])
    assert "\nb: nothing is known of this month.\n" in text


def test_csv_has_the_numbers_and_no_formulas() -> None:
    report = reports.hostile(title="=1+1")
    rows = table_of([statement(report, qos="=cmd")])
    assert not any(cell[:1] in ("=", "+", "@", "\t", "\r", "-") for row in rows for cell in row.values())
    assert not any("\r" in cell for row in rows for cell in row.values())
    users = [row for row in rows if row["kind"] == "user"]
    assert len(users) == len(reports.HOSTILE)
    whole = next(row for row in rows if row["kind"] == "all")
    for key in ("CPU-hours", "GiB-hours"):
        assert sum(float(row[key]) for row in users) == pytest.approx(float(whole[key]), abs=0.1)
    assert float(whole["CPU-hours"]) == pytest.approx(report[UsageSection].total.hours["NCPUS"], abs=0.01)


USE = ("of ended jobs", "measured", "used")


def test_csv_heads_tell_units_and_times_their_offset() -> None:
    rows = table_of([older(reports.golden())])
    assert list(rows[0]) == [
        *("qos", "month", "known_from", "known_to", "complete", "kind", "name"),
        *("CPU-hours", "GPU-hours", "GiB-hours", "job-hours", "billing-hours", "jobs ended", "jobs failed"),
        *(f"{unit} {part}" for unit in ("CPU-hours", "GPU-hours", "GiB-hours") for part in USE),
    ]
    assert (rows[0]["known_from"], rows[0]["known_to"]) == ("2026-10-31T14:00:00-04:00", "2026-11-01T00:00:00-04:00")
    assert not any(cell in ("-1", "nan", "None", "–") for row in rows for cell in row.values())


def test_a_file_is_called_after_qos_and_months_whatever_the_names_are() -> None:
    told = statement(reports.golden())
    assert monthly.file_stem([told]) == "months_avery_2026-10-2026-11"
    assert monthly.file_stem([replace(told, months=told.months[:1])]) == "months_avery_2026-10"
    assert monthly.file_stem([replace(told, months=())]) == "months_avery"
    for name in ("../../x", "a/b", "=cmd", "\u202e", "a\nb", "x" * 300):
        stem = monthly.file_stem([replace(told, qos=name), told])
        assert re.fullmatch(r"months_[\w~-]{1,60}_2026-10-2026-11", stem), stem


def test_json_has_what_a_data_file_has() -> None:
    report = reports.golden()
    (told,) = json.loads(monthly.data([statement(report)], version="0.1.0"))["qos"]
    assert [month.pop("use") for month in told["months"]] == [None, None], "it was never asked"
    assert told["months"] == json.loads(json.dumps([month_json(month) for month in report[MonthsSection].months]))
    assert told["allocations"] == json.loads(json.dumps([pace_json(pace) for pace in report[MonthsSection].paces]))
    for month, one in zip(report[MonthsSection].months, told["months"], strict=True):
        assert one["total"]["failed"] == jobs_failed(month.total)
        assert sum(user["jobs"] for user in one["users"].values()) == one["total"]["jobs"]
    assert (told["qos"], told["zone"], told["now"]) == ("avery", "US/Eastern", report.window.now)


def test_the_page_escapes_every_name_and_asks_nobody() -> None:
    html = html_of([statement(reports.hostile())])
    page = Elements(html)
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert policy_of(page)["default-src"] == "'none'"
    assert not list(page.all("img")) and not list(page.all("script")) and not list(page.all("a"))
    assert all("\u202e" not in line for line in html.splitlines())
    assert html.count("<tr>") == len(reports.HOSTILE) + 5


def test_the_page_of_all_months_has_their_tables() -> None:
    html = html_of([older(reports.golden()), statement(reports.empty(title="Nobody"))])
    assert html.count("<h2>") == 2 + 2
    assert html.index("October 2026</h2>") < html.index("November 2026</h2>")
    assert "account not known" in html
    assert "GPU allocation from 2026-07-01 to 2027-07-01" in html


@pytest.mark.slow
@pytest.mark.parametrize("case", ["golden", "hostile", "empty", "100 users", "nothing"])
def test_a_pdf_of_as_many_pages_as_it_needs(case: str) -> None:
    cases = {
        "golden": (reports.golden, 2),
        "hostile": (reports.hostile, 1),
        "empty": (reports.empty, 2),
        "100 users": (lambda: reports.busy(100, days=7, top_users=100), 4),
    }
    if case == "nothing":
        made, pages = pdf.pdf([]), 1
    else:
        build, pages = cases[case]
        told = [statement(build())]
        made = pdf.pdf(told)
        assert made == pdf.pdf(told)
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", made)) == pages


def month_figure(report: Report) -> Figure:
    with figure.styled():
        return month_pictures.draw(report)


def nothing_known() -> Report:
    report = reports.empty()
    return replace(report, sections={**report.sections, "months": MonthsSection((), ())})


def words(figure: Figure) -> list[str]:
    axes = figure.axes
    found = [text.get_text() for one in axes for text in (*one.texts, *one.get_yticklabels(), one._left_title)]
    return [text.replace(r"\$", "$") for text in (*found, *(text.get_text() for text in figure.texts))]


def widths(figure: Figure, place: int) -> list[float]:
    return [bar.get_width() for bar in figure.axes[place].patches]


class TestPicture:
    def test_both_months_of_each_user(self) -> None:
        report = reports.golden()
        figure = month_figure(report)
        rows = month_pictures.rows_of(report)
        before, now = report[MonthsSection].months
        assert [row.user for row in rows] == ["alice", "bob", "zoë\udcff", None]
        assert widths(figure, 0) == [part["NCPUS"] for row in rows for part in (row.now, row.before)]
        assert sum(widths(figure, 0)) == pytest.approx(before.total.hours["NCPUS"] + now.total.hours["NCPUS"])
        assert sum(widths(figure, 1)) == pytest.approx(before.total.hours["NGPUS"] + now.total.hours["NGPUS"])
        assert any(text.startswith("November 2026 so far, and October 2026 · ") for text in words(figure))
        assert any(text.startswith("GPU allocation: 17,520 GPU-hours a year\nused 74.8") for text in words(figure))
        assert len(figure.axes) == 4

    def test_the_pace_goes_from_what_is_known_to_its_end(self) -> None:
        report = reports.busy(4, allocations=SHARED)
        figure, pace = month_figure(report), report[MonthsSection].paces[0]
        even, amount, used, ahead = (list(map(float, line.get_ydata())) for line in figure.axes[2].lines)
        assert even == [0, 30_000]
        assert set(amount) == {30_000}
        assert used == list(pace.cumulative)
        assert ahead == [pace.used, pace.projected]

    def test_a_month_alone_has_one_bar_a_user(self) -> None:
        report = reports.hostile()
        figure = month_figure(report)
        assert len(report[MonthsSection].months) == 1
        assert len(widths(figure, 0)) == len(month_pictures.rows_of(report)) == 13
        assert "$alpha_{1}$" in words(figure)

    @pytest.mark.parametrize(
        ("report", "expected"),
        [
            (reports.empty(), "no CPU-hours yet"),
            (reports.busy(2, gpus=False, gpus_tracked=False), "GPUs are not tracked on this cluster"),
            (nothing_known(), "no GPU-hours yet"),
        ],
        ids=["empty", "untracked", "nothing known"],
    )
    def test_what_is_not_there_is_said(self, report: Report, expected: str) -> None:
        assert expected in words(month_figure(report))

    @pytest.mark.slow
    @pytest.mark.parametrize("users", [1, 12, 60, 0])
    def test_names_and_numbers_do_not_run_into_each_other(self, users: int) -> None:
        """Names are beside their bars, one a line; the picture is as high as that needs. 0 are those with odd names."""
        odd = [reports.Run("W" * 60, reports.NOW - 7200, reports.NOW - 3600)]
        report = reports.busy(users, top_users=40, allocations=SHARED) if users else reports.report_of(odd)
        if not users:
            section = report[MonthsSection]
            paces = reports.hostile(allocations=SHARED)[MonthsSection].paces
            report = replace(report, sections={**report.sections, "months": replace(section, paces=paces)})
        figure = month_figure(report)
        canvas = style.canvas(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        labels = [text.get_window_extent(renderer) for text in figure.axes[0].get_yticklabels()]
        assert len(labels) == min(users or 1, 41)
        assert all(upper.y0 >= lower.y1 - 1 for upper, lower in itertools.pairwise(labels))
        assert all(box.x0 >= 0 for box in labels)
        told = [text.get_window_extent(renderer) for axes in figure.axes[:2] for text in axes.texts]
        assert all(box.x1 <= figure.bbox.x1 for box in told)
        titles = [axes._left_title.get_window_extent(renderer) for axes in figure.axes[2:]]
        assert titles[0].x1 < titles[1].x0
        assert titles[1].x1 <= figure.bbox.x1

    @pytest.mark.slow
    def test_equal_reports_give_equal_files(self, tmp_path: Path) -> None:
        one, other = (rendering.draw_one(reports.golden(), MONTH) for _ in range(2))
        assert (one.name, one.png, one.pdf) == (other.name, other.png, other.pdf)
        with Image.open(io.BytesIO(one.png)) as image:
            assert image.width == 1560

    def test_it_is_described_for_those_who_do_not_see_it(self) -> None:
        report = reports.golden()
        data = {
            "months": [month_json(month) for month in report[MonthsSection].months],
            "allocations": [pace_json(pace) for pace in report[MonthsSection].paces],
            "untracked": [],
            "units": {"NCPUS": {"hours": "CPU-hours"}, "NGPUS": {"hours": "GPU-hours"}},
        }
        told = describe(data).words
        assert "October 2026, as far as it is known: 255 CPU-hours, 40 GPU-hours, most by alice." in told
        assert "Of the GPU allocation of 17,520 GPU-hours 0.4 % is used; even use would be 34 %." in told
        assert describe({}).words == "Hours by user in this month and the last."
