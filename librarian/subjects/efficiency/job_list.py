"""The jobs that the store knows, with what they used: those that ended since a moment, that run and that are pending.

Read without columns, for somebody who waits at a terminal. Each is told as one job's card has it (`ask_job.Told`), so
both say the same numbers; what only Slurm knows (name, nodes, steps) is empty here, and so is the exit code of runs
that were kept before it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.slurm.job_ids import NOT_TOLD, exit_words
from librarian.store import Store
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.keep import RunUses
from librarian.subjects.efficiency.model import Run, Use, UsedRun
from librarian.subjects.jobs.runaway_facts import runaways
from librarian.subjects.jobs.states import RUNAWAY, UNKNOWN, goes_on

UNSUCCESSFUL = ("FAILED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL", "DEADLINE")
"""The states of jobs that ended badly, by themselves or by Slurm; one that was cancelled or preempted is none."""
_NUMBERS = ("dbindex", "jobid", "submit", "eligible", "start", "end", "elapsed", "array", "task", "tasks", "exit_code")
_TEXTS = ("user", "account", "qos", "partition", "state", "alloc_tres")
_SELECTED = ", ".join([f'job."{name}"' for name in _NUMBERS] + [f'"{name}_text".value' for name in _TEXTS])
_JOINED = " ".join(f'JOIN text AS "{name}_text" ON "{name}_text".id = job."{name}"' for name in _TEXTS)


def listed(store: Store, scope: Scope, since: int, now: int, user: str | None = None) -> list[Told]:
    """The runs of `scope` that ended at `since` or later, oldest end first, then those that go on or are pending.

    `now` is the moment that the store knows them of (UTC epochs). With `user` only those of that one.
    """
    ended = _rows(store, scope, '"end" >= ?', (since,), user)
    found = _told_of(store, scope, [*ended, *_rows(store, scope, '"end" = ?', (UNKNOWN,), user)], now)
    return in_order(one for one in found if one.end is None or one.end >= since)


def ended_in(store: Store, scope: Scope, begin: int, until: int) -> list[Told]:
    """The runs of `scope` that ended in [begin, until) (UTC epochs), by end."""
    rows = _rows(store, scope, '"end" >= ? AND job."end" < ?', (begin, until), None)
    return in_order(_told_of(store, scope, list(rows), until))


def not_ended(store: Store, scope: Scope, now: int) -> list[Told]:
    """The runs of `scope` that have no end at `now` (UTC epoch), and those whose end was lost."""
    return in_order(_told_of(store, scope, list(_rows(store, scope, '"end" = ?', (UNKNOWN,), None)), now))


def _told_of(store: Store, scope: Scope, rows: Sequence[Mapping[str, Any]], now: int) -> list[Told]:
    lost = {run.dbindex: run.until for run in runaways(store, scope) if run.sure}
    told = [_told(row, lost, now) for row in rows]
    ended = [one.used.run.dbindex for one in told if one.end is not None and one.start is not None]
    uses = {used.run.dbindex: used for used in RunUses(store).named(ended)}
    return [_with_use(one, uses.get(one.used.run.dbindex)) for one in told]


class Started(NamedTuple):
    """A run that started: whose it is, and when it was submitted, could start and did (UTC epochs)."""

    user: UserName
    jobid: int
    submit: int
    eligible: int
    start: int


def started(store: Store, scope: Scope, begin: int, end: int) -> Iterator[Started]:
    """The runs of `scope` that started in [begin, end), of which it is known since when they could start."""
    rows = (
        row for one in (('"end" >= ?', (begin,)), ('"end" = ?', (UNKNOWN,))) for row in _rows(store, scope, *one, None)
    )
    found = {row["dbindex"]: row for row in rows if begin <= row["start"] < end and row["start"] != UNKNOWN}
    for row in found.values():
        if UNKNOWN not in (row["submit"], row["eligible"]):
            yield Started(UserName(row["user"]), row["jobid"], row["submit"], row["eligible"], row["start"])


def in_order(told: Iterable[Told]) -> list[Told]:
    """By end; then what runs, by start; then what is pending."""
    return sorted(told, key=_place)


def _rows(
    store: Store, scope: Scope, condition: str, given: Sequence[int], user: str | None
) -> Iterator[Mapping[str, Any]]:
    where: list[str] = [f"job.{condition}"]
    values: list[object] = [*given]
    filters: Mapping[str, Sequence[str]] = {
        "qos": (scope.qos,),
        "account": scope.accounts,
        "partition": scope.partitions,
    }
    for column, names in filters.items():
        if names:
            marks = ", ".join("?" * len(names))
            where.append(f'job."{column}" IN (SELECT id FROM text WHERE value COLLATE NOCASE IN ({marks}))')  # noqa: S608
            values += names
    if user is not None:
        where.append("job.user IN (SELECT id FROM text WHERE value = ?)")
        values.append(user)
    sql = f"SELECT {_SELECTED} FROM job {_JOINED} WHERE {' AND '.join(where)}"  # noqa: S608 (names from above)
    for row in store.all(sql, *values):
        yield dict(zip((*_NUMBERS, *_TEXTS), row, strict=True))


def _told(row: Mapping[str, Any], lost: Mapping[int, int], now: int) -> Told:
    """A run of which no use is known. One whose end was lost ends where it was last known to live."""
    index, state = row["dbindex"] % 2**64, row["state"]
    times = {name: None if row[name] == UNKNOWN else row[name] for name in ("submit", "eligible", "start", "end")}
    elapsed = row["elapsed"]
    if times["start"] is not None and times["end"] is None:
        alive = goes_on(row["start"], row["end"], state) or state == "PENDING"
        if index in lost or not alive:
            times["end"], state = max(lost.get(index, 0), row["start"]), RUNAWAY
            elapsed = times["end"] - row["start"]
    begun = now if times["start"] is None else times["start"]
    run = Run(
        dbindex=index,
        jobid=row["jobid"],
        user=UserName(row["user"]),
        account=AccountName(row["account"]),
        qos=row["qos"],
        partition=PartitionName(row["partition"]),
        state=state,
        start=begun,
        end=max(begun, now if times["end"] is None else times["end"]),
        elapsed=elapsed,
        limit=None,
        alloc_tres=row["alloc_tres"] if times["start"] is not None else "",
    )
    return Told(
        f"{row['array']}_{row['task']}" if row["task"] != NOT_TOLD else str(run.jobid),
        "",
        UsedRun(run, Use()),
        submit=times["submit"],
        eligible=times["eligible"],
        start=times["start"],
        end=times["end"],
        exit_code=exit_words(row["exit_code"]),
        requested="",
        nodes="",
        reason="",
        steps=(),
        array=max(row["array"], 0),
        tasks=max(row["tasks"], 1),
    )


def _with_use(told: Told, used: UsedRun | None) -> Told:
    """The same with what it used, where that is known of the run as it ended."""
    run = told.used.run
    if used is None or run.state == RUNAWAY or used.run.end != told.end:
        return told
    return replace(told, used=UsedRun(replace(run, limit=used.run.limit), used.use))


def _place(told: Told) -> tuple[bool, int, bool, int, int]:
    run = told.used.run
    return told.end is None, told.end or 0, told.start is None, told.start or told.submit or 0, run.dbindex
