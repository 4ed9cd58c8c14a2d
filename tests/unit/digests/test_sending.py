"""Digests that are really sent: to a server of SMTP, and by a sendmail that keeps what it is given. Nobody gets one
twice, nobody is lost."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from librarian.config.mail_options import MailOptions
from librarian.digests import record as records
from librarian.digests import sending
from librarian.digests.document import Document, Part
from librarian.digests.reach import Way
from librarian.digests.record import NEVER, OPEN, SENT, TRYING, UNCERTAIN, Entry, Record
from librarian.digests.sending import Mailing, Outcome
from librarian.errors import MailError, StoreError
from librarian.mail.transport import Post
from librarian.site import assets
from librarian.system import host
from tests.unit.mail.test_transport import GREETED, Box, Mute, served

NOW = 1_793_100_000
TEMPLATES = assets.templates()
TAKEN = [*GREETED, b"250 sender", b"250 recipient", b"354 go on"]


def mailing(user: str, address: str | None = None, *, file: bool = False) -> Mailing:
    way = Way(f"{user}@example.org" if address is None else address, file=file)
    document = Document(f"Zoë's week {user}", "Week", (Part("Use", sentences=("much",)),), ("foot",), (f"f:{user}",))
    return Mailing(f"digest W1 {user}", user, way, document)


def sent(mailings: list[Mailing], record: Record, options: MailOptions, folder: Path = Path("/nowhere")) -> Outcome:
    wanted = [one for one in mailings if not sending.is_done(record, one.key)]
    return sending.send(wanted, record, Post(options), folder, TEMPLATES, "stop@example.org", NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "digests.jsonl"


def states(path: Path) -> dict[str, str]:
    return {entry.user: entry.state for entry in Record(path).entries.values()}


def test_each_gets_theirs_once_and_who_is_refused_is_told_alone(path: Path) -> None:
    box, users = Box(), [mailing("alice"), mailing("gone"), mailing("full"), mailing("bob")]
    with served(box) as options:
        first = sent(users, Record(path), options)
        again = sent(users, Record(path), options)
    assert first.sent == ["alice", "bob"]
    assert set(first.failed) == {"gone", "full"}
    assert first.left == 1, "a full mailbox is tried again, one that is gone is not"
    assert (again.sent, set(again.failed)) == ([], {"full"})
    assert [to for to, _ in box.mails] == [["alice@example.org"], ["bob@example.org"]]
    assert states(path) == {"alice": SENT, "bob": SENT, "gone": NEVER, "full": OPEN}
    [problem] = first.problems()
    assert (problem.exit_status, "gone, full could not be sent" in str(problem)) == (8, True)


def test_the_mail_has_both_bodies_and_a_way_out(path: Path) -> None:
    box = Box()
    with served(box) as options:
        sent([mailing("alice")], Record(path), options)
    [(_, data)] = box.mails
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert mail["Subject"] == "Zoë's week alice"
    assert mail["List-Unsubscribe"] == "<mailto:stop@example.org?subject=unsubscribe>"
    assert "much" in mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    assert '<p class="quiet">much</p>' in mail.get_body(("html",)).get_content()  # type: ignore[attr-defined]


def test_a_server_that_hangs_before_it_has_the_mail_leaves_all_for_the_next_time(path: Path) -> None:
    with Mute([*GREETED]) as options:
        outcome = sent([mailing("alice")], Record(path), options)
    assert states(path) == {"alice": OPEN}
    assert outcome.left == 1
    box = Box()
    with served(box) as options:
        assert sent([mailing("alice")], Record(path), options).sent == ["alice"]


def test_silence_after_the_mail_is_told_and_nothing_is_sent_again(path: Path) -> None:
    with Mute(TAKEN) as options:
        outcome = sent([mailing("alice")], Record(path), options)
    assert (list(outcome.uncertain), outcome.left) == (["alice"], 0)
    assert states(path) == {"alice": UNCERTAIN}
    assert "--again --user USER" in str(outcome.problems()[0])
    box = Box()
    with served(box) as options:
        assert not sent([mailing("alice")], Record(path), options).sent
    assert box.mails == []


def test_where_mail_fails_for_all_not_everybody_is_tried(path: Path) -> None:
    tried = []

    class Down(Post):
        def send(self, *_args: object, **_more: object) -> list[object]:  # type: ignore[override]
            tried.append(1)
            raise MailError("no server")

    users = [mailing(f"u{number}") for number in range(50)]
    outcome = sending.send(users, Record(path), Down(), path.parent, TEMPLATES, "", NOW)
    assert len(tried) == sending.PATIENCE
    assert (len(outcome.failed), outcome.left) == (50, 50)


def test_what_cannot_be_written_down_is_not_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "append_durably", full)
    box = Box()
    with served(box) as options, pytest.raises(StoreError, match="No space left"):
        sent([mailing("alice")], Record(path), options)
    assert box.mails == []


def test_trying_is_on_the_disk_before_the_server_has_any_of_it(path: Path) -> None:
    seen: list[dict[str, str]] = []

    class Looking(Box):
        async def handle_DATA(self, *args: object) -> str:  # noqa: N802
            seen.append(states(path))
            return await super().handle_DATA(*args)  # type: ignore[arg-type]

    with served(Looking()) as options:
        sent([mailing("alice")], Record(path), options)
    assert seen == [{"alice": TRYING}]


SENDMAIL = """#!{python}
import pathlib, sys, time
data = sys.stdin.buffer.read()
place = pathlib.Path({box!r})
place.mkdir(exist_ok=True)
(place / (sys.argv[-1] + ".mail")).open("ab").write(data + b"\\n==\\n")
if {wait} and len(list(place.iterdir())) == 3:
    (place / "now").touch()
    time.sleep(60)
