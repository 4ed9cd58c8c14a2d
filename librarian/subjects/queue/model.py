"""The queue: who waits, for what and why. Jobs that compete are told apart from those that wait for something else."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from librarian.errors import Trouble
from librarian.shared import resources
from librarian.shared.names import AccountName, Place, UserName
from librarian.shared.resources import ByKey
from librarian.subjects.queue.blocking import Bounds, Counted
from librarian.subjects.queue.explain import Case, Holder, told
from librarian.subjects.queue.reasons import GROUPS, OTHER, is_name
from librarian.subjects.queue.table import Pending, Table, understood
from librarian.subjects.usage.kinds import KINDS

if TYPE_CHECKING:  # it renames tables too, with pandas
    from librarian.privacy.renaming import Renaming

Rows = Sequence[Pending]
WANTED = tuple(observable.key for observable in resources.WANTED)


@dataclass(frozen=True)
class LastQueue:
    """What squeue told last, at `at` (None: never yet); `trouble` is why it told nothing newer since, or not all, and
    `error` the same in words for the operator; None where nothing failed.

    `counted` is what Slurm counted then against limits that jobs of other QoS fill too, where it was asked for that.
    """

    at: int | None = None
    table: Table = ()
    error: str | None = None
    trouble: Trouble | None = None
    counted: Counted = field(default_factory=dict)

    def renamed(self, names: Renaming) -> LastQueue:
        """By public names of users and accounts; a reason without the nodes that must not be seen, and no `error`."""
        users = {user: names.name(UserName, user) for user in {row.user for row in self.table}}
        accounts = {name: names.name(AccountName, name) for name in {row.account for row in self.table}}
        reasons = {reason: _public(reason, names) for reason in {row.reason for row in self.table}}
        if all(old == new for of in (users, accounts, reasons) for old, new in of.items()):
            return replace(self, error=None)
        table = tuple(
            row._replace(user=users[row.user], account=accounts[row.account], reason=reasons[row.reason])
            for row in self.table
        )
        return replace(self, table=table, error=None)


def _public(reason: str, names: Renaming) -> str:
    """What readers see of a reason: a sentence may hold nodes, users, anything."""
    if names.shows_nodes and not names.users:
        return reason
    plain = reason if names.shows_nodes else reason.split(",", maxsplit=1)[0]
    return plain if is_name(plain) else OTHER


@dataclass(frozen=True)
class Demand:
    """How many jobs, and what they ask for together, by observable key."""

    jobs: int
    wanted: ByKey


NOTHING = Demand(0, dict.fromkeys(WANTED, 0.0))


@dataclass(frozen=True)
class Waiter:
    """A user who waits: with all their jobs, and with those that compete. Times are UTC epochs."""

    user: UserName
    all: Demand
    competing: Demand
    oldest: int | None
    next_start: int | None


@dataclass(frozen=True)
class Cause:
    """A reason for which jobs wait, the largest demand first; `users` are jobs by user."""

    reason: str
    group: str
    demand: Demand
    users: dict[UserName, int]
    oldest: int | None
    next_start: int | None
    text: str
    todo: str
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class Queue:
    """The queue of a QoS as it was `at`. `oldest` is (user, since) of the job that has competed longest; `still` has,
    by kind of job, how many compete and the median of their waits so far in seconds (None for no jobs). `error` and
    `trouble` as in `LastQueue`."""

    at: int | None = None
    error: str | None = None
    jobs: int = 0
    groups: Mapping[str, Demand] = field(default_factory=lambda: dict.fromkeys(GROUPS, NOTHING))
    users: tuple[Waiter, ...] = ()
    causes: tuple[Cause, ...] = ()
    oldest: tuple[UserName, int] | None = None
    next_start: int | None = None
    still: Mapping[str, tuple[int, int | None]] = field(default_factory=lambda: dict.fromkeys(KINDS, (0, None)))
    trouble: Trouble | None = None


def shares(seen: LastQueue) -> dict[UserName, float]:
    """Everybody who waits, with their share (0 to 1) of all jobs that do; who has waited longest, with all of it."""
    jobs: dict[UserName, float] = {}
    waiting = understood(seen.table, seen.at or 0)
    for one in waiting:
        jobs[UserName(one.row.user)] = jobs.get(UserName(one.row.user), 0) + one.row.tasks
    whole = max(sum(jobs.values()), 1)
    found = {user: count / whole for user, count in jobs.items()}
    oldest = _first(_competing(waiting))
    return found | ({oldest[0]: 1.0} if oldest else {})


def wanted(seen: Table, at: int) -> dict[str, Demand]:
    """What the jobs that compete want, by user: a sample of the queue at `at`."""
    return {user: _demand(rows) for user, rows in _by_user(_competing(understood(seen, at))).items()}


def summarise(seen: LastQueue, bounds: Bounds) -> Queue:
    """The queue for people; `bounds` tells which limits keep jobs back, and who holds what."""
    if seen.at is None:
        return Queue(error=seen.error, trouble=seen.trouble)
    waiting = understood(seen.table, seen.at)
    competing = _competing(waiting)
    return Queue(
        seen.at,
        seen.error,
        sum(one.row.tasks for one in waiting),
        {group: _demand([one for one in waiting if one.group == group]) for group in GROUPS},
        _waiters(waiting, seen.at, bounds.others),
        _causes(waiting, replace(bounds, counted={**seen.counted, **bounds.counted}), seen.at),
        _first(competing),
        _next_start(waiting, seen.at),
        still(competing, seen.at),
        seen.trouble,
    )


def _first(competing: Rows) -> tuple[UserName, int] | None:
    """Whose job has competed longest, and since when (UTC epoch)."""
    since, user = min(((one.since, one.row.user) for one in competing), default=(0, None))
    return None if user is None else (UserName(user), since)


def still(competing: Rows, at: int) -> dict[str, tuple[int, int | None]]:
    """Of the jobs that wait `at`: how many of each kind, and the median of their waits so far; None for no jobs."""
    found: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
    for one in competing:
        found["gpu" if one.each["NGPUS"] > 0 else "cpu"].append((max(at - one.since, 0), one.row.tasks))
    return {kind: (sum(tasks for _, tasks in waits), _median(sorted(waits))) for kind, waits in found.items()}


def _median(waits: Sequence[tuple[int, int]]) -> int | None:
    """The median of rising waits, each as often as it says; None where there are none."""
    ends = list(itertools.accumulate(often for _, often in waits))
    if not ends or not ends[-1]:
        return None
    low, high = (waits[bisect.bisect_right(ends, place)][0] for place in ((ends[-1] - 1) // 2, ends[-1] // 2))
    return round((low + high) / 2)


def _competing(waiting: Rows) -> list[Pending]:
    return [one for one in waiting if one.group == "competing"]


def _by_user(waiting: Rows) -> dict[UserName, list[Pending]]:
    """By user, in the order of their names."""
    found: dict[UserName, list[Pending]] = {UserName(user): [] for user in sorted({one.row.user for one in waiting})}
    for one in waiting:
        found[UserName(one.row.user)].append(one)
    return found


def _demand(rows: Rows) -> Demand:
    jobs = sum(one.row.tasks for one in rows)
    return Demand(jobs, {key: math.fsum(one.each[key] * one.row.tasks for one in rows) for key in WANTED})


def _waiters(waiting: Rows, at: int, others: UserName | None) -> tuple[Waiter, ...]:
    found = []
    for user, rows in _by_user(waiting).items():
        competing = _competing(rows)
        found.append(Waiter(user, _demand(rows), _demand(competing), _oldest(competing), _next_start(rows, at)))
    shares = _scale(waiting)
    found.sort(key=lambda it: (it.user == others, -_size(it.competing, shares), -_size(it.all, shares), it.user))
    return tuple(found)


def _causes(waiting: Rows, bounds: Bounds, at: int) -> tuple[Cause, ...]:
    every: dict[tuple[str, str], list[Pending]] = {}
    for one in waiting:
        every.setdefault((one.name, one.group), []).append(one)
    found = [_cause(*key, rows, bounds, at) for key, rows in sorted(every.items(), key=lambda item: item[0])]
    shares = _scale(waiting)
    return tuple(sorted(found, key=lambda it: (GROUPS.index(it.group), -_size(it.demand, shares), it.reason)))


def _cause(name: str, group: str, rows: Rows, bounds: Bounds, at: int) -> Cause:
    users = {user: sum(one.row.tasks for one in their) for user, their in _by_user(rows).items()}
    asked = {key: [(one.each[key], one.row.tasks) for one in rows] for key in WANTED}
    accounts, details = sorted({one.row.account for one in rows}), sorted({one.more for one in rows} - {""})
    places = frozenset[Place]().union(*(one.place for one in rows))
    text, todo, holders = told(Case(name, users, asked, accounts, details, group, places), bounds)
    return Cause(
        name,
        group,
        _demand(rows),
        dict(sorted(users.items(), key=lambda item: (item[0] == bounds.others, -item[1], item[0]))),
        _oldest(rows) if group == "competing" else None,
        _next_start(rows, at),
        text,
        todo,
        holders,
    )


def _oldest(rows: Rows) -> int | None:
    return min((one.since for one in rows), default=None)


def _next_start(rows: Rows, at: int) -> int | None:
    """Slurm's estimate of the first start after `at` (UTC epoch): one that has passed was wrong, and tells nothing.

    Nor is there one for jobs that are held: of these Slurm tells when they ran before.
    """
    hopeful = (one.row.start for one in rows if one.group in ("competing", "begin"))
    return min((start for start in hopeful if start > at), default=None)


def _scale(waiting: Rows) -> ByKey:
    """What everybody wants together, so that a GPU and a CPU can be compared by their share."""
    return {key: max(amount, 1e-12) for key, amount in _demand(waiting).wanted.items()}


def _size(demand: Demand, whole: ByKey) -> float:
    """The largest share of anything, so that the order is one of want and not of jobs."""
    return max(demand.wanted[key] / whole[key] for key in WANTED)
