"""The first screen and the ways from it, as people see them in a real browser: five questions, at two widths."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any

import pytest

from librarian.subjects.months.grants import Allocation
from librarian.subjects.queue.model import LastQueue
from librarian.subjects.queue.table import queue_table
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import NOW, Site
from tests.e2e.test_page_browser import AXE, Open, Publish, publish
from tests.patience import wait_for
from tests.unit import reports
from tests.unit.reports import DAY, Run

__all__ = ["browser", "publish", "visit", "web"]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
WIDTHS = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
USERS = ("ann", "bob", "carl", "dora", "evan", "fay", "gus", "hana")


def site_of() -> Site:
    """Eight users, of whom ann holds most CPUs now; a full QoS for which jobs wait; bob used less than last week."""
    runs = [Run(user, NOW - 3 * DAY, tres=f"cpu={60 - 5 * place},mem=8G") for place, user in enumerate(USERS)]
    runs += [
        Run("bob", NOW - 13 * DAY, NOW - 8 * DAY, "cpu=200,mem=64G"),
        Run("gone", NOW - 2 * DAY, NOW - DAY, state="FAILED"),
    ]
    waiting = [reports.pending("carl", "QOSGrpCpuLimit", tasks=7), reports.pending("dora", "Priority", tasks=2)]
    queue = LastQueue(NOW, queue_table(waiting))
    grants = (Allocation("NCPUS", 90_000.0, date(2026, 10, 31), ("avery",)),)
    avery = reports.report_of(runs, queue=queue, allocations=grants)
    return Site([avery, reports.report_of([Run("ann", NOW - DAY)], qos="avery-b", title="Avery Lab, burst")])


@pytest.fixture
def address(publish: Publish) -> str:
    return publish(site_of()).address


def until(page: Any, true: str) -> None:
    """Wait until an expression is true; the page's policy does not let the browser do that by itself."""
    wait_for(lambda: bool(page.evaluate(true)), true, time.monotonic)


def card(page: Any, title: str) -> Any:
    found = page.locator(".open .glance > section", has=page.get_by_role("heading", name=title))
    assert found.count() == 1, title
    return found


def texts(part: Any) -> str:
    return " ".join(part.inner_text().split())


def is_in_view(page: Any, part: Any) -> bool:
    box = part.bounding_box()
    return bool(box["y"] + 1 >= 0 and box["y"] < page.viewport_size["height"])


