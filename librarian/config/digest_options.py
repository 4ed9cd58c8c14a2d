"""Who gets a digest, when and how: the table [digest], its defaults, what is allowed. Pure.

Without the table nobody is sent anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from librarian.config.mail_options import is_mail_address
from librarian.config.run_options import Rule

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPANS = ("week", "month")
FIRING = "0 * * * *"
"""When the entry of `librarian scrontab install` looks whether a digest is due: each hour, in whatever zone cron is."""


@dataclass(frozen=True)
class DigestOptions:
    """Where members are reached: `addresses` by user ("": not by mail), else `pattern` with the user in the place of
    {user} ("": not by mail), else as files in `folder` ("": not at all).

    `opt_in` are the only members who get one, where it names any; `opt_out` never do. `group` are the addresses that
    get the group's. It is sent on `day` from `hour` on, by the zone of the readers; of a month on its first such day.
    What was found of somebody is not told again within `quiet_days`. `unsubscribe` is an address of mail or of the web
    at which one can stop it ("": that of [mail] sender).
    """

    every: str = "week"
    day: str = "monday"
    hour: int = 8
    pattern: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    members: bool = True
    group: tuple[str, ...] = ()
    opt_in: tuple[str, ...] = ()
    opt_out: tuple[str, ...] = ()
    quiet_days: int = 28
    unsubscribe: str = ""


def _is_full(value: object) -> bool:
    return is_mail_address(value) and "@" in str(value)


def _is_pattern(value: object) -> bool:
    is_text = isinstance(value, str) and value.count("{user}") == 1 and value.count("@") == 1
    return value == "" or (is_text and _is_full(str(value).replace("{user}", "u")))


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and all(address == "" or _is_full(address) for address in value.values())


def is_unsubscribe(value: object) -> bool:
    """Whether one can unsubscribe there: an address of the web, or of mail; or "" for none."""
    is_link = isinstance(value, str) and re.fullmatch(r"https?://[A-Za-z0-9][!-;=?-~]*", value) is not None
    return value == "" or is_link or _is_full(value)


def _is_users(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one and one.isprintable() for one in value)


def _whole(low: int, high: int) -> Rule:
    def check(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return f"a whole number from {low} to {high}", check


def _word(words: tuple[str, ...]) -> Rule:
    return ", ".join(f'"{word}"' for word in words), lambda value: isinstance(value, str) and value in words


_USERS: Rule = ('a list of users, e.g. ["alice"]', _is_users)
RULES: Mapping[str, Rule] = {
    "every": _word(SPANS),
    "day": _word(DAYS),
    "hour": _whole(0, 23),
    "pattern": ('an address with {user} in it, such as "{user}@example.org", or ""', _is_pattern),
    "addresses": ('a table [digest.addresses] of user = "address", "" for none', _is_table),
    "folder": ("text: a folder", lambda value: isinstance(value, str) and value.isprintable()),
    "members": ("true or false", lambda value: isinstance(value, bool)),
    "group": (
        'a list of addresses, e.g. ["alice@example.org"]',
        lambda value: isinstance(value, list) and all(map(_is_full, value)),
    ),
    "opt_in": _USERS,
    "opt_out": _USERS,
    "quiet_days": _whole(0, 366),
    "unsubscribe": ('an address such as "hpc@example.org" or "https://example.org/stop", or ""', is_unsubscribe),
}


def options(table: Mapping[str, Any]) -> DigestOptions:
    """From a table [digest] that was checked."""
    lists = {key: tuple(table.get(key, ())) for key in ("group", "opt_in", "opt_out")}
    return DigestOptions(**{**table, **lists})
