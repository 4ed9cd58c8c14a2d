"""The site folder is swapped in whole, and nothing else is ever replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from librarian.errors import SiteError
from librarian.site import folder as sitefolder
from librarian.system import host

NAMES = ["index.json", "plotly.js", "old.png", "new.png", "data.json"]
INDEX = json.dumps({"generator": "librarian 0", "files": NAMES}).encode()


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


def test_what_is_not_ours_stays_as_it_is(target: Path) -> None:
    sitefolder.put(target, {"index.json": INDEX, "old.png": b"1"}, {})
    (target / ".htaccess").write_text("Require group lab")
    (target / ".htaccess").chmod(0o640)
    (target / "link").symlink_to("nowhere")
    (target / "deep" / "er").mkdir(parents=True)
    (target / "deep" / "er" / "notes").write_text("ours are not these")
    os.mkfifo(target / "pipe")
    (target / ".index.json.a1b2c3d4").write_text("half")
    before = (target / ".htaccess").stat()
    for number in range(3):
        access = sitefolder.Access(file_mode=0o604)
        sitefolder.put(target, {"index.json": INDEX, "new.png": bytes([number])}, {}, access)
        assert names(target) == [".htaccess", "deep", "index.json", "link", "new.png", "pipe"]
    after = (target / ".htaccess").stat()
    assert (after.st_mode, after.st_ino, after.st_mtime_ns) == (before.st_mode, before.st_ino, before.st_mtime_ns)
    assert (target / "deep" / "er" / "notes").read_text() == "ours are not these"
    assert (target / "link").is_symlink()
    assert names(target.parent) == ["site"]
    assert sorted(sitefolder.files_of(target)) == ["index.json", "new.png"], "what is not ours is not published"


def test_what_cannot_be_linked_is_copied(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("the file system has no links")

    sitefolder.put(target, {"index.json": INDEX}, {})
    (target / "robots.txt").write_text("Disallow: /")
    monkeypatch.setattr("librarian.site.folder.os.link", refused)
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert (target / "robots.txt").read_text() == "Disallow: /"


def test_where_something_cannot_be_carried_over_the_old_site_stays(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", ".htaccess")

    sitefolder.put(target, {"index.json": INDEX, "old.png": b"1"}, {})
    (target / ".htaccess").write_text("x")
    with monkeypatch.context() as patch:
        patch.setattr("librarian.site.folder.os.link", refused)
        patch.setattr("librarian.site.folder.shutil.copy2", refused)
        with pytest.raises(SiteError, match=r"could not be written.*\.htaccess"):
            sitefolder.put(target, {"index.json": INDEX, "new.png": b"2"}, {})
    assert names(target) == [".htaccess", "index.json", "old.png"]


def test_what_came_while_the_site_was_exchanged_stays_too(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sitefolder.put(target, {"index.json": INDEX}, {})
    swap = sitefolder._swap

    def late(fresh: Path, there: Path, retired: Path) -> None:
        (there / "late").write_text("just in time")
        swap(fresh, there, retired)

    monkeypatch.setattr(sitefolder, "_swap", late)
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert (target / "late").read_text() == "just in time"


def test_a_site_of_0_1_0_names_no_files(target: Path) -> None:
    theirs = [".htaccess", "data_other.json", "NCPUS_other.png", "notes.html", "plotly.html"]
    ours = ["index.html", "plain.html", "status.json", "data_avery.json", "usage_avery.csv.gz", "overview_avery.png"]
    index = json.dumps({"generator": "librarian 0.1.0", "qos": [{"name": "avery", "slug": "avery"}]}).encode()
    written = {name: b"x" for name in [*ours, "month_avery.pdf", "plotly-3.1.0.min.js", *theirs]}
    sitefolder.put(target, {"index.json": index, **written}, {})
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert names(target) == sorted([*theirs, "index.json"])


@pytest.mark.parametrize("files", [None, "index.html", [1, None], {"a": 1}])
def test_an_index_of_any_form_makes_nobody_else_s_file_ours(target: Path, files: object) -> None:
    index = json.dumps({"generator": "librarian 9", "files": files, "qos": [7, {"slug": ["x"]}]}).encode()
    sitefolder.put(target, {"index.json": index}, {})
    (target / ".htaccess").write_text("x")
    sitefolder.put(target, {"index.json": INDEX}, {})
    assert names(target) == [".htaccess", "index.json"]


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
    sitefolder.put(target, {"index.json": INDEX, "old.png": b""}, {})
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
