"""The page in Firefox, as far as it could fail there: what Chromium shows in hundreds of tests stands there too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.browser import served
from tests.e2e.firefox import MISSING, Firefox, firefox, firefox_path
from tests.e2e.sites import Site
from tests.unit import reports

DRAWN = "!!document.querySelector('[role=tabpanel].open[data-drawn]')"
TILES = "[...document.querySelectorAll('[role=tabpanel].open [data-chart=NCPUS] .area')].length"
OVERVIEW = "document.querySelector('[role=tabpanel].open [data-part=overview]').innerText"


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """One for all tests here."""
    program = firefox_path()
    if program is None:
        pytest.skip(MISSING)
    with firefox(program, tmp_path_factory.mktemp("fox") / "profile") as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two QoS."""
    made = [reports.busy(4, days=3), reports.busy(3, days=3, qos="bruno", title="Bruno")]
    return Site(made).write(tmp_path_factory.mktemp("sites") / "a b").parent


@pytest.mark.parametrize("way", ["http", "file"])
def test_the_page_works_in_firefox(fox: Firefox, folder: Path, way: str) -> None:
    """The first screen, data of both QoS, charts, the address, and nothing in the console."""
    with served(folder) as server:
        address = f"{server}/index.html" if way == "http" else f"{folder.as_uri()}/index.html"
        fox.open(address)
        assert "of 430 CPUs" in fox.evaluate(OVERVIEW)
        fox.until(DRAWN)
        assert fox.evaluate(TILES) > 1
        fox.evaluate("document.getElementById('tab-bruno').click()")
        fox.until(f"document.querySelector('#panel-bruno.open') && {DRAWN}")
        assert fox.evaluate(TILES) > 1
        assert "qos=bruno" in fox.evaluate("location.hash")
        fox.evaluate("document.querySelector('nav.sections [data-to=months]').click()")
        fox.until("location.hash.includes('section=months')")
        assert fox.complaints(address.removesuffix("index.html")) == []


def test_the_plain_page_stands_in_firefox(fox: Firefox, folder: Path) -> None:
    fox.open(f"{folder.as_uri()}/plain.html")
    assert fox.evaluate("document.querySelectorAll('section.qos h3').length") == 12
    assert fox.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth)")
    assert fox.complaints(folder.as_uri()) == []


def test_what_the_console_says_is_heard(fox: Firefox, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.html").write_text("<!doctype html><title>x</title><script>nothing.here()</script>")
    fox.open(f"{tmp_path.as_uri()}/broken.html")
    assert [said for said in fox.complaints(tmp_path.as_uri()) if "nothing is not defined" in said]
