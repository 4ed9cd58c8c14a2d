"""Reasons of limits in words: which limit it is, how much of it is in use, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from librarian.shared.names import UserName
from librarian.shared.resources import JOBS, OBSERVABLES
from librarian.shared.text import shown
from librarian.subjects.limits.model import Limit
from librarian.subjects.queue.reasons import Limited, Reason, explain
from librarian.subjects.usage.summary import ByKey

_KEYS = {observable.resource or JOBS: observable.key for observable in OBSERVABLES}
_UNITS = {observable.key: observable.phrase for observable in OBSERVABLES}
_NAMED = 3  # holders that a sentence names
_LISTED = 10


@dataclass(frozen=True)
class Holder:
    """A user who holds `value` of what is short."""

    user: UserName
    value: float


@dataclass(frozen=True)
class Case:
    """Jobs that wait for one reason: `users` are jobs by user, `asked` is what single tasks ask for as (amount, tasks)
    by observable key, `details` what Slurm says after the reason's name."""

    name: str
    users: Mapping[UserName, int]
    asked: Mapping[str, Sequence[tuple[float, int]]]
    accounts: Sequence[str]
    details: Sequence[str]


def told(case: Case, limits: Mapping[str, Limit], now: Mapping[UserName, ByKey]) -> tuple[str, str, tuple[Holder, ...]]:
    """The reason in words, what to do, and who holds what is short, largest first (at most ten)."""
    reason = explain(case.name)
    if reason.limit is None or not reason.limit.running:
        return _with_details(reason, case), reason.todo, ()
    key = _key_of(reason.limit, limits, now)
    if key is None:
        return reason.words, reason.todo, ()
    if reason.limit.per == "user":
        return _of_users(reason, case, key, now)
    holders = _holders(key, now)
    if reason.limit.owner == "account" or reason.limit.per == "account":
        words = f"The limit of {_accounts(case.accounts)} is reached: {reason.limit.noun}."
        return _sentence(words, f"In this QoS {_list(holders, key)}.", holders), reason.todo, tuple(holders[:_LISTED])
    limit, used = limits.get(key), sum(holder.value for holder in holders)
    never = _too_large(case, key, limit)
    parts = (_of_group(reason, key, limit, holders), never or _would_fit(case, key, limit, used))
    text = " ".join(part for part in parts if part)
    todo = f"{reason.todo} Cancel what can never start, and ask for less." if never else reason.todo
    return text, todo, tuple(holders[:_LISTED])


def _with_details(reason: Reason, case: Case) -> str:
    said = "; ".join(shown(detail) for detail in case.details[:_NAMED])
    return f"{reason.words} Slurm says: {said}." if said else reason.words


def _key_of(limit: Limited, limits: Mapping[str, Limit], now: Mapping[UserName, ByKey]) -> str | None:
    """The observable that the limit is on. Of GPUs Slurm does not tell the type: the limit that is fullest."""
    key = _KEYS.get(limit.resource)
    if key != "NGPUS":
        return key
    typed = [name for name in limits if name.startswith("NGPUS:")]
    return max(["NGPUS", *typed], key=lambda name: _fullness(name, limits[name], now) if name in limits else -1.0)


def _fullness(key: str, limit: Limit, now: Mapping[UserName, ByKey]) -> float:
    if limit.value is None:
        return -1.0
    used = sum(held.get(key, 0.0) for held in now.values())
    return used / limit.value if limit.value else 1.0


def _holders(key: str, now: Mapping[UserName, ByKey]) -> list[Holder]:
    held = [Holder(user, amounts[key]) for user, amounts in now.items() if amounts.get(key, 0.0) > 0]
    return sorted(held, key=lambda holder: (-holder.value, holder.user))


def _of_group(reason: Reason, key: str, limit: Limit | None, holders: Sequence[Holder]) -> str:
    """How much of the group's limit is in use, and by whom."""
    if limit is None or limit.value is None:
        return _sentence(reason.words, f"In this QoS {_list(holders, key)}.", holders)
    used, unit = sum(holder.value for holder in holders), _unit(key)
    if limit.value == 0:
        return f"The group may have no {unit}: its limit is 0."
    words = f"{_number(used)} of the group's {_number(limit.value)} {unit} are in use"
    if used >= limit.value:
        words = f"All of the group's {_number(limit.value)} {unit} are in use"
    if key == "NJOBS":
        words = f"The group runs {_number(used)} jobs of the {_number(limit.value)} that it may run at a time"
    return f"{words}: {_list(holders, key)}." if holders else f"{words}."


def _of_users(
    reason: Reason, case: Case, key: str, now: Mapping[UserName, ByKey]
) -> tuple[str, str, tuple[Holder, ...]]:
    """A limit for each user: what those who wait hold themselves."""
    holders = [holder for holder in _holders(key, now) if holder.user in case.users]
    words = f"Who waits here is at a limit that holds for each user: {_unit(key)}; {_list(holders, key)}."
    text = words if holders else f"It asks for more than the limit that holds for each user: {_unit(key)}."
    return text, reason.todo, tuple(holders[:_LISTED])


def _too_large(case: Case, key: str, limit: Limit | None) -> str:
    """A job that asks for more than the whole limit waits for ever."""
    if limit is None or limit.value is None or key not in case.asked:
        return ""
    jobs = sum(tasks for amount, tasks in case.asked[key] if amount > limit.value)
    if not jobs:
        return ""
    many = "One job asks" if jobs == 1 else f"{jobs:,} jobs ask"
    return f"{many} for more than that alone and can never start."


def _would_fit(case: Case, key: str, limit: Limit | None, used: float) -> str:
    """Slurm tells of an exclusive job what it asks for, and counts the whole nodes that it would hold."""
    asked = [amount for amount, _ in case.asked.get(key, ()) if amount > 0]
    if limit is None or limit.value is None or not asked or used + min(asked) > limit.value:
        return ""
    return (
        "By its numbers one would fit: it may start soon, or asks for whole nodes (--exclusive), which count in full."
    )


def _accounts(names: Sequence[str]) -> str:
    many = "s" if len(names) > 1 else ""
    return f"the account{many} {', '.join(shown(name) for name in names[:_NAMED])}" + (
        "…" if len(names) > _NAMED else ""
    )


def _sentence(words: str, more: str, holders: Sequence[Holder]) -> str:
    return f"{words} {more}" if holders else words


def _list(holders: Sequence[Holder], key: str) -> str:
    """`alice holds 210, bob 150, 2 others 70`."""
    verb = "runs" if key == "NJOBS" else "holds"
    parts = [f"{shown(holder.user)} {_number(holder.value)}" for holder in holders[:_NAMED]]
    if parts:
        parts[0] = f"{shown(holders[0].user)} {verb} {_number(holders[0].value)}"
    rest = holders[_NAMED:]
    if rest:
        others = "1 other" if len(rest) == 1 else f"{len(rest)} others"
        parts.append(f"{others} {_number(sum(holder.value for holder in rest))}")
    return ", ".join(parts)


def _unit(key: str) -> str:
    return _UNITS.get(key) or f"GPUs of type {shown(key.partition(':')[2])}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"
