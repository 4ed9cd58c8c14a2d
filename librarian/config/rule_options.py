"""What `[[rule]]` and `[[channel]]` may hold, and what is made of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from librarian.config import conditions
from librarian.config.conditions import Condition
from librarian.config.run_options import is_address, is_command
from librarian.shared import resources

Check = tuple[str, Callable[[Any], bool]]
"""What is allowed, in words, and the test of it."""
HOUR = 3600
WEBHOOKS = ("slack", "mattermost", "teams", "ntfy", "plain")
CHANNELS = ("mail", "command", *WEBHOOKS)
KINDS = ("at-limit", "headroom", "allocation", "unused", "idle-gpus", "pending", "data-age")


@dataclass(frozen=True)
class RuleOptions:
    """A rule as it is written: of a built-in `kind`, or a condition in `when` (None for a kind).

    `qos` and `to` name QoS and channels (none: all). It clears at `clears` (None: where it fired), after `clear_hours`;
    it tells at most once in `quiet_hours`, and with `tell_end` when it is over. `numbers` are those of its kind;
    `before` is a date of the kind allocation.
    """

    name: str
    kind: str = ""
    when: Condition | None = None
    resource: str = "NGPUS"
    numbers: Mapping[str, float] | None = None
    before: date | None = None
    qos: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    clears: float | None = None
    clear_hours: float = 0.0
    quiet_hours: float = 24.0
    tell_end: bool = True

    def number(self, key: str) -> float:
        """A number of its kind, or the kind's default."""
        given = (self.numbers or {}).get(key)
        return float(DEFAULTS[self.kind][key] if given is None else given)


@dataclass(frozen=True)
class ChannelOptions:
    """A way to tell somebody: `mail` to addresses, a `command`, or a webhook, whose `url` may stand in `url_file`. A
    `token` (ntfy, plain) stands in `token_file` alone."""

    name: str
    kind: str
    mail: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    url: str = ""
    url_file: str = ""
    token_file: str = ""
    timeout_seconds: int = 20
    retries: int = 12


DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "at-limit": {"share": 0.95, "hours": 6},
    "headroom": {"below": 0, "hours": 0},
    "allocation": {},
    "unused": {"above": 0},
    "idle-gpus": {"hours": 8},
    "pending": {"times": 2, "hours": 1},
    "data-age": {"hours": 3},
    "": {},
}
_COMPARED = {
    "at-limit": (">=", "share"),
    "headroom": ("<", "below"),
    "allocation": ("<", ""),
    "unused": (">", "above"),
    "idle-gpus": (">=", "hours"),
    "pending": (">", "times"),
    "data-age": (">", "hours"),
}
_REQUIRED = {"headroom": ("below",), "unused": ("above",)}


def _amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15


def _hours(value: object) -> bool:
    return _amount(value) and float(str(value)) <= 8784


def _text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= 80


def _names(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _resource(value: object) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]+(:[\w.+-]{1,60})?", value):
        return False
    return value.partition(":")[0] in {row.key for row in resources.OBSERVABLES}


def _day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime) and 1970 <= value.year <= 2100


def is_https(value: object) -> bool:
    """Whether `value` is an address of https, without a name, a password or a fragment."""
    if not isinstance(value, str) or not re.fullmatch(r"https://[!-~]{1,2000}", value):
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    plain = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", parts.hostname or "") is not None
    return plain and "@" not in parts.netloc and not parts.fragment and port != 0


