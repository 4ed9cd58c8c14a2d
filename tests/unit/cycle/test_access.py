"""Who may look into the state folder: what runs write there is its owner's alone; the site is read by others."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from librarian.cli import common
from librarian.config.setup import Setup
from librarian.cycle import access, housekeeping, stages
from librarian.demo.slurm import DemoSlurm
from librarian.scrontab import watchdog
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.system import host
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, configured, ended, leave_out_pictures

PRIVATE = '[privacy]\nusers = "pseudonym"\n'
INSIDE = BASE.replace('site = "site"', 'site = "state/site"') + TWO_DAYS + PRIVATE + AVERY


@pytest.fixture(params=[0o022, 0o002, 0o000])
def mask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The umask of the process for the time of a test."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(setup: Setup) -> dict[str, str]:
    """The files of the state but for the site that others could read or write, were the folder open to them."""
    state = setup.places.state
    files = [path for path in state.rglob("*") if path.is_file() and setup.places.site not in path.parents]
    return {str(path.relative_to(state)): oct(mode(path)) for path in files if mode(path) & 0o077}


def test_what_a_run_leaves_is_its_owners_alone(tmp_path: Path, mask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_pictures(monkeypatch)
    setup = configured(tmp_path, INSIDE)
    setup.places.state.mkdir()
    setup.places.state.chmod(0o777)
    with common.alone(setup) as guard:
        assert stages.run(setup, Slurm(runner=DemoSlurm([ended(1)], now=NOW)), NOW, guard) == []
    assert open_to_others(setup) == {}
    assert {"demo.sqlite", "librarian.log", "names.json", "privacy.key", "status.json"} <= {
        path.name for path in access.own_files(setup)
    }
    assert mode(setup.places.site) == 0o777 & ~mask
    assert mode(setup.places.site / "index.html") == 0o666 & ~mask
    assert mode(setup.places.state) == 0o777, "the folder is as its owner has it: a web server may pass through it"


def test_a_store_that_all_could_read_is_closed_when_it_is_opened(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "demo.sqlite"
    with opened(path, "demo") as store:
        assert mode(path) == 0o600
        with store.transaction():
            store.know("odd", 1, NOW)
            assert mode(path.with_name("demo.sqlite-journal")) == 0o600
    path.chmod(0o644)
    with opened(path, "demo") as store:
        assert (mode(path), store.fact("odd")) == (0o600, 1)


def test_files_that_an_older_release_left_open_are_closed(tmp_path: Path) -> None:
    setup = configured(tmp_path, INSIDE)
    stages.collect_all(setup, Slurm(runner=DemoSlurm([ended(1)], now=NOW)), NOW)
    state = setup.places.state
    for name in ("demo.sqlite.damaged-1", "librarian.log.2", "run-demo-123456.log", "theirs.txt", "run-of-theirs.txt"):
        (state / name).write_text("")
        (state / name).chmod(0o644)
    (state / "demo.sqlite.link").symlink_to(state / "theirs.txt")
    assert housekeeping.tidy(setup, NOW)
    assert open_to_others(setup) == {name: "0o644" for name in ("theirs.txt", "run-of-theirs.txt", "demo.sqlite.link")}


def test_a_log_that_becomes_too_large_is_begun_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    log = tmp_path / "run-demo.log"
    watchdog.rotate(log)
    assert not log.exists()
    log.write_text("a line\n")
    watchdog.rotate(log)
    assert (mode(log), log.read_text()) == (0o600, "a line\n")
    log.write_bytes(b"x" * 2_000_000)
    watchdog.rotate(log)
    assert (mode(log), log.stat().st_size) == (0o600, 0)
    assert mode(tmp_path / "run-demo.log.1") == 0o600


def test_what_is_made_private_keeps_its_content(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "a"
    host.make_private(path)
    assert (path.read_bytes(), mode(path)) == (b"", 0o600)
    path.write_text("mine")
    path.chmod(0o755)
    host.make_private(path)
    assert (path.read_text(), mode(path)) == ("mine", 0o700)
    host.make_private(tmp_path / "nowhere" / "a")  # whoever writes there says what is wrong
    host.close_to_others(tmp_path / "none")


def test_a_group_of_ones_own_is_not_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_text("")
    path.chmod(0o664)
    monkeypatch.setattr(access, "_is_own", lambda group, user: True)
    assert access.others_may(path) == access.READ
    monkeypatch.setattr(access, "_is_own", lambda group, user: False)
    assert access.others_may(path) == access.READ | access.WRITE
    tmp_path.chmod(0o700)
    assert not access.others_reach(path)
