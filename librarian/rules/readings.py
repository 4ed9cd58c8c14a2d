"""The value of a rule in the JSON of a QoS (docs/data-format.md), one or one a user. Pure.

What is missing, null or of another form is not known, and `why` says so in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytz

from librarian.config.conditions import number_at, written
from librarian.config.rule_options import HOUR, RuleOptions
from librarian.errors import one_line
from librarian.shared import resources
from librarian.shared.words import amount, percent

Data = Mapping[str, Any]
WEEK, DAY = "7d", "24h"
OLD_SECONDS = 3 * HOUR


@dataclass(frozen=True)
class Readings:
    """Values by whom they are of ("": the QoS); `absent` is that of everybody else (None: not known). `why` nothing is
    known, if nothing is."""

    values: Mapping[str, float | None] = field(default_factory=dict)
    absent: float | None = None
    why: str = ""


def unknown(why: str) -> Readings:
    """Nothing is known."""
    return Readings({"": None}, None, one_line(why, 200))


def read(rule: RuleOptions, data: Data, now: int, interval: int) -> Readings:
    """The values of a rule in the `data` of a QoS at `now` (UTC epoch); cycles come every `interval` seconds.

    Numbers of data that are marked as old, or have not come for long, are not known now. Never raises."""
    try:
        if rule.kind == "data-age":
            return _data_age(data, now)
        age = _data_age(data, now).values[""]
        if age is None or age * HOUR > max(OLD_SECONDS, 3 * interval):
            return unknown("the data are old")
        if (data.get("staleness") or {}).get("stale"):
            return unknown("the data are marked as old")
        if rule.when:
            value = number_at(data, rule.when.path)
            return Readings({"": value}) if value is not None else unknown(f"no number at {written(rule.when.path)}")
        return _KINDS[rule.kind](rule, data, now)
    except Exception as error:  # whatever the file holds, the other rules go on
        return unknown(f"its value could not be computed: {type(error).__name__}")


def _one(value: float | None, why: str) -> Readings:
    return unknown(why) if value is None else Readings({"": value})


def _data_age(data: Data, now: int) -> Readings:
    at = number_at(data, ("metadata", "last_updated_epoch"))
    return unknown("no data yet") if at is None else Readings({"": max(0.0, (now - at) / HOUR)})


def _at_limit(rule: RuleOptions, data: Data, now: int) -> Readings:
    return _one(number_at(data, ("pressure", rule.resource, "share")), f"no share of a limit on {rule.resource}")


def _headroom(rule: RuleOptions, data: Data, now: int) -> Readings:
    limit = number_at(data, ("limits", rule.resource, "value"))
    used = number_at(data, ("limits", rule.resource, "used"))
    if limit is None or used is None:
        return unknown(f"no limit on {rule.resource}, or what it counts is not known")
    return Readings({"": limit - used})


def _allocation(rule: RuleOptions, data: Data, now: int) -> Readings:
    """Hours between `before`, or the end of the period, and the time at which all is used at the pace so far: below 0
    where that is sooner."""
    rows = [row for row in data.get("allocations") or [] if row["key"] == rule.resource]
    if not rows:
        return unknown(f"no allocation of {rule.resource}")
    gone = gone_at(rows[0])
    if gone is None:
        return unknown("the allocation has no pace yet")
    return Readings({"": (gone - _limit_of(rule, rows[0], data)) / HOUR})


def _limit_of(rule: RuleOptions, row: Data, data: Data) -> float:
    if rule.before is None:
        return float(row["to"])
    zone = pytz.timezone(data["metadata"]["zone"])
    return zone.localize(datetime(rule.before.year, rule.before.month, rule.before.day)).timestamp()


def gone_at(row: Data) -> float | None:
    """When (UTC epoch) an allocation is used up at its pace so far, from what its period would come to."""
    used, projected, now, end = (number_at(row, (key,)) for key in ("used", "projected", "now", "to"))
    amount_of = number_at(row, ("amount",))
    if used is None or projected is None or now is None or end is None or amount_of is None:
        return None
    if used >= amount_of:
        return now
    pace = (projected - used) / (end - now) if end > now else 0.0
    return now + (amount_of - used) / pace if pace > 0 else 4e10


def _unused(rule: RuleOptions, data: Data, now: int) -> Readings:
    return _by_user(data, WEEK, rule.resource, lambda measured, used: max(0.0, measured - used))


def _idle(rule: RuleOptions, data: Data, now: int) -> Readings:
    """GPU-hours of the last day of those whose GPUs were not used at all (less than 0.5 %)."""
    return _by_user(data, DAY, "NGPUS", lambda measured, used: measured if used < measured * 0.005 else 0.0)


def _by_user(data: Data, span: str, resource: str, of: Any) -> Readings:
    one = ((data.get("efficiency") or {}).get("ranges") or {}).get(span)
    if not isinstance(one, dict):
        return unknown("what jobs used is not known")
    values: dict[str, float | None] = {}
    for user, by_key in one["users"].items():
        row = by_key.get(resource)
        if row is None:
            continue
        measured, used = number_at(row, ("measured_hours",)), number_at(row, ("used_hours",))
        values[user] = None if measured is None or used is None or not measured else of(measured, used)
    return Readings(values, 0.0)


def _pending(rule: RuleOptions, data: Data, now: int) -> Readings:
    """How many times the 90th percentile of the last 7 days' waits the longest pending job that competes has waited; 0
    where none has for `hours`."""
    queue = data["queue"]
    if queue["at"] is None or queue["error"]:
        return unknown("the queue is not known")
    if queue["oldest"] is None:
        return Readings({"": 0.0})
    waited = max(0, now - queue["oldest"]["since"])
    columns = data["waits"]["ranges"][WEEK]["columns"]
    rows = zip(columns["user"], columns["size"], columns["p90"], strict=True)
    usual = [p90 for user, size, p90 in rows if user is None and size is None and p90 is not None]
    if not usual:
        return unknown("no job has started in the last 7 days to compare with")
    if waited < rule.number("hours") * HOUR:
        return Readings({"": 0.0})
    return Readings({"": waited / max(60.0, *usual)})


_KINDS = {
    "at-limit": _at_limit,
    "headroom": _headroom,
    "allocation": _allocation,
    "unused": _unused,
    "idle-gpus": _idle,
    "pending": _pending,
}


def says(rule: RuleOptions, qos: str, whom: str, value: float | None) -> str:
    """What a rule says of a value, in a sentence without a full stop."""
    if value is None:
        return f"{qos}: not known"
    if rule.when:
        return f"{qos}: {written(rule.when.path)} is {amount(value)}"
    return f"{qos}: " + _SENTENCES[rule.kind](rule, whom, value)


def _row(key: str) -> resources.Observable:
    kind = key.partition(":")[2]
    return resources.gpus_of([kind])[0] if kind else resources.by_key(key)


def _of(key: str) -> str:
    return _row(key).phrase


_SENTENCES: Mapping[str, Any] = {
    "at-limit": lambda rule, _, value: f"{percent(value, 1)} of the limit on {_of(rule.resource)} is held",
    "headroom": lambda rule, _, value: f"{amount(max(0.0, value))} {_of(rule.resource)} are left below the limit",
    "allocation": lambda rule, _, value: (
        f"at the pace so far the allocation of {_of(rule.resource)} is gone "
        f"{amount(abs(value) / 24)} days {'before' if value < 0 else 'after'} "
        f"{rule.before.isoformat() if rule.before else 'its period ends'}"
    ),
    "unused": lambda rule, whom, value: (
        f"{whom} left {amount(value)} {_row(rule.resource).hours} unused in the last 7 days"
    ),
    "idle-gpus": lambda _, whom, value: f"{whom} held {amount(value)} GPU-hours in the last 24 hours at 0 % use",
    "pending": lambda _, __, value: (
        f"the longest pending job has waited {amount(value)} times as long as nine in ten of the last 7 days"
    ),
    "data-age": lambda _, __, value: f"the data are {amount(value)} hours old",
}
