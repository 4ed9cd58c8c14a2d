"""The plain page and the page in one file, as people open them: no script, no network, on paper, on a phone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from librarian.site.single_file import write_single
from tests import patience
from tests.e2e.browser import Visit, browser, visit, web
from tests.e2e.sites import DEMO_AT, NOW, Site
from tests.e2e.test_page_overview import until
from tests.unit import reports
from tests.unit.rendering import TITLES

__all__ = ["browser", "visit", "web"]

CHECKOUT = Path(__file__).resolve().parents[2]
AXE = CHECKOUT / "dashboard/node_modules/axe-core/axe.min.js"
SECTIONS = ("Overview", "Usage", "Limits", "Queue", "Efficiency", "Jobs", "Months")
Open = Callable[..., Visit]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a bit of everything: golden, stale, empty and hostile data, and none."""
    made = [reports.golden(), reports.stale(qos="s"), reports.empty(qos="e"), reports.hostile()]
    return Site(made, {"new": "sacct: <b>no answer</b>"}).write(tmp_path / "site").parent


def violations(page: Any) -> list[Any]:
    """What axe-core finds: how bad, what, where."""
    if not AXE.is_file():
        pytest.skip("axe-core is missing: npm ci --prefix dashboard")
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [(one["impact"], one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


# --- the plain page ------------------------------------------------------------------------------------------------


def test_it_stands_without_javascript(demo_folder: Path, visit: Open) -> None:
    seen = visit(f"{demo_folder.as_uri()}/plain.html", now=DEMO_AT + 60, java_script_enabled=False)
    page = seen.page
    assert page.locator("section.qos").count() == 2
    assert page.locator("table:visible").count() > 6
    assert page.locator("section.qos").first.locator("h3").all_inner_texts() == [*SECTIONS]
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()
        assert picture.bounding_box()["height"] > 200
    assert "The limit of GPUs changed:" in page.locator("section.qos").first.inner_text()
    page.get_by_role("link", name="Months").first.click()
    assert page.url.endswith("#months-avery")
    assert {Path(url).suffix for url in seen.requests if url.startswith("file:")} <= {".html", ".png"}


def test_the_main_page_leads_to_it_with_and_without_javascript(site: Path, visit: Open) -> None:
    for script in (True, False):
        page = visit(f"{site.as_uri()}/index.html", java_script_enabled=script).page
        links = page.locator('a[href="plain.html"]:visible')
        assert links.count() == (1 if script else 2)
        links.first.click()
        assert page.title().endswith(", plain")
        page.get_by_role("link", name="page with live charts").click()
        page.wait_for_url("**/index.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_nobody_out(site: Path, visit: Open, scheme: str) -> None:
    page = visit(f"{site.as_uri()}/plain.html", color_scheme=scheme).page
    assert violations(page) == []


def test_it_fits_a_phone_and_paper(site: Path, demo_folder: Path, visit: Open) -> None:
    for folder in (site, demo_folder):
        page = visit(f"{folder.as_uri()}/plain.html", now=DEMO_AT + 60, viewport={"width": 360, "height": 740}).page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        names = page.locator("tbody th").filter(has_text=re.compile(r"^[a-z0-9]{3,10}$")).all()
        assert all(name.bounding_box()["height"] < 40 for name in names), "a name of usual length stays in one line"
        page.emulate_media(media="print")
        assert not page.locator("nav:visible").count()
        assert page.locator("table:visible").count()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_takes_four_sheets_a_qos_at_most(demo_folder: Path, visit: Open, paper: str) -> None:
    page = visit(f"{demo_folder.as_uri()}/plain.html", now=DEMO_AT + 60).page
    assert 2 < sheets(page, paper) <= 4 * page.locator("section.qos").count()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_page_itself_takes_two_sheets(demo_folder: Path, visit: Open, paper: str) -> None:
    page = visit(f"{demo_folder.as_uri()}/index.html", now=DEMO_AT + 60).page
    until(page, "document.querySelector('.open').dataset.drawn !== undefined")
    assert sheets(page, paper) == 2, "Overview and Months, for a meeting"


def sheets(page: Any, paper: str) -> int:
    """How many sheets a page takes when it is printed."""
    return len(re.findall(rb"/Type ?/Page\b", page.pdf(format=paper)))


def test_hostile_names_are_text_there_too(site: Path, visit: Open) -> None:
    page = visit(f"{site.as_uri()}/plain.html").page
    assert page.get_by_text("<script>alert(1)</script>", exact=False).count()
    assert page.get_by_text("sacct: <b>no answer</b>", exact=False).count()
    assert not page.locator("section.qos b, script").count()


@pytest.mark.skipif(shutil.which("lynx") is None, reason="lynx is missing: apt-get install lynx")
def test_it_is_read_in_a_terminal(demo_folder: Path) -> None:
    command = ["lynx", "-dump", "-nolist", "-width=80", "-display_charset=utf-8", "plain.html"]
    text = patience.run(command, cwd=demo_folder, check=True).stdout.decode()
    assert re.search(r"^ +CPUs +[\d,]+ \((> )?\d+ %\) +430 +\d+", text, re.MULTILINE)
    assert re.search(r"^ +User +CPUs GPUs Memory \(GiB\) Running jobs$", text, re.MULTILINE)
    assert re.search(r"^ +Why jobs wait$", text, re.MULTILINE)
    share = r"[\d,]+ \((?:> )?\d+ %\)"
    assert re.search(rf"^ +ychen12 +{share} +0 \(0 %\) +{share}$", text, re.MULTILINE)
    assert "GPUs over time by user," in text
    assert max(map(len, text.splitlines())) <= 80


# --- the page in one file ------------------------------------------------------------------------------------------


def test_one_file_has_everything_and_asks_for_nothing(demo_folder: Path, tmp_path: Path, visit: Open) -> None:
    target = tmp_path / "mailed" / "usage.html"
    target.parent.mkdir()
    size = write_single(demo_folder, target, TITLES)
    assert size < 4_000_000
    seen = visit(target.as_uri(), now=DEMO_AT + 60)
    page = seen.page
    for slug in ("avery", "avery-b"):
        page.locator(f"#tab-{slug}").click()
        page.wait_for_selector(f'[id="panel-{slug}"][data-drawn]')
        shown = page.locator(f'[id="panel-{slug}"]')
        assert shown.locator("[data-chart=NCPUS] .plot-container").is_visible()
        assert shown.locator(".totals table").is_visible()
    assert {url.partition(":")[0] for url in seen.requests} <= {"file", "data"}
    assert [url for url in seen.requests if url.startswith("file:")] == [target.as_uri()]
    with page.expect_download() as download:
        page.locator('[id="panel-avery-b"]').get_by_role("link", name="PNG of CPUs").click()
    assert download.value.suggested_filename == "NCPUS_avery-b.png"
    assert Path(download.value.path()).read_bytes() == (demo_folder / "NCPUS_avery-b.png").read_bytes()


def test_a_copy_on_a_web_server_looks_for_nothing_newer(web: tuple[Path, str], tmp_path: Path, visit: Open) -> None:
    folder = web[0] / tmp_path.name
    folder.mkdir()
    site = Site([reports.busy(3, days=2), reports.stale(qos="s")]).write(tmp_path / "site").parent
    write_single(site, folder / "usage.html", TITLES)
    seen = visit(f"{web[1]}/{tmp_path.name}/usage.html", now=NOW + 60)
    page = seen.page
    page.wait_for_selector("#panel-avery[data-drawn]")
    page.clock.run_for(3_600_000)
    assert [url for url in seen.requests if url.startswith("http")] == [f"{web[1]}/{tmp_path.name}/usage.html"]
    assert "no newer data come into it" in page.locator("footer").inner_text()
    assert page.locator("#banner").is_hidden(), "that a copy is old is no alarm"
    page.locator("#tab-s").click()
    assert "Slurm did not answer" in page.locator("#banner").inner_text()


def test_a_copy_keeps_nobody_out_and_shows_pictures_without_javascript(site: Path, tmp_path: Path, visit: Open) -> None:
    write_single(site, tmp_path / "usage.html", TITLES)
    page = visit((tmp_path / "usage.html").as_uri()).page
    page.wait_for_selector("#panel-avery[data-drawn]")
    assert not [found for found in violations(page) if found[0] in {"serious", "critical"}]
    page = visit((tmp_path / "usage.html").as_uri(), java_script_enabled=False).page
    assert page.locator(".overview img").first.is_visible()
