"""Which runs belong to one report, and what is reported on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scope:
    """Which runs belong to one report: those of a QoS on a cluster, cut down to accounts and partitions where these are
    named."""

    cluster: str
    qos: str
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The scope as text, the same however its names are written and ordered."""
        names = [self.cluster.lower(), self.qos.lower()]
        return json.dumps([*names, sorted(self.accounts), sorted(self.partitions)])

    @property
    def whole(self) -> Scope:
        """The whole QoS."""
        return Scope(self.cluster, self.qos)


@dataclass(frozen=True)
class Watched:
    """A QoS that is reported on; `overrides` are the configuration's limits, as GrpTRES has them (sizes in GiB)."""

    scope: Scope
    title: str = ""
    overrides: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The QoS."""
        return self.scope.qos


def full_key(key: str, cluster: str) -> str:
    """The key of a scope that names no cluster, as 0.1.0 wrote it, with that cluster; one of today stays as it is.

    Raises `ValueError` for what is no key.
    """
    parts = json.loads(key)
    if not isinstance(parts, list) or len(parts) not in (3, 4):
        raise ValueError(f"no key of a scope: {key[:80]}")
    return key if len(parts) == 4 else json.dumps([cluster.lower(), *parts])
