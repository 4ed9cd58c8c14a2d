"""Finding our own files in a wheel and in a checkout, and the best Plotly at hand."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from librarian.errors import LibrarianError
from librarian.render.plotly import Plotly
from librarian.site import assets
from tests.places import ROOT

BASIC_BANNER = "/**\n* plotly.js (basic - minified) v3.2.1\n* Copyright 2012-2025, Plotly, Inc.\n*/\n"
FULL_BANNER = "/**\n* plotly.js v2.35.2\n* Copyright 2012-2024, Plotly, Inc.\n*/\n"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder of a package `librarian`, in a place where nothing else of ours is, and no package plotly."""
    folder = tmp_path / "site-packages" / "librarian"
    folder.mkdir(parents=True)
    monkeypatch.setattr(assets, "_PACKAGE_FOLDER", folder)
    monkeypatch.setitem(sys.modules, "plotly", None)
    return folder


def fake_plotly(package: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """A Python package plotly that fails when it is imported."""
    monkeypatch.delitem(sys.modules, "plotly")
    write(package.parent / "plotly" / "__init__.py", "raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    return write(package.parent / "plotly" / "package_data" / "plotly.min.js", text)


class TestOurFolders:
    def test_an_installed_package_reads_its_own_copy(self, package: Path) -> None:
        write(package / "_assets/templates/page.html", "{{ grün }}")
        write(package / "_assets/templates/sections/head.html", "head")
        write(package / "_assets/templates/.hidden", "x")
        assert assets.templates() == {"page.html": "{{ grün }}", "sections/head.html": "head"}

    def test_the_dashboard_is_its_modules_and_styles_alone(self, package: Path) -> None:
        ours = ("page/app.js", "page/page.css", "subjects/queue/deep/x.js")
        others = (
            "page/app.test.js",
            "page/notes.md",
            "page/.x.js",
            "eslint.config.js",
            "node_modules/page/x.js",
            "tools/x.js",
        )
        for name in (*ours, *others):
            write(package / "_assets/dashboard" / name, name)
        assert assets.dashboard() == {name: name for name in ours}

    def test_a_checkout_reads_its_top_level_folders(self, package: Path) -> None:
        write(package.parent / "pyproject.toml")
        write(package.parent / "templates/page.html", "page")
        assert assets.templates() == {"page.html": "page"}

    def test_a_neighbour_of_an_installed_package_is_not_ours(self, package: Path) -> None:
        write(package.parent / "templates/page.html", "somebody else's")
        with pytest.raises(LibrarianError, match=r"templates of Librarian is missing.*install slurm-librarian again"):
            assets.templates()

    def test_an_empty_folder_is_an_error(self, package: Path) -> None:
        (package / "_assets/dashboard").mkdir(parents=True)
        with pytest.raises(LibrarianError, match="dashboard is empty"):
            assets.dashboard()

    def test_a_file_that_is_not_text_is_an_error(self, package: Path) -> None:
        write(package / "_assets/templates/page.html").write_bytes(b"\xff\xfe")
        with pytest.raises(LibrarianError, match="templates cannot be read"):
            assets.templates()

    def test_this_checkout_has_both(self) -> None:
        assert any(name.endswith((".html", ".j2")) for name in assets.templates())
        assert {Path(name).suffix for name in assets.dashboard()} == {".js", ".css"}
        assert not [name for name in assets.dashboard() if name.endswith(".test.js")]
        folders = {path.name for path in (ROOT / "dashboard").iterdir() if path.is_dir()}
        assert folders - {"node_modules", "tools", "types"} == set(assets.ROOMS)


class TestPlotly:
    def test_the_wheels_bundle_comes_first(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(package.parent / "dashboard/node_modules/plotly.js-basic-dist-min/plotly-basic.min.js", BASIC_BANNER)
        fake_plotly(package, monkeypatch, FULL_BANNER)
        path = write(package / "_assets/vendor/plotly-basic.min.js", BASIC_BANNER.replace("3.2.1", "4.0.0"))
        assert assets.plotly() == Plotly("4.0.0", path, "plotly-basic-4.0.0.min.js", None, None, "basic")

    def test_then_the_checkouts(self, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake_plotly(package, monkeypatch, FULL_BANNER)
        path = write(
            package.parent / "dashboard/node_modules/plotly.js-basic-dist-min/plotly-basic.min.js", BASIC_BANNER
        )
        assert assets.plotly() == Plotly("3.2.1", path, "plotly-basic-3.2.1.min.js", None, None, "basic")

    def test_then_the_python_packages_which_is_not_imported(
        self, package: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = fake_plotly(package, monkeypatch, FULL_BANNER)
        assert assets.plotly() == Plotly("2.35.2", path, "plotly-2.35.2.min.js", None, None, "full")

    def test_a_file_cut_short_or_of_something_else_is_passed_over(
        self, package: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(package / "_assets/vendor/plotly-basic.min.js")
        fake_plotly(package, monkeypatch, "/* another library v1.2.3 */")
        assert assets.plotly().kind == "cdn"

    def test_with_no_file_at_all_the_page_asks_the_cdn_and_checks_what_it_gets(self, package: Path) -> None:
        found = assets.plotly()
        assert (found.kind, found.path, found.version) == ("cdn", None, assets.BASIC_VERSION)
        assert found.url == f"https://cdn.jsdelivr.net/npm/plotly.js-basic-dist-min@{found.version}/plotly-basic.min.js"
        assert found.integrity == assets.BASIC_INTEGRITY

    def test_the_dependency_plotly_is_recognised(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(assets, "_PACKAGE_FOLDER", tmp_path / "librarian")
        found = assets.plotly()
        assert found.kind == "full"
        assert found.path is not None
        assert found.path.stat().st_size > 2_000_000

    def test_finding_plotly_does_not_import_it(self) -> None:
        program = "import sys; from librarian.site import assets; assets.plotly(); sys.exit('plotly' in sys.modules)"
        subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


class TestPin:
    """One version of plotly.js stands in three places."""

    def test_package_json_and_its_lock_agree_with_the_constants(self) -> None:
        package = json.loads((ROOT / "dashboard/package.json").read_text(encoding="utf-8"))
        lock = json.loads((ROOT / "dashboard/package-lock.json").read_text(encoding="utf-8"))
        assert package["dependencies"] == {assets.BASIC_PACKAGE: assets.BASIC_VERSION}
        assert lock["packages"][f"node_modules/{assets.BASIC_PACKAGE}"]["version"] == assets.BASIC_VERSION
        assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]

    def test_the_file_that_npm_fetches_has_the_integrity_of_the_constant(self) -> None:
        path = ROOT / "dashboard/node_modules" / assets.BASIC_PACKAGE / assets.BASIC_FILE
        if not path.is_file():
            pytest.skip("dashboard/node_modules is not there: npm ci in dashboard/")
        digest = hashlib.sha384(path.read_bytes()).digest()
        assert "sha384-" + base64.b64encode(digest).decode("ascii") == assets.BASIC_INTEGRITY
        assert assets.plotly().version == assets.BASIC_VERSION
