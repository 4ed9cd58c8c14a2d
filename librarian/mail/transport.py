"""Sends a mail, by the server of [mail] or this machine's sendmail, and tells of each address that was refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from librarian.config.mail_options import PORTS, MailOptions, is_mail_address
from librarian.errors import MailError, one_line
from librarian.mail.message import Letter, Sender, build
from librarian.system import host
from librarian.system.processes import feed_command
from librarian.system.secret_file import secret

FOLDERS = ("/usr/sbin", "/usr/lib", "/usr/bin")  # where sendmail stands, often not on PATH
_LATER = 75  # EX_TEMPFAIL of sysexits: it may be taken another time
_BY_SENDMAIL = MailOptions()


@dataclass(frozen=True)
class Refusal:
    """An address that a mail was not taken for, why, and whether that will be so the next time too."""

    address: str
    why: str
    lasting: bool


@dataclass(frozen=True)
class Post:
    """How mail leaves: as [mail] says; paths in it begin at `base`."""

    options: MailOptions = _BY_SENDMAIL
    base: Path = Path()

    def send(
        self, letter: Letter, to: Sequence[str], moment: int, handing_over: Callable[[], None] = lambda: None
    ) -> list[Refusal]:
        """Send one mail to all of `to`; returns who was refused, each alone. `moment` is its date (UTC epoch).
        `handing_over` is called just before anybody may get it: what fails before that has reached nobody.

        Raises `MailError` when nobody could be sent to for a reason that is nobody's own: no program, no server, no
        login. It is `uncertain` where the server took all of the mail and then fell silent. Raises `ConfigError` for
        the file of the password. What is raised tells no secret.
        """
        good = [address for address in dict.fromkeys(to) if is_mail_address(address)]
        odd = [Refusal(one_line(one, 80), "it is no plain address", True) for one in to if not is_mail_address(one)]
        if not good:
            return odd
        mail = build(letter, Sender(self.options.sender, self.options.sender_name), good, moment)
        if self.options.server:
            return odd + self._by_server(good, mail.as_bytes(), handing_over)
        data = mail.as_bytes(policy=mail.policy.clone(linesep="\n"))
        return odd + self._by_sendmail(good, data, handing_over)

    def check(self) -> None:
        """Look whether what is needed is here, and send nothing. Raises `MailError`, `ConfigError`."""
        if self.options.server:
            self._password()
        else:
            sendmail()

    def _by_server(self, to: Sequence[str], data: bytes, handing_over: Callable[[], None]) -> list[Refusal]:
        from librarian.system import smtp  # here: most that could tell somebody have nothing to tell

        wish = self.options
        server = smtp.Server(
            wish.server,
            wish.port or PORTS[wish.security],
            wish.security,
            wish.timeout_seconds,
            wish.user,
            self._password(),
            str(self.base / host.expanded(wish.ca_file)) if wish.ca_file else "",
        )
        refused = smtp.deliver(server, wish.sender, to, data, handing_over)
        return [Refusal(one, f"{code} {said}", code >= 500) for one, (code, said) in refused.items()]

    def _by_sendmail(self, to: Sequence[str], data: bytes, handing_over: Callable[[], None]) -> list[Refusal]:
        program, refused = sendmail(), []
        handing_over()
        for address in to:  # one each, or one that is refused would hold back the others
            sender = ["-f", self.options.sender] if self.options.sender else []
            answer = feed_command([program, "-oi", *sender, address], data, timeout=self.options.timeout_seconds)
            if answer.status:
                said = one_line(answer.stderr or answer.text, 150)
                why = f"sendmail ended with {answer.status}" + (f": {said}" if said else "")
                refused.append(Refusal(address, why, answer.status != _LATER))
        return refused

    def _password(self) -> str:
        if not self.options.password_file:
            return ""
        return secret(self.base / host.expanded(self.options.password_file))


def program(*names: str, folders: Sequence[str] = FOLDERS) -> str | None:
    """The first of these programs that is here."""
    places = ":".join([host.environment().get("PATH", ""), *folders])
    return next((found for name in names if (found := shutil.which(name, path=places))), None)


def sendmail() -> str:
    """This machine's sendmail. Raises `MailError` where there is none."""
    found = program("sendmail")
    if found is None:
        raise MailError("there is no sendmail here", todo="name a server in [mail]")
    return found
