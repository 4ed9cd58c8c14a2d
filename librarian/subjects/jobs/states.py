"""What the states and times of a run mean, of one run at a time; `model` has the same of whole tables."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = -1  # a time that has not come yet, or never will
GOING_ON = ("RUNNING", "SUSPENDED", "CONFIGURING", "COMPLETING", "STOPPED", "SIGNALING", "STAGE_OUT")
RUNAWAY = "RUNAWAY"  # our own word in the place of the state of a run of which nobody knows how it ended
TIMES = ("submit", "eligible", "start", "end")


@dataclass(frozen=True)
class Reject:
    """A row of Slurm's that is left out: `key` is the same whenever the same row comes again."""

    key: str
    reason: str
    line: str


def goes_on(start: int, end: int, state: str) -> bool:
    """Whether a run began and has no end because it runs, or is suspended."""
    return start != UNKNOWN and end == UNKNOWN and state in GOING_ON


def under_way(start: int, end: int, state: str, now: int) -> bool:
    """Whether a run has an allocation at `now`: one that is suspended has."""
    return start != UNKNOWN and start <= now and (goes_on(start, end, state) or end > now)
