"""What some time came to, for one user or for all."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.resources import ByKey

# Runs that came to nothing by themselves or by the cluster. One that somebody cancelled, or that was preempted or
# requeued for other reasons, did not fail.
FAILED = ("BOOT_FAIL", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT")


@dataclass(frozen=True)
class Totals:
    """The window's sums for one user or for all: unit-hours by observable key, runs that ended by Slurm state."""

    hours: ByKey
    ended: dict[str, int]


def jobs_ended(totals: Totals) -> int:
    """How many runs ended, those that never started included."""
    return sum(totals.ended.values())


def jobs_failed(totals: Totals) -> int:
    """How many of them failed, as `FAILED` has it."""
    return sum(count for state, count in totals.ended.items() if state in FAILED)
