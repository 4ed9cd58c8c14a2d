"""How runs are kept going unattended: time limits, log, alerts, what the store keeps. The parts of a configuration that
say so, their defaults, and what is allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Rule = tuple[str, Callable[[Any], bool]]
"""What is allowed, in words, and the test of it."""


HOURLY = "hourly"
PICTURES = (HOURLY, "cycle")
"""When pictures are drawn: once a bin is over, or in each cycle."""


@dataclass(frozen=True)
class RunOptions:
    """How long a whole run, and each stage of it, may take; the pause before Slurm is asked a second time after it did
    not answer (0: it is not); and the file that runs write a log to, in the state folder ("": none)."""

    time_limit_seconds: int = 450
    collect_seconds: int = 240
    render_seconds: int = 150
    publish_seconds: int = 150
    retry_seconds: int = 20
    log: str = "librarian.log"

    def limit(self, stage: str) -> int:
        """Seconds that a stage may take."""
        return int({"collect": self.collect_seconds, "render": self.render_seconds}.get(stage, self.publish_seconds))


@dataclass(frozen=True)
class StoreOptions:
    """For how many days job runs that have ended are kept; at least for the window and a week, whatever it says."""

    keep_days: int = 0


@dataclass(frozen=True)
class Alert:
    """Who is told when runs fail: addresses of mail, a command that gets the text as its standard input; after how many
    failed runs in a row, or how many hours without a run that went well."""

    mail: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    after_failures: int = 6
    after_hours: int = 3

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.mail or self.command)


def _whole(low: int, high: int) -> Rule:
    def check(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return f"a whole number from {low} to {high}", check


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def is_address(value: object) -> bool:
    """Whether `value` is an address of mail."""
    # nothing that a mail program could take for an option, a second address, a file or a pipe
    return isinstance(value, str) and re.fullmatch(r"\w[\w.+=~-]*(@\w[\w.-]*)?", value) is not None


def is_command(value: object) -> bool:
    """Whether `value` is a program and its arguments, or an empty list."""
    return isinstance(value, list) and all(map(_is_text, value)) and all(value[:1])


RULES: Mapping[str, Mapping[str, Rule]] = {
    "run": {
        "time_limit_seconds": _whole(60, 86400),
        "collect_seconds": _whole(10, 86400),
        "render_seconds": _whole(10, 86400),
        "publish_seconds": _whole(10, 86400),
        "retry_seconds": _whole(0, 3600),
        "log": ('text: a file, or "" for none', _is_text),
    },
    "store": {"keep_days": _whole(0, 36600)},
    "alert": {
        "mail": (
            'a list of addresses, e.g. ["alice@example.org"]',
            lambda value: isinstance(value, list) and all(map(is_address, value)),
        ),
        "command": ('a list: the program and its arguments, e.g. ["/usr/bin/logger", "-t", "librarian"]', is_command),
        "after_failures": _whole(1, 10000),
        "after_hours": _whole(1, 10000),
    },
}


def alert(section: Mapping[str, Any]) -> Alert:
    """From a table [alert] that was checked."""
    lists: dict[str, Any] = {key: tuple(section.get(key, ())) for key in ("mail", "command")}
    return Alert(**{**section, **lists})
