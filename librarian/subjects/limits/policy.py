"""Every limit that touches a QoS as a row for people: who set it, how much of it is used, whether it binds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from librarian.shared.names import Places
from librarian.shared.resources import JOBS, OBSERVABLES
from librarian.subjects.limits.model import CONFIGURED, group_key
from librarian.subjects.limits.rules import (
    SETTINGS,
    SUBMITTED,
    WALLTIME,
    Key,
    LimitSource,
    QosLimits,
    binding,
    enforced,
    everywhere,
    sources,
    where,
)

Amounts = Mapping[str, float]
Enforced = Literal["everywhere", "partly", "never"]
OWN = "QoS"
"""The key, among those of `Held`, of what the QoS itself counts."""
_GROUP = {setting.name: setting for setting in SETTINGS}
_ORDER = {per: place for place, per in enumerate(("group", "account", "user", "job"))}
_WORDS = {
    **{observable.resource or JOBS: (observable.name, observable.unit) for observable in OBSERVABLES},
    "node": ("Nodes", "nodes"),
    SUBMITTED: ("Submitted jobs", "jobs"),
    WALLTIME: ("Wall time", "s"),
}


@dataclass(frozen=True)
class Held:
    """What Slurm counts at one place, by resource: of all, of each user, of each account."""

    total: Amounts = field(default_factory=dict)
    users: Mapping[str, Amounts] = field(default_factory=dict)
    accounts: Mapping[str, Amounts] = field(default_factory=dict)


@dataclass(frozen=True)
class LimitRow:
    """One limit. `used` is what counts against it, of the user or account `by` that holds most where it is for each;
    None where that is not known. `of` names the place that set it. `binds` if Slurm looks at no other instead where
    jobs are, and `enforced` tells where it does that of all places in which the QoS may be used."""

    source: LimitSource
    of: str
    used: float | None
    by: str | None
    binds: bool
    enforced: Enforced = "everywhere"

    @property
    def name(self) -> str:
        """The resource in words."""
        return words(self.source.resource)[0]

    @property
    def unit(self) -> str:
        """The unit of `limit` and `used`."""
        return "%" if self.source.percent else words(self.source.resource)[1]


def words(resource: str) -> tuple[str, str]:
    """A resource's name for people, and its unit ("" where there is none)."""
    if resource.startswith("gres/gpu:"):
        return f"GPUs {resource[9:]}", "GPUs"
    return _WORDS.get(resource, (resource, ""))


def rows(
    name: str,
    limits: QosLimits | None,
    overrides: Mapping[str, float],
    places: Places,
    held: Mapping[str, Held],
) -> tuple[LimitRow, ...]:
    """Every limit on the QoS `name`: on the group first, then for each account, user and job.

    `held` is what counts at each place, by `OWN` or the place's words (`association lab`); what is not in it is not
    known. `overrides` are the configuration's, on the group.
    """
    found: list[LimitRow] = []
    for resource, value in overrides.items():
        source = LimitSource(_GROUP[group_key(resource)[0]], resource, value, CONFIGURED)
        found.append(LimitRow(source, CONFIGURED, *_used(held.get(OWN), source), True))
    every = sources(limits) if limits else {}
    for key, several in every.items():
        bound = None if key in {group_key(resource) for resource in overrides} else _bound(limits, key, places)
        for source in several:
            place = OWN if source.kind == OWN else f"{source.kind} {source.name}"
            used = _used(held.get(place), source)
            of = f"{OWN} {name}" if place == OWN else place
            found.append(LimitRow(source, of, *used, source == bound, _enforced(limits, source)))
    keys = list(dict.fromkeys([*every, *(row.source.key for row in found)]))
    return tuple(
        sorted(found, key=lambda row: (_ORDER[row.source.setting.per], keys.index(row.source.key), not row.binds))
    )


def _bound(limits: QosLimits | None, key: Key, places: Places) -> LimitSource | None:
    """The limit that binds all of the QoS; where there is none, the tightest of those that bind a part of it."""
    if limits is None:
        return None
    at = where(places, key[1])
    whole = binding(limits, key, at)
    parts = [source for place in at or everywhere(limits) for source in enforced(limits, key, place)]
    return whole or min(parts, key=lambda source: (source.percent, source.value, source.words), default=None)


def _enforced(limits: QosLimits | None, source: LimitSource) -> Enforced:
    hits = [source in enforced(limits, source.key, place) for place in everywhere(limits)] if limits else []
    return "everywhere" if all(hits) else "partly" if any(hits) else "never"


def _used(held: Held | None, source: LimitSource) -> tuple[float | None, str | None]:
    """What counts against a limit, and whose it is where it is a user's or an account's."""
    per, resource = source.setting.per, source.resource
    if held is None or per == "job" or source.percent:
        return None, None
    nothing = 0.0 if resource.startswith("gres/gpu:") and "gres/gpu" in held.total else None
    if per == "group":
        return held.total.get(resource, nothing), None
    by = held.users if per == "user" else held.accounts
    amounts = {name: amount.get(resource, 0.0) for name, amount in by.items()}
    most = min(amounts, key=lambda name: (-amounts[name], name), default=None)
    if most is None or not amounts[most]:
        return (nothing if resource not in held.total else 0.0), None
    return amounts[most], most
