"""What a page shows before its data have come, and where a piece of it does not come."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.browser import browser, visit, web
from tests.e2e.sites import Site
from tests.e2e.test_page_browser import Open, Publish, pair, publish, traces
from tests.e2e.test_page_overview import until
from tests.unit import reports

__all__ = ["browser", "publish", "visit", "web"]
DRAWN = "!!document.querySelector('[role=tabpanel].open').dataset.drawn"


def test_the_first_screen_is_small_and_stands_before_the_data(visit: Open, publish: Publish) -> None:
    busy = [reports.busy(41, qos=name, title=name) for name in ("avery", "bruno")]
    published = publish(Site(busy))
    size = {name: (published.folder / name).stat().st_size for name in ("index.html", "page.js", "page.css")}
    assert size["index.html"] <= 150_000
    assert sum(size.values()) <= 350_000
    held: list[Any] = []

    def hold(page: Any) -> None:
        page.route("**/data_avery.json", lambda route: held.append(route))  # noqa: PLW0108 -- playwright marks it

    seen = visit(published.address, before=hold)
    until(seen.page, "document.querySelectorAll('.open .headroom .gauge').length === 4")
    assert "loading charts and tables" in seen.page.inner_text("#state")
    assert "updated" in seen.page.inner_text("#state")
    assert seen.page.get_attribute("[role=tabpanel].open", "aria-busy") == "true"
    assert not seen.page.locator(".open .problem").is_visible()
    until(seen.page, "document.querySelector('.open .totals').textContent === ''")
    held[0].continue_()
    until(seen.page, DRAWN)
    assert "loading" not in seen.page.inner_text("#state")
    assert seen.page.get_attribute("[role=tabpanel].open", "aria-busy") == "false"


def test_data_come_when_their_qos_is_opened_and_once(visit: Open, publish: Publish) -> None:
    seen = visit(publish(pair()).address)
    until(seen.page, DRAWN)
    assert not [url for url in seen.requests if "data_bruno" in url]
    seen.page.locator("[role=tab]", has_text="Bruno").click()
    until(seen.page, DRAWN)
    for name in ("data_avery.json", "data_bruno.json"):
        assert len([url for url in seen.requests if url.endswith(name)]) == 1
    assert not [url for url in seen.requests if "/data_" in url and url.endswith(".js")]


def test_from_disk_data_come_as_scripts(visit: Open, publish: Publish) -> None:
    seen = visit(publish(pair()).file)
    until(seen.page, DRAWN)
    assert len(traces(seen.page, "avery", "NCPUS")) == 4
    names = [url.rpartition("/")[2] for url in seen.requests]
    assert [name for name in names if name.startswith("data_")] == ["data_avery.js"]


@pytest.mark.parametrize("part", ["limits", "now", "notes", "rejects"])
def test_a_first_part_that_is_not_as_it_should_be_is_no_more_than_missing(
    visit: Open, publish: Publish, part: str
) -> None:
    site = pair()
    data = json.loads(site.datasets()["data_avery.json"])
    data[part] = {"limits": {"NCPUS": None}, "now": {"total": None}, "notes": [None], "rejects": {"count": "x"}}[part]
    page = visit(publish(site, {**site.datasets(), "data_avery.json": json.dumps(data).encode()}).address).page
    until(page, DRAWN)
    assert len(traces(page, "avery", "NCPUS")) == 4, "the data on the server are whole"


def test_where_data_do_not_come_as_a_file_they_come_as_a_script(visit: Open, publish: Publish) -> None:
    def refuse(page: Any) -> None:
        page.route("**/data_avery.json", lambda route: route.fulfill(status=403))

    seen = visit(publish(pair()).address, before=refuse)
    seen.expected.append("Failed to load resource")
    until(seen.page, DRAWN)
    assert not seen.page.locator(".open .problem").is_visible()


def test_without_any_data_the_first_screen_stays_and_the_page_says_so(visit: Open, publish: Publish) -> None:
    published = publish(pair())
    for name in ("data_avery.json", "data_avery.js"):
        (published.folder / name).unlink()
    seen = visit(published.address)
    seen.expected.append("Failed to load resource")
    until(seen.page, "document.querySelector('.open .problem').textContent.includes('Charts and tables of this QoS')")
    assert "data_avery.json: the server answered 404" in seen.page.inner_text(".open .problem")
    assert "updated" in seen.page.inner_text("#state"), "how old the numbers are that are shown"
    assert seen.page.locator(".open .headroom .gauge").count() == 4
    from_disk = visit(published.file)
    from_disk.expected.append("Failed to load resource")
    until(from_disk.page, "document.querySelector('.open .problem').textContent.includes('data_avery.js is missing')")


def test_without_its_script_the_page_is_open_and_says_so(visit: Open, publish: Publish) -> None:
    published = publish(pair())
    (published.folder / "page.js").unlink()
    seen = visit(published.address)
    seen.expected.append("Failed to load resource")
    until(seen.page, "document.documentElement.classList.contains('no-page')")
    assert "script could not be loaded" in seen.page.inner_text(".without-page")
    assert seen.page.locator("#panel-bruno .glance").is_visible()
    whole = visit(publish(pair()).address).page
    until(whole, DRAWN)
    assert not whole.locator(".without-page").is_visible()


def test_who_reads_on_is_not_taken_back_where_charts_do_not_come(visit: Open, publish: Publish) -> None:
    site = pair(refresh_seconds=1)
    published = publish(site)
    (published.folder / site.plotly.file_name).unlink()
    seen = visit(f"{published.address}#section=queue")
    seen.expected.append("Failed to load resource")
    until(seen.page, "scrollY > 100")
    seen.page.evaluate("scrollTo(0, 0)")
    looks = len([url for url in seen.requests if url.endswith("index.json")])
    while len([url for url in seen.requests if url.endswith("index.json")]) < looks + 2:
        seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("scrollY") == 0


def test_a_script_of_another_version_of_the_page_is_not_taken_for_data(visit: Open, publish: Publish) -> None:
    """Whoever has the page open from disk while the program is renewed gets a word, not wrong numbers."""
    published = publish(pair())
    script = published.folder / "data_bruno.js"
    script.write_text(script.read_text().replace("librarianReports", "librarianOthers"))
    seen = visit(published.file)
    until(seen.page, DRAWN)
    seen.page.locator("[role=tab]", has_text="Bruno").click()
    until(seen.page, "document.querySelector('.open .problem').textContent.includes('data_bruno.js: not data')")
    assert seen.page.locator("#panel-bruno .headroom .gauge").count() == 4, "the first screen stays"
