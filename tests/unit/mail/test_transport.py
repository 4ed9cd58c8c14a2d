"""Mail that is really sent: to a server of SMTP on this machine, and by a sendmail that keeps what it is given."""

from __future__ import annotations

import contextlib
import email
import email.policy
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from librarian import config
from librarian.config.mail_options import MailOptions
from librarian.config.rule_options import ChannelOptions
from librarian.config.run_options import Alert
from librarian.config.setup import setup as set_up
from librarian.cycle.parts import post, status_file
from librarian.doctor import own
from librarian.errors import ConfigError, MailError
from librarian.health import alerts
from librarian.health.alerting import Message
from librarian.health.status import Status
from librarian.mail import transport
from librarian.mail.message import Letter
from librarian.mail.transport import Post
from librarian.rules import channels, payloads
from librarian.system import processes, secret_file

NOW = 1_793_100_000
LETTER = Letter("Zoë's week", "text\n.\n.more\n", "<p>text</p>", key="w1")
REFUSED = {"gone@example.org": "550 no such user here", "full@example.org": "452 the mailbox is full"}


class Served(Controller):
    """A server on a port that the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Box:
    """Keeps what a server was given; refuses some, and the mail itself where it is told to."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []
        self.answer = "250 taken"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in REFUSED:
            return REFUSED[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos, envelope.original_content))
        return self.answer


