"""Alerts: one message a problem, one when it is over; and whatever fails in telling harms nothing."""

from __future__ import annotations

import email.policy
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian import config
from librarian.config import setup as configfile
from librarian.config.run_options import Alert
from librarian.config.settings import Head
from librarian.config.setup import Setup
from librarian.cycle.parts import status_file
from librarian.errors import ConfigError
from librarian.health import alerts
from librarian.health.alerting import Memory, Message, decide
from librarian.health.status import FAILED, OK, Status, after_run
from librarian.system import processes

NOW = 1_793_100_000
RULES = Alert(mail=("alice@example.org",), after_failures=3, after_hours=2)
TEXT = '[cluster]\nname = "hpg"\n[paths]\nstate = "state"\n[[qos]]\nname = "avery"\n[alert]\nafter_failures = 2\n'


def told(runs: list[bool], rules: Alert = RULES, every: int = 600) -> list[str]:
    """The subjects that are told when these runs go well or not, a run each `every` seconds."""
    status, memory, heard = Status("hpg", 600), Memory(), []
    for number, well in enumerate(runs):
        now = NOW + every * number
        status = after_run(status, now, 1.0, OK if well else FAILED, None if well else "the disk is full")
        memory, message = decide(rules, status, memory, now)
        heard += [message.subject] if message else []
    return heard


def test_one_message_a_problem_and_one_when_it_is_over() -> None:
    assert told([True, False, False, True]) == [], "two failures are no problem yet"
    heard = told([True, *[False] * 30, True, True, *[False] * 5])
    failing, well = "Librarian on hpg: 3 runs in a row have failed", "Librarian on hpg: all is well again"
    assert heard == [failing, well, failing]


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_problems_and_their_ends_take_turns(runs: list[bool], after: int) -> None:
    heard = [subject.endswith("all is well again") for subject in told(runs, replace(RULES, after_failures=after))]
    assert heard == [bool(number % 2) for number in range(len(heard))]


def test_silence_is_told_once() -> None:
    status = after_run(Status("hpg", 600), NOW, 1.0, OK, None)
    memory, heard = Memory(), []
    for minute in range(0, 600, 5):
        memory, message = decide(RULES, status, memory, NOW + 60 * minute)
        heard += [(minute, message.subject)] if message else []
    assert heard == [(120, "Librarian on hpg: no run has gone well for 2 hours")]
    status = after_run(status, NOW + 36_000, 1.0, OK, None)
    memory, message = decide(RULES, status, memory, NOW + 36_000)
    assert message
    assert message.subject.endswith("all is well again")


def test_before_the_first_success_silence_counts_from_the_first_look() -> None:
    memory, message = decide(RULES, Status("hpg", 600), Memory(), NOW)
    assert (memory, message) == (Memory(None, NOW), None)
    assert decide(RULES, Status("hpg", 600), memory, NOW + 7200)[1] is not None


def test_a_message_tells_what_failed() -> None:
    status = after_run(replace(Status("hpg", 600), host="node7", failures=2), NOW, 1.0, FAILED, "the disk is full")
    _, message = decide(RULES, status, Memory(), NOW)
    assert message
    assert "The last run failed: the disk is full" in message.text
    assert "node7" in message.text


# sending


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A command that keeps each text it is given as a file of its own."""
    box = tmp_path / "box"
    box.mkdir()
    code = (
        "import sys, pathlib\nbox = pathlib.Path(sys.argv[1])\n"
        "(box / str(len(list(box.iterdir())))).write_text(repr(sys.argv[2:]) + '\\n' + sys.stdin.read())\n"
    )
    (tmp_path / "keep.py").write_text(code)
    return box


def configured(tmp_path: Path, command: list[str], more: str = "") -> Setup:
    return configfile.setup(config.parse(f"{TEXT}command = {json.dumps(command)}\n{more}"), tmp_path, {})


def fail(setup: Setup, number: int) -> None:
    status = replace(Status("hpg", 600), failures=number, error="x", last_success=NOW - 60)
    status_file(setup).write(status)


def test_a_command_gets_the_text_and_is_no_shell(tmp_path: Path, box: Path) -> None:
    setup = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box), "; touch $HOME"])
    fail(setup, 2)
    message = alerts.check(setup.config.alert, status_file(setup), NOW)
    assert message
    assert (box / "0").read_text() == "['; touch $HOME']\n" + message.text
    assert alerts.check(setup.config.alert, status_file(setup), NOW + 600) is None, "it was told already"
    fail(setup, 0)
    over = alerts.check(setup.config.alert, status_file(setup), NOW + 1200)
    assert over
    assert "all is well again" in over.subject
    assert len(list(box.iterdir())) == 2


def test_what_could_not_be_told_is_told_the_next_time(
    tmp_path: Path, box: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = configured(tmp_path, [sys.executable, "-c", "import sys; sys.exit('no network')"])
    fail(broken, 5)
    assert alerts.check(broken.config.alert, status_file(broken), NOW) is None
    assert "no network" in caplog.text
    unknown = configured(tmp_path, ["/nosuch/program"])
    assert alerts.check(unknown.config.alert, status_file(unknown), NOW + 600) is None
    working = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box)])
    assert alerts.check(working.config.alert, status_file(working), NOW + 1200)
    assert len(list(box.iterdir())) == 1


def test_on_a_full_disk_it_is_still_told_once(tmp_path: Path, box: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box)])
    fail(setup, 0)
    alerts.check(setup.config.alert, status_file(setup), NOW)  # the first look, while there is room
    fail(setup, 5)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(alerts, "write_atomic", full)
    assert alerts.check(setup.config.alert, status_file(setup), NOW + 600)
    assert alerts.check(setup.config.alert, status_file(setup), NOW + 1200) is None
    assert len(list(box.iterdir())) == 1


def test_who_cannot_remember_does_not_tell(
    tmp_path: Path, box: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    setup = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box)])
    fail(setup, 5)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(alerts, "write_atomic", full)
    assert alerts.check(setup.config.alert, status_file(setup), NOW) is None
    assert "No space left" in caplog.text
    assert list(box.iterdir()) == []


def test_a_damaged_memory_is_no_memory(tmp_path: Path, box: Path) -> None:
    setup = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box)])
    fail(setup, 5)
    (tmp_path / "state" / alerts.NAME).write_text('{"told": "yes", "watched_since": 1}')
    assert alerts.check(setup.config.alert, status_file(setup), NOW)


def test_nothing_is_done_where_nobody_is_to_be_told(tmp_path: Path) -> None:
    setup = configfile.setup(config.parse(TEXT), tmp_path, {})
    fail(setup, 99)
    assert alerts.check(setup.config.alert, status_file(setup), NOW) is None
    assert not (tmp_path / "state" / alerts.NAME).exists()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts programs of these names alone on PATH."""

    def put(*names: str) -> Path:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in names:
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setattr(alerts, "_FOLDERS", ())
        return folder

    return put


