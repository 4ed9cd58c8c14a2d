"""A resource is one row, a subject one folder and one line: with nothing else they are found in every output."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.places import ROOT

pytestmark = pytest.mark.slow  # they share a whole cycle


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made-up")
    subprocess.run([sys.executable, "-m", "tests.unit.made_up", str(folder)], cwd=ROOT, check=True, timeout=300)
    return folder / "site"


@pytest.fixture(scope="module")
def data(site: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((site / "data_avery.json").read_text())
    return found


def test_a_new_resource_is_in_the_json_with_its_words(data: dict[str, Any]) -> None:
    assert [row["name"] for row in data["resources"] if row["key"] == "LICENCES"] == ["Licences"]
    assert data["now"]["users"]["Bo"]["LICENCES"] == 3
    assert data["totals"]["total"]["hours"]["LICENCES"] == pytest.approx(3 * 3)
    assert max(data["observables"]["LICENCES"]["Bo"]) == 3
    assert data["limits"]["LICENCES"]["kind"] == "none"
    assert max(data["peaks"]["LICENCES"]) == 6


def test_a_new_resource_is_in_the_months_the_table_and_the_plain_page(site: Path, data: dict[str, Any]) -> None:
    assert data["months"][-1]["users"]["Al"]["hours"]["LICENCES"] == 3
    head, *rows = gzip.decompress((site / "usage_avery.csv.gz").read_bytes()).decode().splitlines()
    column = head.split(",").index("LICENCES")
    assert {row.split(",")[column] for row in rows} >= {"3"}
    plain = (site / "plain.html").read_text()
    assert plain.count("licence-hours") >= 2, "in the totals and in the months"
    assert re.search(r'alt="CPUs over time by user[^"]*Licences over time by user', plain)


def test_a_new_resource_is_drawn(site: Path) -> None:
    with Image.open(site / "LICENCES_avery.png") as picture:
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert sum(max(colour) - min(colour) > 60 for _, colour in colours) >= 2, "an area for each user"
    assert (site / "LICENCES_avery.pdf").read_bytes().startswith(b"%PDF")
    index = json.loads((site / "index.json").read_text())
    assert index["qos"][0]["figures"]["LICENCES"] == {"png": "LICENCES_avery.png", "pdf": "LICENCES_avery.pdf"}
    page = (site / "index.html").read_text()
    assert '<figcaption>Licences</figcaption><div class="chart" role="img" data-chart="LICENCES"' in page


def test_a_new_subject_goes_from_its_question_to_the_page(site: Path, data: dict[str, Any]) -> None:
    assert data["weather"] == "Al says: it rains", "asked, kept, renamed, built"
    plain = (site / "plain.html").read_text()
    assert re.search(r'<h3 id="weather-avery">Weather</h3>\s*<p>Al says: it rains</p>', plain)
    assert "weatherSubject" in (site / "page.js").read_text()
