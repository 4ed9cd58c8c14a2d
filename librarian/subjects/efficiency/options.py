"""What the configuration says of this subject, with its defaults: the table [efficiency]."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EfficiencyOptions:
    """Whether sacct is asked for what runs used, and for how many seconds of a cycle at most."""

    enabled: bool = True
    collect_seconds: int = 20
