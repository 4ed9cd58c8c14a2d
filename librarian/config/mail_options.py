"""How mail leaves this machine: the table [mail], its defaults, what is allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from librarian.config.run_options import Rule

TLS, STARTTLS, NONE = "tls", "starttls", "none"
PORTS = {TLS: 465, STARTTLS: 587, NONE: 25}
_ADDRESS = re.compile(r"\w[\w.+=~-]*(@[A-Za-z0-9][\w.-]*)?", re.ASCII)
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MailOptions:
    """A server of SMTP ("": this machine's sendmail), how it is reached, who logs in (the password stands in a file of
    its own), from whom mail comes, and how many seconds a mail may take. Port 0 is that of `security`."""

    server: str = ""
    port: int = 0
    security: str = STARTTLS
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    sender: str = ""
    sender_name: str = ""
    timeout_seconds: int = 30


def is_mail_address(value: object) -> bool:
    """Whether `value` is a plain address, with or without a domain, that no mail program takes for anything else."""
    return (
        isinstance(value, str)
        and re.fullmatch(r"[A-Za-z0-9_][\w.+=~-]*(@[A-Za-z0-9][\w.-]*)?", value, re.A) is not None
    )


def _is_server(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}|", value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_name(value: object) -> bool:
    # what has a meaning of its own in the head of a mail is no part of a name
    return isinstance(value, str) and _is_text(value) and len(value) <= 60 and not set(value) & set('"(),:;<>@[]\\')


def _whole(low: int, high: int) -> Rule:
    def check(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return f"a whole number from {low} to {high}", check


RULES: Mapping[str, Rule] = {
    "server": ('the name of a server such as "smtp.example.org", or "" for this machine\'s sendmail', _is_server),
    "port": _whole(0, 65535),
    "security": ('"tls", "starttls" or "none"', lambda value: isinstance(value, str) and value in PORTS),
    "user": ("text on one line", _is_text),
    "password_file": ("text: a file that its owner alone can read", _is_text),
    "ca_file": ("text: a file of certificates", _is_text),
    "sender": (
        'an address such as "librarian@example.org", or ""',
        lambda value: value == "" or (is_mail_address(value) and "@" in str(value)),
    ),
    "sender_name": ('up to 60 characters on one line, without any of "(),:;<>@[]\\', _is_name),
    "timeout_seconds": _whole(1, 300),
}


def problems(table: Mapping[str, Any]) -> list[str]:
    """What is wrong with the keys of [mail] together, each of which is allowed by itself."""
    found = []
    if ("user" in table) != ("password_file" in table):
        found.append("mail.user and mail.password_file: allowed are both or none")
    if table.get("server") and not table.get("sender"):
        found.append("mail.sender is missing: the address from which mail comes")
    strange = [key for key in ("port", "security", "user", "ca_file") if key in table]
    if not table.get("server") and strange:
        found.append(f"mail.server is missing: {strange[0]} is about a server")
    if table.get("user") and table.get("security") == NONE and table.get("server") not in _HERE:
        found.append(
            'mail.security = "none": allowed with a user is "tls" or "starttls", or a password would be sent open'
        )
    return found