_NAME: Check = ("text on one line of at most 80 characters", _text)
_SIGNED: Check = ("a number", lambda value: _amount(abs(value)) and not isinstance(value, bool))
_HOURS: Check = ("a number of hours from 0 to 8784", _hours)
_NOT_NEGATIVE: Check = ("a number that is not negative", _amount)
_COMMON: Mapping[str, Check] = {
    "name": _NAME,
    "qos": ("a list of QoS", _names),
    "to": ("a list of channels", _names),
    "clears": _SIGNED,
    "clear_hours": _HOURS,
    "quiet_hours": _HOURS,
    "tell_end": ("true or false", lambda value: isinstance(value, bool)),
}
_OF_KIND: Mapping[str, Mapping[str, Check]] = {
    "at-limit": {
        "share": ("a share above 0 to 1", lambda value: _amount(value) and 0 < value <= 1),
        "hours": _HOURS,
    },
    "headroom": {"below": _NOT_NEGATIVE, "hours": _HOURS},
    "allocation": {"before": ("a date such as 2027-06-30", _day)},
    "unused": {"above": _NOT_NEGATIVE},
    "idle-gpus": {"hours": ("a number of GPU-hours above 0", lambda value: _amount(value) and value > 0)},
    "pending": {"times": ("a number from 1 to 1000", lambda value: _amount(value) and 1 <= value <= 1000),
                "hours": _HOURS},
    "data-age": {"hours": _HOURS},
}  # fmt: skip
_WITH_RESOURCE = ("at-limit", "headroom", "allocation", "unused")
_RESOURCE: Check = ('a resource such as "NGPUS", "NCPUS", "MEMORY" or "NGPUS:a100"', _resource)
_TRIES: Mapping[str, Check] = {
    "timeout_seconds": ("a whole number from 1 to 120", lambda value: _whole(value, 1, 120)),
    "retries": ("a whole number from 0 to 100", lambda value: _whole(value, 0, 100)),
}


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def rule_keys(kind: str) -> Mapping[str, Check]:
    """What a rule of a kind may hold ("": one with a condition)."""
    own = (
        {"when": ('a condition such as "pressure.NGPUS.share > 0.95 for 6h"', lambda v: isinstance(v, str))}
        if not kind
        else {}
    )
    with_resource = {"resource": _RESOURCE} if kind in _WITH_RESOURCE else {}
    return {**_COMMON, **own, **with_resource, **_OF_KIND.get(kind, {})}


def rule_required(kind: str) -> tuple[str, ...]:
    """What such a rule must hold."""
    return ("name", *(() if kind else ("when",)), *_REQUIRED.get(kind, ()))


def channel_keys(kind: str) -> Mapping[str, Check]:
    """What a channel of a kind may hold."""
    common = {"name": _NAME, **_TRIES}
    if kind == "mail":
        return {**common, "mail": ('a list of addresses, e.g. ["alice@example.org"]', _addresses)}
    if kind == "command":
        return {**common, "command": ("a list: the program and its arguments", lambda v: is_command(v) and bool(v))}
    path: Check = ("text: a file that its owner alone can read", lambda value: isinstance(value, str) and bool(value))
    token = {"token_file": path} if kind in ("ntfy", "plain") else {}
    return {**common, "url": ("an address https://…", is_https), "url_file": path, **token}


def _addresses(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_address, value))


def condition_problem(text: str) -> str:
    """What is wrong with a condition; "" where nothing is."""
    try:
        conditions.parse(text)
    except ValueError as error:
        return str(error)
    return ""


def clears_problem(entry: Mapping[str, Any], kind: str) -> str:
    """What is wrong with `clears` of a rule whose keys are right by themselves; "" where nothing is."""
    if "clears" not in entry:
        return ""
    if kind in ("allocation", "idle-gpus"):
        return f"a rule of the kind {kind} clears where it fired: leave clears out"
    comparison, level = comparison_of(rule(entry))
    if comparison in ("==", "!="):
        return f"a condition with {comparison} clears where it fired: leave clears out"
    up = comparison in (">", ">=")
    if (entry["clears"] > level) if up else (entry["clears"] < level):
        return f"it fires {'above' if up else 'below'} {level:g}: allowed is {'no more' if up else 'no less'} than that"
    return ""


def comparison_of(one: RuleOptions) -> tuple[str, float]:
    """How a rule's value is compared with which level, in the unit of that value: a share, an amount, hours."""
    if one.when:
        return one.when.comparison, one.when.level
    comparison, key = _COMPARED[one.kind]
    return comparison, one.number(key) if key else 0.0


def seconds_of(one: RuleOptions) -> int:
    """For how long a rule's condition must be met without a break."""
    if one.when:
        return one.when.seconds
    return round(one.number("hours") * HOUR) if one.kind in ("at-limit", "headroom") else 0


def rule(entry: Mapping[str, Any]) -> RuleOptions:
    """From a table [[rule]] that was checked."""
    kind = entry.get("kind", "")
    numbers = {key: float(entry[key]) for key in DEFAULTS[kind] if key in entry}
    more = {key: entry[key] for key in ("resource", "before", "clear_hours", "quiet_hours", "tell_end") if key in entry}
    return RuleOptions(
        name=entry.get("name", ""),
        kind=kind,
        when=conditions.parse(entry["when"]) if "when" in entry else None,
        numbers=numbers,
        qos=tuple(entry.get("qos", ())),
        to=tuple(entry.get("to", ())),
        clears=float(entry["clears"]) if "clears" in entry else None,
        **more,
    )


def channel(entry: Mapping[str, Any]) -> ChannelOptions:
    """From a table [[channel]] that was checked."""
    lists: dict[str, Any] = {key: tuple(entry.get(key, ())) for key in ("mail", "command")}
    return ChannelOptions(**{**entry, **lists})
