"""Which limit keeps jobs back: the one that Slurm looks at where they wait, and what counts against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from librarian.shared.names import AccountName, PartitionName, Place, Places, UserName
from librarian.shared.resources import JOBS, OBSERVABLES, ByKey
from librarian.subjects.limits.model import ANYWHERE, CONFIGURED, Limit, group_key
from librarian.subjects.limits.policy import OWN
from librarian.subjects.limits.rules import Key, LimitSource, QosLimits, enforced, where

Counted = Mapping[str, Mapping[str, float]]
"""What Slurm counts in all, by place as `limits.policy` names it (`partition QoS long`), then by resource."""
_RESOURCES = {observable.key: observable.resource or JOBS for observable in OBSERVABLES}
_KEYS = {resource: key for key, resource in _RESOURCES.items()}
_GPUS, _TYPED = "NGPUS", "NGPUS:"


@dataclass(frozen=True)
class Bounds:
    """What is known of limits and of use.

    `limits`, and `now`, what each user's jobs hold in the QoS, are by observable key; not `whole`: `now` leaves out
    jobs of other accounts or partitions. `policy` is what Slurm says of the QoS, None where that is not known, and
    `places` where its jobs hold each resource. `others` is the name under which many are told of as one.
    """

    limits: Mapping[str, Limit] = field(default_factory=dict)
    now: Mapping[UserName, ByKey] = field(default_factory=dict)
    policy: QosLimits | None = None
    places: Places = field(default_factory=lambda: ANYWHERE)
    counted: Counted = field(default_factory=dict)
    whole: bool = True
    others: UserName | None = None


@dataclass(frozen=True)
class Block:
    """The limit on what `key` measures. `value` is None where it is not known which one it is, or how much it is.

    `partition_qos` names the partition's QoS that sets it ("": the QoS itself), `used` is what counts against it (None:
    not known), and `ours` tells whether all that the QoS's jobs hold is a part of that.
    """

    key: str
    value: float | None = None
    partition_qos: str = ""
    used: float | None = None
    ours: bool = True


def needs_counts(policy: QosLimits, resource: str, per: str, waiting: frozenset[Place]) -> bool:
    """Whether what counts against the limit is more than the QoS's jobs can tell: others fill it too."""
    if per != "group" or resource not in _KEYS:
        return False
    every = [name for values in _rules(policy) for name in values]
    names = {resource, *(name for name in every if resource == "gres/gpu" and name.startswith("gres/gpu:"))}
    found = (source for name in names for place in waiting for source in enforced(policy, group_key(name), place))
    return any(source.kind != OWN for source in found)


def _rules(policy: QosLimits) -> list[Mapping[str, float]]:
    return [*policy.rules.values(), *(values for one in policy.partitions.values() for values in one.rules.values())]


def key_of(resource: str) -> str | None:
    """The observable that measures a resource of Slurm's; None for what is not measured."""
    return _KEYS.get(resource)


def places_of(partitions: Iterable[str], accounts: Iterable[str]) -> frozenset[Place]:
    """Where jobs wait: a job may name several partitions, `cpu,gpu`."""
    return frozenset(
        (PartitionName(partition), AccountName(account))
        for several, account in zip(partitions, accounts, strict=True)
        for partition in several.split(",")
    )


def group_block(bounds: Bounds, key: str, waiting: frozenset[Place]) -> Block:
    """The limit on all together. Of GPUs Slurm does not tell the type: the fullest, if each one's use is known."""
    if key != _GPUS:
        return _group_block(bounds, key, waiting)
    found = [block for one in _gpus(bounds) if (block := _group_block(bounds, one, waiting)).value is not None]
    if len(found) > 1 and any(block.used is None for block in found):
        return Block(_GPUS)
    return max(found, key=_fullness, default=Block(_GPUS))


def _group_block(bounds: Bounds, key: str, waiting: frozenset[Place]) -> Block:
    limit, held = bounds.limits.get(key), sum(amounts.get(key, 0.0) for amounts in bounds.now.values())
    own = bounds.counted.get(OWN, {}).get(_resource(key)) if not bounds.whole else held
    if bounds.policy is None or (limit and limit.source == CONFIGURED):
        return Block(key, limit.value if limit else None, used=own)
    source = _only(bounds.policy, group_key(_resource(key)), waiting)
    if source is None or source.percent:
        return Block(key)
    if source.kind == OWN:
        return Block(key, source.value, used=own)
    used = bounds.counted.get(f"{source.kind} {source.name}", {}).get(source.resource)
    return Block(key, source.value, source.name, used, _inside(bounds, source))


def user_block(bounds: Bounds, key: str, waiting: frozenset[Place]) -> Block:
    """The limit for each user; of GPUs only where but one is set, on all or on one type."""
    policy = bounds.policy
    if policy is None:
        return Block(key)
    found = []
    for one in _gpus(bounds) if key == _GPUS else [key]:
        resource = _resource(one)
        setting = ("MaxJobsPerUser" if resource == JOBS else "MaxTRESPerUser", resource)
        source = _only(policy, setting, waiting)
        if source is not None:
            value = None if source.percent else source.value
            found.append(Block(one, value, "" if source.kind == OWN else source.name))
    return found[0] if len(found) == 1 else Block(key)


def of_accounts(bounds: Bounds, key: str, waiting: frozenset[Place]) -> list[LimitSource]:
    """The accounts' limits on all together that Slurm looks at where jobs wait; users' own ones are not known."""
    if bounds.policy is None:
        return []
    found = {s for place in waiting for s in enforced(bounds.policy, group_key(_resource(key)), place)}
    return sorted((source for source in found if source.kind == "association"), key=lambda source: source.name)


def _only(policy: QosLimits, key: Key, waiting: frozenset[Place]) -> LimitSource | None:
    """The limit of a QoS that counts wherever jobs wait; None where there are several, or none."""
    found = {source for place in waiting for source in enforced(policy, key, place) if source.kind != "association"}
    everywhere = all(enforced(policy, key, place) for place in waiting)
    return found.pop() if len(found) == 1 and everywhere else None


def _inside(bounds: Bounds, source: LimitSource) -> bool:
    """Whether all that the QoS's jobs hold is held in partitions that have the QoS of `source`."""
    partitions = bounds.policy.partitions if bounds.policy else {}
    at = where(bounds.places, source.resource)
    return bool(at) and all(p in partitions and partitions[p].name == source.name for p, _ in at)


def _gpus(bounds: Bounds) -> list[str]:
    """GPUs, and those of each type that a limit is known of."""
    every = _rules(bounds.policy) if bounds.policy else []
    typed = {f"{_TYPED}{name[9:]}" for values in every for name in values if name.startswith("gres/gpu:")}
    return [_GPUS, *sorted(typed | {key for key in bounds.limits if key.startswith(_TYPED)})]


def _resource(key: str) -> str:
    return f"gres/gpu:{key[len(_TYPED) :]}" if key.startswith(_TYPED) else _RESOURCES[key]


def _fullness(block: Block) -> float:
    return (block.used or 0.0) / block.value if block.value else 1.0
