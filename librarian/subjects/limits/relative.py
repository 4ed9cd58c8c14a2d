"""Limits of a QoS with the flag Relative: percentages in slurmdbd, numbers in slurmctld, which counts against those.

slurmctld turns them into numbers as it starts and is reconfigured, and tells GrpTRES beside its use. The other settings
it tells only of users and accounts that hold something: they stay percentages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from librarian.shared.tres import Counts
from librarian.slurm.command import Slurm
from librarian.subjects.limits import counted
from librarian.subjects.limits.rules import QosLimits

_GROUP = "GrpTRES"
Told = Mapping[str, tuple[Counts, Counts]]
"""By QoS: the percentages of which slurmctld was asked, and the numbers that it has for them."""


def ask(slurm: Slurm, table: Mapping[str, QosLimits]) -> Told:
    """What slurmctld has for the percentages in `table`; nothing is asked where there are none. Raises `SlurmError`."""
    wanted = {name.lower(): limits.tres for name, limits in table.items() if _GROUP in limits.percent}
    if not wanted:
        return {}
    numbers = counted.group_limits(slurm, sorted(wanted))
    return {name: (wanted[name], found) for name, found in numbers.items() if name in wanted}


def in_numbers(table: Mapping[str, QosLimits], told: Told | Mapping[str, Any]) -> dict[str, QosLimits]:
    """`table` with the numbers that were `told` for the percentages that it has; others stay percentages."""
    return {name: _one(limits, *told.get(name.lower(), ({}, {}))) for name, limits in table.items()}


def _one(limits: QosLimits, asked: Counts, numbers: Counts) -> QosLimits:
    if _GROUP not in limits.percent or asked != limits.tres or not set(asked) <= set(numbers):
        return limits
    others = tuple(name for name in limits.percent if name != _GROUP)
    return replace(limits, tres={name: numbers[name] for name in asked}, percent=others)
