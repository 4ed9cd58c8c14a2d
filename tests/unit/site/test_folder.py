"""The site folder is swapped in whole, and nothing else is ever replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from librarian.errors import SiteError
from librarian.site import folder as sitefolder
from librarian.system import host

INDEX = b'{"generator": "librarian 0"}'


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[True, False], ids=["exchange", "two renames"])
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    if not request.param:
        monkeypatch.setattr(sitefolder, "exchange_folders", lambda one, other: False)
    return tmp_path / "deep" / "site"


def test_a_site_is_made_and_replaced_whole(target: Path, tmp_path: Path) -> None:
    (tmp_path / "big.js").write_bytes(b"js")
    sitefolder.put(target, {"index.json": INDEX, "old.png": b"1"}, {"plotly.js": tmp_path / "big.js"})
    assert names(target) == ["index.json", "old.png", "plotly.js"]
    sitefolder.put(target, {"index.json": INDEX, "new.png": b"2"}, {"old.png": target / "old.png"})
    assert names(target) == ["index.json", "new.png", "old.png"]
    assert (target / "old.png").read_bytes() == b"1"
    assert names(target.parent) == ["site"]


def test_a_foreign_folder_is_never_replaced(target: Path) -> None:
    target.mkdir(parents=True)
    (target / "thesis.tex").write_text("years of work")
    with pytest.raises(SiteError, match="holds other files"):
        sitefolder.put(target, {"index.json": INDEX}, {})
    (target / "index.json").write_text('{"generator": "hugo"}')
    with pytest.raises(SiteError, match="holds other files"):
        sitefolder.put(target, {"index.json": INDEX}, {})
    assert names(target) == ["index.json", "thesis.tex"]


def test_a_file_or_a_link_in_its_place_is_refused(target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.symlink_to("/tmp")
    with pytest.raises(SiteError, match="is not a folder"):
        sitefolder.put(target, {"index.json": INDEX}, {})


def test_a_failure_leaves_the_old_site(target: Path) -> None:
    sitefolder.put(target, {"index.json": INDEX}, {})
    with pytest.raises(SiteError, match="could not be written"):
        sitefolder.put(target, {"index.json": b"new"}, {"missing": target / "nosuch"})
    assert (target / "index.json").read_bytes() == INDEX
    assert names(target.parent) == ["site"]


def test_a_failed_second_rename_puts_the_old_site_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "site"
    sitefolder.put(target, {"index.json": INDEX}, {})
    real = Path.rename

    def rename(self: Path, other: Path) -> Path:
        if self.name == ".site.new":
            raise OSError(5, "Input/output error")
        return real(self, other)

    monkeypatch.setattr(sitefolder, "exchange_folders", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(SiteError, match="Input/output error"):
        sitefolder.put(target, {"index.json": b"new"}, {})
    assert (target / "index.json").read_bytes() == INDEX


def test_what_a_killed_run_left_is_mended(target: Path) -> None:
    sitefolder.put(target, {"index.json": INDEX, "a": b""}, {})
    target.rename(target.with_name(".site.old"))  # killed between the two renames
    target.with_name(".site.new").mkdir()
    (target.with_name(".site.new") / "half").write_text("")
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert names(target) == ["index.json"]
    assert names(target.parent) == ["site"]


def test_modes_follow_the_umask(target: Path) -> None:
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert target.stat().st_mode & 0o777 == 0o777 & ~host.umask()
    assert (target / "index.json").stat().st_mode & 0o777 == 0o666 & ~host.umask()
