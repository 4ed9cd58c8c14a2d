"""The queue: who waits, for what and why. Jobs that compete are told apart from those that wait for something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from librarian.errors import Trouble
from librarian.privacy.renaming import Renaming
from librarian.shared import resources
from librarian.shared.names import AccountName, UserName
from librarian.shared.resources import JOBS, Observable
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.model import UNKNOWN
from librarian.subjects.queue.blocking import Bounds, Counted, places_of
from librarian.subjects.queue.explain import Case, Holder, told
from librarian.subjects.queue.reasons import GROUPS, OTHER, explain, is_name, read_reason
from librarian.subjects.queue.waits import still
from librarian.subjects.usage.places import Places
from librarian.subjects.usage.starts import KINDS
from librarian.subjects.usage.summary import ByKey

# The queue table: a row for each job that squeue tells, an array of tasks that wait being one with their number.
# Times are UTC epochs or UNKNOWN; `start` is Slurm's estimate, `tres` what one task asks for (holds, once it runs).
NUMBERS = ("tasks", "submit", "eligible", "start", "priority")
TEXTS = ("job", "state", "user", "account", "qos", "partition", "reason", "tres", "dependency")
COLUMNS = (*TEXTS, *NUMBERS)
# A job that was put back in a special state, or whose reservation was deleted, waits until somebody releases it; squeue
# does not call it PENDING.
KEPT_BACK = ("SPECIAL_EXIT", "RESV_DEL_HOLD")
WAITING, HOLDING = ("PENDING", *KEPT_BACK), ("RUNNING", "SUSPENDED")
WANTED = tuple(observable.key for observable in resources.WANTED)


def queue_table(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """The queue table of `rows`, each in the order of `COLUMNS`."""
    table: pd.DataFrame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return table.astype({**dict.fromkeys(TEXTS, object), **dict.fromkeys(NUMBERS, "int64")})


@dataclass(frozen=True)
class LastQueue:
    """What squeue told last, at `at` (None: never yet); `trouble` is why it told nothing newer since, or not all, and
    `error` the same in words for the operator; None where nothing failed.

    `counted` is what Slurm counted then against limits that jobs of other QoS fill too, where it was asked for that.
    """

    at: int | None = None
    table: pd.DataFrame = field(default_factory=lambda: queue_table([]))
    error: str | None = None
    trouble: Trouble | None = None
    counted: Counted = field(default_factory=dict)

    def renamed(self, names: Renaming) -> LastQueue:
        """By public names of users and accounts; a reason without the nodes that must not be seen, and no `error`."""
        table = self.table.assign(
            user=names.column(UserName, self.table["user"]),
            account=names.column(AccountName, self.table["account"]),
            reason=[_public(str(text), names) for text in self.table["reason"]],
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


def understood(table: pd.DataFrame, at: int) -> pd.DataFrame:
    """The jobs of a queue table that wait, with `name`, `more` (of the reason), `group`, `since`, and what all tasks of
    a row want by observable key.

    A job in a state that keeps it back is held, whatever else is said. One whose eligible time is yet to come waits for
    that. Priority 0 is a job that is held.
    """
    waiting = table[table["state"].isin(WAITING)].copy()
    read = {text: read_reason(text) for text in waiting["reason"].unique()}
    waiting["name"] = [read[text][0] for text in waiting["reason"]]
    waiting["more"] = [read[text][1] for text in waiting["reason"]]
    eligible = waiting["eligible"].to_numpy()
    waiting["group"] = [
        "held" if state in KEPT_BACK else _group(name, priority, time, at)
        for name, state, priority, time in zip(
            waiting["name"], waiting["state"], waiting["priority"], eligible, strict=True
        )
    ]
    past = (eligible != UNKNOWN) & (eligible <= at)
    waiting["since"] = waiting["eligible"].where(past, waiting["submit"])
    for observable in resources.WANTED:
        waiting[observable.key] = weights_of(observable, as_jobs(waiting)) * waiting["tasks"].astype(float)
    return waiting


def _group(name: str, priority: int, eligible: int, at: int) -> str:
    group = explain(name).group
    if group == "competing" and eligible > at:
        return "begin"
    return "held" if group == "competing" and priority == 0 else group


def wanted(seen: pd.DataFrame, at: int) -> dict[str, Demand]:
    """What the jobs that compete want, by user: a sample of the queue at `at`."""
    waiting = understood(seen, at)
    return {str(user): _demand(rows) for user, rows in waiting[waiting["group"] == "competing"].groupby("user")}


def as_jobs(table: pd.DataFrame) -> pd.DataFrame:
    """What observables read of a jobs table."""
    return pd.DataFrame({"alloc_tres": pd.Categorical(table["tres"])})


def held(table: pd.DataFrame, observables: Sequence[Observable]) -> dict[UserName, ByKey]:
    """What each user's running jobs hold, by observable key. Suspended ones too: Slurm counts them against limits."""
    rows = table[table["state"].isin(HOLDING)]
    jobs = as_jobs(rows)
    found: dict[UserName, ByKey] = {UserName(str(user)): {} for user in rows["user"]}
    for observable in observables:
        for user, amount in zip(rows["user"], weights_of(observable, jobs).tolist(), strict=True):
            found[user][observable.key] = found[user].get(observable.key, 0.0) + amount
    return found