@contextlib.contextmanager
def served(box: Box, **options: Any) -> Iterator[MailOptions]:
    controller = Served(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield MailOptions("127.0.0.1", controller.port, "none", sender="librarian@example.org", timeout_seconds=20)
    finally:
        controller.stop()


@pytest.fixture
def box() -> Box:
    return Box()


def test_a_server_gets_it_and_who_is_refused_is_told_alone(box: Box) -> None:
    to = ["alice@example.org", "gone@example.org", "full@example.org", "bob@example.org", "-oQ/tmp", "a\nb@c"]
    with served(box) as options:
        refused = Post(options).send(LETTER, to, NOW)
    assert [(one.address, one.why, one.lasting) for one in refused] == [
        ("-oQ/tmp", "it is no plain address", True),
        ("a b@c", "it is no plain address", True),
        ("gone@example.org", "550 no such user here", True),
        ("full@example.org", "452 the mailbox is full", False),
    ]
    [(reached, data)] = box.mails
    assert reached == ["alice@example.org", "bob@example.org"]
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert mail["Subject"] == "Zoë's week"
    assert mail.get_body(("plain",)).get_content().splitlines() == LETTER.text.splitlines()  # type: ignore[attr-defined]


def test_where_all_are_refused_nothing_is_sent(box: Box) -> None:
    with served(box) as options:
        assert [one.address for one in Post(options).send(LETTER, [*REFUSED], NOW)] == [*REFUSED]
        assert Post(options).send(LETTER, ["no address"], NOW)
    assert box.mails == []


def test_a_mail_that_is_refused_is_an_error_that_is_certain(box: Box) -> None:
    box.answer = "554 it looks like\tspam"
    with (
        served(box) as options,
        pytest.raises(MailError, match="554 the mail was refused: it looks like") as caught,
    ):
        Post(options).send(LETTER, ["alice@example.org"], NOW)
    assert not caught.value.uncertain


class Mute:
    """A server that answers as far as it is told, and then drips a byte now and then, or says nothing at all."""

    def __init__(self, lines: list[bytes], drip: bytes = b"") -> None:
        self._lines, self._drip = lines, drip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            one, _ = self._listening.accept()
            with one, one.makefile("rb") as said:
                for line in self._lines:
                    one.sendall(line + b"\r\n")
                    while line.startswith(b"354") and said.readline() not in (b".\r\n", b""):
                        pass
                    if not line.startswith(b"354"):
                        said.readline()
                while not self._over.wait(0.1):
                    one.sendall(self._drip)

    def __enter__(self) -> MailOptions:
        return MailOptions("127.0.0.1", self.port, "none", sender="librarian@example.org", timeout_seconds=1)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listening.close()
        self._thread.join(10)


GREETED = [b"220 here", b"250 hello"]


@pytest.mark.parametrize("drip", [b"", b"2", b"250-more\r\n"])
@pytest.mark.parametrize("lines", [[], GREETED, [*GREETED, b"250 sender", b"250 recipient"]])
def test_a_server_that_hangs_or_drips_is_left(lines: list[bytes], drip: bytes) -> None:
    began = time.monotonic()
    with Mute(lines, drip) as options, pytest.raises(MailError) as caught:
        Post(options).send(LETTER, ["alice@example.org"], NOW)
    assert time.monotonic() - began < 30, "one second is the time of all of it, whatever the machine does besides"
    assert not caught.value.uncertain


def test_silence_after_the_mail_leaves_it_uncertain() -> None:
    lines = [*GREETED, b"250 sender", b"250 recipient", b"354 go on"]
    with Mute(lines) as options, pytest.raises(MailError, match="did not answer within 1 s") as caught:
        Post(options).send(LETTER, ["alice@example.org"], NOW)
    assert caught.value.uncertain


def test_nobody_there_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(MailError, match=rf"127\.0\.0\.1:{port} took no mail") as caught:
        Post(MailOptions("127.0.0.1", port, "none", sender="a@b")).send(LETTER, ["alice@example.org"], NOW)
    assert not caught.value.uncertain


def test_a_server_without_starttls_gets_nothing_in_the_open(box: Box) -> None:
    with served(box) as options, pytest.raises(MailError, match="STARTTLS"):
        Post(replace(options, security="starttls")).send(LETTER, ["alice@example.org"], NOW)
    assert box.mails == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, signed by itself, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    wish = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=127.0.0.1"]
    wish += ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "3650"]
    argv = ["openssl", "req", "-x509", "-nodes", *wish, "-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    assert processes.run_command(argv, timeout=60, env={}).status == 0
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_is_spoken_with_a_server_that_is_who_it_says(box: Box, certificate: Path, security: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    asked = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    with served(box, **asked) as options:
        trusted = replace(options, security=security, ca_file=certificate.with_suffix(".crt").name)
        assert Post(trusted, certificate.parent).send(LETTER, ["alice@example.org"], NOW) == []
        with pytest.raises(MailError, match="certificate verify failed"):
            Post(replace(trusted, ca_file="")).send(LETTER, ["alice@example.org"], NOW)
    assert len(box.mails) == 1


# the login


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("hush hush\n")
    path.chmod(0o600)
    return path


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_the_login_stands_in_a_file_and_in_no_message(
    box: Box, password: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def allowed(_server: Any, _session: Any, _envelope: Any, _how: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=data == LoginPassword(b"librarian", b"hush hush"), handled=False)

    options = {"authenticator": allowed, "auth_required": True, "auth_require_tls": False}
    with served(box, **options) as server, caplog.at_level(logging.DEBUG):
        known = replace(server, user="librarian", password_file=password.name)
        assert Post(known, password.parent).send(LETTER, ["alice@example.org"], NOW) == []
        with pytest.raises(MailError, match=r"refused the login of eve \(535\)") as caught:
            Post(replace(known, user="eve"), password.parent).send(LETTER, ["alice@example.org"], NOW)
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("librarian")]
    assert "hush" not in " ".join([str(caught.value), *ours])
    assert len(box.mails) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_password_that_others_can_read_is_not_used(password: Path, mode: int) -> None:
    password.chmod(mode)
    with pytest.raises(ConfigError, match=r"you alone can read.*chmod 600"):
        secret_file.secret(password)


@pytest.mark.parametrize("text", [b"", b"\n", b"hush\nhush\n", b"\xff", b"x" * 5000, b"a\x00b"])
def test_a_file_without_one_line_is_no_password_and_is_not_told(password: Path, text: bytes) -> None:
    password.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        secret_file.secret(password)
    assert "hush" not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none"):
        with pytest.raises(ConfigError):
            secret_file.secret(path)


# sendmail

KEEP = """import pathlib, sys
box = pathlib.Path(__file__).parent / "box"
if sys.argv[-1].startswith("gone"):
    print("no such user", file=sys.stderr)
    sys.exit(67)
if sys.argv[-1].startswith("later"):
    sys.exit(75)
(box / sys.argv[-1]).write_bytes(repr(sys.argv[1:]).encode() + b"\\n" + sys.stdin.buffer.read())
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose sendmail keeps each mail as a file."""
    (tmp_path / "box").mkdir()
    (tmp_path / "keep.py").write_text(KEEP)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "sendmail"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/keep.py" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_sendmail_gets_it_for_each_alone(machine: Path) -> None:
    to = ["alice@example.org", "gone@example.org", "later@example.org", "bob"]
    refused = Post(MailOptions(sender="us@example.org")).send(LETTER, to, NOW)
    assert [(one.address, one.why, one.lasting) for one in refused] == [
        ("gone@example.org", "sendmail ended with 67: no such user", True),
        ("later@example.org", "sendmail ended with 75", False),
    ]
    assert {one.name for one in (machine / "box").iterdir()} == {"alice@example.org", "bob"}
    argv, _, data = (machine / "box" / "bob").read_bytes().partition(b"\n")
    assert argv == b"['-oi', '-f', 'us@example.org', 'bob']"
    assert b"\r" not in data, "sendmail takes a file of this machine's"
    assert email.message_from_bytes(data, policy=email.policy.default)["Subject"] == "Zoë's week"


def test_without_sendmail_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "sendmail", lambda: transport.program("sendmail", folders=()) or _none())
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (Post().check, lambda: Post().send(LETTER, ["alice"], NOW)):
        with pytest.raises(MailError, match="no sendmail"):
            ask()


def _none() -> str:
    raise MailError("there is no sendmail here")


# alerts

TOML = '[cluster]\nname = "hpg"\n[paths]\nstate = "state"\n[[qos]]\nname = "avery"\n'
TOML += '[alert]\nmail = ["alice@example.org"]\n'


def test_alerts_go_by_the_server_too(box: Box, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with served(box) as options:
        mail = f'[mail]\nserver = "127.0.0.1"\nport = {options.port}\nsecurity = "none"\nsender = "us@example.org"\n'
        setup = set_up(config.parse(TOML + mail), tmp_path, {})
        status_file(setup).write(replace(Status("hpg", 600), failures=9, error="x", last_success=NOW - 60))
        args = (setup.config.alert, status_file(setup), NOW)
        message = alerts.check(*args, post=post(setup))
        assert message
        assert alerts.check(*args, post=post(setup)) is None, "it was told"
        refused = alerts.send(Alert(mail=("gone@example.org",)), message, NOW, post(setup))
    assert len(box.mails) == 1
    told = email.message_from_bytes(box.mails[0][1], policy=email.policy.default)
    assert (told["Subject"], told["To"]) == (message.subject, "alice@example.org")
    assert not refused
    assert "gone@example.org could not be told of the state of the runs: 550 no such user here" in caplog.text
    assert not alerts.send(setup.config.alert, message, NOW, post(setup)), "nobody is there any more: another time"


def test_an_alert_that_may_have_been_taken_is_not_sent_again() -> None:
    with Mute([*GREETED, b"250 sender", b"250 recipient", b"354 go on"]) as options:
        assert alerts.send(Alert(mail=("alice@example.org",)), Message("a", "b"), NOW, Post(options))


def test_channels_of_rules_go_by_the_server_too(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    told = payloads.Message("GPUs near their limit", ("96 % for 6 h",))
    with served(box) as options:
        both = ChannelOptions("us", "mail", mail=("alice@example.org", "gone@example.org"))
        channels.send(both, told, Path(), options)
        assert "gone@example.org was refused: 550 no such user here" in caplog.text
        with pytest.raises(channels.ChannelError, match="refused every address: 550 no such user here"):
            channels.send(replace(both, mail=("gone@example.org",)), told, Path(), options)
    [(reached, data)] = box.mails
    assert reached == ["alice@example.org"]
    assert b"96 % for 6 h" in data
    with pytest.raises(MailError, match="took no mail"):
        channels.send(both, told, Path(), options)
    with Mute([*GREETED, b"250 sender", b"250 recipient", b"354 go on"]) as silent:
        channels.send(replace(both, mail=("alice@example.org",), timeout_seconds=1), told, Path(), silent)
    assert "may not have arrived" in caplog.text, "and is not sent again"


def test_the_doctor_looks_for_the_password(tmp_path: Path, password: Path) -> None:
    mail = '[mail]\nserver = "smtp.example.org"\nsender = "us@example.org"\nuser = "us"\npassword_file = "password"\n'
    setup = set_up(config.parse(TOML + mail), tmp_path, {})
    assert own._alert(setup).state == own.OK
    password.chmod(0o644)
    found = own._alert(setup)
    assert (found.state, found.todo) == (own.FAIL, "chmod 600")


# the configuration


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('server = "smtp.example.org"', "mail.sender is missing"),
        ('user = "me"', "allowed are both or none"),
        ("port = 25", "mail.server is missing"),
        ('server = "h"\nsender = "a@b"\nuser = "me"\npassword_file = "p"\nsecurity = "none"', "sent open"),
        ('sender = "a@b\\r\\nBcc: c"', "mail.sender"),
        ('sender = "alice"', "mail.sender"),
        ('sender_name = "a, b"', "mail.sender_name"),
        ('server = "-oQ"', "mail.server"),
        ("security = []", "mail.security"),
        ("port = 70000", "mail.port"),
        ("nosuch = 1", "mail.nosuch"),
    ],
)
def test_mistakes_are_told(table: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        config.parse(f"{TOML}[mail]\n{table}\n")


def test_a_password_is_not_shown() -> None:
    from librarian.system.smtp import Server

    assert "hush" not in repr(Server("h", 1, "tls", 1, "me", "hush"))