"""

KILLED = """
from pathlib import Path
from tests.unit.digests.test_sending import *
from librarian.mail.transport import Post
record = Record(Path({path!r}))
users = [mailing("user%d" % n) for n in range(6)]
sending.send(users, record, Post(MailOptions(timeout_seconds=90)), Path("/nowhere"), TEMPLATES, "", NOW)
"""


def stand_in(folder: Path, box: Path, *, wait: bool) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / "sendmail"
    program.write_text(SENDMAIL.format(python=sys.executable, box=str(box), wait=wait))
    program.chmod(0o755)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_a_kill_in_the_midst_sends_nobody_twice_and_loses_nobody(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, programs = tmp_path / "box", tmp_path / "bin"
    stand_in(programs, box, wait=True)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    one = subprocess.Popen([sys.executable, "-c", KILLED.format(path=str(path))], cwd=Path.cwd())
    until((box / "now").exists)
    one.send_signal(signal.SIGKILL)
    one.wait()
    (box / "now").unlink()
    assert list(states(path).values()) == [SENT, SENT, TRYING]
    stand_in(programs, box, wait=False)
    record, before = Record(path), Outcome()
    sending.left_over(record, NOW, before)
    assert list(before.uncertain) == ["user2"], "it is told"
    rest = sent([mailing(f"user{number}") for number in range(6)], record, MailOptions())
    assert rest.sent == ["user3", "user4", "user5"]
    got = {file.name.partition("@")[0]: file.read_bytes().count(b"\n==\n") for file in box.iterdir()}
    assert got == {f"user{number}": 1 for number in range(6)}


def test_a_sendmail_that_fails_for_now_is_tried_again(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\ncat >/dev/null\ncase $* in *alice*) exit 75;; *bob*) exit 67;; esac\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    outcome = sent([mailing("alice"), mailing("bob"), mailing("carol")], Record(path), MailOptions())
    assert (outcome.sent, outcome.left) == (["carol"], 1)
    assert states(path) == {"alice": OPEN, "bob": NEVER, "carol": SENT}


def test_who_has_no_mail_gets_files_that_are_theirs_alone(path: Path, tmp_path: Path) -> None:
    folder, hostile = tmp_path / "out", "../../etc/<b>\nx"
    users = [mailing("alice", "", file=True), mailing(hostile, "", file=True), mailing("none", "")]
    outcome = sent(users, Record(path), MailOptions(), folder)
    assert outcome.filed == ["alice", hostile]
    assert sorted(file.suffix for file in folder.iterdir()) == [".html", ".html", ".txt", ".txt"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    assert not sent(users, Record(path), MailOptions(), folder).filed


def test_an_address_with_a_newline_is_nobodys(path: Path) -> None:
    box = Box()
    with served(box) as options:
        bad = "alice@example.org\nBcc: eve@example.org"
        outcome = sent([mailing("a", bad), mailing("b", "-oQ/tmp@x"), mailing("c")], Record(path), options)
    assert outcome.sent == ["c"]
    assert set(outcome.failed) == {"a", "b"}
    assert [to for to, _ in box.mails] == [["c@example.org"]]


def test_the_record_outlives_a_line_that_was_cut_off(path: Path) -> None:
    record = Record(path)
    record.note(Entry("k1", SENT, NOW, "alice", ("f",)))
    with path.open("ab") as file:
        file.write(b'["k2", "sent", 17931')
    record = Record(path)
    record.note(Entry("k3", SENT, NOW, "bob"))
    assert set(Record(path).entries) == {"k1", "k3"}
    with path.open("ab") as file:
        file.write(b'[[], "sent", 1, 2, 3, 4]\n["k", ["sent"], 1, "", [], ""]\n{"a": 1}\n17\n\xff\n')
    record = Record(path)
    assert set(record.entries) == {"k1", "k3"}
    record.tidy(NOW)
    assert len(path.read_bytes().splitlines()) == 2
    assert path.stat().st_mode & 0o077 == 0
    record.tidy(NOW + 2 * records.KEPT)
    assert not Record(path).entries


def test_what_was_told_lately_is_known_but_not_by_the_digest_itself(path: Path) -> None:
    record = Record(path)
    record.note(Entry("w1", SENT, NOW, "alice", ("cpu-low:NCPUS",)))
    record.note(Entry("w2", OPEN, NOW, "alice", ("serial:NCPUS",)))
    assert record.told("alice", NOW) == {"cpu-low:NCPUS"}
    assert not record.told("alice", NOW + 1)
    assert not record.told("alice", NOW, "w1")
    assert not record.told("bob", 0)


@pytest.mark.slow
def test_three_thousand_users(path: Path) -> None:
    box = Box()
    with served(box) as options:
        users = [mailing(f"user{number}") for number in range(3000)]
        assert len(sent(users, Record(path), options).sent) == 3000
        assert not sent(users, Record(path), options).sent
    assert len({to[0] for to, _ in box.mails}) == len(box.mails) == 3000
    assert len(json.loads(path.read_bytes().splitlines()[0])) == 6


def test_two_at_once_are_one(path: Path) -> None:
    from librarian.errors import BusyError

    path.parent.mkdir(parents=True)
    lock, inside, over = path.parent / "lock", threading.Event(), threading.Event()
    code = f"""
import sys
from pathlib import Path
from librarian.system import host
with host.locked(Path({str(lock)!r}), "sending digests"):
    print("in", flush=True)
    sys.stdin.readline()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        assert other.stdout.readline() == b"in\n"
        with (
            pytest.raises(BusyError, match="sending digests is already going on"),
            host.locked(lock, "sending digests"),
        ):
            inside.set()
        assert not inside.is_set()
        other.communicate(b"\n")
    over.set()


def test_one_that_is_uncertain_is_not_one_of_those_to_try_again() -> None:
    outcome = Outcome(failed={f"u{number}": "down" for number in range(9)}, uncertain={"x\ny": "silence"})
    words = [str(problem) for problem in outcome.problems()]
    assert words[0].startswith("u0, u1, u2, u3, u4 and 4 more could not be sent a digest: down")
    assert "x y" in words[1]
    assert replace(Entry("k", SENT, NOW, "u"), state=OPEN).state == OPEN