@WIDTHS
def test_is_the_group_at_its_limit(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    gauge = page.locator(".open .headroom [data-key=NCPUS]")
    assert is_in_view(page, gauge)
    assert "340 of 430 CPUs" in texts(gauge)


@WIDTHS
def test_who_holds_what_now_and_the_rest_is_one_click_away(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    holders = card(page, "Who holds what now")
    if viewport == DESKTOP:
        assert is_in_view(page, holders)
    rows = holders.locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["ann", "bob", "carl", "dora", "evan", "fay"], "the largest first"
    assert holders.locator("tfoot").inner_text().split()[:3] == ["8", "users", "340"]
    holders.get_by_role("link", name="All 8 users").click()
    until(page, "location.hash.includes('section=now')")
    assert is_in_view(page, page.locator(".open section.now"))


@WIDTHS
def test_why_do_jobs_wait(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    why = card(page, "Why jobs wait")
    assert "QOSGrpCpuLimit" in texts(why)
    assert "ann holds 60" in texts(why), "who holds what is short"
    why.get_by_role("link", name="1 more reason, and who waits").click()
    until(page, "location.hash.includes('section=queue')")
    assert is_in_view(page, page.locator('.open [data-part="queue"] h3').first)


@WIDTHS
def test_what_changed_since_last_week(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    weeks = card(page, "This week and the one before")
    row = next(text for text in weeks.locator("tbody tr").all_inner_texts() if text.startswith("CPU-hours"))
    assert re.search(r"24,[0-9]{3}\s+24,[0-9]{3}\s+[+-]", row), row
    assert "bob" in texts(weeks.locator("ul")), "named"
    failed = next(text for text in weeks.locator("tbody tr").all_inner_texts() if text.startswith("Of them failed"))
    assert re.fullmatch(r"Of them failed\s+100 %\s+0 %\s*", failed), failed


@WIDTHS
def test_who_used_most_this_month_and_the_pace_of_the_allocation(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    month = card(page, "Most in November 2026")
    assert month.locator("tbody tr").first.inner_text().split()[0] == "bob"
    assert month.locator("tbody tr").count() == 5
    assert "of the pace" in texts(month)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE, {"width": 320, "height": 640}], ids=["desktop", "phone", "small"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_reaches_out_and_axe_finds_nothing(visit: Open, address: str, viewport: Any, scheme: str) -> None:
    page = visit(address, viewport=viewport, color_scheme=scheme).page
    card(page, "Who holds what now")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "axe.run('.frame').then(({violations}) => violations.map(({id, nodes}) => [id, nodes[0].html]))"
    )
    assert found == []


@WIDTHS
def test_sections_are_reached_by_name_and_back_goes_back(visit: Open, address: str, viewport: Any) -> None:
    page = visit(address, viewport=viewport).page
    card(page, "Who holds what now")
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    assert links.all_inner_texts() == ["Overview", "Usage", "Limits", "Queue", "Efficiency", "Months", "Files"]
    for name in ("Months", "Limits"):
        page.get_by_role("navigation", name="Sections").get_by_role("link", name=name).click()
        until(page, f"location.hash.includes('section={name.lower()}')")
        assert is_in_view(page, page.locator(f'.open [data-part="{name.lower()}"]'))
        assert is_in_view(page, page.get_by_role("navigation", name="Sections")), "it stays"
    until(page, "document.querySelector('.sections [aria-current]').textContent === 'Limits'")
    page.go_back()
    until(page, "location.hash.includes('section=months')")
    assert is_in_view(page, page.locator('.open [data-part="months"]'))
    page.go_back()
    until(page, "!location.hash.includes('section=')")
    assert page.evaluate("scrollY") == 0


def test_a_choice_makes_an_entry_of_the_history(visit: Open, address: str) -> None:
    page = visit(address, viewport=DESKTOP).page
    page.get_by_role("tab", name="Avery Lab, burst").click()
    page.locator(".open .tools").get_by_role("button", name="7d", exact=True).click()
    page.go_back()
    until(page, "!location.hash.includes('range=')")
    assert "qos=avery-b" in page.url
    page.go_back()
    until(page, "!location.hash.includes('avery-b')")
    assert page.get_by_role("tab", selected=True).inner_text() == "Avery Lab"


def test_an_address_leads_to_its_section_in_its_qos(visit: Open, address: str) -> None:
    page = visit(f"{address}#qos=avery&section=months", viewport=DESKTOP).page
    until(page, "document.querySelector('#panel-avery').dataset.drawn")
    until(page, "document.querySelector('.sections [aria-current]').textContent === 'Months'")
    assert is_in_view(page, page.locator('.open [data-part="months"]')), "also once charts have made room"
    visit(f"{address}#section=<b>nothing</b>", viewport=DESKTOP)


def test_it_is_readable_before_any_script_has_run(visit: Open, address: str) -> None:
    page = visit(address, viewport=DESKTOP, java_script_enabled=False).page
    shown = texts(page.locator("#panel-avery .glance"))
    for text in (
        "In use now, and limits",
        "Who holds what now",
        "ann 60",
        "Why jobs wait",
        "QOSGrpCpuLimit",
        "This week",
    ):
        assert text in shown
    assert not page.get_by_role("navigation", name="Sections").is_visible()


def test_printed_it_is_overview_and_months(visit: Open, address: str) -> None:
    page = visit(address, viewport=DESKTOP).page
    until(page, "document.querySelector('#panel-avery').dataset.drawn")
    page.emulate_media(media="print")
    assert page.locator(".open .glance").is_visible()
    assert page.locator(".open .months").is_visible()
    parts = [f'.open [data-part="{part}"]' for part in ("queue", "limits", "efficiency")]
    for hidden in (*parts, ".open .totals", ".sections", "#find"):
        assert not page.locator(hidden).is_visible(), hidden


def test_back_from_a_choice_leaves_the_reader_where_they_are(visit: Open, address: str) -> None:
    page = visit(f"{address}#qos=avery&section=limits", viewport=DESKTOP).page
    until(page, "document.querySelector('#panel-avery').dataset.drawn !== undefined")
    page.locator(".open .totals").scroll_into_view_if_needed()
    page.locator(".open .totals thead button").first.focus()
    page.locator(".open .tools").get_by_role("button", name="7d", exact=True).evaluate("button => button.click()")
    until(page, "location.hash.includes('range=7d')")
    before = page.evaluate("scrollY")
    page.go_back()
    until(page, "!location.hash.includes('range=')")
    assert abs(page.evaluate("scrollY") - before) < 400, "no jump to the section that the address names"


def test_the_keyboard_goes_on_from_the_section(visit: Open, address: str) -> None:
    page = visit(address, viewport=DESKTOP).page
    link = card(page, "Most in November 2026").get_by_role("link", name="All users, accounts and months")
    link.focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.dataset.part === 'months'")
    assert "section=months" in link.get_attribute("href"), "it can be opened elsewhere, too"
    assert "qos=avery" in link.get_attribute("href")


def test_a_qos_without_data_has_no_sections(visit: Open, publish: Publish) -> None:
    site = Site([reports.report_of([Run("ann", NOW - DAY)])], {"none": "nothing was collected yet"})
    page = visit(publish(site).address, viewport=DESKTOP).page
    assert page.get_by_role("navigation", name="Sections").is_visible()
    page.get_by_role("tab", name="none").click()
    until(page, "location.hash.includes('qos=none')")
    assert not page.get_by_role("navigation", name="Sections").is_visible()
    page.go_back()
    until(page, "!location.hash.includes('qos=none')")
    assert page.get_by_role("navigation", name="Sections").is_visible()
