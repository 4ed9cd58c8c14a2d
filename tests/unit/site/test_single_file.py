"""The site in one file: everything inside, nothing asked for, and a script of somebody else's that cannot break out."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from librarian.errors import SiteError
from librarian.render.html.page import contained
from librarian.render.plotly import Plotly
from librarian.site import assets
from librarian.site.single_file import write_single
from tests.e2e.sites import Site
from tests.unit import reports
from tests.unit.render.test_page import Elements, policy_of, sha
from tests.unit.rendering import TITLES

LIBRARY = "/** * plotly.js v9.9.9 */\r\nvar a = '</script><!-- <SCRIPT>', b = /<\\/script>/;\rglobalThis.Plotly = {};\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    made = Site([reports.busy(3, days=2), reports.hostile()], {"new": "sacct: <b>no</b>"})
    return made.write(tmp_path / "site").parent


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plotly.js with all in it that could go wrong."""
    path = tmp_path / "plotly.js"
    path.write_bytes(LIBRARY.encode())
    monkeypatch.setattr(assets, "plotly", lambda: Plotly("9.9.9", path, "plotly.js", None, None, "basic"))
    return path


def written(site: Path) -> Elements:
    target = site.parent / "usage.html"
    assert write_single(site, target, TITLES) == target.stat().st_size
    return Elements(target.read_text(encoding="utf-8"))


def addresses(page: Elements) -> list[str]:
    return [one[name] for _, one in page.found for name in ("src", "href", "data", "poster", "action") if name in one]


@pytest.mark.usefixtures("library")
def test_every_address_is_data_and_the_policy_allows_nothing_else(site: Path) -> None:
    page = written(site)
    assert all(address.startswith(("data:", "#section=")) for address in addresses(page))
    rules = policy_of(page)
    scripts = [text for name, attributes, text in page.raw if name == "script" and "type" not in attributes]
    styles = [text for name, _, text in page.raw if name == "style"]
    assert len(scripts) == 3
    assert set(rules["script-src"].split()) == {sha(text) for text in scripts}
    assert set(rules["style-src"].split()) == {sha(text) for text in styles} | {sha("")}
    assert (rules["default-src"], rules["img-src"]) == ("'none'", "data:")
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}


@pytest.mark.usefixtures("library")
def test_data_and_pictures_are_inside(site: Path) -> None:
    page = written(site)
    embedded = [attributes["data-slug"] for name, attributes, _ in page.raw if "data-slug" in attributes]
    assert len(embedded) == 2
    picture = base64.b64encode((site / "overview_avery.png").read_bytes()).decode()
    assert [one["src"] for one in page.all("img")] == [f"data:image/png;base64,{picture}"] * 2
    downloads = [one["download"] for one in page.all("a") if "download" in one]
    assert "NCPUS_avery.png" in downloads
    assert all(name.endswith(".png") for name in downloads)
    assert "This is a copy, written 2026-11-20 14:10 EST" in page.text
    assert "plain.html" not in (site.parent / "usage.html").read_text()


@pytest.mark.usefixtures("library")
def test_a_library_cannot_end_its_element(site: Path) -> None:
    page = written(site)
    (inside,) = [text for name, attributes, text in page.raw if attributes.get("id") == "plotly"]
    assert inside == LIBRARY.replace("\r\n", "\n").replace("\r", "\n").replace("</", "<\\/").replace("<!--", "<\\!--")
    assert [name for name, attributes, _ in page.raw if name == "script" and not attributes] == ["script"] * 2


@pytest.mark.parametrize("text", ["a</script>b", "a</SCRIPT >", "<!--", "a\r\nb\rc\n", "plain < / script"])
def test_what_is_contained_means_the_same(text: str) -> None:
    made = contained(text)
    assert "</script" not in made.lower()
    assert "<!--" not in made
    assert "\r" not in made
    assert made.replace("<\\", "<") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_bundle_at_hand_stays_as_it_is() -> None:
    path = assets.plotly().path
    if path is None:
        pytest.skip("there is no plotly.js on this machine")
    text = path.read_text(encoding="utf-8")
    assert contained(text) == text


def test_without_plotly_there_are_pictures(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cdn = Plotly("9.9.9", None, "plotly.js", "https://cdn.example.org/plotly.js", "sha384-x", "cdn")
    monkeypatch.setattr(assets, "plotly", lambda: cdn)
    page = written(site)
    assert [one.get("class") for one in page.all("html")] == ["no-plotly"]
    assert all(address.startswith(("data:", "#section=")) for address in addresses(page))
    assert "cdn.example.org" not in (site.parent / "usage.html").read_text()


@pytest.mark.usefixtures("library")
def test_the_same_site_makes_the_same_file_and_names_stay_text(site: Path) -> None:
    first, second = written(site), written(site)
    assert first.raw == second.raw
    assert "sacct: <b>no</b>" in first.text
    assert not [names for _, names in first.found if any(name.startswith("on") for name in names)]


@pytest.mark.usefixtures("library")
def test_what_cannot_be_written_is_an_error_with_its_reason(site: Path, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"there is no site in .*nowhere"):
        write_single(tmp_path / "nowhere", tmp_path / "x.html", TITLES)
    with pytest.raises(SiteError, match="could not be written"):
        write_single(site, tmp_path / "missing" / "x.html", TITLES)
    (site / "data_avery.json").unlink()
    with pytest.raises(SiteError, match="No such file or directory"):
        write_single(site, tmp_path / "x.html", TITLES)
    assert not (tmp_path / "x.html").exists()
