"""The publisher over ssh, on a real sshd: with rsync, with sftp alone, and what a reader there sees meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from librarian.errors import PublishError
from librarian.publish import publishers
from librarian.publish.base import Attempt, Delivered, MayPassError
from librarian.publish.delivery import checked, deliver, planned
from librarian.publish.ssh import Ssh
from librarian.system.host import stopwatch
from tests.e2e.processes import in_a_child
from tests.e2e.remotes import LARGE, NAMES, NOW, Sshd, content, is_running, killer, names, site, sshd, wrapper
from tests.patience import CEILING, stretched, wait_for

pytestmark = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is missing: apt-get install rsync")
HARD = 'a b\'s "c" $(touch x) *?[x] \\ -é~'
PLAIN = ("sh", "bash", "mv", "cp", "rm", "mkdir", "ls", "sed", "awk", "df", "dirname", "cat", "rsync")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A machine with a shell and rsync."""
    with sshd(tmp_path_factory.mktemp("shell") / "sshd") as running:
        yield running


@pytest.fixture(scope="module")
def sftp_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A machine that runs no commands."""
    with sshd(tmp_path_factory.mktemp("sftp") / "sshd", "ForceCommand internal-sftp") as running:
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A machine with a shell, rsync and little else: nothing that could exchange two folders."""
    tools = tmp_path_factory.mktemp("plain") / "bin"
    tools.mkdir()
    for name in PLAIN:
        (tools / name).symlink_to(str(shutil.which(name)))
    with sshd(tools.parent / "sshd", f"SetEnv PATH={tools}") as running:
        yield running


@pytest.fixture(params=["server", "sftp_only", "plain"])
def any_server(request: pytest.FixtureRequest) -> Sshd:
    """Each of the three."""
    found: Sshd = request.getfixturevalue(request.param)
    return found


def to(server: Sshd, path: Path | str, **options: Any) -> Ssh:
    table = {"host": "127.0.0.1", "path": str(path), "options": server.options, **options}
    (sender,) = publishers("ssh", table, Path("/nosuch"), Path("/nosuch"))
    assert isinstance(sender, Ssh)
    return sender


def publish(sender: Ssh, folder: Path, number: int, now: int | None = None, timeout: float = CEILING) -> Delivered:
    attempt = Attempt(NOW + number if now is None else now, stopwatch() + timeout)
    return sender.publish(site(folder / "site", number), attempt)


def test_a_site_is_put_there_and_replaced_whole(any_server: Sshd, tmp_path: Path) -> None:
    there = tmp_path / HARD / "deep" / HARD
    sender = to(any_server, there)
    for number in range(2):
        assert publish(sender, tmp_path, number).state == "done"
        assert content(there) == content(tmp_path / "site")
        assert names(there.parent) == [HARD]
    for number in range(2, 4):
        write_foreign(there)
        publish(sender, tmp_path, number)
        assert foreign(there) == FOREIGN
        assert {name: (there / name).read_bytes() for name in NAMES} == content(tmp_path / "site")
        assert names(there.parent) == [HARD]
    assert not (tmp_path / HARD / "x").exists()
    assert not (Path.home() / "x").exists()


FOREIGN = {
    ".htaccess": "Require group lab",
    HARD: "theirs",
    "in: place: link": "odd",
    "deep/..er/index:": "below",
    os.fsdecode(b"caf\xe9"): "latin-1",
}


def write_foreign(there: Path) -> None:
    for name, text in FOREIGN.items():
        path = there / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def foreign(there: Path) -> dict[str, str]:
    files = [path for path in there.rglob("*") if path.is_file() and path.name not in NAMES]
    return {str(path.relative_to(there)): path.read_text() for path in files}


