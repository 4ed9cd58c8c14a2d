"""What an allocation is, as the configuration gives it; what became of it is computed in `allocation`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Allocation:
    """What may be used of the observable `key` in each year from `start` on, by the QoS `qos` together.

    `amount` is in unit-hours, or with `always` the number of units that may be held all the time: a GPU-year is one GPU
    for the length of the period, of 365 days or 366.
    """

    key: str
    amount: float
    start: date
    qos: tuple[str, ...]
    always: bool = False
