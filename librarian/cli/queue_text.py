"""The queue in lines for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime

import pytz

from librarian.shared.resources import WANTED
from librarian.shared.text import shown
from librarian.shared.words import amount, counted
from librarian.subjects.queue.model import Demand, Queue

_HEADS = tuple(observable.unit.upper() for observable in WANTED)
_GROUPS = {
    "held": "held, or kept back",
    "dependency": "waiting for other jobs",
    "begin": "not to begin yet",
}


def lines(qos: str, queue: Queue, now: int, zone: str, width: int) -> list[str]:
    """The queue of `qos`: a line of state, then the reasons, then the users; `now` is a UTC epoch."""
    width = max(width, 30)
    if not queue.jobs:
        return [f"{shown(qos)}: nobody waits", *_error(queue, width)]
    clock = _Clock(now, zone)
    competing = queue.groups["competing"]
    parts = [f"{counted(queue.jobs, 'job')} waiting", f"{amount(competing.jobs)} competing for {_amounts(competing)}"]
    parts += [
        f"{amount(queue.groups[group].jobs)} {words}" for group, words in _GROUPS.items() if queue.groups[group].jobs
    ]
    if queue.oldest:
        parts.append(f"longest {clock.since(queue.oldest[1])} ({shown(queue.oldest[0])})")
    if queue.next_start:
        parts.append(f"next start expected {clock.at(queue.next_start)}")
    return [
        *textwrap.wrap(f"{shown(qos)}: {'; '.join(parts)}", width),
        *_error(queue, width),
        "",
        *_reasons(queue, clock, width),
        "",
        *_users(queue, clock, width),
    ]


def _error(queue: Queue, width: int) -> list[str]:
    return textwrap.wrap(queue.error, width) if queue.error else []


def _reasons(queue: Queue, clock: _Clock, width: int) -> list[str]:
    head = ("REASON", "JOBS", *_HEADS, "OLDEST", "NEXT START")
    rows = [
        (shown(cause.reason), *_cells(cause.demand), clock.since(cause.oldest), clock.at(cause.next_start))
        for cause in queue.causes
    ]
    table = _table([head, *rows], width)
    found = table[:1]
    for line, cause in zip(table[1:], queue.causes, strict=True):
        text = textwrap.wrap(f"{cause.text} {cause.todo}", width, initial_indent="  ", subsequent_indent="  ")
        found += [line, *text]
    return found


def _users(queue: Queue, clock: _Clock, width: int) -> list[str]:
    head = ("USER", "JOBS", *_HEADS, "COMPETING", "OLDEST", "NEXT START")
    rows = [
        (
            shown(waiter.user),
            *_cells(waiter.all),
            amount(waiter.competing.jobs),
            clock.since(waiter.oldest),
            clock.at(waiter.next_start),
        )
        for waiter in queue.users
    ]
    return _table([head, *rows], width)


def _table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns side by side, names to the left and the rest to the right; the last columns are left out if need be."""
    sizes = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    shown_columns = len(sizes)
    while shown_columns > 2 and sum(sizes[:shown_columns]) + 2 * (shown_columns - 1) > width:
        shown_columns -= 1
    sizes[0] = min(sizes[0], max(width - sum(sizes[1:shown_columns]) - 2 * (shown_columns - 1), 8))
    return [
        "  ".join([_cut(row[0], sizes[0]), *(row[n].rjust(sizes[n]) for n in range(1, shown_columns))]) for row in rows
    ]


def _cut(text: str, size: int) -> str:
    return text.ljust(size) if len(text) <= size else text[: size - 1] + "…"


def _cells(demand: Demand) -> tuple[str, ...]:
    return (amount(demand.jobs), *(amount(demand.wanted[o.key]) for o in WANTED))


def _amounts(demand: Demand) -> str:
    return ", ".join(f"{amount(demand.wanted[o.key])} {o.unit}" for o in WANTED)


class _Clock:
    """Times as a person reads them."""

    def __init__(self, now: int, zone: str) -> None:
        self.now, self._zone = now, pytz.timezone(zone)

    def at(self, epoch: int | None) -> str:
        """The time of day, with the date where it is not today's."""
        if epoch is None:
            return "-"
        told, today = (datetime.fromtimestamp(each, self._zone) for each in (epoch, self.now))
        return told.strftime("%H:%M" if told.date() == today.date() else "%Y-%m-%d %H:%M")

    def since(self, epoch: int | None) -> str:
        """How long ago."""
        if epoch is None:
            return "-"
        seconds = max(self.now - epoch, 0)
        for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
            if seconds >= length:
                return f"{seconds // length} {unit}"
        return f"{seconds} s"
