"""A message as each webhook wants it: the body and the type of it. Pure.

Slack: `text`, in which &, < and > are escaped, and `mrkdwn` (api.slack.com/messaging/webhooks). Mattermost: `text` of
Markdown (developers.mattermost.com/integrate/webhooks/incoming). Teams: a message with one adaptive card, of which the
text runs know no Markdown (learn.microsoft.com/microsoftteams, incoming webhooks and workflows). ntfy: the topic, the
message, its title and priority, sent to the server's root (docs.ntfy.sh/publish, "publish as JSON").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from librarian.errors import ConfigError, one_line
from librarian.rules.evaluate import OPEN, Event

JSON = "application/json"
LINES = 20  # of a message; how many more there are is told
_LARGEST = {"slack": 3000, "mattermost": 12000, "teams": 8000, "ntfy": 3500, "plain": 12000}  # characters of its text
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")


@dataclass(frozen=True)
class Message:
    """What is told: a subject, lines, and the events that it is about as JSON."""

    subject: str
    lines: tuple[str, ...]
    events: tuple[Mapping[str, Any], ...] = ()

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def message(title: str, cluster: str, homepage: str, events: Sequence[Event], when: str) -> Message:
    """What to tell of some events; `when` is the time in words."""
    fired = sum(event.what == OPEN for event in events)
    count = f"{len(events)} rules" if len(events) > 1 else one_line(events[0].key.rule, 80)
    what = "" if len(events) == 1 else f" ({fired} fired, {len(events) - fired} cleared)"
    verb = f" {events[0].what}" if len(events) == 1 else ""
    head = f"{one_line(title, 60)}: " if title else ""
    subject = f"{head}Librarian on {one_line(cluster, 60)}: {count}{verb}{what}"
    lines = [f"{event.what}: {one_line(event.key.rule, 80)} – {one_line(event.text, 300)}" for event in events[:LINES]]
    more = [f"and {len(events) - LINES:,} more: librarian rules"] if len(events) > LINES else []
    foot = [f"As of {when}.", *filter(None, [one_line(homepage, 200)])]
    return Message(subject, tuple([*lines, *more, *foot]), tuple(_event(event) for event in events[:LINES]))


def _event(event: Event) -> Mapping[str, Any]:
    row = asdict(event)
    key = row.pop("key")
    return {"rule": key["rule"], "qos": key["qos"], "user": key["whom"] or None, "what": event.what, "at": event.at,
            "text": one_line(event.text, 300)}  # fmt: skip


def body(kind: str, url: str, told: Message) -> tuple[str, bytes]:
    """The address that a webhook of `kind` is posted to, and the body. Raises `ConfigError`."""
    if kind == "ntfy":
        url, topic = topic_of(url)
        table: dict[str, Any] = {"topic": topic, "title": told.subject, "message": _cut(kind, told.text), "priority": 3}
    else:
        table = _TABLES[kind](told)
    return url, json.dumps(table).encode("ascii")


def topic_of(url: str) -> tuple[str, str]:
    """The root of an ntfy server, and the topic, of `https://server/topic`. Raises `ConfigError`."""
    parts = urlsplit(url)
    path, _, topic = parts.path.rpartition("/")
    topic = unquote(topic)
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", topic):
        raise ConfigError("the address of an ntfy channel ends with a topic: https://server/topic")
    return urlunsplit((parts.scheme, parts.netloc, path + "/", "", "")), topic


def _cut(kind: str, text: str) -> str:
    most = _LARGEST[kind]
    return text if len(text) <= most else text[: most - 1] + "…"


def _slack(told: Message) -> dict[str, Any]:
    text = _cut("slack", f"{told.subject}\n{told.text}")
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), "mrkdwn": False}


def _mattermost(told: Message) -> dict[str, Any]:
    """Markdown of it is escaped, and a name calls nobody."""
    text = _cut("mattermost", f"{told.subject}\n{told.text}")
    return {"text": _MARKDOWN.sub(r"\\\1", text).replace("@", "@\u200b")}


def _teams(told: Message) -> dict[str, Any]:
    def block(text: str, weight: str = "Default") -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]}

    lines = _cut("teams", told.text).split("\n")
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [block(told.subject, "Bolder"), *map(block, lines)],
    }
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def plain(told: Message) -> dict[str, Any]:
    """Our own form: what a command gets, and a webhook of the kind `plain`."""
    return {"subject": told.subject, "text": told.text, "events": list(told.events)}


_TABLES = {"slack": _slack, "mattermost": _mattermost, "teams": _teams, "plain": plain}
