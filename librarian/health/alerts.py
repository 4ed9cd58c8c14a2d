"""Tells somebody when runs fail, and when they do so no more, if the configuration names anybody.

It needs the status alone, no store and no renderer, so the watchdog can look as well as a run: silence can only be
noticed by something that still runs. Whatever fails here harms nothing: it is logged, and tried again the next time.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, fields
from email.header import Header
from pathlib import Path

from librarian.config.run_options import Alert
from librarian.config.settings import Head
from librarian.errors import LibrarianError, MailError, one_line
from librarian.health.alerting import NO_HEAD, Memory, Message, decide
from librarian.health.statusfile import StatusFile
from librarian.mail.message import Letter
from librarian.mail.transport import FOLDERS, Post, program
from librarian.system.host import overwrite, write_atomic
from librarian.system.processes import feed_command

NAME = "alert.json"
TIMEOUT = 30.0
_FOLDERS = FOLDERS
_HERE = Post()  # without a server: this machine's own programs
log = logging.getLogger(__name__)


def check(rules: Alert, file: StatusFile, now: int, head: Head = NO_HEAD, post: Post = _HERE) -> Message | None:
    """Look at the status at `now` (UTC epoch) and tell what is to be told, with the group's `head`; returns that. Mail
    goes by `post`. Never raises `Exception`."""
    if not rules.wanted:
        return None
    try:
        path = file.path.with_name(NAME)
        before = _memory(path)
        after, message = decide(rules, file.read(), before, now, head)
        if after != before:
            _remember(path, after)  # before it is told: who cannot remember would tell it again in each run
        if message is not None and not send(rules, message, now, post):
            _remember(path, before)
            return None
    except Exception as error:
        log.warning("nobody could be told of the state of the runs: %s: %s", type(error).__name__, error)
        return None
    return message


def send(rules: Alert, message: Message, now: int, post: Post = _HERE) -> bool:
    """Tell all who are to be told, at `now` (UTC epoch); whether any of them was."""
    done = [_fed(list(rules.command), message.text)] if rules.command else []
    if rules.mail:
        done.append(_mailed(rules.mail, message, now, post))
    if any(done):
        log.info("told: %s", message.subject)
    return any(done)


def _mailed(to: tuple[str, ...], message: Message, now: int, post: Post) -> bool:
    """Mail by the server of [mail], or by this machine's own programs where there is none; whether anybody got it."""
    if not post.options.server:
        mail = mail_command(to, message)
        if mail is None:
            log.warning("nobody can be mailed to: there is no sendmail, mailx or mail here (name a server in [mail])")
        return mail is not None and _fed(*mail)
    letter = Letter(message.subject, message.text, key=f"alert {now} {message.subject}")
    try:
        refused = post.send(letter, to, now)
    except LibrarianError as error:
        log.warning("nobody could be told of the state of the runs: %s", error)
        return isinstance(error, MailError) and error.uncertain
    for one in refused:
        log.warning("%s could not be told of the state of the runs: %s", one.address, one.why)
    return len(refused) < len(set(to))


def mail_command(to: tuple[str, ...], message: Message) -> tuple[list[str], str] | None:
    """The command that mails `message`, and its standard input: sendmail where there is one, else mailx or mail, or
    None."""
    subject = one_line(message.subject, 150)
    found = program("sendmail", folders=_FOLDERS)
    if found:
        head = f"To: {', '.join(to)}\nSubject: {_encoded(subject)}\n"
        kind = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nAuto-Submitted: auto-generated\n\n"
        return [found, "-oi", "-t"], head + kind + message.text
    found = program("mailx", "mail", folders=_FOLDERS)
    return ([found, "-s", subject, *to], message.text) if found else None


def _encoded(subject: str) -> str:
    """A line as it may stand in the head of a mail, where only ASCII may."""
    return subject if subject.isascii() else Header(subject, "utf-8", header_name="Subject").encode()


def _fed(argv: list[str], text: str) -> bool:
    try:
        answer = feed_command(argv, text.encode("utf-8", "replace"), timeout=TIMEOUT)
    except LibrarianError as error:
        log.warning("nobody could be told of the state of the runs: %s", error)
        return False
    if answer.status:
        said = one_line(answer.stderr or answer.text, 200)
        log.warning("nobody could be told of the state of the runs: %s ended with %d: %s", argv[0], answer.status, said)
    return answer.status == 0


def _remember(path: Path, memory: Memory) -> None:
    """Keep what was told. The file has a fixed length, so that it can be kept on a full disk too."""
    data = json.dumps(asdict(memory)).ljust(200).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, data, mode=0o600)
    except OSError:
        if not path.is_file():
            raise
        overwrite(path, data)


def _memory(path: Path) -> Memory:
    """What was told before; what cannot be read was not told."""
    try:
        table = json.loads(path.read_bytes())
        values = {item.name: table[item.name] for item in fields(Memory)}
    except (OSError, ValueError, KeyError, TypeError):
        return Memory()
    return Memory(**values) if all(value is None or isinstance(value, int) for value in values.values()) else Memory()
