"""The door to a mail server: one mail by SMTP, within one time for all of it."""

from __future__ import annotations

import contextlib
import io
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from librarian.errors import MailError, one_line
from librarian.system.host import stopwatch

Refused = dict[str, tuple[int, str]]
"""By address that was not taken: SMTP's code, and the server's words on one line."""


@dataclass(frozen=True)
class Server:
    """Where mail goes. `security` is "tls" (from the first byte), "starttls" or "none"; `ca_file` "" is the system's;
    without a `user` nobody logs in. `timeout` is in seconds, for all of a mail."""

    host: str
    port: int
    security: str
    timeout: float
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


def _nothing() -> None:
    """What is done before a mail is handed over, where nobody asks for anything."""


def deliver(
    server: Server, sender: str, recipients: Sequence[str], data: bytes, handing_over: Callable[[], None] = _nothing
) -> Refused:
    """Hand over `data` (a whole mail, CRLF) for `recipients`; returns those that were refused, each with its reason.
    `handing_over` is called once the server takes it for anybody, before it gets any of it.

    Raises `MailError`: nobody got it, unless it is `uncertain`. It never tells the password.
    """
    try:
        client = _connected(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailError(*_told(server, error)) from None
    try:
        return _handed_over(server, client, sender, recipients, data, handing_over)
    finally:
        client.close()


def _handed_over(
    server: Server,
    client: _Client,
    sender: str,
    recipients: Sequence[str],
    data: bytes,
    handing_over: Callable[[], None],
) -> Refused:
    try:
        _answer(client.mail(sender), "the sender")
        refused: Refused = {}
        for address in recipients:
            code, said = client.rcpt(address)
            if code not in (250, 251):
                refused[address] = (code, one_line(said.decode("utf-8", "replace"), 150))
        if len(refused) < len(recipients):
            handing_over()
            _sent(server, client, data)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.quit()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailError(*_told(server, error)) from None
    return refused


def _sent(server: Server, client: _Client, data: bytes) -> None:
    """Send the mail itself. From the moment when all of it may be there on, nobody knows before the server answers."""
    code, said = client.docmd("DATA")
    if code != 354:
        raise smtplib.SMTPResponseException(code, f"the mail was refused: {said.decode('utf-8', 'replace')}")
    lines = re.sub(rb"\r\n|\n|\r", b"\r\n", data).removesuffix(b"\r\n") + b"\r\n"
    try:
        client.send(re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n")
        answer = client.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise MailError(*_told(server, error), uncertain=True) from None
    _answer(answer, "the mail")


def _answer(answer: tuple[int, bytes], what: str) -> None:
    code, said = answer
    if code != 250:
        raise smtplib.SMTPResponseException(code, f"{what} was refused: {said.decode('utf-8', 'replace')}")


def _told(server: Server, error: Exception) -> tuple[str, str]:
    """What failed and why. What a server says to a login stays out: it may repeat what it was told."""
    what = f"the mail server {server.host}:{server.port} took no mail"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return what, f"it refused the login of {server.user} ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode("utf-8", "replace")
        return what, one_line(f"{error.smtp_code} {said}", 200)
    if isinstance(error, TimeoutError):
        return what, f"it did not answer within {server.timeout:g} s"
    return what, one_line(str(error), 200) or type(error).__name__


def _connected(server: Server) -> _Client:
    """A client that may send."""
    context = ssl.create_default_context(cafile=server.ca_file or None) if server.security != "none" else None
    client = _Client(server, context)
    try:
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            client.starttls(context=context)  # raises where the server knows none: never in the open instead
            client.ehlo_or_helo_if_needed()
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


class _Client(smtplib.SMTP):
    """A client all of whose waiting ends at one moment, however slowly a server drips."""

    def __init__(self, server: Server, context: ssl.SSLContext | None) -> None:
        self._end = stopwatch() + server.timeout
        self._context = context if server.security == "tls" else None
        name = socket.gethostname()
        plain = name.isascii() and name.isprintable() and " " not in name
        super().__init__(server.host, server.port, name if plain and "." in name else "[127.0.0.1]", server.timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), timeout)
        if self._context is None:
            return made
        try:
            made.settimeout(self.left())
            return self._context.wrap_socket(made, server_hostname=host)
        except BaseException:
            made.close()
            raise

    def left(self) -> float:
        """Seconds that are left. Raises `TimeoutError` when none are."""
        left = self._end - stopwatch()
        if left <= 0:
            raise TimeoutError
        return left

    def getreply(self) -> tuple[int, bytes]:
        """As smtplib's, in the time that is left."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Incoming(self.sock, self))
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected:  # what smtplib makes of every error of a socket
            if stopwatch() >= self._end - 0.05:
                raise TimeoutError from None
            raise

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        """As smtplib's, in the time that is left."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        super().send(s)


class _Incoming(io.RawIOBase):
    """What a socket receives, in the time that a client has left."""

    def __init__(self, source: socket.socket, client: _Client) -> None:
        self._source, self._client = source, client

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As the socket's `recv_into`."""
        self._source.settimeout(self._client.left())
        return self._source.recv_into(buffer)