def test_what_is_not_ours_is_never_lost_to_a_swap_that_was_cut_short(any_server: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "there"
    sender = to(any_server, there)
    publish(sender, tmp_path, 0)
    write_foreign(there)
    (tmp_path / ".there.librarian.old").mkdir()
    late = {} if any_server.has_shell else {"late": "moved by the next run"}
    (tmp_path / ".there.librarian.old" / "late").write_text("moved by the next run")
    for name in (*NAMES, ".htaccess"):
        (tmp_path / ".there.librarian.old" / name).write_bytes((tmp_path / "site" / "index.json").read_bytes())
    publish(sender, tmp_path, 1)
    assert foreign(there) == {**FOREIGN, **late}
    there.rename(tmp_path / ".there.librarian.old")  # between the two renames
    publish(sender, tmp_path, 2)
    assert foreign(there) == {**FOREIGN, **late}
    assert names(tmp_path) == ["site", "there"]


def test_a_name_with_a_line_break_is_refused(server: Sshd, tmp_path: Path) -> None:
    sender = to(server, tmp_path / "there")
    publish(sender, tmp_path, 0)
    (tmp_path / "there" / "x\nplace: missing").write_text("")
    with pytest.raises(PublishError, match="a line break in its name"):
        publish(sender, tmp_path, 1)
    assert json.loads((tmp_path / "there" / "data_avery.json").read_text())["number"] == 0


def test_what_did_not_change_is_not_sent_again(server: Sshd, sftp_only: Sshd, tmp_path: Path) -> None:
    sender = to(server, tmp_path / "there")
    first = publish(sender, tmp_path, 0)
    before = (tmp_path / "there" / "plotly-9.min.js").stat()
    for path in (tmp_path / "site").iterdir():
        os.utime(path, (1, 1))  # the site's files are written anew in each run
    steady = publish(sender, tmp_path, 1)
    after = (tmp_path / "there" / "plotly-9.min.js").stat()
    assert first.bytes_sent
    assert steady.bytes_sent
    assert first.bytes_sent > len(LARGE)
    assert steady.bytes_sent < 3000
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    by_sftp = publish(to(sftp_only, tmp_path / "there"), tmp_path, 2)
    assert (by_sftp.note, by_sftp.bytes_sent) == ("by sftp", sum(map(len, content(tmp_path / "site").values())))


def test_a_path_below_the_home(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = os.path.relpath(tmp_path / "-there", Path.home())
    publish(to(server, f"~/{below}"), tmp_path, 0)
    publish(to(server, below), tmp_path, 1)
    assert content(tmp_path / "-there") == content(tmp_path / "site")


def test_without_rsync_here_it_goes_by_sftp(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ssh", "sftp"):
        wrapper(tmp_path / "bin", name, 'exec "$real" "$@"')
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert publish(to(server, tmp_path / "there"), tmp_path, 0).note == "by sftp"
    assert content(tmp_path / "there") == content(tmp_path / "site")


def test_a_reader_never_sees_half_and_never_nothing(server: Sshd, tmp_path: Path) -> None:
    there, stop, seen, wrong = tmp_path / "there", threading.Event(), set(), []
    sender = to(server, there)
    publish(sender, tmp_path, 0)

    def read() -> None:
        while not stop.is_set():
            try:
                folder = os.open(there, os.O_RDONLY)
            except FileNotFoundError:
                wrong.append("there was no folder")
                return
            try:
                index = json.loads(Path(f"/proc/self/fd/{folder}/index.json").read_bytes())["generated_at"] - NOW
                number = json.loads(Path(f"/proc/self/fd/{folder}/data_avery.json").read_bytes())["number"]
                files = names(Path(f"/proc/self/fd/{folder}"))
            except FileNotFoundError:
                continue  # we hold the old folder, which is being removed
            finally:
                os.close(folder)
            seen.add(number)
            if index != number or not set(files) <= set(NAMES):
                wrong.append(f"{index} beside {number} and {files}")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(1, 5):
            publish(sender, tmp_path, number)
            wait_for(lambda: number in seen or bool(wrong), "somebody to see it")  # noqa: B023
    finally:
        stop.set()
        reader.join()
    assert not wrong


def test_what_is_not_ours_is_left_alone(any_server: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    sender = to(any_server, there)
    (there / "thesis.tex").write_text("years of work")
    for index in (None, '{"generator": "hugo"}', "not JSON", "[1]"):
        if index:
            (there / "index.json").write_text(index)
        before = content(there)
        with pytest.raises(PublishError, match="holds other files"):
            publish(sender, tmp_path, 0)
        assert content(there) == before
        assert not all(found.well for found in checked(sender, tmp_path / "site", NOW))
    assert names(tmp_path) == ["site", "there"]
    (tmp_path / "link").symlink_to(there)
    (tmp_path / "file").write_text("mine")
    for name in ("link", "file"):
        with pytest.raises(PublishError, match="is not a folder"):
            publish(to(any_server, tmp_path / name), tmp_path, 0)
    (tmp_path / "empty").mkdir()
    assert publish(to(any_server, tmp_path / "empty"), tmp_path, 0).state == "done"


def test_modes_are_those_that_are_usual_there(any_server: Sshd, tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        site(tmp_path / "site", 0)
        assert stat.S_IMODE((tmp_path / "site" / "index.html").stat().st_mode) == 0o600
    finally:
        os.umask(mask)
    publish(to(any_server, tmp_path / "there"), tmp_path, 0)
    (tmp_path / "usual").mkdir()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "there").iterdir()}
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
    assert modes == ({0o666 & ~mask} if any_server.has_shell else {0o600})


def test_pictures_go_to_folders_of_their_own(any_server: Sshd, tmp_path: Path) -> None:
    group = tmp_path / HARD
    group.mkdir()
    (group / "index.html").write_text("the group's own page")
    sender = to(any_server, tmp_path / "there", pictures={"avery": str(group)})
    for number in range(2):
        publish(sender, tmp_path, number)
    assert content(tmp_path / "there") == content(tmp_path / "site")
    pictures = {name: data for name, data in content(tmp_path / "site").items() if name.startswith("NCPUS")}
    assert content(group) == {"index.html": b"the group's own page", **pictures}
    alone = to(any_server, "unused", pictures={"avery": str(tmp_path / "new")})
    publish(replace(alone, path=""), tmp_path, 2)
    assert names(tmp_path / "new") == ["NCPUS_avery.pdf", "NCPUS_avery.png"]
    with pytest.raises(PublishError, match="there is no QoS nosuch on the site"):
        publish(to(any_server, tmp_path / "other", pictures={"nosuch": "x"}), tmp_path, 3)


def test_a_swap_that_was_cut_short_is_completed(any_server: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "there"
    sender = to(any_server, there)
    publish(sender, tmp_path, 0)
    there.rename(tmp_path / ".there.librarian.old")
    (tmp_path / f".there.librarian-{NOW - 9000}").mkdir()
    (tmp_path / f".there.librarian-{NOW - 9000}" / "half").write_text("")
    (tmp_path / f".there.librarian-{NOW}").mkdir()
    (tmp_path / ".there.librarian-notes").mkdir()
    assert publish(sender, tmp_path, 1).state == "done"
    assert content(there) == content(tmp_path / "site")
    assert names(tmp_path) == [f".there.librarian-{NOW}", ".there.librarian-notes", "site", "there"]


@pytest.mark.slow
@pytest.mark.parametrize("finishes", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("way", ["server", "sftp_only"])
def test_killed_at_any_step(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, finishes: bool
) -> None:
    server: Sshd = request.getfixturevalue(way)
    there, call, ended = tmp_path / "far" / "there", 0, -9
    sender = to(server, there, timeout_seconds=10)
    publish(sender, tmp_path, 0)
    for program in ("ssh", "sftp", "rsync"):
        at = killer(tmp_path / "bin", program, finishes=finishes)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    while ended != 0:
        call += 1
        at(call)
        ended = in_a_child(lambda: publish(sender, tmp_path, 100 * call))  # noqa: B023
        at(0)
        assert ended in (0, -9, 1), f"call {call}"  # 1: it was rsync that was killed, by the ssh that it had started
        assert json.loads((there / "data_avery.json").read_text())["number"] in (100 * call - 50, 100 * call, 0)
        assert publish(sender, tmp_path, 100 * call + 50).state == "done"
        assert content(there) == content(tmp_path / "site")
        assert len(names(there.parent)) <= 2
    assert call > 4
    publish(sender, tmp_path, 100 * call + 500)
    assert names(there.parent) == ["there"]


def test_several_hosts_fail_alone(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("librarian.publish.delivery.pause", lambda seconds: None)
    options = [*server.options, "ConnectTimeout=5"]
    table = {"host": ["nosuch.invalid", "127.0.0.1"], "path": str(tmp_path / "there"), "options": options}
    senders = publishers("ssh", table, Path("/nosuch"), Path("/nosuch"))
    outcomes, problems = deliver(senders, site(tmp_path / "site", 0), NOW)
    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert [problem.exit_status for problem in problems] == [6]
    assert outcomes[0].reason.startswith(f"nosuch.invalid:{tmp_path}/there: nosuch.invalid could not be reached: ssh:")
    assert content(tmp_path / "there") == content(tmp_path / "site")


def test_who_is_not_known_and_who_is_not_let_in(server: Sshd, tmp_path: Path) -> None:
    strange = [option for option in server.options if "UserKnownHosts" not in option]
    with pytest.raises(PublishError, match="Host key verification failed") as unknown:
        publish(to(server, tmp_path / "there", options=[*strange, f"UserKnownHostsFile={tmp_path}/none"]), tmp_path, 0)
    without = [option for option in server.options if "IdentityFile" not in option]
    with pytest.raises(PublishError, match="Permission denied") as shut:
        publish(to(server, tmp_path / "there", options=[*without, "IdentityFile=/nosuch"]), tmp_path, 0)
    nobody = [option for option in server.options if not option.startswith("Port")]
    with pytest.raises(MayPassError, match="Connection refused"):
        publish(to(server, tmp_path / "there", options=[*nobody, "Port=1"]), tmp_path, 0)
    assert not isinstance(unknown.value, MayPassError)
    assert not isinstance(shut.value, MayPassError)
    assert not (tmp_path / "none").exists()


def test_a_changed_host_and_a_key_that_others_can_read(server: Sshd, tmp_path: Path) -> None:
    rest = [option for option in server.options if not option.startswith(("UserKnownHosts", "IdentityFile"))]
    name, kind, key = server.known.read_text().split()[:3]
    other = key[:-8] + ("A" if key[-8] != "A" else "B") + key[-7:]
    (tmp_path / "changed").write_text(f"{name} {kind} {other}\n")
    options = [*rest, f"UserKnownHostsFile={tmp_path}/changed", f"IdentityFile={server.key}"]
    with pytest.raises(PublishError, match=r"has changed and you have requested .*ssh-keygen -R HOST"):
        publish(to(server, tmp_path / "there", options=options), tmp_path, 0)
    shutil.copy(server.key, tmp_path / "open")
    (tmp_path / "open").chmod(0o644)
    options = [*rest, f"UserKnownHostsFile={server.known}", f"IdentityFile={tmp_path}/open"]
    with pytest.raises(PublishError, match=r"Load key .*bad permissions .*chmod 600"):
        publish(to(server, tmp_path / "there", options=options), tmp_path, 0)


def test_a_host_that_hangs_is_left_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Sshd
) -> None:
    script = f"echo $$ >>{tmp_path}/pids; sleep 600 & echo $! >>{tmp_path}/pids; wait"
    wrapper(tmp_path / "bin", "ssh", script)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    with pytest.raises(PublishError, match=r"ssh did not answer: stopped after .* \(raise timeout_seconds"):
        publish(to(server, tmp_path / "there"), tmp_path, 0, timeout=stretched(5))
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    wait_for(lambda: not any(map(is_running, pids)), "the end of what ssh began")


def test_a_master_connection_of_the_user_s_does_not_hold_us(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(f"ControlMaster auto\nControlPath {tmp_path}/m\nControlPersist 600\n")
    for name in ("ssh", "sftp"):
        wrapper(tmp_path / "bin", name, f'exec "$real" -F {config} "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    assert publish(to(server, tmp_path / "there"), tmp_path, 0, timeout=stretched(30)).state == "done"
    assert not (tmp_path / "m").exists()


def test_plan_and_check_change_nothing(any_server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    sender = to(any_server, tmp_path / "above" / "deep" / "there", pictures={"avery": str(tmp_path / "above" / "p")})
    new = planned(sender, site(tmp_path / "site", 0), NOW)
    assert sorted(new.changed or ()) == sorted(NAMES)
    assert f"2 pictures to {tmp_path}/above/p" in new.note
    findings = checked(sender, tmp_path / "site", NOW)
    assert all(found.well for found in findings), findings
    assert names(tmp_path / "above") == []
    publish(sender, tmp_path, 0)
    before = content(tmp_path / "above" / "deep" / "there")
    again = planned(sender, site(tmp_path / "site", 1), NOW)
    changed = sorted(set(NAMES) - {"plotly-9.min.js"})
    assert again.changed == (changed if any_server.has_shell else None)
    assert all(found.well for found in checked(sender, tmp_path / "site", NOW))
    assert content(tmp_path / "above" / "deep" / "there") == before
    assert names(tmp_path / "above" / "deep") == ["there"]


def test_a_login_that_talks_is_understood(tmp_path: Path) -> None:
    with sshd(
        tmp_path / "sshd", "ForceCommand echo 'place: link'; echo Welcome; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""
    ) as server:
        found = checked(to(server, tmp_path / "there"), site(tmp_path / "site", 0), NOW)
        assert all(one.well for one in found), found
        with pytest.raises(PublishError, match=r"rsync to .* failed with status"):
            publish(to(server, tmp_path / "there"), tmp_path, 0)
        assert names(tmp_path) == ["site", "sshd"]
