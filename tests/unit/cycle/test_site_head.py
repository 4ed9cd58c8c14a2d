"""The group's own head: on the page, the plain page, in one file and in the foot of pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from librarian.config import parse
from librarian.config.setup import Setup
from librarian.cycle import assemble, stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import ConfigError
from librarian.render.pictures import captions
from librarian.site.single_file import write_single
from librarian.slurm.command import Slurm
from librarian.subjects.listed import titles
from tests.unit import reports
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures

TITLE, HOME = 'The <Avery> & "Sons" lab', "https://lab.example.org/~avery/?a=1&b=2"
HEAD = f'[site]\ntitle = \'{TITLE}\'\nhomepage = "{HOME}"\nlogo = "own/logo.PNG"\n'
SHOWN = "The &lt;Avery&gt; &amp; &#34;Sons&#34; lab"


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    leave_out_pictures(monkeypatch)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/logo.PNG").write_bytes(b"\x89PNG alice")
    return configured(tmp_path, f"{BASE}{HEAD}{TWO_DAYS}{AVERY}{WEB}")


def run(setup: Setup) -> None:
    assert stages.run(setup, Slurm(runner=DemoSlurm([ended(1)], now=NOW)), NOW) == []


def test_title_homepage_and_logo_are_where_people_look(setup: Setup, tmp_path: Path) -> None:
    run(setup)
    site = setup.places.site
    for name in ("index.html", "plain.html"):
        page = (site / name).read_text()
        assert SHOWN in page
        assert 'href="https://lab.example.org/~avery/?a=1&amp;b=2"' in page
        assert '<img src="logo.png" alt=""' in page
        assert "<Avery>" not in page
    index = json.loads((site / "index.json").read_text())
    assert index["site"] == {"title": TITLE, "homepage": HOME, "logo": "logo.png"}
    assert "logo.png" in index["files"]
    for folder in (site, tmp_path / "web"):
        assert (folder / "logo.png").read_bytes() == b"\x89PNG alice"
    write_single(site, tmp_path / "one.html", titles())
    assert '<img src="data:image/png;base64,iVBORyBhbGljZQ==' in (tmp_path / "one.html").read_text()


def test_a_logo_may_hold_what_looks_like_a_name(setup: Setup, tmp_path: Path) -> None:
    """It is the group's own file, and not made of anything that is kept back."""
    discreet = configured(tmp_path, f'{BASE}{HEAD}{TWO_DAYS}{AVERY}{WEB}[privacy]\nusers = "pseudonym"\n')
    run(discreet)
    assert (tmp_path / "web/logo.png").read_bytes() == b"\x89PNG alice"


@pytest.mark.parametrize("harm", ["missing", "large", "a folder"])
def test_without_its_logo_the_site_is_whole(setup: Setup, caplog: pytest.LogCaptureFixture, harm: str) -> None:
    logo = setup.places.base / "own/logo.PNG"
    if harm == "large":
        logo.write_bytes(b"x" * (assemble.LARGEST_LOGO + 1))
    else:
        logo.unlink()
    if harm == "a folder":
        logo.mkdir()
    run(setup)
    page = (setup.places.site / "index.html").read_text()
    assert SHOWN in page
    assert "logo.png" not in page
    assert json.loads((setup.places.site / "index.json").read_text())["site"]["logo"] is None
    assert "[site] logo own/logo.PNG is left out:" in caplog.text


def test_without_a_head_the_cluster_names_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)
    plain = configured(tmp_path, f"{BASE}{TWO_DAYS}{AVERY}")
    run(plain)
    page = (plain.places.site / "index.html").read_text()
    assert "<small>Slurm usage on</small> <bdi>demo</bdi>" in page
    assert json.loads((plain.places.site / "index.json").read_text())["site"] == dict.fromkeys(
        ("title", "homepage", "logo")
    )


def test_the_foot_of_pictures_has_the_title() -> None:
    report = reports.empty()
    headed = replace(report, header=replace(report.header, site="The lab\nof Avery"))
    assert captions.foot(headed).startswith("The lab of Avery · tillicum · ")
    assert captions.foot(report).startswith("tillicum · ")


@pytest.mark.parametrize(
    "line",
    [
        'homepage = "javascript:alert(1)"',
        'homepage = "https://user:secret@example.org/"',
        'homepage = "https://example.org/\\"onload"',
        'homepage = "//example.org"',
        'logo = "logo.exe"',
        'logo = "logo.png\\n"',
        'title = "two\\nlines"',
        "title = 5",
        'motto = "none"',
    ],
)
def test_what_is_no_head_is_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        parse(f"{BASE}{AVERY}[site]\n{line}\n")
    parse(f'{BASE}{AVERY}[site]\nhomepage = ""\nlogo = ""\ntitle = ""\n')
