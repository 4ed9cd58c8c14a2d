"""A mail from its parts: heads that nothing from outside can add to, text beside HTML, a picture inside. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from librarian.errors import one_line

PICTURE = "overview"
"""The picture inside a mail is `<img src="cid:overview">` in its HTML."""
_SUBJECT = 150  # characters
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True)
class Letter:
    """What a mail tells. `picture` is a PNG; `unsubscribe` an address of mail or of the web ("": none); `key` what
    makes it this mail and no other: its Message-ID is made of it, so that programs show one that came twice once."""

    subject: str
    text: str
    html: str = ""
    picture: bytes = b""
    unsubscribe: str = ""
    key: str = ""


@dataclass(frozen=True)
class Sender:
    """From whom it comes: an address ("": whoever sendmail takes), and a name ("": none)."""

    address: str = ""
    name: str = ""


def build(letter: Letter, sender: Sender, to: Sequence[str], moment: int) -> EmailMessage:
    """The mail of `letter` to addresses that were checked, of the time `moment` (UTC epoch)."""
    mail = EmailMessage(policy=_POLICY)
    if sender.address:
        mail["From"] = _address(sender.address, one_line(_text(sender.name), 60))
    mail["To"] = tuple(_address(one) for one in to)
    mail["Subject"] = one_line(_text(letter.subject), _SUBJECT)
    mail["Date"] = formatdate(moment)
    if letter.key and "@" in sender.address:
        mixed = hashlib.sha256("\n".join([letter.key, *to]).encode("utf-8", "replace")).hexdigest()[:32]
        mail["Message-ID"] = f"<{mixed}@{sender.address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe:
        mail["List-Unsubscribe"] = f"<{_link(letter.unsubscribe)}>"
    mail.set_content(_text(letter.text))
    if letter.html:
        mail.add_alternative(_text(letter.html), subtype="html")
        if letter.picture:
            part = mail.get_payload()[1]  # type: ignore[index]
            part.add_related(  # type: ignore[union-attr]
                letter.picture, "image", "png", cid=f"<{PICTURE}>", disposition="inline", filename=f"{PICTURE}.png"
            )
    return mail


def _address(address: str, name: str = "") -> Address:
    user, _, domain = address.partition("@")
    return Address(name, user, domain)


def _text(text: str) -> str:
    """`text` without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _link(address: str) -> str:
    """Where one can unsubscribe. Raises `ValueError` where it is neither an address of mail nor of the web."""
    if re.fullmatch(r"https?://[A-Za-z0-9][!-;=?-~]*", address):
        return address
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+=~-]*@[A-Za-z0-9][A-Za-z0-9.-]*", address):
        return f"mailto:{address}?subject=unsubscribe"
    raise ValueError(f"{address!r} is no address to unsubscribe at")
