"""Folders that are replaced whole hold nothing that must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from librarian import config
from librarian.config.setup import Setup, setup
from librarian.errors import ConfigError

BASE = '[cluster]\nname = "demo"\ntimezone = "US/Eastern"\n[[qos]]\nname = "avery"\n'


def placed(base: Path, state: str, site: str, *copies: str) -> Setup:
    paths = f'[paths]\nstate = "{state}"\nsite = "{site}"\n'
    targets = "".join(f'[[publish]]\nkind = "folder"\npath = "{copy}"\n' for copy in copies)
    return setup(config.parse(BASE + paths + targets, "librarian.toml"), base, {})


@pytest.mark.parametrize(
    ("state", "site", "copies", "why"),
    [
        ("site/state", "site", (), "the state must not be in the site"),
        ("both", "both", (), "the state must not be in the site"),
        ("site/../site/deep/state", "site", (), "the state must not be in the site"),
        ("/nosuch/state", ".", (), "the configuration must not be in the site"),
        ("elsewhere/state", "..", (), "must not be in the site"),
        ("link/state", "site", (), "the state must not be in the site"),
        ("state", "site", ("site/copy",), "its copy .*site/copy must not be in the site"),
        ("state", "site", ("site",), "must not be in the site"),
        ("state", "web/site", ("web",), "the site must not be in the copy of the site in .*web"),
        ("web/state", "site", ("web",), "the state must not be in the copy"),
        ("state", "site", ("/nosuch", "."), "the site must not be in the copy"),
    ],
)
def test_what_must_not_be_lost_is_kept_out(
    tmp_path: Path, state: str, site: str, copies: tuple[str, ...], why: str
) -> None:
    (tmp_path / "base" / "site").mkdir(parents=True)
    (tmp_path / "base" / "link").symlink_to("site", target_is_directory=True)
    with pytest.raises(ConfigError, match=why) as told:
        placed(tmp_path / "base", state, site, *copies)
    assert "which is replaced whole in each run" in str(told.value)
    assert (tmp_path / "base" / "site").is_dir()


@pytest.mark.parametrize(
    ("state", "site", "copies"),
    [
        ("state", "state/site", ()),
        ("state", "site", ("copy", "copies/of the site")),
        ("state", "sites", ("site",)),
        ("state", "state/site", ("state/copy",)),
        ("", "", ()),
    ],
)
def test_folders_beside_each_other_and_a_site_in_the_state_are_fine(
    tmp_path: Path, state: str, site: str, copies: tuple[str, ...]
) -> None:
    assert placed(tmp_path, state, site, *copies).places.base == tmp_path
