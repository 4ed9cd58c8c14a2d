"""The publisher into a folder: modes, group, and what it finds before it writes."""

from __future__ import annotations

import grp
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from librarian.errors import PublishError
from librarian.publish import Publisher, publishers
from librarian.publish.base import Attempt
from librarian.publish.delivery import checked, planned
from librarian.site import folder as sitefolder
from librarian.system.host import stopwatch

INDEX = b'{"generator": "librarian 0", "files": ["a.png", "index.json"]}'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    sitefolder.put(tmp_path / "site", {"index.json": INDEX, "a.png": b"x"}, {})
    return tmp_path / "site"


def to(folder: Path, path: str = "web/copy", **options: Any) -> Publisher:
    (sender,) = publishers("folder", {"path": path, **options}, folder, folder / "nosuch")
    return sender


def soon() -> Attempt:
    return Attempt(0, stopwatch() + 60)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_copy_is_put_there_and_nothing_else_is_replaced(site: Path, tmp_path: Path) -> None:
    done = to(tmp_path).publish(site, soon())
    assert (done.state, done.bytes_sent) == ("done", len(INDEX) + 1)
    assert sorted(path.name for path in (tmp_path / "web" / "copy").iterdir()) == ["a.png", "index.json"]
    (tmp_path / "web" / "copy" / ".htaccess").write_text("Require group lab")
    (site / "notes").write_text("not for everybody")
    to(tmp_path, file_mode="604").publish(site, soon())
    assert sorted(path.name for path in (tmp_path / "web" / "copy").iterdir()) == [".htaccess", "a.png", "index.json"]
    assert (tmp_path / "web" / "copy" / ".htaccess").read_text() == "Require group lab"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_text("")
    with pytest.raises(PublishError, match="holds other files"):
        to(tmp_path, "mine").publish(site, soon())


@pytest.mark.parametrize(("folder_mode", "file_mode"), [("2775", "664"), ("0700", "0600"), ("755", "644")])
@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_modes_are_as_configured_whatever_the_umask(
    site: Path, tmp_path: Path, folder_mode: str, file_mode: str, mask: int
) -> None:
    before = os.umask(mask)
    try:
        for _ in range(2):
            to(tmp_path, mode=folder_mode, file_mode=file_mode).publish(site, soon())
            assert mode(tmp_path / "web" / "copy") == int(folder_mode, 8)
            assert {mode(path) for path in (tmp_path / "web" / "copy").iterdir()} == {int(file_mode, 8)}
    finally:
        os.umask(before)


def test_the_group(site: Path, tmp_path: Path) -> None:
    mine = [*os.getgroups(), os.getgid()]
    group = next(one for one in grp.getgrall() if os.getuid() == 0 or one.gr_gid in mine)
    to(tmp_path, mode="2770", file_mode="660", group=group.gr_name).publish(site, soon())
    copy = tmp_path / "web" / "copy"
    assert {path.stat().st_gid for path in (copy, *copy.iterdir())} == {group.gr_gid}
    assert mode(copy) == 0o2770
    sender = to(tmp_path, group="no-such-group")
    with pytest.raises(PublishError, match="there is no group no-such-group"):
        sender.publish(site, soon())
    assert not all(found.well for found in checked(sender, site, 0))


def test_plan_and_check(site: Path, tmp_path: Path) -> None:
    sender = to(tmp_path)
    assert list(planned(sender, site, 0).changed or ()) == ["a.png", "index.json"]
    assert [found.well for found in checked(sender, site, 0)] == [True, True, True]
    assert not (tmp_path / "web").exists()
    sender.publish(site, soon())
    (site / "a.png").write_bytes(b"y")
    plan = planned(sender, site, 0)
    assert (list(plan.changed or ()), plan.files) == (["a.png"], {"a.png": 1, "index.json": len(INDEX)})
    (tmp_path / "web" / "copy" / "index.json").write_text("mine")
    texts = [found.text for found in checked(sender, site, 0) if not found.well]
    assert len(texts) == 1
    assert "holds other files" in texts[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_folder_that_cannot_be_written(site: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents):
        if mode(folder) & 0o001 == 0:
            folder.chmod(mode(folder) | 0o011)
    sender = to(tmp_path, "theirs/deep/copy")
    os.seteuid(65534)
    try:
        found = checked(sender, site, 0)
        with pytest.raises(PublishError, match="Permission denied"):
            sender.publish(site, soon())
    finally:
        os.seteuid(0)
    assert [one.text for one in found if not one.well] == [f"{tmp_path}/theirs cannot be written"]
