"""The words in a picture."""

from __future__ import annotations

from datetime import datetime

import pytz

from librarian.errors import one_line
from librarian.render.pictures.stack import Layer
from librarian.shared.report import Report
from librarian.shared.text import shown
from librarian.shared.troubles import told
from librarian.shared.words import amount, counted

_LABEL = 24  # characters of a user's name beside a chart


def title(report: Report) -> str:
    """The QoS's title in one line."""
    return one_line(report.header.title, 52) or shown(report.header.qos)


def label(layer: Layer) -> str:
    """What the legend says of a layer; of a long name both ends stay, as the end often tells names apart."""
    if layer.name:
        return layer.name
    if layer.user is None:
        return f"others ({counted(len(layer.users) + layer.more, 'user')})"
    return person(layer.user)


def person(user: str) -> str:
    """A user's name beside a chart."""
    if len(user) <= _LABEL:
        return shown(user)
    return f"{shown(user[: _LABEL - 10])}…{shown(user[-9:])}"


def foot(report: Report) -> str:
    """Where the numbers come from, what they are, and how old."""
    parts = [
        one_line(report.header.site, 40),
        one_line(report.header.cluster, 40),
        f"{_means(report.window.bin_seconds)} means",
    ]
    parts += [f"updated {_clock(report.window.now, report)}"]
    return " · ".join(part for part in (*parts, *report.caveats) if part)


def stale(report: Report) -> str:
    """That the data are old, since when, and why."""
    since, reason = report.staleness.since, told(report.staleness.reason)
    text = "STALE" if since is None else f"STALE since {_clock(since, report)}"
    return f"{text} — {reason}" if reason else text


def tick(value: float) -> str:
    """A number on an axis, short: 1,500 as it is, 15000 as 15k."""
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size and abs(value) >= 1e4:
            return f"{value / size:.6g}{suffix}"
    return f"{value:,.6g}"


def _means(bin_seconds: int) -> str:
    named = {3600: "hourly", 86400: "daily"}
    length = f"{bin_seconds // 3600}-hour" if bin_seconds % 3600 == 0 else f"{amount(bin_seconds / 60)}-minute"
    return named.get(bin_seconds, length)


def _clock(epoch: int, report: Report) -> str:
    return datetime.fromtimestamp(epoch, pytz.timezone(report.window.zone)).strftime("%Y-%m-%d %H:%M %Z")
