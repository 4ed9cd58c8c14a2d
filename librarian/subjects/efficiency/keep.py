"""What ended runs used, in an open store: a row a run as long as runs are kept, and sums by slot for good.

No run is in the sums twice. As long as its row is kept, that tells what it came to; of one that ended before
(`forgotten`) it is enough to know that time as asked for, by a scope that the run belongs to: all that ended in it came
in then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from librarian.shared.calendar import DAY
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.shared.slices import gaps
from librarian.shared.spans import Span, Spans, clipped, joined
from librarian.store import Store
from librarian.subjects.efficiency.model import Flag, Hours, Peak, Run, Source, Total, Use, UsedRun, belongs
from librarian.subjects.efficiency.slots import SLOT, Sums, Who, sums, who
from librarian.subjects.efficiency.tally_kept import drop_tallies

EVERYBODY = ""  # in the place of a user: no user is called that, see `jobs.rows.NAMELESS`
KNOWN = "efficiency"
"""The word for the time of which is known what the runs used that ended in it (`Store.known`)."""
ASKED = "efficiency asked"
"""The word for the time of which all that ended in it and may be seen is in the sums: the rest of it may be hidden."""
_UNTIL, _FORGOTTEN, _LAST = "efficiency until", "efficiency forgotten", "efficiency last"
_LATE, _LOOKED = "efficiency late", "efficiency looked through"
_AT_ONCE = 500  # values in a statement
_RUN = ("jobid", "state", "start", "end", "elapsed", "limit", "alloc_tres")
_USE = (
    *("cpu", "cpu_source", "user", "system", "memory", "memory_source", "peak", "gpu", "gpu_source", "gpu_memory"),
    *("read", "written"),
)
_COLUMNS = ", ".join(f'"{name}"' for name in ("dbindex", "who", *_RUN, *_USE, "flags"))
_SELECTED = ", ".join(
    ["dbindex", *(f'run_use."{name}"' for name in (*_RUN, *_USE, "flags")), "qos", "account", "partition", "w.user"]
)
_FROM = f"SELECT {_SELECTED} FROM run_use JOIN use_who AS w ON w.id = run_use.who"  # noqa: S608 (names from above)


class RunUses:
    """The use of runs that ended."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # how far it is known

    def until(self, scope: Scope) -> int | None:
        """Up to when (UTC epoch) all runs that ended were asked for; None before the first answer."""
        value = self._store.fact(f"{_UNTIL} {scope.key}")
        return value if isinstance(value, int) else None

    def forgotten(self) -> int:
        """What ended before (UTC epoch) may have been dropped: it is in the sums, and must not come in again."""
        value = self._store.fact(_FORGOTTEN)
        return value if isinstance(value, int) else 0

    def known(self, scope: Scope) -> Spans:
        """The spans of time of which is known what the runs used that ended in them, whoever's they were."""
        return self._store.known(scope, KNOWN)

    def open_to(self, scope: Scope, span: Span) -> Spans:
        """What of `span` may be asked for, of which it is not known yet what runs used: up to where cycles have asked,
        and without the time of which rows are gone that somebody else's, hidden once, would be added to."""
        known, until = self.known(scope), self.until(scope)
        gone = clipped(self._store.known(scope, ASKED), 0, self.forgotten())
        return tuple(gaps([*known, *gone], span[0], min(span[1], until))) if until is not None else ()

    def late(self) -> Mapping[int, int]:
        """The ends of runs, by DBIndex, that were missing and asked for again: not once more."""
        return {int(index): end for index, end in (self._store.fact(_LATE) or {}).items()}

    def know_late(self, ends: Mapping[int, int], now: int) -> None:
        """Remember them; of those that came, or whose time is gone, nothing needs to be."""
        self._store.know(_LATE, {str(index): end for index, end in ends.items() if end >= self.forgotten()}, now)

    def looked_through(self) -> int:
        """When (UTC epoch) all of the time was looked through for runs that are missing."""
        value = self._store.fact(_LOOKED)
        return value if isinstance(value, int) else 0

    def know_looked_through(self, now: int) -> None:
        """Remember that it was."""
        self._store.know(_LOOKED, now, now)

    def note(self, told: Mapping[str, object], now: int) -> None:
        """Remember how asking has fared: what went wrong, rows, rejects."""
        self._store.know(_LAST, dict(told), now)

    def last(self) -> Mapping[str, Any]:
        """What `note` was told last; empty before."""
        return self._store.fact(_LAST) or {}

    # runs

    def take(self, scopes: Sequence[Scope], span: Span, runs: Iterable[UsedRun], *, everybody: bool = True) -> int:
        """Take in all runs of `scopes` that ended in `span`, all or nothing; returns how many are new or others now.

        The sums follow. Spans come in order of time, unless the clock went back. Without `everybody` the answer may
        lack the runs of others, so the time counts as asked for and not as known. The same answer may come again, and
        changes nothing then.
        """
        with self._store.transaction():
            told = list(runs)
            fresh = self._take_in([used for used in told if used.run.end >= self.forgotten()])
            for scope in scopes:
                self._know(scope, span, told, everybody=everybody)
                self._store.know(f"{_UNTIL} {scope.key}", span[1], span[1])
        return fresh

    def take_past(self, scopes: Sequence[Scope], span: Span, runs: Iterable[UsedRun], *, everybody: bool = True) -> int:
        """The same for a span of the past, which may lie anywhere: cycles go on where they are.

        What ended at the end of the span, or beyond, is of the next one. Of runs whose time is gone from the rows none
        stays but in the sums.
        """
        with self._store.transaction():
            inside = [used for used in runs if span[0] <= used.run.end < span[1]]
            counted, forgotten = self._counted(span), self.forgotten()
            fresh = self._take_in([used for used in inside if used.run.end >= forgotten or not counted(used)])
            for scope in scopes:
                self._know(scope, span, inside, everybody=everybody)
            if span[0] < forgotten:
                self._store.execute('DELETE FROM run_use WHERE "end" < ?', (forgotten,))
        return fresh

    def take_late(self, runs: Iterable[UsedRun]) -> int:
        """The same for runs of time that is known, which came into Slurm's records later than others."""
        with self._store.transaction():
            return self._take_in([used for used in runs if used.run.end >= self.forgotten()])

    def _take_in(self, runs: Sequence[UsedRun]) -> int:
        told = {used.run.dbindex: used for used in runs}
        known = {used.run.dbindex: used for used in self.named(list(told))}
        fresh = [used for index, used in told.items() if known.get(index) != used]
        gone = [known[used.run.dbindex] for used in fresh if used.run.dbindex in known]
        drop_tallies(self._store, {used.run.end for used in (*fresh, *gone)})
        self._add(sums(fresh, gone))
        self._put(fresh)
        return len(fresh)

    def _know(self, scope: Scope, span: Span, runs: Sequence[UsedRun], *, everybody: bool) -> None:
        if everybody or runs:
            self._store.add_known(scope, ASKED, span)
        if everybody:
            self._store.add_known(scope, KNOWN, span)

    def _counted(self, span: Span) -> Callable[[UsedRun], bool]:
        """Whether a run that ended in `span` is in the sums already, though its row is gone: some scope that it belongs
        to was asked for then."""
        asked: dict[str, list[Span]] = {}
        sql = "SELECT scope, begin, until FROM known WHERE what IN (?, ?) AND until > ? AND begin < ?"
        for key, begin, until in self._store.all(sql, KNOWN, ASKED, *span):
            asked.setdefault(key, []).append((begin, until))
        places = [(_scope_of(key), joined(spans)) for key, spans in asked.items()]
        return lambda used: any(
            belongs(used.run, [scope]) and any(begin <= used.run.end < until for begin, until in spans)
            for scope, spans in places
        )

    def runs(self, scope: Scope, begin: int, end: int, user: UserName | None = None) -> Iterator[UsedRun]:
        """The runs of `scope`, or one user's of them, that ended in [begin, end), in that order; of those that were
        dropped none."""
        where, names = _where(scope)
        if user is not None:
            where, names = f"{where} AND w.user = ?", (*names, user)
        sql = f'{_FROM} WHERE "end" >= ? AND "end" < ? AND {where} ORDER BY "end", dbindex'
        return map(_used, self._store.all(sql, begin, end, *names))

    def run(self, jobid: int) -> Iterator[UsedRun]:
        """The runs of a job by its raw id, in order of time; a requeued or resized one has several."""
        return map(_used, self._store.all(f"{_FROM} WHERE jobid = ? ORDER BY start, dbindex", jobid))

    def named(self, indexes: Sequence[int]) -> list[UsedRun]:
        """Those of the runs with these DBIndexes that are kept."""
        found = []
        for place in range(0, len(indexes), _AT_ONCE):
            some = [_signed(index) for index in indexes[place : place + _AT_ONCE]]
            marks = ", ".join("?" * len(some))
            found += [_used(row) for row in self._store.all(f"{_FROM} WHERE dbindex IN ({marks})", *some)]
        return found

    # sums

    def totals(self, scope: Scope, begin: int, end: int) -> tuple[Total, ...]:
        """What the runs of `scope` came to in the slots that begin in [begin, end), by user, account, partition and
        resource."""
        first, last = -(-begin // DAY) * DAY, end // DAY * DAY  # whole days, of UTC
        spans = [(DAY, first, last), (SLOT, begin, first), (SLOT, last, end)] if first < last else [(SLOT, begin, end)]
        found: dict[tuple[int, str], Hours] = {}
        whose = self._whose(scope)
        for seconds, since, until in spans:
            for number, resource, *sums_of in self._summed("who, resource", seconds, since, until, whose):
                place = (number, resource)
                found[place] = found.get(place, Hours()) + Hours(*sums_of)
        made = []
        for (number, resource), hours in found.items():
            one = whose[number]
            made.append(Total(one.user, one.account, one.partition, resource, hours))
        return tuple(sorted(made, key=lambda total: (total.user, total.account, total.partition, total.resource)))

    def by_slot(self, scope: Scope, begin: int, end: int) -> Mapping[str, Mapping[int, Hours]]:
        """What all runs of `scope` came to, by resource and slot; slots that touch [begin, end)."""
        found: dict[str, dict[int, Hours]] = {}
        whose = self._whose(scope, everybody=True)
        for resource, start, *hours in self._summed("resource, start", SLOT, begin - SLOT + 1, end, whose):
            found.setdefault(resource, {})[start] = Hours(*hours)
        return found

    def _summed(self, by: str, seconds: int, begin: int, end: int, whose: Iterable[int]) -> list[Any]:
        """Sums of the rows of one length that begin in [begin, end)."""
        numbers = ", ".join(map(str, whose))
        sql = f"""SELECT {by}, sum(allocated), sum(measured), sum(used) FROM use_sum
            WHERE seconds = ? AND start >= ? AND start < ? AND who IN ({numbers}) GROUP BY 1, 2"""  # noqa: S608
        return self._store.all(sql, seconds, begin, end)

    def _whose(self, scope: Scope, *, everybody: bool = False) -> dict[int, Who]:
        """Those whose runs belong to `scope`, by number; or the rows of all of them in one."""
        where, names = _where(scope)
        sql = f"SELECT id, qos, account, partition, user FROM use_who AS w WHERE {where} AND (user = ?) = ?"  # noqa: S608
        rows = self._store.all(sql, *names, EVERYBODY, everybody)
        return {
            number: Who(qos, AccountName(account), PartitionName(partition), UserName(user))
            for number, qos, account, partition, user in rows
        }

    def people(self) -> frozenset[str]:
        """Every user whose runs were ever told."""
        return frozenset(name for (name,) in self._store.all("SELECT DISTINCT user FROM use_who") if name != EVERYBODY)

    # what is old

    def forget(self, before: int) -> int:
        """Drop the runs that ended before `before` (UTC epoch); their sums stay. Returns how many.

        The newest stays, and bounds what must not come in again: after a clock that was far ahead for a moment, what
        ends from then on does come in.
        """
        with self._store.transaction():
            newest = self._store.one('SELECT max("end") FROM run_use')[0]
            bound = min(before, self.forgotten() if newest is None else newest)
            self._store.know(_FORGOTTEN, max(bound, self.forgotten()), before)
            return self._store.execute('DELETE FROM run_use WHERE "end" < ?', (bound,)).rowcount

    # within a transaction

    def _put(self, runs: Sequence[UsedRun]) -> None:
        marks = ", ".join("?" * (len(_RUN) + len(_USE) + 3))
        ids = self._ids({who(used) for used in runs})
        rows = [(_signed(used.run.dbindex), ids[who(used)], *_values(used)) for used in runs]
        self._store.execute_many(f"INSERT OR REPLACE INTO run_use ({_COLUMNS}) VALUES ({marks})", rows)  # noqa: S608

    def _ids(self, whose: Iterable[Who]) -> dict[Who, int]:
        """The numbers of these, which get one where they have none."""
        found = {}
        for one in sorted(whose):
            values = (one.qos, one.account, one.partition, one.user)
            self._store.execute(
                "INSERT OR IGNORE INTO use_who (qos, account, partition, user) VALUES (?, ?, ?, ?)", values
            )
            sql = "SELECT id FROM use_who WHERE qos = ? AND account = ? AND partition = ? AND user = ?"
            found[one] = int(self._store.one(sql, *values)[0])
        return found

    def _add(self, changes: Sums) -> None:
        """Add to the sums; what comes to nothing goes."""
        levels = _levels(changes)
        ids = self._ids({whose for _, _, whose, _ in levels})
        rows = [
            (seconds, start, ids[whose], key, hours.allocated, hours.measured, hours.used)
            for (seconds, start, whose, key), hours in levels.items()
        ]
        self._store.execute_many(
            """INSERT INTO use_sum VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            allocated = allocated + excluded.allocated, measured = measured + excluded.measured,
            used = used + excluded.used""",
            rows,
        )
        gone = "allocated = 0 AND measured = 0 AND used = 0"
        sql = f"DELETE FROM use_sum WHERE seconds = ? AND start = ? AND who = ? AND resource = ? AND {gone}"  # noqa: S608
        self._store.execute_many(sql, [row[:4] for row in rows if min(row[4:]) <= 0])


def _levels(changes: Sums) -> dict[tuple[int, int, Who, str], Hours]:
    """The same by slot and user, by day and user, and by slot of all users: so that nobody has to add up a month."""
    found: dict[tuple[int, int, Who, str], Hours] = {}
    for (slot, whose, key), hours in changes.items():
        every = replace(whose, user=UserName(EVERYBODY))
        for place in ((SLOT, slot, whose, key), (DAY, slot - slot % DAY, whose, key), (SLOT, slot, every, key)):
            found[place] = found.get(place, Hours()) + hours
    return found


def _scope_of(key: str) -> Scope:
    """The scope of a key; those of old stores name no cluster, as each store has one alone."""
    *_, qos, accounts, partitions = json.loads(key)
    return Scope("", qos, tuple(accounts), tuple(partitions))


def _where(scope: Scope) -> tuple[str, tuple[str, ...]]:
    """The condition of being in a scope, and its values."""
    found, values = ["qos = ? COLLATE NOCASE"], [scope.qos]
    for column, names in (("account", scope.accounts), ("partition", scope.partitions)):
        if names:
            found.append(f"{column} IN ({', '.join('?' * len(names))})")
            values += names
    return " AND ".join(found), tuple(values)


def _values(used: UsedRun) -> Iterator[object]:
    """The columns of a run behind its number and its owner."""
    yield from (getattr(used.run, name) for name in _RUN)
    yield from (_plain(getattr(used.use, name)) for name in _USE)
    yield "; ".join(sorted(flag.value for flag in used.use.flags))


def _plain(value: object) -> object:
    return value.value if isinstance(value, Source | Peak) else value


def _used(row: Sequence[Any]) -> UsedRun:
    """A row of `_FROM`."""
    told = dict(zip(("dbindex", *_RUN, *_USE, "flags", "qos", "account", "partition", "who"), row, strict=True))
    run = Run(
        dbindex=told["dbindex"] % 2**64,
        user=UserName(told["who"]),
        account=AccountName(told["account"]),
        qos=told["qos"],
        partition=PartitionName(told["partition"]),
        **{name: told[name] for name in _RUN},
    )
    values = {name: told[name] for name in _USE}
    for name, kind in (("cpu_source", Source), ("memory_source", Source), ("gpu_source", Source), ("peak", Peak)):
        values[name] = None if values[name] is None else kind(values[name])
    flags = frozenset(Flag(text) for text in told["flags"].split("; ") if text)
    return UsedRun(run, Use(**values, flags=flags))


def _signed(index: int) -> int:
    return index - 2**64 if index >= 2**63 else index
