"""The publisher to GitHub Pages, on real repositories: what the branch holds afterwards, whatever happened before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from librarian.errors import PublishError
from librarian.publish.base import Delivered, MayPassError
from librarian.publish.delivery import checked, planned
from tests.e2e.git_pages import expected, hostile_environment, pages, publish, remote
from tests.e2e.processes import in_a_child
from tests.e2e.remotes import LARGE, NAMES, NOW, Bare, git, is_running, killer, site, size_of, wrapper
from tests.patience import stretched, wait_for

ROOT = Path(__file__).parent.parent.parent
__all__ = ["hostile_environment", "remote"]


def test_a_branch_is_made_from_nothing_and_holds_one_commit(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    for number in range(3):
        assert publish(sender, tmp_path, number).state == "done"
        assert remote.commits() == [f"Usage as of 2026-11-18T11:06:{40 + number}+00:00"]
        assert remote.files() == {**expected(tmp_path), ".nojekyll": b""}
    who = git("log", "-1", "--format=%an <%ae>, %cn <%ce>, %G?", "gh-pages", at=remote.path)
    assert who == "Librarian <librarian@localhost>, Librarian <librarian@localhost>, N"
    assert git("for-each-ref", "--format=%(refname)", at=remote.path) == "refs/heads/gh-pages"
    assert not (remote.path / "shallow").exists()
    git("fsck", "--strict", at=remote.path)


def test_what_is_kept_here_is_its_owners_alone_and_the_remote_is_not(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    before = os.umask(0o002)
    try:
        for number in range(2):
            publish(sender, tmp_path, number)
    finally:
        os.umask(before)
    kept, there = (
        [path for path in folder.rglob("*") if path.is_file()] for folder in (sender.scratch.folder, remote.path)
    )
    assert [path for path in kept if path.stat().st_mode & 0o077] == []
    assert [
        path for path in there if path.parent.parent.name == "objects" and path.stat().st_mode & 0o077 != 0o044
    ] == []


def test_what_did_not_change_is_not_sent_again(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    first, steady = publish(sender, tmp_path, 0).bytes_sent, publish(sender, tmp_path, 1).bytes_sent
    assert first
    assert steady
    assert first > len(LARGE)
    assert steady < 2000


def test_nothing_new_is_not_pushed(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    before = git("rev-parse", "gh-pages", at=remote.path)
    assert publish(sender, tmp_path, 0, now=NOW + 5000) == Delivered("unchanged", 0)
    assert git("rev-parse", "gh-pages", at=remote.path) == before


def test_pushes_keep_their_distance(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path, min_interval_seconds=360)
    publish(sender, tmp_path, 0, now=NOW)
    before = git("rev-parse", "gh-pages", at=remote.path)
    waits = publish(sender, tmp_path, 1, now=NOW + 359)
    assert (waits.state, waits.note) == ("waits", "the last push was 359 s ago, the least is 360 s")
    assert publish(sender, tmp_path, 0, now=NOW + 359).state == "unchanged"
    assert git("rev-parse", "gh-pages", at=remote.path) == before
    assert publish(sender, tmp_path, 1, now=NOW + 360).state == "done"
    assert publish(sender, tmp_path, 2, now=NOW - 90000).state == "done", "a clock that was wrong does not block"


def test_the_user_s_hooks_do_not_run(remote: Bare, tmp_path: Path) -> None:
    for name in ("pre-push", "pre-commit", "post-commit"):
        wrapper(tmp_path / "hooks", name, f"touch {tmp_path}/a-hook-ran; exit 1")
    with (tmp_path / "gitconfig").open("a") as file:
        file.write(f"[core]\n hooksPath = {tmp_path}/hooks\n")
    assert publish(pages(remote, tmp_path), tmp_path, 0).state == "done"
    assert not (tmp_path / "a-hook-ran").exists()


def test_a_domain(remote: Bare, tmp_path: Path) -> None:
    publish(pages(remote, tmp_path, cname="usage.example.org"), tmp_path, 0)
    assert remote.files()["CNAME"] == b"usage.example.org\n"
    publish(pages(remote, tmp_path), tmp_path, 1)
    assert remote.files()["CNAME"] == b"usage.example.org\n", "GitHub may have written it"


def test_somebody_else_pushed_and_the_branch_is_ours_again(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    remote.commit({"CNAME": "set.example.org\n", "other.txt": "x"})
    assert len(remote.commits()) == 2
    assert publish(sender, tmp_path, 1).state == "done"
    assert len(remote.commits()) == 1
    assert remote.files() == {**expected(tmp_path), ".nojekyll": b"", "CNAME": b"set.example.org\n"}
    remote.commit({"quite": "different"}, more=False)
    assert publish(sender, tmp_path, 1).state == "done"
    assert remote.files() == {**expected(tmp_path), ".nojekyll": b""}


def test_a_history_is_cut_even_where_the_files_are_the_same(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    longer = git("commit-tree", "gh-pages^{tree}", "-p", "gh-pages", "-m", "nothing", at=remote.path)
    git("update-ref", "refs/heads/gh-pages", longer, at=remote.path)
    assert publish(sender, tmp_path, 0, now=NOW + 9).state == "done"
    assert len(remote.commits()) == 1


def test_a_lost_branch_is_made_again(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    git("update-ref", "-d", "refs/heads/gh-pages", at=remote.path)
    remote.size()
    assert publish(sender, tmp_path, 1).state == "done"
    assert remote.files() == {**expected(tmp_path), ".nojekyll": b""}


def test_a_branch_that_was_never_ours_is_left_alone(remote: Bare, tmp_path: Path) -> None:
    head = remote.commit({"thesis.tex": "years of work"}, "main")
    with pytest.raises(PublishError, match="branch main holds other files"):
        publish(pages(remote, tmp_path, branch="main"), tmp_path, 0)
    assert git("rev-parse", "main", at=remote.path) == head
    findings = checked(pages(remote, tmp_path, branch="main"), tmp_path / "site", NOW)
    assert next(found.text for found in findings if not found.well).endswith("or delete what is there)")


def test_without_its_state_a_site_of_ours_is_known(remote: Bare, tmp_path: Path) -> None:
    publish(pages(remote, tmp_path / "one"), tmp_path, 0)
    assert publish(pages(remote, tmp_path / "two"), tmp_path, 1).state == "done"
    assert publish(pages(remote, tmp_path / "three"), tmp_path, 1).state == "unchanged"
    assert publish(pages(remote, tmp_path / "one"), tmp_path, 2).state == "done"
    assert len(remote.commits()) == 1


def test_a_directory_leaves_the_rest_of_the_branch(remote: Bare, tmp_path: Path) -> None:
    rest = {"index.md": "# Us", "docs/a.md": "a", "docs/usage.md": "u", "naïve name\n.txt": "n"}
    remote.commit(rest)
    sender = pages(remote, tmp_path, directory="docs/usage")
    publish(sender, tmp_path, 0)
    kept = {name: text.encode() for name, text in rest.items()}
    assert remote.files() == {**kept, **expected(tmp_path, "docs/usage")}
    assert len(remote.commits()) == 1
    remote.commit({"docs/b.md": "b", "docs/usage/stray.txt": "s"})
    publish(sender, tmp_path, 1)
    assert remote.files() == {**kept, "docs/b.md": b"b", **expected(tmp_path, "docs/usage")}
    assert publish(sender, tmp_path, 1, now=NOW + 99).state == "unchanged"
    with pytest.raises(PublishError, match="directory docs holds other files"):
        publish(pages(remote, tmp_path, directory="docs"), tmp_path, 1)
    assert publish(pages(remote, tmp_path, directory="index.md/x"), tmp_path, 1).state == "done"


def test_a_directory_of_a_new_branch(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path, directory="a/b")
    publish(sender, tmp_path, 0)
    assert remote.files() == {".nojekyll": b"", **expected(tmp_path, "a/b")}
    steady = publish(sender, tmp_path, 1).bytes_sent
    assert steady
    assert steady < 2500


def test_somebody_pushes_between_our_look_and_our_push(
    remote: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = pages(remote, tmp_path, directory="usage")
    publish(sender, tmp_path, 0)
    once = f"""case " $* " in *" push "*)
        if [ ! -e {tmp_path}/raced ]; then touch {tmp_path}/raced
        {sys.executable} -c 'import sys; sys.path.insert(0, "{ROOT}")
