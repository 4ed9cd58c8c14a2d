"""What Slurm allows, and where it says so: the QoS itself, the QoS of a partition, the account and those above it.

Which of them is enforced follows Slurm's resource_limits.html and acct_policy.c, and was seen on 22.05 and 24.11: for
each resource the first place in this order that sets a limit is the only one that counts: the partition's QoS, the
job's QoS (before the partition's where it has the flag OverPartQOS), the account. Only where neither QoS sets one
the accounts count: a group's limit of every account up the tree, of other limits that of the nearest account.

The TRES limits of a QoS with the flag Relative are percentages: of the cluster, or, where a partition has the QoS, of
that partition. They can be told beside numbers, never compared with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from librarian.shared.names import AccountName, PartitionName, Place, Places
from librarian.shared.resources import JOBS
from librarian.shared.tres import Counts

Per = Literal["group", "account", "user", "job"]
Key = tuple[str, str]
Rules = Mapping[str, Mapping[str, float]]
"""Limits by setting, then by resource; sizes in GiB, MaxWall in seconds."""
SUBMITTED, WALLTIME = "submitted", "walltime"
OVER_PARTITION, RELATIVE = "OverPartQOS", "Relative"


@dataclass(frozen=True)
class Setting:
    """A kind of limit. `resource` is "" where its value is a TRES text; `family` names the setting in whose place this
    one stands, where Slurm calls it otherwise in an association."""

    name: str
    per: Per
    resource: str = ""
    family: str = ""


SETTINGS = (
    Setting("GrpTRES", "group"),
    Setting("GrpJobs", "group", JOBS),
    Setting("GrpSubmitJobs", "group", SUBMITTED),
    Setting("MaxTRESPerAccount", "account"),
    Setting("MaxJobsPerAccount", "account", JOBS),
    Setting("MaxSubmitJobsPerAccount", "account", SUBMITTED),
    Setting("MaxTRESPerUser", "user"),
    Setting("MaxJobsPerUser", "user", JOBS),
    Setting("MaxSubmitJobsPerUser", "user", SUBMITTED),
    # what an association calls so is for each user in it
    Setting("MaxJobs", "user", JOBS, "MaxJobsPerUser"),
    Setting("MaxSubmitJobs", "user", SUBMITTED, "MaxSubmitJobsPerUser"),
    Setting("MaxTRES", "job"),
    Setting("MaxWall", "job", WALLTIME),
)
_PER = {setting.name: setting.per for setting in SETTINGS}


@dataclass(frozen=True)
class PartitionQos:
    """The QoS that a partition has, and what it allows; the values of the settings in `percent` are percentages."""

    name: str
    rules: Rules
    percent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """An account with limits: who is above it ("": nobody with limits), whether the QoS may be used in it."""

    name: AccountName
    parent: AccountName
    rules: Rules
    holds: bool


@dataclass(frozen=True)
class QosLimits:
    """What Slurm says of a QoS: GrpTRES by TRES name (sizes in GiB), GrpJobs (None: no limit), all `more` settings.

    `flags` is None where they are not known. `partitions` are those that have a QoS of their own and let this one in,
    `accounts` those with limits in which it may be used, and the ones above them; `elsewhere` tells whether it may
    be used in other partitions and in other accounts too. The values of the settings in `percent` are percentages.
    """

    tres: Counts
    jobs: float | None
    more: Rules = field(default_factory=dict)
    flags: tuple[str, ...] | None = None
    partitions: Mapping[str, PartitionQos] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    elsewhere: tuple[bool, bool] = (True, True)
    percent: tuple[str, ...] = ()

    @property
    def rules(self) -> Rules:
        """All settings of the QoS itself."""
        own: dict[str, Mapping[str, float]] = {"GrpTRES": self.tres} if self.tres else {}
        own |= {} if self.jobs is None else {"GrpJobs": {JOBS: self.jobs}}
        return {**own, **self.more}


@dataclass(frozen=True)
class LimitSource:
    """A limit as one place sets it: `kind` is "QoS", "partition QoS" or "association", `name` the place's. With
    `percent` the value is a percentage of what the cluster or the partition has."""

    setting: Setting
    resource: str
    value: float
    kind: str
    name: str = ""
    percent: bool = False

    @property
    def key(self) -> Key:
        """Limits with the same key exclude each other: the kind of the setting, and the resource."""
        return self.setting.family or self.setting.name, self.resource

    @property
    def words(self) -> str:
        """The setting and, unless it is the QoS itself, the place: `GrpTRES cpu of partition QoS long`."""
        said = self.setting.name if self.setting.resource else f"{self.setting.name} {self.resource}"
        return said if self.kind == "QoS" else f"{said} of {self.kind} {self.name}"


def sources(limits: QosLimits) -> dict[Key, list[LimitSource]]:
    """Every limit that is set anywhere, each once."""
    found: dict[Key, list[LimitSource]] = {}
    for source in _every(limits):
        known = found.setdefault(source.key, [])
        if source not in known:
            known.append(source)
    return found


def _every(limits: QosLimits) -> Iterable[LimitSource]:
    yield from _of_qos(limits)
    for partition in limits.partitions.values():
        yield from _of_partition(partition)
    for account in limits.accounts:
        yield from _of(account.rules, "association", account.name)


def _of_qos(limits: QosLimits) -> Iterable[LimitSource]:
    return _of(limits.rules, "QoS", percent=limits.percent)


def _of_partition(found: PartitionQos) -> Iterable[LimitSource]:
    return _of(found.rules, "partition QoS", found.name, found.percent)


def _of(rules: Rules, kind: str, name: str = "", percent: Sequence[str] = ()) -> Iterable[LimitSource]:
    for setting in SETTINGS:
        for resource, value in rules.get(setting.name, {}).items():
            yield LimitSource(setting, resource, value, kind, name, setting.name in percent)


def enforced(limits: QosLimits, key: Key, place: Place) -> list[LimitSource]:
    """The limits of `key` that Slurm looks at when it starts a job at `place`; several only where accounts count."""
    partition, account = place
    ordered = [list(_of_qos(limits))]
    if partition in limits.partitions:
        of_partition = list(_of_partition(limits.partitions[partition]))
        ordered.insert(int(OVER_PARTITION in (limits.flags or ())), of_partition)
    for rules in ordered:
        hits = _with_key(rules, key)
        if hits:
            return hits
    above = [source for found in _upwards(limits, account) for source in _of(found.rules, "association", found.name)]
    hits = _with_key(above, key)
    return hits if _PER[key[0]] == "group" else hits[:1]


def _with_key(found: Iterable[LimitSource], key: Key) -> list[LimitSource]:
    return [source for source in found if source.key == key]


def _upwards(limits: QosLimits, account: AccountName) -> Iterable[Account]:
    known = {found.name: found for found in limits.accounts}
    seen: set[AccountName] = set()
    while account in known and account not in seen:  # a circle would be Slurm's mistake, and must not hang us
        seen.add(account)
        yield known[account]
        account = known[account].parent


def binding(limits: QosLimits, key: Key, places: frozenset[Place]) -> LimitSource | None:
    """The limit of `key` that binds the QoS as a whole; None where there is none that holds for all of it.

    It is the tightest of those that count at every one of `places`; where there is none such, the QoS's own if it
    counts anywhere. An empty `places` stands for everywhere that the QoS may be used.
    """
    each = [enforced(limits, key, place) for place in places or everywhere(limits)]
    shared = [source for source in each[0] if all(source in others for others in each[1:])] if each else []
    own = [source for others in each for source in others if source.kind == "QoS"]
    return min(shared or own, key=lambda source: (source.percent, source.value), default=None)


def where(places: Places, resource: str) -> frozenset[Place]:
    """Where jobs hold `resource`; of what is not told by job, such as nodes, where jobs run."""
    countable = resource in ("cpu", "mem", "billing") or resource.startswith("gres/")
    return places.get(resource if countable else JOBS, frozenset())


def everywhere(limits: QosLimits) -> frozenset[Place]:
    """Each partition and account in which the QoS may be used and that makes a difference; "" stands for the others."""
    other_partitions, other_accounts = limits.elsewhere
    partitions = [*limits.partitions, *([""] if other_partitions or not limits.partitions else [])]
    holders = [account.name for account in limits.accounts if account.holds]
    accounts = [*holders, *([""] if other_accounts or not holders else [])]
    names = [(PartitionName(partition), AccountName(account)) for partition in partitions for account in accounts]
    return frozenset(names)


def pack(limits: QosLimits) -> Any:
    """`limits` as JSON holds them; [GrpTRES, GrpJobs] where nothing else is known, as it always was."""
    if limits == QosLimits(limits.tres, limits.jobs):
        return [dict(limits.tres), limits.jobs]
    return {
        "rules": _plain(limits.rules),
        "flags": None if limits.flags is None else list(limits.flags),
        "partitions": {name: _packed(found) for name, found in limits.partitions.items()},
        "accounts": [[found.name, found.parent, _plain(found.rules), found.holds] for found in limits.accounts],
        "elsewhere": list(limits.elsewhere),
        **({"percent": list(limits.percent)} if limits.percent or RELATIVE in (limits.flags or ()) else {}),
    }


def _packed(found: PartitionQos) -> list[Any]:
    return [found.name, _plain(found.rules), *([list(found.percent)] if found.percent else [])]


def unpack(value: Any) -> QosLimits:
    """The limits that `pack` wrote, in any version of this program."""
    if isinstance(value, list):
        return QosLimits(value[0], value[1])
    rules = dict(value["rules"])
    percent = value.get("percent", percentages(rules, value["flags"] or ()))  # older versions took no heed of the flag
    tres, jobs = rules.pop("GrpTRES", {}), rules.pop("GrpJobs", {}).get(JOBS)
    return QosLimits(
        tres,
        jobs,
        rules,
        None if value["flags"] is None else tuple(value["flags"]),
        {name: PartitionQos(*found[:2], *map(tuple, found[2:])) for name, found in value["partitions"].items()},
        tuple(Account(*found) for found in value["accounts"]),
        (bool(value["elsewhere"][0]), bool(value["elsewhere"][1])),
        tuple(percent),
    )


def percentages(rules: Rules, flags: Sequence[str]) -> tuple[str, ...]:
    """The settings whose values are percentages, in a QoS that has these flags."""
    return tuple(s.name for s in SETTINGS if not s.resource and s.name in rules) if RELATIVE in flags else ()


def _plain(rules: Rules) -> dict[str, dict[str, float]]:
    return {setting: dict(values) for setting, values in rules.items()}
