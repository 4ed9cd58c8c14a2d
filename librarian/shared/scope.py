"""Which runs belong to one report."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """Which runs belong to one report: a QoS, cut down to accounts and partitions where these are named."""

    qos: str
    accounts: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The scope as text, a key of the store's tables."""
        return json.dumps([self.qos.lower(), sorted(self.accounts), sorted(self.partitions)])
