"""Reasons of limits in words: which limit it is, how much of it is in use, and who holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from librarian.shared.names import Place, UserName
from librarian.shared.resources import OBSERVABLES
from librarian.shared.text import shown
from librarian.shared.words import amount, counted
from librarian.subjects.queue.blocking import Block, Bounds, group_block, key_of, of_accounts, user_block
from librarian.subjects.queue.reasons import Limited, Reason, explain_in

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
    by observable key, `details` what Slurm says after the reason's name, `group` what they wait for ("": as the reason
    has it), `places` the partitions and accounts that they are for."""

    name: str
    users: Mapping[UserName, int]
    asked: Mapping[str, Sequence[tuple[float, int]]]
    accounts: Sequence[str]
    details: Sequence[str]
    group: str = ""
    places: frozenset[Place] = frozenset()


def told(case: Case, bounds: Bounds) -> tuple[str, str, tuple[Holder, ...]]:
    """The reason in words, what to do, and who holds what is short, largest first (at most ten)."""
    reason = explain_in(case.name, case.group)
    if reason.limit is None or not reason.limit.running:
        return _with_details(reason, case), reason.todo, ()
    key = key_of(reason.limit.resource)
    if key is None:
        return reason.words, reason.todo, ()
    if reason.limit.owner == "account" or reason.limit.per == "account":
        return _of_account(reason, reason.limit, case, key, bounds)
    if reason.limit.per == "user":
        return _of_users(reason, case, user_block(bounds, key, case.places), bounds)
    block = group_block(bounds, key, case.places)
    holders = _holders(block.key, bounds) if block.ours else []
    never = _too_large(case, block)
    text = _joined(_of_group(reason, block, holders), never or _would_fit(case, block))
    return text, _todo(reason, never), tuple(holders[:_LISTED])


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _todo(reason: Reason, never: str) -> str:
    return f"{reason.todo} Cancel what can never start, and ask for less." if never else reason.todo


def _with_details(reason: Reason, case: Case) -> str:
    said = "; ".join(shown(detail) for detail in case.details[:_NAMED])
    return f"{reason.words} Slurm says: {said}." if said else reason.words


def _holders(key: str, bounds: Bounds) -> list[Holder]:
    """Who holds how much, the largest first; those who are told of as one are nobody to talk to, and left out."""
    named = {user: amounts for user, amounts in bounds.now.items() if user != bounds.others}
    held = [Holder(user, amounts[key]) for user, amounts in named.items() if amounts.get(key, 0.0) > 0]
    return sorted(held, key=lambda holder: (-holder.value, holder.user))


def _of_group(reason: Reason, block: Block, holders: Sequence[Holder]) -> str:
    """How much of the group's limit is in use, and by whom."""
    key, value, used, unit = block.key, block.value, block.used, _unit(block.key)
    if value is None:
        return _sentence(reason.words, f"In this QoS {_list(holders, key)}.", holders)
    if block.partition_qos:
        return _of_partition(block, value, holders)
    if value == 0:
        return f"The group may have no {unit}: its limit is 0."
    if used is None:
        words = f"The limit of the group is reached: {amount(value)} {unit}."
        return _sentence(words, f"Among its jobs that are shown here {_list(holders, key)}.", holders)
    words = f"{amount(used)} of the group's {amount(value)} {unit} are in use"
    if used >= value:
        words = f"All of the group's {amount(value)} {unit} are in use"
    if key == "NJOBS":
        words = f"The group runs {amount(used)} jobs of the {amount(value)} that it may run at a time"
    rest = used - sum(holder.value for holder in holders)
    others = f", others {amount(rest)}" if holders and rest > 1e-6 else ""
    return f"{words}: {_list(holders, key)}{others}." if holders else f"{words}."


def _of_partition(block: Block, value: float, holders: Sequence[Holder]) -> str:
    """How much of the limit of a partition's QoS is in use: jobs of all QoS in the partition count."""
    whose, unit, used = f"the partition's QoS {shown(block.partition_qos)}", _unit(block.key), block.used
    if value == 0:
        return f"{whose[0].upper()}{whose[1:]} allows no {unit}."
    everybody = "Jobs of every QoS in the partition count."
    mine = f"In this QoS {_list(holders, block.key)}."
    if used is None:
        words = f"The limit of {whose} is reached: {amount(value)} {unit}. {everybody}"
        return _sentence(words, mine, holders)
    many = f"All {amount(value)}" if used >= value else f"{amount(used)} of the {amount(value)}"
    words = f"{many} {unit} of {whose} are in use."
    if block.key == "NJOBS":
        words = f"{amount(used)} jobs of the {amount(value)} that {whose} lets run at a time are running."
    return _sentence(f"{words} {everybody}", mine, holders)


