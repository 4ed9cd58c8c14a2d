"""How the publisher to GitHub Pages reaches a remote: over ssh with keys, over http with a token that shows nowhere."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from librarian.errors import PublishError
from librarian.publish.base import MayPassError
from librarian.publish.delivery import checked, deliver
from tests.e2e import http_git
from tests.e2e.git_pages import expected_of, hostile_environment, pages, publish, remote
from tests.e2e.remotes import NOW, Bare, git, site, sshd, wrapper

__all__ = ["hostile_environment", "remote"]


def test_over_ssh(remote: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd(tmp_path / "sshd") as server:
        options = " ".join(f"-o {option}" for option in server.options)
        monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh {options}")
        sender = pages(f"ssh://127.0.0.1:{server.port}{remote.path}", tmp_path)
        assert publish(sender, tmp_path, 0).state == "done"
        steady = publish(sender, tmp_path, 1).bytes_sent
        assert steady
        assert steady < 2000
        assert all(found.well for found in checked(sender, tmp_path / "site", NOW))
        monkeypatch.setenv(
            "GIT_SSH_COMMAND",
            f"ssh -o BatchMode=yes {options} -o IdentityFile=/dev/null".replace(str(server.key), "/nosuch"),
        )
        with pytest.raises(PublishError, match="Permission denied") as refused:
            publish(sender, tmp_path, 2)
        assert not isinstance(refused.value, MayPassError)
    with pytest.raises(MayPassError, match="Connection refused"):
        publish(sender, tmp_path, 2)
    assert remote.files() == {**expected_of(tmp_path, 1), ".nojekyll": b""}


def test_an_identity_and_an_unknown_host(remote: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sshd(tmp_path / "a key") as server:
        sender = pages(f"ssh://127.0.0.1:{server.port}{remote.path}", tmp_path, identity=str(server.key))
        home = tmp_path / "home"
        wrapper(tmp_path / "bin", "ssh", f'exec "$real" -F /dev/null -o "UserKnownHostsFile={home}/known" "$@"')
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        with pytest.raises(PublishError, match="Host key verification failed") as refused:
            publish(sender, tmp_path, 0)
        assert not isinstance(refused.value, MayPassError)
        home.mkdir()
        (home / "known").write_text(server.known.read_text())
        assert publish(sender, tmp_path, 0).state == "done"


TOKEN = "s3cr3t-t0ken"


def test_a_token_in_the_address_opens_the_remote_and_shows_nowhere(
    remote: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrapper(tmp_path / "bin", "git", f'echo "$@" >>{tmp_path}/arguments; exec "$real" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    git("config", "http.receivepack", "true", at=remote.path)
    with http_git.server(remote.path.parent, "robot", TOKEN) as port:
        seen = []
        for user, good in ((f"robot:{TOKEN}", True), (f"robot:{TOKEN}x", False), (TOKEN, False)):
            sender = pages(f"http://{user}@127.0.0.1:{port}/usage.git", tmp_path / str(len(seen)))
            outcomes, problems = deliver([sender], site(tmp_path / "site", 0), NOW)
            findings = checked(sender, tmp_path / "site", NOW)
            assert (outcomes[0].state == "done", not problems) == (good, good), outcomes
            assert all(found.well for found in findings) == good
            if good:  # the second push sends what differs, over http too
                again = publish(sender, tmp_path, 1)
                assert again.bytes_sent
                assert again.bytes_sent < 2000
            seen += [sender.describe(), repr(sender.scratch.remote), repr(outcomes), repr(problems), repr(findings)]
    assert remote.files() == {**expected_of(tmp_path, 1), ".nojekyll": b""}
    assert "push" in (tmp_path / "arguments").read_text()
    seen += [caplog.text, (tmp_path / "arguments").read_text()]
    seen += [path.read_text("latin-1") for path in tmp_path.glob("*/p/*.git/[A-Za-z]*") if path.is_file()]
    assert len(seen) > 20
    assert not [text for text in seen if "s3cr3t" in text]
