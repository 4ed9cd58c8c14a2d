"""Tells somebody by mail, a command or a webhook: each fails alone, in a time of its own, and is tried again."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from librarian.config.mail_options import MailOptions
from librarian.config.rule_options import ChannelOptions, is_https
from librarian.errors import ConfigError, LibrarianError, MailError, TooSlowError, one_line
from librarian.health import alerting, alerts
from librarian.mail.message import Letter
from librarian.mail.transport import Post
from librarian.rules import payloads
from librarian.rules.payloads import Message
from librarian.rules.statefile import ChannelStatus, Pending, RulesState
from librarian.shared.calendar import DAY
from librarian.system import host, http
from librarian.system.processes import feed_command
from librarian.system.secret_file import secret

KEPT = 2 * DAY
_BY_SENDMAIL = MailOptions()
_NO_MAIL = ("there is no sendmail, mailx or mail here", "", "use a channel of another kind")
log = logging.getLogger(__name__)


class ChannelError(LibrarianError):
    """A channel could not tell somebody of a rule."""

    exit_status = 7


def send(channel: ChannelOptions, message: Message, base: Path, mail: MailOptions = _BY_SENDMAIL) -> None:
    """Tell by one channel; paths of files begin at `base`, mail goes as `mail` says.

    Raises `LibrarianError`, which tells no secret.
    """
    if channel.kind == "mail":
        _mail(channel, message, base, mail)
    elif channel.kind == "command":
        text = json.dumps(payloads.plain(message)).encode("ascii")
        _run(list(channel.command), text, channel.timeout_seconds)
    else:
        _post(channel, message, base)


def prepared(channel: ChannelOptions, base: Path, mail: MailOptions = _BY_SENDMAIL) -> None:
    """Look whether what a channel needs is here, and tell nobody. Raises `LibrarianError`, which tells no secret."""
    if channel.kind == "mail":
        if mail.server:
            Post(mail, base).check()
        elif alerts.mail_command(channel.mail, alerting.Message("", "")) is None:
            raise ChannelError(*_NO_MAIL)
    elif channel.kind == "command":
        if shutil.which(channel.command[0], path=host.environment().get("PATH")) is None:
            raise ChannelError(f"{channel.command[0]} cannot be run", todo="correct command of its [[channel]]")
    else:
        payloads.body(channel.kind, _address(channel, base), Message("", ()))
        if channel.token_file:
            _secret(base, channel.token_file)


def _address(channel: ChannelOptions, base: Path) -> str:
    """Where a webhook is. Raises `ConfigError`."""
    url = channel.url or _secret(base, channel.url_file)
    if not is_https(url):
        raise ConfigError(f"{channel.url_file or 'url'} must hold an address https://…")
    return url


def _mail(channel: ChannelOptions, message: Message, base: Path, mail: MailOptions) -> None:
    lines = "\n".join([*message.lines, "", "To stop this: [[rule]] and [[channel]] of librarian.toml.", ""])
    if mail.server:
        post = Post(replace(mail, timeout_seconds=channel.timeout_seconds), base)
        _posted(post, Letter(message.subject, lines), channel.mail)
        return
    made = alerts.mail_command(channel.mail, alerting.Message(message.subject, lines))
    if made is None:
        raise ChannelError(*_NO_MAIL)
    _run(made[0], made[1].encode("utf-8", "replace"), channel.timeout_seconds)


def _posted(post: Post, letter: Letter, to: Sequence[str]) -> None:
    """Mail by the server of [mail]. Of several, those who are refused are told in the log: another try would reach the
    others twice."""
    try:
        refused = post.send(letter, to, host.clock())
    except MailError as error:
        if not error.uncertain:
            raise
        return log.warning("mail may not have arrived: %s", error)
    if len(refused) == len(to):
        raise ChannelError("the mail server refused every address", refused[0].why)
    for one in refused:
        log.warning("%s was refused: %s", one.address, one.why)


def _run(argv: list[str], text: bytes, timeout: float) -> None:
    answer = feed_command(argv, text, timeout=timeout)
    if answer.status:  # what it said may hold anything: it stays out of the state
        raise ChannelError(f"{Path(argv[0]).name} ended with {answer.status}")


def _post(channel: ChannelOptions, message: Message, base: Path) -> None:
    url, body = payloads.body(channel.kind, _address(channel, base), message)
    headers = {"Content-Type": payloads.JSON, "User-Agent": "librarian"}
    if channel.token_file:
        headers["Authorization"] = f"Bearer {_secret(base, channel.token_file)}"
    status = http.post(url, body, headers, timeout=channel.timeout_seconds)
    if 300 <= status < 400:
        raise ChannelError(
            f"the server redirects (HTTP {status}), which is not followed", todo="name the address it has"
        )
    if not 200 <= status < 300:
        raise ChannelError(f"the server answered with HTTP {status}")


def _secret(base: Path, name: str) -> str:
    """A secret that can stand in a header or an address. Raises `ConfigError`, which does not tell it."""
    path = base / host.expanded(name)
    text = secret(path).strip()
    if not text or not text.isascii() or " " in text:
        raise ConfigError(f"{path} must hold one line of plain characters without blanks")
    return text


def deliver(
    channels: Sequence[ChannelOptions],
    state: RulesState,
    base: Path,
    now: int,
    keep: Callable[[RulesState], None],
    mail: MailOptions = _BY_SENDMAIL,
) -> tuple[RulesState, list[LibrarianError]]:
    """Tell what is still to be told; returns the state after it, and what failed.

    Each message is kept as tried before it is sent, by `keep`; where that raises `OSError` nothing is sent, since it
    would be told again in each run. One that a channel has not taken after its retries, or two days, is given up.
    """
    known = {channel.name: channel for channel in channels}
    problems: list[LibrarianError] = []
    state = replace(
        state,
        pending=[one for one in state.pending if one.channel in known],
        channels={name: one for name, one in state.channels.items() if name in known},
    )
    for name, channel in known.items():
        for one in [one for one in state.pending if one.channel == name]:
            tried = replace(one, tries=one.tries + 1, last=now)
            state = replace(state, pending=[tried if other is one else other for other in state.pending])
            keep(state)
            error = _error_of(channel, one, base, mail)
            state = _after(state, channel, tried, error, now)
            keep(state)
            if error:
                problems.append(ChannelError(f"channel {name}", error))
                break  # the rest of its messages would fare no better
    return state, problems


def _error_of(channel: ChannelOptions, one: Pending, base: Path, mail: MailOptions) -> str:
    """Why a message was not taken; "" where it was."""
    try:
        send(channel, one.message, base, mail)
    except TooSlowError:  # the stage's time is up
        raise
    except LibrarianError as error:
        return one_line(str(error), 200)
    except Exception as error:  # its words may hold the address
        log.debug("the channel %s failed: %s", channel.name, type(error).__name__)
        return type(error).__name__
    log.info("told by %s: %s", channel.name, one.message.subject)
    return ""


def _after(state: RulesState, channel: ChannelOptions, tried: Pending, error: str, now: int) -> RulesState:
    """The state after a try."""
    was = state.channels.get(channel.name, ChannelStatus())
    given_up = bool(error) and (tried.tries > channel.retries or now - tried.since > KEPT)
    if error and given_up:
        log.warning("the channel %s never took: %s", channel.name, tried.message.subject)
    status = ChannelStatus(now, was.last_success if error else now, error, was.lost + int(given_up))
    pending = [one for one in state.pending if one is not tried] if given_up or not error else state.pending
    return replace(state, pending=pending, channels={**state.channels, channel.name: status})
