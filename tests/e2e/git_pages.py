"""The publisher to GitHub Pages as tests use it: a repository, and a user's configuration that must not matter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from librarian.publish import publishers
from librarian.publish.base import Attempt, Delivered
from librarian.publish.github_pages import GithubPages
from librarian.system.host import stopwatch
from tests.e2e.remotes import NOW, Bare, content, site
from tests.patience import CEILING


@pytest.fixture
def remote(tmp_path: Path) -> Bare:
    return Bare.make(tmp_path / "there" / "usage.git")


@pytest.fixture(autouse=True)
def hostile_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's configuration and environment that would break what relies on them."""
    for key in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(key)
    (tmp_path / "gitconfig").write_text(
        "[core]\n autocrlf = true\n quotePath = true\n[commit]\n gpgSign = true\n"
        "[push]\n gpgSign = true\n followTags = true\n[init]\n defaultObjectFormat = sha256\n"
        "[user]\n name = Real Name\n email = real@example.org\n[log]\n showSignature = true\n[gc]\n auto = 1\n"
    )
    for key, value in {
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_INDEX_FILE": str(tmp_path / "nowhere" / "index"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_AUTHOR_NAME": "Real Name",
        "GIT_TRACE_CURL": "1",
        "GIT_CURL_VERBOSE": "1",
        "GIT_TRACE": "1",
    }.items():
        monkeypatch.setenv(key, value)


def pages(remote: Bare | str, state: Path, **options: Any) -> GithubPages:
    address = remote if isinstance(remote, str) else str(remote.path)
    (sender,) = publishers(
        "github-pages", {"remote": address, "min_interval_seconds": 0, **options}, state, state / "p"
    )
    assert isinstance(sender, GithubPages)
    return sender


def publish(
    sender: GithubPages, folder: Path, number: int, now: int | None = None, timeout: float = CEILING
) -> Delivered:
    attempt = Attempt(NOW + number if now is None else now, stopwatch() + timeout)
    return sender.publish(site(folder / "site", number), attempt)


def expected(folder: Path, directory: str = "") -> dict[str, bytes]:
    prefix = f"{directory}/" if directory else ""
    return {f"{prefix}{name}": data for name, data in content(folder / "site").items()}


def expected_of(folder: Path, number: int) -> dict[str, bytes]:
    return content(site(folder / "site", number))
