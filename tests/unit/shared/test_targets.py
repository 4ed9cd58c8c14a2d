"""What the configuration may name as a target, and that credentials are taken off whatever is shown."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import PurePosixPath
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from librarian.publish.base import MayPassError, failure
from librarian.publish.remote import Place
from librarian.publish.sftp import quoted
from librarian.shared import targets

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=30)


@given(SECRETS, SECRETS)
def test_credentials_are_taken_off_and_kept_apart(user: str, password: str) -> None:
    address = f"https://{quote(user, safe='')}:{quote(password, safe='')}@git.example.org:8443/o/r.git"
    found = targets.split_remote(address)
    assert found.url == "https://git.example.org:8443/o/r.git"
    assert (found.user, found.password) == (user, password)
    assert repr(found) == "Remote('https://git.example.org:8443/o/r.git')"
    assert (
        targets.redacted(f"fatal: unable to access '{address}': 403") == f"fatal: unable to access '{found.url}': 403"
    )


@pytest.mark.parametrize(
    "address", ["git@github.com:o/r.git", "ssh://git@host:2222/o/r", "/srv/r.git", "https://h/o/r"]
)
def test_what_has_no_credentials_stays(address: str) -> None:
    assert targets.split_remote(address) == targets.Remote(address)
    assert targets.redacted(address) == address
    assert targets.is_remote(address)


def test_a_password_for_ssh_is_not_shown() -> None:
    assert targets.redacted("ssh://me:pass@host/r said no") == "ssh://me@host/r said no"


@pytest.mark.parametrize(
    "remote", ["", "-uupload-pack=x", "ext::sh -c id", "ftp://h/r", "https://h/a b", "a\nb", 3, "gopher://x"]
)
def test_odd_remotes(remote: object) -> None:
    assert not targets.is_remote(remote)


@given(st.one_of(st.text(max_size=20), st.from_regex(r"[A-Za-z0-9_./@{~^:+-]{1,12}", fullmatch=True)))
def test_a_branch_that_is_allowed_is_one_for_git(branch: str) -> None:
    if targets.is_branch(branch):
        command = ["git", "check-ref-format", "--branch", branch]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("branch", ["gh-pages", "main", "docs/usage", "v1.2+x"])
def test_usual_branches(branch: str) -> None:
    assert targets.is_branch(branch)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (
            targets.is_directory,
            ["", "docs", "a/b c/d"],
            ["/a", "a/", "a//b", "../a", "a/./b", ".git/x", "a/.GIT", "a\nb", 3],
        ),
        (targets.is_domain, ["", "usage.example.org"], ["example", "-a.org", "a..org", "a.org/x", "a.org\n", 3]),
        (targets.is_hosts, ["web", "me@web.example.org", ["a", "b"]], ["-oX=y", "a b", "", [], ["a", "a"], "a:b", 3]),
        (
            targets.is_ssh_options,
            [[], ["Port=22", "IdentityFile=~/a b"]],
            ["Port=22", ["-oPort=2"], ["Port 2"], ["StrictHostKeyChecking=no"], ["batchmode=no"], ["Port=\n"], [3]],
        ),
        (targets.is_remote_path, ["/a/b", "~/web", "web", "-x", "a'b"], ["", "/", "~", "~you/web", "a/..", "a\nb", 3]),
        (targets.is_folder_mode, ["", "2775", "0755", "700"], ["0o755", "99", "2075", "rwx", 755, "17777"]),
        (targets.is_file_mode, ["", "664", "0600"], ["4755", "044", 664]),
    ],
)
def test_what_is_allowed(check: object, good: list[object], bad: list[object]) -> None:
    assert callable(check)
    assert [value for value in good if not check(value)] == []
    assert [value for value in bad if check(value)] == []


def test_the_pages_address() -> None:
    assert targets.pages_repository("Avery-Lab/usage") == ("Avery-Lab", "usage")
    assert targets.pages_url("Avery-Lab", "usage") == "https://avery-lab.github.io/usage/"
    assert targets.pages_url("Avery-Lab", "avery-lab.github.io") == "https://avery-lab.github.io/"
    for odd in ("usage", "a/b/c", "a/..", "-a/b", "a/b.git", "a/b\n", "https://github.com/a/b"):
        assert targets.pages_repository(odd) is None


@given(st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"]), min_size=1))
def test_a_quoted_path_is_one_word_for_sftp(path: str) -> None:
    assert shlex.split(quoted(path), comments=False) == [path]


@example("~/~/a")
@given(st.from_regex(r"(/|~/)?[a-z~.\- ]{1,5}(/[a-z~.\- ]{1,5}){0,3}", fullmatch=True).filter(targets.is_remote_path))
def test_a_place_on_a_host_is_no_option_and_lies_where_it_should(path: str) -> None:
    place = Place.of(path)
    for name in (place.path, place.above, place.retired, place.fresh(1)):
        assert not name.startswith(("-", "~"))
    for beside in (place.fresh(1), place.retired):
        assert PurePosixPath(place.path).parent == PurePosixPath(place.above) == PurePosixPath(beside).parent
    assert place.leftovers([PurePosixPath(place.fresh(1)).name, f".{place.name}x.librarian-1"], 2) == [place.fresh(1)]
    assert place.leftovers([PurePosixPath(place.fresh(2)).name], 2) == []


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("ssh: connect to host h port 22: Connection timed out", True),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", True),
        ("error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502", True),
        ("fatal: the remote end hung up unexpectedly", True),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", False),
        ("remote: error: GH006: Protected branch update failed\nfatal: the remote end hung up unexpectedly", False),
        ("remote: fatal: write error: No space left on device\nfatal: early EOF", False),
        ("something new", False),
        ("", False),
    ],
)
def test_which_failures_may_pass(said: str, passes: bool) -> None:
    assert isinstance(failure("it failed", said), MayPassError) == passes