def test_mail_goes_through_sendmail_or_mailx(programs: Callable[..., Path]) -> None:
    folder = programs("sendmail", "mailx")
    message = Message("Librarian on h\npg: 3 runs\r\nBcc: eve@example.org", "text\n")
    found = alerts.mail_command(("a@example.org", "b@example.org"), message)
    assert found
    argv, text = found
    assert argv == [str(folder / "sendmail"), "-oi", "-t"]
    head, _, body = text.partition("\n\n")
    assert "To: a@example.org, b@example.org\nSubject: Librarian on h pg: 3 runs Bcc: eve@example.org\n" in head
    assert body == "text\n"
    (folder / "sendmail").unlink()
    found = alerts.mail_command(("a@example.org",), message)
    assert found
    assert found[0][:2] == [str(folder / "mailx"), "-s"]
    assert found[0][-1] == "a@example.org"
    (folder / "mailx").unlink()
    assert alerts.mail_command(("a@example.org",), message) is None


def test_the_groups_title_stands_in_a_mail_and_can_be_nothing_else(programs: Callable[..., Path]) -> None:
    """In the subject, and the address of its page in the text; neither a head nor a body of its own."""
    programs("sendmail")
    status = Status("hpg", 600, failures=3)
    for title in ("Avery Lab", "Lab\r\nBcc: eve@example.org\r\n\r\n<b>", "Zoë\u2028Bcc: eve@example.org", "L" * 500):
        head = Head(title, "https://lab.example.org")
        _, message = decide(RULES, status, Memory(), NOW, head)
        assert message
        found = alerts.mail_command(RULES.mail, message)
        assert found
        mail = email.message_from_bytes(found[1].encode(), policy=email.policy.default)
        plain = title.replace("\r\n\r\n", " ").replace("\r\n", " ").replace("\u2028", " ")
        told = plain if len(plain) <= 60 else plain[:59] + "…"
        assert mail["Subject"] == f"{told}: Librarian on hpg: 3 runs in a row have failed"
        assert {*mail} == {"To", "Subject", "MIME-Version", "Content-Type", "Auto-Submitted"}
        assert mail.get_content().splitlines()[0] == mail["Subject"]
        assert mail.get_content().splitlines()[-1] == "https://lab.example.org"


def test_a_run_hands_the_title_to_its_messages(tmp_path: Path, box: Path) -> None:
    setup = configured(tmp_path, [sys.executable, str(tmp_path / "keep.py"), str(box)], '[site]\ntitle = "Lab"')
    fail(setup, 2)
    message = alerts.check(setup.config.alert, status_file(setup), NOW, setup.config.head)
    assert message
    assert message.subject.startswith("Lab: Librarian on hpg: ")


def test_without_a_mail_program_the_command_is_still_run(
    tmp_path: Path, box: Path, programs: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    programs()
    command = [sys.executable, str(tmp_path / "keep.py"), str(box)]
    setup = configured(tmp_path, command, 'mail = ["alice"]')
    fail(setup, 5)
    with caplog.at_level(logging.WARNING):
        assert alerts.check(setup.config.alert, status_file(setup), NOW)
    assert "no sendmail, mailx or mail" in caplog.text
    assert len(list(box.iterdir())) == 1


@pytest.mark.parametrize("address", ["-oQ/tmp", "a b", "a\nb@c", "|sh", "/etc/passwd", "a,b", "<a@b>", ""])
def test_odd_addresses_are_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"alert\.mail"):
        config.parse(f"{TEXT}mail = [{json.dumps(address)}]\n")


def test_the_watchdog_needs_no_heavy_parts_for_it() -> None:
    code = (
        "import sys\nfor name in ('numpy', 'pandas', 'matplotlib', 'jinja2', 'sqlite3'): sys.modules[name] = None\n"
        "import librarian.health.alerts, librarian.health.overview, librarian.system.lock"
    )
    answer = processes.run_command([sys.executable, "-c", code], timeout=60, env={"PYTHONPATH": str(Path.cwd())})
    assert (answer.status, answer.stderr) == (0, "")
