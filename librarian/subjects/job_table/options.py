"""What the configuration says of this subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from librarian.subjects.efficiency.options import EfficiencyOptions, Rules


@dataclass(frozen=True)
class JobTableOptions:
    """Whether jobs are published (`[privacy] jobs`), and by which rules something is found of them."""

    enabled: bool = False
    rules: Rules = field(default_factory=Rules)


def options_of(options: Mapping[str, Any]) -> JobTableOptions:
    """The subject's own among what the configuration says to subjects."""
    enabled, efficiency = options.get("jobs"), options.get("efficiency")
    rules = efficiency.rules if isinstance(efficiency, EfficiencyOptions) else Rules()
    return JobTableOptions(enabled is True, rules)