def _of_account(
    reason: Reason, limit: Limited, case: Case, key: str, bounds: Bounds
) -> tuple[str, str, tuple[Holder, ...]]:
    """A limit on an account. Slurm has one reason for an association, be it the account's or that of a user in it."""
    holders = _holders(key, bounds)
    accounts, facts = _accounts(case.accounts), ""
    if limit.owner == "QoS":
        words = f"The limit of {accounts} is reached: {limit.noun}."
    elif limit.per == "user":
        holders = [holder for holder in holders if holder.user in case.users]
        words = f"The limit of the user in {accounts} is reached: {limit.noun}."
    else:
        it = "it" if len(case.accounts) == 1 else "them"
        words = f"The limit of {accounts}, one above {it}, or the user in {it}, is reached: {limit.noun}."
        facts = _known_of_accounts(key, case, bounds)
    mine = f"In this QoS {_list(holders, key)}." if holders else ""
    return _joined(words, facts, mine), reason.todo, tuple(holders[:_LISTED])


def _known_of_accounts(key: str, case: Case, bounds: Bounds) -> str:
    """What accounts may hold, and what Slurm counts in them."""
    sentences = []
    for source in of_accounts(bounds, key, case.places)[:_NAMED]:
        used = bounds.counted.get(f"{source.kind} {source.name}", {}).get(source.resource)
        holds = "" if used is None else f", and has {amount(used)}"
        sentences.append(f"The account {shown(source.name)} may have {amount(source.value)}{holds}.")
    return " ".join(sentences)


def _of_users(reason: Reason, case: Case, block: Block, bounds: Bounds) -> tuple[str, str, tuple[Holder, ...]]:
    """A limit for each user: what those who wait hold themselves."""
    holders = [holder for holder in _holders(block.key, bounds) if holder.user in case.users]
    by = f" by the partition's QoS {shown(block.partition_qos)}" if block.partition_qos else ""
    most = "" if block.value is None else f" (at most {amount(block.value)}{by})"
    words = f"Who waits here is at a limit that holds for each user: {_unit(block.key)}{most}"
    text = (
        f"{words}; {_part(block, bounds)}{_list(holders, block.key)}."
        if holders
        else f"{reason.words.rstrip('.')}{most}."
    )
    never = _too_large(case, block)
    return _joined(text, never), _todo(reason, never), tuple(holders[:_LISTED])


def _part(block: Block, bounds: Bounds) -> str:
    """Where what is told of a user may be a part of what counts."""
    if not bounds.whole:
        return "among the jobs that are shown here "
    others = block.partition_qos or (block.value is None and bounds.policy is not None)
    return "in this QoS " if others else ""


def _too_large(case: Case, block: Block) -> str:
    """A job that asks for more than the whole limit waits for ever."""
    if block.value is None or block.key not in case.asked:
        return ""
    jobs = sum(tasks for wish, tasks in case.asked[block.key] if wish > block.value)
    if not jobs:
        return ""
    many = "One job asks" if jobs == 1 else f"{amount(jobs)} jobs ask"
    return f"{many} for more than that alone and can never start."


def _would_fit(case: Case, block: Block) -> str:
    """Slurm tells of an exclusive job what it asks for, and counts the whole nodes that it would hold."""
    asked = [wish for wish, _ in case.asked.get(block.key, ()) if wish > 0]
    if block.value is None or block.used is None or not asked or block.used + min(asked) > block.value:
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
    parts = [f"{shown(holder.user)} {amount(holder.value)}" for holder in holders[:_NAMED]]
    if parts:
        parts[0] = f"{shown(holders[0].user)} {verb} {amount(holders[0].value)}"
    rest = holders[_NAMED:]
    if rest:
        parts.append(f"{counted(len(rest), 'other')} {amount(sum(holder.value for holder in rest))}")
    return ", ".join(parts)


def _unit(key: str) -> str:
    return _UNITS.get(key) or f"GPUs of type {shown(key.partition(':')[2])}"
