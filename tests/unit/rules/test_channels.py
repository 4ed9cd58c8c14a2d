"""Channels: each webhook kind against a server of HTTPS on this machine and its vendor's documented form; what fails,
alone, bounded and without telling a secret."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from librarian.config.rule_options import WEBHOOKS, ChannelOptions
from librarian.errors import ConfigError, LibrarianError, TimedOutError
from librarian.health import alerts
from librarian.rules import channels, payloads
from librarian.rules.evaluate import Event, Key
from librarian.rules.payloads import Message, message
from librarian.rules.statefile import Pending, RulesState, described, queued, recipients
from librarian.system import http

NOW = 1_793_100_000
SECRET = "T0PS3CR3T"
HOSTILE = "<!channel> @here [x](https://evil) *b* <script>\r\nX-Evil: 1\u202e"
EVENTS = [Event(Key("GPUs <near> & far", "avery", ""), "fired", NOW, f"avery: {HOSTILE} left 280 GPU-hours unused")]
TOLD = message("Avery's\ngroup", "hpg", "https://lab.example.org", EVENTS, "2026-11-20T14:10:00-05:00")


@dataclass
class Server:
    """A server of HTTPS on this machine, and what it was asked."""

    url: str
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    return key, cert


class Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.asked.append((self.path, dict(self.headers), body))
        what = self.path.split("?", maxsplit=1)[0].strip("/").split("/")[-1]
        if what == "hang":
            time.sleep(3)
        if what == "drip":
            for _ in range(30):
                self.wfile.write(b"H")
                self.wfile.flush()
                time.sleep(0.1)
        if what == "noise":
            self.wfile.write(b"x" * 100_000)
            return
        status = int(what) if what.isdigit() else 200
        self.send_response(status)
        self.send_header("Location", self.server.told.url + "/stolen")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@pytest.fixture
def server(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    key, cert = certificate
    web = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    web.socket = context.wrap_socket(web.socket, server_side=True, do_handshake_on_connect=False)
    web.told = Server(f"https://localhost:{web.server_address[1]}")  # type: ignore[attr-defined]
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield web.told  # type: ignore[attr-defined]
    web.shutdown()
    web.server_close()
    thread.join()


def sent(server: Server, kind: str, path: str = f"/hooks/{SECRET}?v=1") -> tuple[str, dict[str, str], Any]:
    """What a webhook of `kind` sent."""
    channels.send(ChannelOptions("chat", kind, url=server.url + path), TOLD, Path())
    where, head, body = server.asked[-1]
    assert len(body) < 28_000, "Teams takes no more"
    return where, head, json.loads(body)


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_every_kind_posts_json(server: Server, kind: str) -> None:
    where, head, _ = sent(server, kind)
    assert where == ("/hooks/" if kind == "ntfy" else f"/hooks/{SECRET}?v=1")
    assert head["Content-Type"] == "application/json"
    assert head["Host"] == server.url.removeprefix("https://")
    assert "X-Evil" not in head


def test_slack_gets_its_three_characters_escaped(server: Server) -> None:
    _, _, body = sent(server, "slack")
    assert set(body) == {"text", "mrkdwn"}
    assert body["mrkdwn"] is False
    assert "GPUs &lt;near&gt; &amp; far" in body["text"]
    assert "&lt;!channel&gt;" in body["text"]
    assert not set("<>") & set(body["text"])


def test_mattermost_gets_text_in_which_nobody_is_called(server: Server) -> None:
    _, _, body = sent(server, "mattermost")
    assert set(body) == {"text"}
    assert "@here" not in body["text"]
    assert r"\[x\]\(https://evil\)" in body["text"]
    assert r"\*b\*" in body["text"]


def test_teams_gets_a_message_with_one_adaptive_card(server: Server) -> None:
    _, _, body = sent(server, "teams")
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    assert card["$schema"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    for block in card["body"]:
        assert block["type"] == "RichTextBlock"
        assert [inline["type"] for inline in block["inlines"]] == ["TextRun"], "a text run knows no Markdown"
    assert card["body"][0]["inlines"][0]["weight"] == "Bolder"


def test_ntfy_gets_the_topic_in_the_message(server: Server) -> None:
    _, _, body = sent(server, "ntfy")
    assert set(body) == {"topic", "title", "message", "priority"}
    assert body["topic"] == SECRET
    assert body["priority"] in range(1, 6)
    assert len(body["message"].encode()) <= 4096
    with pytest.raises(ConfigError, match="ends with a topic"):
        payloads.topic_of("https://ntfy.example.org/")


def test_plain_is_our_own_form(server: Server) -> None:
    _, _, body = sent(server, "plain")
    assert set(body) == {"subject", "text", "events"}
    assert body["events"][0]["rule"] == "GPUs <near> & far"
    assert "\n" not in body["events"][0]["text"]


def test_a_thousand_events_are_one_message_of_bounded_size() -> None:
    events = [Event(Key("unused", "avery", f"u{number}"), "fired", NOW, "x" * 400) for number in range(1000)]
    told = message("", "hpg", "", events, "now")
    assert told.subject == "Librarian on hpg: 1000 rules (1000 fired, 0 cleared)"
    assert "and 980 more: librarian rules" in told.text
    for kind in WEBHOOKS:
        assert len(payloads.body(kind, "https://h/topic", told)[1]) < 28_000


def test_a_token_and_an_address_come_from_files_of_the_owner(server: Server, tmp_path: Path) -> None:
    for name, text in (("url", f"{server.url}/{SECRET}\n"), ("token", "tk_1\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    channel = ChannelOptions("chat", "ntfy", url_file="url", token_file="token")
    channels.send(channel, TOLD, tmp_path)
    assert server.asked[-1][1]["Authorization"] == "Bearer tk_1"
    (tmp_path / "url").chmod(0o640)
    with pytest.raises(ConfigError, match="you alone can read"):
        channels.send(channel, TOLD, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "two words", f"http://h/{SECRET}", f"https://h/{SECRET}\r\nX: y", "\udcff", "x" * 9999]
)
def test_a_file_that_holds_no_address_is_told_without_its_text(tmp_path: Path, text: str) -> None:
    (tmp_path / "url").write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "url").chmod(0o600)
    with pytest.raises(ConfigError) as error:
        channels.send(ChannelOptions("chat", "slack", url_file="url"), TOLD, tmp_path)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("302", "redirects (HTTP 302), which is not followed"),
        ("307", "redirects (HTTP 307)"),
        ("404", "HTTP 404"),
        ("500", "HTTP 500"),
        ("noise", "not one of HTTP"),
        ("hang", "did not answer within 1 s"),
        ("drip", "did not answer within 1 s"),
    ],
)
def test_what_a_server_does_wrong_is_told_without_its_address(
    server: Server, path: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "librarian")
    channel = ChannelOptions("chat", "slack", url=f"{server.url}/{SECRET}/{path}", timeout_seconds=1)
    state = queued(RulesState(), {"chat": TOLD}, NOW)
    after, problems = channels.deliver([channel], state, Path(), NOW, lambda _: None)
    assert says in str(problems[0])
    assert problems[0].exit_status == 7
    assert says in described([channel], after)["channel chat"]
    assert SECRET not in caplog.text + str(problems) + repr(after)
    assert len(server.asked) == 1, "neither a redirect is followed nor anything tried twice in a cycle"


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(LibrarianError, match="certificate is not trusted"):
        http.post(f"{server.url}/{SECRET}", b"", {}, timeout=5)
    assert not server.asked


def test_a_certificate_of_another_name_is_refused(server: Server) -> None:
    with pytest.raises(LibrarianError, match="certificate is not trusted"):
        http.post(server.url.replace("localhost", "127.0.0.1"), b"", {}, timeout=5)


@pytest.mark.parametrize("url", ["http://localhost/", "https://", "https://h/a b", "https://h/\n", "https://h/é"])
def test_nothing_but_https_is_asked(url: str) -> None:
    with pytest.raises(LibrarianError, match="not one of https"):
        http.post(url, b"", {}, timeout=1)


def test_a_server_that_is_not_there(server: Server) -> None:
    with pytest.raises(LibrarianError, match="could not be reached"):
        http.post("https://localhost:1/", b"", {}, timeout=5)
    with pytest.raises(TimedOutError):
        http.post(server.url, b"", {}, timeout=0)
    with pytest.raises(LibrarianError, match="characters"):
        http.post(server.url, b"", {"A": "b\r\nC: d"}, timeout=5)


def program(folder: Path, code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; sys.argv[1:] = [{str(folder)!r}]\n{code}")


SAVE = "open(sys.argv[1] + '/told', 'ab').write(sys.stdin.buffer.read() + b'\\n')"


def test_a_command_gets_json_and_no_shell(tmp_path: Path) -> None:
    command = (*program(tmp_path, SAVE), "; touch /tmp/evil", "$(id)")
    channels.send(ChannelOptions("log", "command", command=command), TOLD, tmp_path)
    assert json.loads((tmp_path / "told").read_text())["subject"] == TOLD.subject


def test_what_a_command_said_is_not_kept(tmp_path: Path) -> None:
    command = program(tmp_path, f"print('{SECRET}', file=sys.stderr); sys.exit(3)")
    with pytest.raises(LibrarianError, match="ended with 3") as error:
        channels.send(ChannelOptions("log", "command", command=command), TOLD, tmp_path)
    assert SECRET not in str(error.value)


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    channel = ChannelOptions(
        "log", "command", command=program(tmp_path, "import time; time.sleep(60)"), timeout_seconds=1
    )
    with pytest.raises(TimedOutError):
        channels.send(channel, TOLD, tmp_path)


def test_mail_has_one_subject_whatever_stands_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "_FOLDERS", (str(tmp_path),))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "sendmail").write_text(f"#!{sys.executable}\nimport sys\nsys.argv[1:] = [{str(tmp_path)!r}]\n{SAVE}\n")
    (tmp_path / "sendmail").chmod(0o755)
    events = [replace(EVENTS[0], key=Key("Größe\r\nBcc: evil@example.org", "avery"))]
    told = message("Zoë\n", "hpg", "", events, "now")
    channels.send(ChannelOptions("us", "mail", mail=("a@example.org", "b@example.org")), told, tmp_path)
    mail = email.message_from_bytes((tmp_path / "told").read_bytes(), policy=email.policy.default)
    assert (mail["To"], mail["Bcc"]) == ("a@example.org, b@example.org", None)
    assert mail["Subject"] == "Zoë: Librarian on hpg: Größe Bcc: evil@example.org fired"
    (tmp_path / "sendmail").unlink()
    with pytest.raises(LibrarianError, match="no sendmail"):
        channels.send(ChannelOptions("us", "mail", mail=("a@example.org",)), told, tmp_path)


def test_each_channel_fails_alone_and_is_tried_again(tmp_path: Path) -> None:
    good = ChannelOptions("good", "command", command=program(tmp_path, SAVE))
    bad = ChannelOptions("bad", "command", command=program(tmp_path, "sys.exit(1)"), retries=2)
    state, kept = queued(RulesState(), {"bad": TOLD, "good": TOLD}, NOW), []
    for cycle in range(4):
        state, problems = channels.deliver([bad, good], state, tmp_path, NOW + 600 * cycle, kept.append)
        failed = [f"channel bad: {Path(sys.executable).name} ended with 1"]
        assert [str(problem) for problem in problems] == (failed if cycle < 3 else []), "two retries, then no more"
    assert (tmp_path / "told").read_text().count("\n") == 1
    assert (state.pending, state.channels["bad"].lost, state.channels["good"].last_success) == ([], 1, NOW)


def test_a_message_is_kept_as_tried_before_it_is_sent(tmp_path: Path) -> None:
    def refuse(_: RulesState) -> None:
        raise OSError("the disk is full")

    channel = ChannelOptions("good", "command", command=program(tmp_path, SAVE))
    with pytest.raises(OSError, match="full"):
        channels.deliver([channel], queued(RulesState(), {"good": TOLD}, NOW), tmp_path, NOW, refuse)
    assert not (tmp_path / "told").exists(), "who cannot remember would tell it again in each run"


def test_old_messages_are_given_up_and_those_of_channels_that_are_gone(tmp_path: Path) -> None:
    bad = ChannelOptions("bad", "command", command=program(tmp_path, "sys.exit(1)"), retries=100)
    state = queued(RulesState(), {"bad": TOLD, "gone": TOLD}, NOW)
    state, _ = channels.deliver([bad], state, tmp_path, NOW + 3 * 86400, lambda _: None)
    assert not state.pending
    state = RulesState()
    for number in range(50):
        state = queued(state, {"bad": replace(TOLD, subject=str(number))}, NOW)
    assert [one.message.subject for one in state.pending] == [str(number) for number in range(30, 50)]


def test_events_go_to_the_channels_that_a_rule_names() -> None:
    events = [EVENTS[0], replace(EVENTS[0], to=("chat",))]
    assert {name: len(found) for name, found in recipients(events, ["chat", "mail"]).items()} == {"chat": 2, "mail": 1}
    assert recipients([events[1]], ["mail"]) == {}
    assert Pending("chat", Message("s", ("l",)), NOW).tries == 0


def test_what_a_channel_needs_is_looked_at_and_nothing_sent(server: Server, tmp_path: Path) -> None:
    def missing(kind: str, **options: Any) -> str:
        try:
            channels.prepared(ChannelOptions("chat", kind, **options), tmp_path)
        except LibrarianError as error:
            return str(error)
        return ""

    assert missing("slack", url=server.url) == ""
    assert "cannot be read" in missing("slack", url_file="no-such-file")
    assert "cannot be read" in missing("plain", url=server.url, token_file="no-such-file")
    assert "ends with a topic" in missing("ntfy", url=server.url)
    assert missing("command", command=(sys.executable,)) == ""
    assert "cannot be run" in missing("command", command=("/no/such/program",))
    assert not server.asked
