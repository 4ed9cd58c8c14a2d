"""What runs come to in slots of time: sums that are kept for good, the same whatever order runs come in. Pure.

What a run used is spread evenly over the time that it ran: nobody tells when it was busy. Amounts are whole numbers and
each run's parts add up to all of it, so runs can be added and taken away again without a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.tres import gpu_types, parse_tres
from librarian.subjects.efficiency.model import FRACTION, Hours, UsedRun, hours_of

SLOT = 1800
"""Seconds. Bins of the page begin with a slot in every zone whose clock is a whole number of half hours off; elsewhere,
and in bins that are shorter, a slot is shared evenly."""


@dataclass(frozen=True, order=True)
class Who:
    """Whose runs, and where."""

    qos: str
    account: AccountName
    partition: PartitionName
    user: UserName


Place = tuple[int, Who, str]
"""The begin of a slot (UTC epoch), whose it is, the key of the resource."""
Sums = dict[Place, Hours]


def who(used: UsedRun) -> Who:
    """Whose run it is."""
    run = used.run
    return Who(run.qos, run.account, run.partition, run.user)


def resources_of(used: UsedRun) -> Mapping[str, Hours]:
    """`hours_of`, with GPUs by type too (`NGPUS:a100`). Which type of several was busy nobody tells: not measured."""
    found = dict(hours_of(used))
    kinds = gpu_types(parse_tres(used.run.alloc_tres))
    for kind, count in kinds.items() if "NGPUS" in found else ():
        alone = len(kinds) == 1
        allocated = round(count * FRACTION) * used.run.seconds("NGPUS")
        found[f"NGPUS:{kind}"] = found["NGPUS"] if alone else Hours(allocated)
    return found


def spread(used: UsedRun) -> Iterator[tuple[Place, Hours]]:
    """What a run comes to in each slot that it touches; one without duration is all in the slot of its end."""
    run, whose = used.run, who(used)
    length = run.end - run.start
    for key, hours in resources_of(used).items():
        told: tuple[int, ...] = (0, 0, 0)
        for slot in range(run.start - run.start % SLOT, max(run.end, run.start + 1), SLOT):
            passed = min(slot + SLOT, run.end) - run.start
            share = (hours.allocated, hours.measured, hours.used)
            upto = tuple(amount * passed // length if length else amount for amount in share)
            part = Hours(*(after - before for after, before in zip(upto, told, strict=True)))
            told = upto
            if part != Hours():
                yield (slot, whose, key), part


def sums(added: Iterable[UsedRun], gone: Iterable[UsedRun] = ()) -> Sums:
    """What changes where these runs come and those go; what comes to nothing is left out."""
    found: Sums = {}
    for place, hours in (part for used in added for part in spread(used)):
        found[place] = found.get(place, Hours()) + hours
    for place, hours in (part for used in gone for part in spread(used)):
        found[place] = found.get(place, Hours()) + -hours
    return {place: hours for place, hours in found.items() if hours != Hours()}
