"""A mail's parts: whatever its words hold, it has the heads it is to have and no other."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from librarian.mail.message import Letter, Sender, build

NOW = 1_793_100_000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
HEADS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
HEADS |= {"Content-Transfer-Encoding"}


def read(letter: Letter, sender: Sender, to: list[str]) -> EmailMessage:
    """The mail as who receives it has it."""
    data = build(letter, sender, to, NOW).as_bytes()
    assert data.isascii(), "any server takes it"
    assert max(map(len, data.split(b"\r\n"))) <= 998, "as RFC 5322 allows"
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_from_outside_adds_a_head(subject: str, text: str, html: str, key: str) -> None:
    letter = Letter(subject, text, html, key=key)
    mail = read(letter, Sender("us@example.org", "Avery Lab"), ["alice@example.org"])
    assert {*mail.keys()} <= HEADS
    assert mail["To"] == "alice@example.org"
    assert len(str(mail["Subject"])) <= 150


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x0b", "\x00"])
def test_an_end_of_line_in_a_name_is_a_blank(end: str) -> None:
    mail = read(Letter(f"{end}Digest{end}Bcc: eve@example.org{end}{end}<b>", "text"), Sender("us@example.org"), ["a"])
    assert mail["Subject"] == "Digest Bcc: eve@example.org <b>"
    assert "Bcc" not in mail
    assert mail.get_content().splitlines() == ["text"]


def test_text_html_and_picture_are_one_mail() -> None:
    letter = Letter("Zoë Čapek's week – 2 GPU·h", "Zoë\n" + "é" * 3000, '<img src="cid:overview">ž', PNG, key="w1")
    mail = read(letter, Sender("us@example.org", "Gruppe Müller"), ["zoe@example.org", "alice"])
    assert mail["Subject"] == "Zoë Čapek's week – 2 GPU·h"
    assert mail["From"].addresses[0].display_name == "Gruppe Müller"
    assert [one.addr_spec for one in mail["To"].addresses] == ["zoe@example.org", "alice"]
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.iter_parts()
    assert plain.get_content().splitlines() == ["Zoë", "é" * 3000]
    assert rich.get_content_type() == "multipart/related"
    html, picture = rich.iter_parts()
    assert html.get_content().strip() == '<img src="cid:overview">ž'
    assert (picture["Content-ID"], picture.get_content()) == ("<overview>", PNG)
    assert picture.get_content_disposition() == "inline"


def test_the_same_mail_has_the_same_id() -> None:
    def key(letter: Letter, to: str) -> str:
        return str(build(letter, Sender("us@example.org"), [to], NOW)["Message-ID"])

    assert key(Letter("a", "b", key="w1"), "alice") == key(Letter("c", "d", key="w1"), "alice")
    assert len({key(Letter("a", "b", key=one), to) for one in ("w1", "w2") for to in ("alice", "bob")}) == 4


def test_one_can_unsubscribe() -> None:
    for address, link in [
        ("stop@example.org", "<mailto:stop@example.org?subject=unsubscribe>"),
        ("https://example.org/stop?a=b", "<https://example.org/stop?a=b>"),
    ]:
        mail = read(Letter("a", "b", unsubscribe=address), Sender(), ["alice"])
        assert mail["List-Unsubscribe"] == link
        assert "From" not in mail, "sendmail says who sends"
    for address in ("a b@c", "a@b>\r\nBcc: eve@example.org", "javascript:x", "https://a/\nBcc: b", "a@b\n"):
        with pytest.raises(ValueError, match="unsubscribe"):
            build(Letter("a", "b", unsubscribe=address), Sender(), ["alice"], NOW)
