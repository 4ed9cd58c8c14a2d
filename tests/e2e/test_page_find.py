"""Finding what has a name, saying who one is, and comparing, as people do it in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import Site
from tests.e2e.test_page_browser import AXE, Open, Publish, publish
from tests.e2e.test_page_overview import WIDTHS, site_of, texts, until
from tests.unit import reports
from tests.unit.reports import HOUR, NOW, Run

__all__ = ["browser", "publish", "visit", "web"]
FIELD = "Find a user, an account, a reason"
DRAWN = "!!document.querySelector('[role=tabpanel].open').dataset.drawn"


@pytest.fixture
def address(publish: Publish) -> str:
    return publish(site_of()).address


def opened(visit: Open, address: str, viewport: Any = None) -> Any:
    page = visit(address, **({"viewport": viewport} if viewport else {})).page
    until(page, DRAWN)
    return page


def find(page: Any, text: str) -> None:
    page.keyboard.press("/")
    field = page.get_by_label(FIELD)
    assert field.evaluate("field => field === document.activeElement"), "the stroke leads there"
    field.fill(text)
    field.press("Enter")


@WIDTHS
def test_a_reason_an_account_and_a_section_are_found(visit: Open, address: str, viewport: Any) -> None:
    page = opened(visit, address, viewport)
    find(page, "QOSGrpCpu")
    until(page, "document.querySelector('.sections [aria-current]').dataset.to === 'queue'")
    find(page, "Months (section)")
    until(page, "document.querySelector('.sections [aria-current]').dataset.to === 'months'")
    assert "section=months" in page.url
    accounts = page.evaluate("[...document.querySelectorAll('#findable option[label=account]')].map(o => o.value)")
    assert accounts
    find(page, accounts[0])
    name = accounts[0].removesuffix(" (account)")
    until(page, f"document.querySelector('.open .month-accounts input').value === {name!r}")
    page.go_back()
    until(page, "document.querySelector('.open .month-accounts input').value === ''")


def test_what_is_not_there_is_said_and_a_stroke_in_a_field_is_a_letter(visit: Open, address: str) -> None:
    page = opened(visit, address)
    find(page, "no such thing")
    until(page, "document.querySelector('#find .said').textContent.includes('No match for “no such thing”')")
    field = page.get_by_label(FIELD)
    field.fill("")
    field.press("/")
    assert field.input_value() == "/"


@WIDTHS
def test_who_says_who_they_are_stands_first_also_the_next_time(visit: Open, address: str, viewport: Any) -> None:
    seen = visit(address, viewport=viewport)
    page = seen.page
    until(page, DRAWN)
    page.locator(".me summary").click()
    page.get_by_label("Your user name").fill("hana")
    page.get_by_label("Your user name").press("Enter")
    until(page, "document.querySelector('.open .legend bdi').textContent === 'hana (you)'")
    assert "me=" not in page.url, "the address says it only where that is wanted"
    page.reload()
    until(page, DRAWN)
    assert page.locator(".open .legend bdi").first.inner_text() == "hana (you)"
    assert page.locator(".me summary").inner_text() == "You: hana"
    for name in ("now", "totals"):
        row = page.locator(f".open section.{name} tbody tr").first
        assert "hana" in row.inner_text()
        assert "you" in row.inner_text()
    edges = page.evaluate("document.querySelector('.open [data-chart=NCPUS]').querySelectorAll('.edge').length")
    assert edges == 1
    page.locator(".me summary").click()
    page.get_by_label("include in the link").check()
    until(page, "location.hash.includes('me=hana')")
    other = opened(visit, page.url)
    assert other.locator(".open .legend bdi").first.inner_text() == "hana (you)"
    page.locator("[role=tab]", has_text="burst").click()
    until(page, "document.querySelector('.me summary').textContent === 'You: hana (not in this QoS)'")


@WIDTHS
def test_a_range_is_compared_with_the_time_before(visit: Open, publish: Publish, viewport: Any) -> None:
    runs = [
        Run("ann", NOW - 20 * HOUR, NOW, "cpu=10,mem=8G"),
        Run("ann", NOW - 40 * HOUR, NOW - 30 * HOUR, "cpu=40,mem=8G"),
    ]
    page = opened(visit, publish(Site([reports.report_of(runs)])).address + "#range=24h", viewport)
    assert page.locator(".open section.compare").inner_text() == ""
    page.get_by_role("button", name="Compare").click()
    until(page, "location.hash.includes('compare=before')")
    until(page, "document.querySelector('.open [data-chart=NCPUS]').lines.some(t => t.name === 'period before')")
    rows = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in page.locator(".open section.compare tbody tr").all()
    }
    assert rows["CPU-hours"] == ["200", "400", "-50 %"]
    assert rows["CPUs, peak"] == ["10", "40", "-75 %"]
    page.get_by_role("button", name="Everything").click()
    until(page, "document.querySelector('.open .compare').textContent.includes('Choose a range')")
    until(page, "document.querySelector('.open [data-chart=NCPUS]').lines.every(t => t.name !== 'period before')")


def test_a_range_without_data_before_it_says_so(visit: Open, publish: Publish) -> None:
    site = Site([reports.report_of([Run("ann", NOW - 20 * HOUR)], seconds=30 * HOUR)])
    page = opened(visit, publish(site).address + "#range=24h&compare=before")
    assert "do not go back far enough" in texts(page.locator(".open section.compare"))


@WIDTHS
def test_axe_finds_nothing_in_what_is_new(visit: Open, address: str, viewport: Any) -> None:
    page = opened(visit, f"{address}#range=7d&compare=before&me=hana", viewport)
    page.locator(".me summary").click()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(found => found.violations.map(one => [one.id, one.nodes[0].html]))")
    assert found == []