from pathlib import Path; from tests.e2e.remotes import Bare
Bare(Path("{remote.path}")).commit({{"theirs": "t"}})'; fi;; esac
exec "$real" "$@" """
    wrapper(tmp_path / "bin", "git", once)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    assert publish(sender, tmp_path, 1).state == "done"
    assert (tmp_path / "raced").exists()
    assert remote.files() == {".nojekyll": b"", "theirs": b"t", **expected(tmp_path, "usage")}


def test_a_remote_that_refuses(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    before = git("rev-parse", "gh-pages", at=remote.path)
    remote.hook("echo 'the \033[31mhouse rules' say no >&2; exit 1")
    with pytest.raises(PublishError, match="pre-receive hook declined") as refused:
        publish(sender, tmp_path, 1)
    assert not isinstance(refused.value, MayPassError)
    assert "\033" not in str(refused.value)
    assert git("rev-parse", "gh-pages", at=remote.path) == before
    remote.hook("exit 0")
    assert publish(sender, tmp_path, 1).state == "done"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_branch_that_lets_nobody_push_with_force(scheme: str, remote: Bare, tmp_path: Path) -> None:
    git("config", "receive.denyNonFastForwards", "true", at=remote.path)
    sender = pages(f"{scheme}{remote.path}", tmp_path)
    publish(sender, tmp_path, 0)
    *well, found = checked(sender, tmp_path / "site", NOW)
    assert (all(one.well for one in well), found.well) == (True, False)
    assert "it lets nobody push with force" in found.text
    with pytest.raises(
        PublishError, match=r"denying non-fast-forward .*receive\.denyNonFastForwards = false there"
    ) as shut:
        publish(sender, tmp_path, 1)
    assert not isinstance(shut.value, MayPassError)
    git("config", "receive.denyNonFastForwards", "false", at=remote.path)
    assert all(one.well for one in checked(sender, tmp_path / "site", NOW))
    assert publish(sender, tmp_path, 1).state == "done"


def test_a_remote_that_hangs_is_left_and_leaves_no_process(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    remote.hook(f"echo $$ >{tmp_path}/pid; exec sleep 600")
    with pytest.raises(PublishError, match=r"git did not answer: stopped after .* \(raise timeout_seconds"):
        publish(sender, tmp_path, 1, timeout=stretched(10))
    wait_for(lambda: not is_running(int((tmp_path / "pid").read_text())), "the end of what git began")
    remote.hook("exit 0")
    assert publish(sender, tmp_path, 2).state == "done"
    assert len(remote.commits()) == 1


def test_a_remote_that_is_full(tmp_path: Path) -> None:
    mounted = tmp_path / "small"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k,nr_inodes=500", "tmpfs", str(mounted)]
    real = os.getuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        remote = Bare.make(mounted / "usage.git")
        if not real:
            remote.hook("echo 'error: unable to write file: No space left on device' >&2; exit 1")
        with pytest.raises(PublishError, match=r"No space left on device|unpack") as full:
            publish(pages(remote, tmp_path), tmp_path, 0)
        assert not isinstance(full.value, MayPassError)
    finally:
        if real:
            subprocess.run(["umount", str(mounted)], check=True)


def test_a_remote_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="does not appear to be a git repository"):
        publish(pages(str(tmp_path / "nosuch.git"), tmp_path), tmp_path, 0)


@pytest.mark.parametrize("damage", ["empty object", "lost object", "no HEAD", "stale locks", "torn ref"])
def test_a_damaged_scratch_repository_is_mended(remote: Bare, tmp_path: Path, damage: str) -> None:
    sender = pages(remote, tmp_path)
    publish(sender, tmp_path, 0)
    folder = sender.scratch.folder
    objects = [path for path in (folder / "objects").rglob("*") if path.is_file()]
    if damage == "empty object":
        for path in objects:
            path.chmod(0o600)
            path.write_bytes(b"")
    elif damage == "lost object":
        for path in objects:
            path.unlink()
    elif damage == "no HEAD":
        (folder / "HEAD").unlink()
    elif damage == "stale locks":
        for name in ("HEAD.lock", "shallow.lock", "packed-refs.lock", "refs/librarian/pushed.lock", "config.lock"):
            (folder / name).write_text("")
    else:
        (folder / "refs/librarian/pushed").write_text("")
    assert publish(sender, tmp_path, 1).state == "done"
    assert remote.files() == {**expected(tmp_path), ".nojekyll": b""}
    assert len(remote.commits()) == 1
    steady = publish(sender, tmp_path, 2).bytes_sent
    assert steady is not None
    assert steady < 2000


@pytest.mark.slow
@pytest.mark.parametrize("finishes", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("directory", ["", "usage"])
def test_killed_at_any_step(
    remote: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finishes: bool, directory: str
) -> None:
    at = killer(tmp_path / "bin", "git", finishes=finishes)
    sender, call, ended = pages(remote, tmp_path, directory=directory), 0, -9
    publish(sender, tmp_path, 0)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    while ended != 0:
        call += 1
        at(0)
        if directory:  # the longest way: somebody else has pushed
            remote.commit({f"theirs-{call}": "t"})
        at(call)
        ended = in_a_child(lambda: publish(sender, tmp_path, call))  # noqa: B023
        assert ended in (0, -9), f"call {call}"
        at(0)
        assert publish(sender, tmp_path, 1000 + call).state == "done"
        there = remote.files()
        assert {name: there[name] for name in expected(tmp_path, directory)} == expected(tmp_path, directory)
        assert (f"theirs-{call}" in there) == bool(directory)
        assert len(remote.commits()) == 1
    assert call > 10
    assert not list(sender.scratch.folder.rglob("*.lock"))
    assert not list(sender.scratch.folder.rglob("tmp_*"))


@pytest.mark.slow
def test_many_runs_leave_one_commit_and_flat_sizes(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    sizes = []
    for number in range(500):
        assert publish(sender, tmp_path, number).state == "done"
        if number in (20, 499):
            sizes.append((size_of(sender.scratch.folder), remote.size()))
    (scratch_before, remote_before), (scratch_after, remote_after) = sizes
    assert len(remote.commits()) == 1
    assert abs(scratch_after - scratch_before) < 3000
    assert abs(remote_after - remote_before) < 3000


def test_plan_and_check_change_nothing(remote: Bare, tmp_path: Path) -> None:
    sender = pages(remote, tmp_path)
    new = planned(sender, site(tmp_path / "site", 0), NOW)
    assert (sorted(new.changed or ()), new.note) == (sorted(NAMES), "the branch would be made")
    assert all(found.well for found in checked(sender, tmp_path / "site", NOW))
    assert git("for-each-ref", at=remote.path) == ""
    publish(sender, tmp_path, 0)
    before = git("rev-parse", "gh-pages", at=remote.path)
    again = planned(sender, site(tmp_path / "site", 1), NOW)
    assert sorted(again.changed or ()) == sorted(set(NAMES) - {"plotly-9.min.js"})
    assert all(found.well for found in checked(sender, tmp_path / "site", NOW))
    assert git("rev-parse", "gh-pages", at=remote.path) == before
    assert not checked(pages(str(tmp_path / "nosuch"), tmp_path), tmp_path / "site", NOW)[-1].well