def held_at(table: pd.DataFrame, observables: Sequence[Observable]) -> Places:
    """The partitions and accounts in which running jobs hold each resource."""
    rows = table[table["state"].isin(HOLDING)]
    found = {}
    for observable in observables:
        holding = rows[weights_of(observable, as_jobs(rows)) > 0]
        if len(holding):
            found[observable.resource or JOBS] = places_of(holding["partition"], holding["account"])
    return found


def summarise(seen: LastQueue, bounds: Bounds) -> Queue:
    """The queue for people; `bounds` tells which limits keep jobs back, and who holds what."""
    if seen.at is None:
        return Queue(error=seen.error, trouble=seen.trouble)
    waiting = understood(seen.table, seen.at)
    competing = waiting[waiting["group"] == "competing"]
    first = competing.sort_values(["since", "user"]).head(1)
    return Queue(
        seen.at,
        seen.error,
        int(waiting["tasks"].sum()),
        {group: _demand(waiting[waiting["group"] == group]) for group in GROUPS},
        _waiters(waiting, seen.at),
        _causes(waiting, replace(bounds, counted={**seen.counted, **bounds.counted}), seen.at),
        next(
            ((UserName(str(user)), int(since)) for user, since in zip(first["user"], first["since"], strict=True)), None
        ),
        _next_start(waiting, seen.at),
        _still(competing, seen.at),
        seen.trouble,
    )


def _name(user: object) -> UserName:
    return UserName(str(user))


def _still(competing: pd.DataFrame, at: int) -> dict[str, tuple[int, int | None]]:
    tasks = competing["tasks"].to_numpy()
    each = {key: competing[key].to_numpy() / tasks for key in ("NCPUS", "NGPUS")}
    return still(competing["since"].to_numpy(), tasks, each["NCPUS"], each["NGPUS"], at)


def _demand(rows: pd.DataFrame) -> Demand:
    return Demand(int(rows["tasks"].sum()), {key: float(rows[key].sum()) for key in WANTED})


def _waiters(waiting: pd.DataFrame, at: int) -> tuple[Waiter, ...]:
    found = []
    for user, rows in waiting.groupby("user"):
        competing = rows[rows["group"] == "competing"]
        found.append(Waiter(_name(user), _demand(rows), _demand(competing), _oldest(competing), _next_start(rows, at)))
    shares = _scale(waiting)
    return tuple(sorted(found, key=lambda it: (-_size(it.competing, shares), -_size(it.all, shares), it.user)))


def _causes(waiting: pd.DataFrame, bounds: Bounds, at: int) -> tuple[Cause, ...]:
    found = []
    for (name, group), rows in waiting.groupby(["name", "group"]):
        users = {UserName(str(user)): int(tasks) for user, tasks in rows.groupby("user")["tasks"].sum().items()}
        accounts, details = sorted(set(rows["account"])), sorted(set(rows["more"]) - {""})
        places = places_of(rows["partition"], rows["account"])
        text, todo, holders = told(
            Case(str(name), users, _largest(rows), accounts, details, str(group), places), bounds
        )
        found.append(
            Cause(
                str(name),
                str(group),
                _demand(rows),
                dict(sorted(users.items(), key=lambda item: (-item[1], item[0]))),
                _oldest(rows) if group == "competing" else None,
                _next_start(rows, at),
                text,
                todo,
                holders,
            )
        )
    shares = _scale(waiting)
    return tuple(sorted(found, key=lambda it: (GROUPS.index(it.group), -_size(it.demand, shares), it.reason)))


def _largest(rows: pd.DataFrame) -> dict[str, list[tuple[float, int]]]:
    """What single tasks ask for, by observable key: (amount, number of tasks)."""
    tasks = rows["tasks"].astype(int)
    return {key: list(zip((rows[key] / tasks).tolist(), tasks.tolist(), strict=True)) for key in WANTED}


def _oldest(rows: pd.DataFrame) -> int | None:
    return int(rows["since"].min()) if len(rows) else None


def _next_start(rows: pd.DataFrame, at: int) -> int | None:
    """Slurm's estimate of the first start after `at` (UTC epoch): one that has passed was wrong, and tells nothing.

    Nor is there one for jobs that are held: of these Slurm tells when they ran before.
    """
    starts = rows["start"][rows["group"].isin(["competing", "begin"]) & (rows["start"] > at)]
    return int(starts.min()) if len(starts) else None


def _scale(waiting: pd.DataFrame) -> ByKey:
    """What everybody wants together, so that a GPU and a CPU can be compared by their share."""
    return {key: max(float(waiting[key].sum()), 1e-12) for key in WANTED}


def _size(demand: Demand, whole: ByKey) -> float:
    """The largest share of anything, so that the order is one of want and not of jobs."""
    return max(demand.wanted[key] / whole[key] for key in WANTED)
