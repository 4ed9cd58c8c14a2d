"""The demo's site, as the whole pipeline leaves it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from librarian.demo import site as demo_site
from librarian.errors import PublishError
from librarian.privacy import leak_check
from librarian.site import assets
from tests.unit.cycles import NOW

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert demo_site.write(folder / "site", folder / "state", NOW, {}) == []
    return folder / "site"


def test_it_shows_a_change_of_a_limit(site: Path) -> None:
    found = json.loads((site / "data_avery.json").read_text())
    assert len({step["value"] for step in found["limits"]["NGPUS"]["history"]}) == 2
    assert [step["from"] for step in found["limits"]["NCPUS"]["history"]] == [found["edges"][0]]


def test_three_hundred_names_are_looked_for_and_one_that_is_there_is_found(tmp_path: Path, site: Path) -> None:
    site = shutil.copytree(site, tmp_path / "site")
    plain = frozenset(f"user{number:03}x" for number in range(300))
    odd = frozenset(f"{name} \u00fc|x" for name in plain)
    public, foreign = list(assets.templates().values()), frozenset({assets.plotly().file_name})
    for names in (plain, odd):
        leak_check.check(site.iterdir(), names, public, foreign)
        (site / "more.json").write_text(json.dumps({"told": [f"by {max(names)}"]}), encoding="utf-8")
        with pytest.raises(PublishError, match=r"more\.json would show a name"):
            leak_check.check(site.iterdir(), names, public, foreign)
        (site / "more.json").unlink()
