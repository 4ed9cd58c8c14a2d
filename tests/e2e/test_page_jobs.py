"""The table of jobs, as people see it in a real browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.report import Report
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.model import Run, Source, Use, UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.job_table.days import OPEN, day_of, packed
from librarian.subjects.job_table.section import JobTableSection
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import AXE, Open, Publish, publish
from tests.e2e.test_page_overview import until
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]
PART = ".open [data-part=jobs]"
DAY = 86400


def told(number: int, end: int | None, **changes: Any) -> Told:
    """A job of one of four users that ran for an hour."""
    user = UserName(f"user{number % 4:02d}")
    start, until_ = (end or NOW) - 3600, end or NOW
    state = changes.pop("state", "COMPLETED" if end else "RUNNING")
    run = Run(
        *(number, number, user, AccountName("a"), "avery", PartitionName("cpu"), state, start, until_, 3600),
        *(7200, "cpu=4,mem=8G,node=1"),
    )
    use = Use(cpu=7_200_000, cpu_source=Source.STEPS) if end and number % 2 else Use()
    found = Told(str(number), "", UsedRun(run, use), start - 60, start - 60, start, end, "0:0", "", "", "", ())
    return replace(found, **changes)


def site_of(every: Sequence[Told]) -> Site:
    report: Report = reports.busy(4, days=5, qos="avery")
    by_day: dict[int, list[Told]] = {}
    for one in sorted(every, key=lambda told: told.end or 0):
        by_day.setdefault(OPEN if one.end is None else day_of(one.end), []).append(one)
    days = [packed(begin, some, Rules()) for begin, some in sorted(by_day.items()) if begin != OPEN]
    days += [packed(OPEN, by_day[OPEN], Rules())] if OPEN in by_day else []
    section = JobTableSection(tuple(days), report.window.start)
    return Site([replace(report, sections={**report.sections, "job_table": section})])


def some() -> Site:
    array = [
        told(501 + n, NOW - 7000 + n, id=f"500_{n}", array=500, state="FAILED" if n else "COMPLETED", exit_code="1:0")
        for n in range(3)
    ]
    jobs = [told(100 + n, NOW - 600 - 3600 * n) for n in range(60)]
    lost = told(99, NOW - 3 * DAY, exit_code="")
    return site_of([*jobs, *array, lost, told(900, None), told(901, NOW - 30, id="<b>1</b>")])


def rows(page: Any) -> list[str]:
    return [" ".join(text.split()) for text in page.locator(f"{PART} tbody tr:not(.job-spacer)").all_inner_texts()]


def opened(page: Any, count: str) -> None:
    page.locator(PART).scroll_into_view_if_needed()
    until(page, f"document.querySelector('{PART} [role=status]').textContent.startsWith('{count}')")


def test_jobs_of_the_range_come_when_they_are_looked_at(visit: Open, publish: Publish) -> None:
    page = visit(publish(some()).address).page
    assert not rows(page), "nothing is loaded before"
    opened(page, "64 rows of 66 jobs")
    found = rows(page)
    assert found[0].startswith("900 user00 RUNNING"), "what runs stands first"
    assert found[1].startswith("<b>1</b>"), "as text"
    (array,) = [row for row in found if row.startswith("500 (3 tasks)")]
    assert "2 FAILED, 1 COMPLETED" in array
    page.get_by_role("button", name="6h").first.click()
    until(page, f"document.querySelector('{PART} [role=status]').textContent.startsWith('9 rows of 11')")


def test_a_job_has_an_address_and_back_closes_it(visit: Open, publish: Publish) -> None:
    page = visit(publish(some()).address).page
    opened(page, "64 rows")
    page.locator(f"{PART} a[data-job='500']").click()
    until(page, "location.hash.includes('job=500')")
    card = page.locator(f"{PART} .job-card")
    assert "Job 500" in card.inner_text()
    assert "0:0" not in card.inner_text()
    page.locator(f"{PART} .job-card summary").click()
    page.locator(f"{PART} .job-card a[data-job='500_1']").click()
    until(page, f"document.querySelector('{PART} .job-card h4').textContent.includes('500_1')")
    page.go_back()
    page.go_back()
    until(page, f"!document.querySelector('{PART} .job-card').textContent")
    again = visit(f"{page.url.partition('#')[0]}#job=99&range=24h").page
    until(again, f"document.querySelector('{PART} .job-card')?.textContent.includes('Exit code?')")
    gone = visit(f"{page.url.partition('#')[0]}#job=12345").page
    until(gone, f"document.querySelector('{PART} .job-card')?.textContent.includes('No job of that id')")


def test_filters_and_order_are_in_the_address(visit: Open, publish: Publish) -> None:
    page = visit(publish(some()).address).page
    opened(page, "64 rows")
    page.get_by_label("Jobs of this user").select_option("user02")
    page.get_by_label("Jobs in this state").select_option("COMPLETED")
    page.locator(f"{PART} thead button[data-sort=id]").click()
    until(page, "location.hash.includes('table.jobs-sort=id')")
    numbers = [int(row.split()[0]) for row in rows(page)]
    assert numbers == list(range(158, 99, -4)), "no job array: none of the tasks of this user is completed"
    again = visit(page.url).page
    opened(again, "15 rows")
    assert rows(again) == rows(page)


def test_the_field_finds_a_job_by_its_id(visit: Open, publish: Publish) -> None:
    page = visit(publish(some()).address).page
    page.wait_for_selector(f"{PART} .jobs", state="attached")
    page.get_by_role("searchbox", name="Find a user").or_(page.get_by_role("combobox", name="Find a user")).fill("110")
    page.keyboard.press("Enter")
    until(page, f"document.querySelector('{PART} .job-card')?.textContent.includes('Job 110')")


def test_without_jobs_there_is_no_section(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([reports.busy(4, days=5, qos="avery")])).address).page
    page.wait_for_selector(".open[data-drawn]", state="attached")
    assert page.locator(PART).is_hidden()
    assert page.locator(".sections a[data-to=jobs]").is_hidden()


def test_a_file_that_is_missing_is_said_and_the_others_are_shown(visit: Open, publish: Publish) -> None:
    site = publish(some())
    (missing,) = site.folder.glob("jobs_*_open_*.js")
    missing.unlink()
    seen = visit(site.address)
    seen.expected.append("404")
    page = seen.page
    opened(page, "63 rows")
    assert "Not all could be loaded" in page.locator(f"{PART} [role=status]").inner_text()


def test_a_hundred_thousand_rows_are_never_all_in_the_page(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of([told(10_000 + n, NOW - 60 - 4 * n) for n in range(100_000)])).address).page
    opened(page, "100,000 rows")
    assert len(rows(page)) < 100
    page.locator(f"{PART} .jobs-scroll").evaluate("one => { one.scrollTop = one.scrollHeight; }")
    until(page, f"document.querySelector('{PART} tbody').textContent.includes('109999')")
    assert len(rows(page)) < 100


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: npm ci --prefix dashboard")
def test_axe_finds_nothing(visit: Open, publish: Publish) -> None:
    page = visit(f"{publish(some()).address}#job=500").page
    opened(page, "64 rows")
    page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run('{PART}', {{resultTypes: ['violations']}})")["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_section_that_was_chosen_stays_the_marked_one_when_its_rows_come(visit: Open, publish: Publish) -> None:
    page = visit(publish(some()).address).page
    page.locator(".sections a[data-to=jobs]").click()
    page.locator(f"{PART} tbody tr").first.wait_for()
    until(page, "document.querySelector('.sections [aria-current]')?.textContent === 'Jobs'")
