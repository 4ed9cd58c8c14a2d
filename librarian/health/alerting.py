"""When somebody is to be told that runs fail: one message a problem, and one when it is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.config.run_options import Alert
from librarian.config.settings import Head
from librarian.errors import one_line
from librarian.health.status import Status

HOUR = 3600
NO_HEAD = Head()
_TITLE = 60  # characters of a subject, which is cut off where it is too long: the reason must stay


@dataclass(frozen=True)
class Memory:
    """What was told: since when there is a problem that somebody has heard of (None: there is none), and since when
    this is looked at, for silence can only be told from somewhere."""

    told: int | None = None
    watched_since: int | None = None


@dataclass(frozen=True)
class Message:
    """What to tell, as a subject and a text of lines."""

    subject: str
    text: str


def decide(
    rules: Alert, status: Status, memory: Memory, now: int, head: Head = NO_HEAD
) -> tuple[Memory, Message | None]:
    """What to tell at `now` (UTC epoch), and the memory once it was told; `head` is whose site it is."""
    since = memory.watched_since if memory.watched_since is not None else now
    reason = _trouble(rules, status, since, now)
    if reason and memory.told is None:
        return Memory(now, since), _message(head, status, reason)
    if memory.told is not None and not reason and _is_over(status, memory.told):
        return Memory(None, since), _message(head, status, "all is well again")
    return Memory(memory.told, since), None


def _trouble(rules: Alert, status: Status, watched_since: int, now: int) -> str:
    """What is wrong, in a few words, or ""."""
    if status.failures >= rules.after_failures:
        runs = "run has failed" if status.failures == 1 else "runs in a row have failed"
        return f"{status.failures} {runs}"
    silent = now - (status.last_success if status.last_success is not None else watched_since)
    if silent >= rules.after_hours * HOUR:
        return f"no run has gone well for {silent // HOUR} hours"
    return ""


def _is_over(status: Status, told: int) -> bool:
    return status.failures == 0 and status.last_success is not None and status.last_success >= told - HOUR


def _message(head: Head, status: Status, what: str) -> Message:
    """The subject begins with the group's title, and the text ends with its address, each in one line."""
    title = one_line(head.title, _TITLE)
    subject = f"{title}: Librarian on {status.cluster}: {what}" if title else f"Librarian on {status.cluster}: {what}"
    return Message(subject, _lines(subject, one_line(head.homepage), status))


def _lines(subject: str, homepage: str, status: Status) -> str:
    lines = [subject, ""]
    if status.error:
        lines += [f"The last run failed: {status.error}", ""]
    lines += [f"QoS {row.name}: {row.error}" for row in status.qos if row.error]
    lines += [f"{row.target}: {row.error}" for row in status.publishers if row.error]
    place = f" It runs on {status.host}." if status.host else ""
    return "\n".join([*lines, f"See: librarian status, librarian doctor.{place}", *filter(None, [homepage]), ""])
