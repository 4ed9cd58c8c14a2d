"""What jobs used of what they held, as people see it in a real browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from librarian.shared.report import Report
from librarian.subjects.efficiency.section import EfficiencySection
from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import Site
from tests.e2e.test_page_browser import AXE, Open, Publish, publish
from tests.e2e.test_page_overview import until
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]
PART = ".open [data-part=efficiency]"


def text(page: Any, part: str = "") -> str:
    return " ".join(page.locator(f"{PART} {part}").inner_text().split())


def group() -> Report:
    return reports.busy(4, days=5, qos="avery")


def hours(report: Report, key: str = "NCPUS") -> dict[str, float]:
    """Hours that were measured and not used, by user."""
    users = report[EfficiencySection].whole.users
    told = {user: by_key[key].in_hours() for user, by_key in users.items() if key in by_key}
    return {user: measured - used for user, (_, measured, used) in told.items()}


def test_how_much_was_used_and_of_how_much_that_is_known(visit: Open, publish: Publish) -> None:
    report = group()
    page = visit(publish(Site([report])).address).page
    said = text(page)
    total = report[EfficiencySection].whole.total["NCPUS"]
    assert f"{round(100 * (total.efficiency or 0))} % used (known for {round(100 * (total.coverage or 0))} %" in said
    left = hours(report)
    rows = page.locator(f"{PART} tbody th").all_inner_texts()
    assert rows == sorted(left, key=lambda user: -left[user]), "who left most unused stands first"
    assert page.locator(f"{PART} svg[role=img]").get_attribute("aria-label").startswith("CPUs of jobs that ended")
    assert page.locator(f"{PART} svg path").evaluate_all("paths => paths.every((one) => one.getAttribute('d'))")


def test_the_resource_and_the_side_are_in_the_address(visit: Open, publish: Publish) -> None:
    address = publish(Site([group()])).address
    page = visit(address).page
    page.get_by_label("Resource whose efficiency is shown").first.select_option("MEMORY")
    page.get_by_label("Efficiency by").first.select_option("accounts")
    until(page, "location.hash.includes('table.efficiency-by=accounts')")
    assert "table.efficiency=MEMORY" in page.url
    assert "GiB-hours by account" in text(page)
    again = visit(page.url).page
    assert "GiB-hours by account" in text(again)


def test_what_is_not_measured_is_said_and_never_0(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([group()])).address).page
    page.get_by_label("Resource whose efficiency is shown").first.select_option("NGPUS")
    assert "GPU-hours: not measured on this cluster." in text(page)
    cells = page.locator(f"{PART} tbody td.share").all_inner_texts()
    assert "not measured" in cells
    rows = page.locator(f"{PART} tbody tr").count()
    assert page.locator(f"{PART} tfoot th").inner_text().startswith(f"{rows} users"), "those who held some of it"
    assert "0 %" not in [cell for place, cell in enumerate(cells) if place % 2 == 0], "every second tells of coverage"


def test_a_range_has_sums_of_its_own(visit: Open, publish: Publish) -> None:
    report = group()
    page = visit(f"{publish(Site([report])).address}#range=24h").page
    day = report[EfficiencySection].ranges["24h"].total["NCPUS"].in_hours()[0]
    whole = report[EfficiencySection].whole.total["NCPUS"].in_hours()[0]
    assert day < whole
    foot = page.locator(f"{PART} tfoot td").first.inner_text()
    assert float(foot.replace(",", "")) == float(f"{day:.0f}" if day >= 100 else f"{day:.1f}")
    assert "The nearest" not in text(page)


def test_what_is_not_measured_is_hatched_in_every_panel(visit: Open, publish: Publish) -> None:
    page = visit(publish(Site([group(), reports.busy(3, days=5, qos="avery-b")])).address).page
    page.locator("#tab-avery-b").click()
    until(page, "document.querySelector('.open [data-part=efficiency] pattern')")
    ids = page.locator("pattern").evaluate_all("patterns => patterns.map((one) => one.id)")
    assert len(set(ids)) == len(ids) == 2
    fill = page.locator(f"{PART} svg path[fill]").first.get_attribute("fill")
    assert fill == f"url(#{page.locator(f'{PART} pattern').get_attribute('id')})", "one in a hidden panel draws nothing"


def test_data_without_it_say_so(visit: Open, publish: Publish) -> None:
    report = group()
    bare = replace(report, sections={key: one for key, one in report.sections.items() if key != "efficiency"})
    page = visit(publish(Site([bare])).address).page
    assert "These data do not tell what jobs used." in text(page)


def test_nothing_in_it_keeps_anybody_out(visit: Open, publish: Publish) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is missing: cd dashboard && npm ci --ignore-scripts")
    for width in (1440, 320):
        page = visit(publish(Site([group()])).address, viewport={"width": width, "height": 800}).page
        page.evaluate(AXE.read_text())
        told = page.evaluate("axe.run('.open [data-part=efficiency]', {resultTypes: ['violations']})")
        found = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in told["violations"]]
        assert not found
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
