"""What the page is not written for: a resource that the data alone know, and a subject of one more module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from librarian.site import assets
from tests.e2e.browser import browser, visit, web
from tests.e2e.limits_site import LimitsSite
from tests.e2e.test_page_browser import Open, Publish, panel, publish
from tests.unit import reports
from tests.unit.subjects.test_made_up import site

__all__ = ["browser", "publish", "site", "visit", "web"]

LICENCES = {"name": "Licences", "unit": "licences", "hours": "licence-hours"}
TITLED = {"title": "Licences", "one": "licence", **LICENCES}
SUBJECT = """
import { element, fill } from "../../common/dom.js";

/** @type {Subject} */
export const weatherSubject = {
  key: "weather",
  prepare({ data }) {
    const words = data.weather;
    return words ? (place) => fill(place("weather"), element("p", {}, words)) : null;
  },
};
"""


def site_of(change: Any) -> LimitsSite:
    return LimitsSite([reports.busy(6, days=5, qos="avery", title="Avery Lab")], change=change)


def with_licences(data: dict[str, Any]) -> None:
    """A resource between those that are known, in the words of the data."""
    first = data["users"][0]
    told = {"key": "LIC", "tres": "license", "pictured": True, "wanted": True, **TITLED}
    data["resources"].insert(1, told)
    data["units"]["LIC"] = LICENCES
    data["observables"]["LIC"] = {
        user: [2.0 if user == first else 0.0] * len(data["time_idxs"]) for user in data["users"]
    }
    data["limits"]["LIC"] = {"kind": "limit", "value": 4, "source": "GrpTRES license"}
    data["peaks"]["LIC"] = [2.0] * len(data["time_idxs"])
    data["waiting"]["LIC"] = data["waiting"]["NCPUS"]
    for row in (data["now"]["total"], data["now"]["users"].setdefault(first, {})):
        row["LIC"] = 2
    for totals in (data["totals"]["total"], data["totals"]["users"][first]):
        totals["hours"]["LIC"] = 240


def test_a_resource_that_the_data_alone_know_is_drawn_and_told(visit: Open, publish: Publish) -> None:
    page = visit(publish(site_of(with_licences)).address).page
    panel(page, "avery")
    for key in ("LIC", "WANTED:LIC"):
        chart = page.locator(f"#panel-avery [data-chart='{key}']")
        chart.locator(".area").first.wait_for(state="attached")
    assert page.locator("#panel-avery [data-chart='LIC']").get_attribute("aria-label") == (
        "Licences over time by user: now 2, highest mean 2, limit 4"
    )
    assert page.locator("#panel-avery .gauge[data-key=LIC]").inner_text().split("\n")[0] == "Licences"
    assert page.locator("#panel-avery .heat option[value=LIC]").count() == 1
    for name, column in (("now", "LIC"), ("totals", "LIC"), ("totals", "share LIC")):
        assert page.locator(f"#panel-avery .{name} th[data-key='{column}']").count() == 1
    page.locator("#panel-avery .heat select").select_option("LIC")
    assert "table.heat=LIC" in page.url
    titles = page.locator("#panel-avery .charts figcaption").all_inner_texts()
    assert titles.count("Licences") == 1
    assert "Licences that waiting jobs want" in titles


def with_weather(dashboard: dict[str, str]) -> dict[str, str]:
    """The modules of the page with one subject more: its own, and a line in the list."""
    listed = dashboard["subjects/index.js"]
    line = 'import { weatherSubject } from "./weather/subject.js";\n'
    longer = line + re.sub(r"(monthsSubject),?(\s*\];)", r"\1, weatherSubject\2", listed)
    assert longer.count("weatherSubject") == 2
    return dashboard | {"subjects/index.js": longer, "subjects/weather/subject.js": SUBJECT}


@pytest.mark.parametrize("told", [True, False])
def test_a_subject_is_one_folder_and_one_line(
    visit: Open, publish: Publish, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    modules = with_weather(assets.dashboard())
    monkeypatch.setattr(assets, "dashboard", lambda: modules)
    site = site_of(lambda data: data.update({"weather": "It rains."} if told else {}))
    page = visit(publish(site).address).page
    panel(page, "avery")
    assert page.locator("#panel-avery section.weather").all_inner_texts() == (["It rains."] if told else [])


def test_what_a_cycle_with_one_row_and_one_subject_more_wrote_is_a_live_page(visit: Open, site: Path) -> None:
    page = visit((site / "index.html").as_uri()).page
    chart = page.locator("[data-chart='LICENCES']")
    chart.locator(".area").first.wait_for(state="attached")
    assert chart.locator(".area").count() == 2, "an area for each user"
    assert page.locator("section.weather").all_inner_texts() == ["Al says: it rains"]
