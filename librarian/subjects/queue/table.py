"""The queue table: what squeue tells of each job, and what is understood of those that wait.

Rows and not columns: a queue has few, since an array of tasks that wait is one, and who only looks at the queue must
not wait for pandas.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from librarian.shared import resources
from librarian.shared.names import Place, Places, UserName
from librarian.shared.resources import JOBS, ByKey, Observable
from librarian.subjects.jobs.states import UNKNOWN
from librarian.subjects.queue.blocking import places_of
from librarian.subjects.queue.reasons import explain, read_reason

# A job that was put back in a special state, or whose reservation was deleted, waits until somebody releases it; squeue
# does not call it PENDING.
KEPT_BACK = ("SPECIAL_EXIT", "RESV_DEL_HOLD")
WAITING, HOLDING = ("PENDING", *KEPT_BACK), ("RUNNING", "SUSPENDED")
TIMES = ("submit", "eligible", "start")


class Row(NamedTuple):
    """A job, or an array of `tasks` that wait.

    Times are UTC epochs or UNKNOWN; `start` is Slurm's estimate, `tres` what one task asks for (holds, once it runs).
    """

    job: str
    state: str
    user: str
    account: str
    qos: str
    partition: str
    reason: str
    tres: str
    dependency: str
    tasks: int
    submit: int
    eligible: int
    start: int
    priority: int


COLUMNS = Row._fields
Table = tuple[Row, ...]


class Pending(NamedTuple):
    """A job that waits: its reason's `name` and what Slurm says `more`, the `group` of what it waits for, `since` when,
    and what each of its tasks asks for by observable key."""

    row: Row
    name: str
    more: str
    group: str
    since: int
    each: ByKey

    @property
    def place(self) -> frozenset[Place]:
        """The partitions and the account that it is for."""
        return places_of([self.row.partition], [self.row.account])


def queue_table(rows: Iterable[Iterable[Any]]) -> Table:
    """The queue table of `rows`, each in the order of `COLUMNS`."""
    return tuple(Row(*row) for row in rows)


def understood(table: Table, at: int) -> list[Pending]:
    """The jobs of a queue table that wait.

    A job in a state that keeps it back is held, whatever else is said. One whose eligible time is yet to come waits for
    that. Priority 0 is a job that is held.
    """
    waiting = [row for row in table if row.state in WAITING]
    # many rows ask for the same, for the same reason
    each = {tres: {o.key: o.of(tres) for o in resources.WANTED} for tres in {row.tres for row in waiting}}
    why = {reason: read_reason(reason) for reason in {row.reason for row in waiting}}
    return [_understood(row, *why[row.reason], each[row.tres], at) for row in waiting]


def _understood(row: Row, name: str, more: str, each: ByKey, at: int) -> Pending:
    group = "held" if row.state in KEPT_BACK else _group(name, row.priority, row.eligible, at)
    since = row.eligible if row.eligible != UNKNOWN and row.eligible <= at else row.submit
    return Pending(row, name, more, group, since, each)


def _group(name: str, priority: int, eligible: int, at: int) -> str:
    group = explain(name).group
    if group == "competing" and eligible > at:
        return "begin"
    return "held" if group == "competing" and priority == 0 else group


def held(table: Table, observables: Sequence[Observable]) -> dict[UserName, ByKey]:
    """What each user's running jobs hold, by observable key. Suspended ones too: Slurm counts them against limits."""
    found: dict[UserName, ByKey] = {}
    for row in (row for row in table if row.state in HOLDING):
        amounts = found.setdefault(UserName(row.user), {observable.key: 0.0 for observable in observables})
        for observable in observables:
            amounts[observable.key] += observable.of(row.tres)
    return found


def held_at(table: Table, observables: Sequence[Observable]) -> Places:
    """The partitions and accounts in which running jobs hold each resource."""
    running = [row for row in table if row.state in HOLDING]
    found = {}
    for observable in observables:
        holding = [row for row in running if observable.of(row.tres) > 0]
        if holding:
            places = places_of((row.partition for row in holding), (row.account for row in holding))
            found[observable.resource or JOBS] = places
    return found
