"""The runs of days as they were packed last, in an open store; read again only where what is known has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from librarian.shared.calendar import DAY
from librarian.shared.names import PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.store import Store
from librarian.subjects.efficiency.job_list import ended_in, not_ended
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.job_table.days import FORM, MOST, OPEN, Day, packed

AT_ONCE = 50_000  # runs of days that are packed in one go: more come in the next cycle, the newest days first
# What a day's file tells of a run hangs on these; sums of them are others where anything of it is.
_OF_RUNS = (
    """SELECT "end" / 86400, count(*), sum(dbindex % 1000003), sum("end" % 86400), sum(elapsed), sum(start % 1000003),
    sum(submit % 1000003), sum(eligible % 1000003), sum(exit_code), sum(array % 1000003), sum(task), sum(state), """
    """sum(user), sum(partition), sum(alloc_tres) FROM job WHERE qos IN (SELECT id FROM text WHERE value = ?
    COLLATE NOCASE) AND "end" >= ? AND "end" < ? GROUP BY 1"""
)
_OF_USE = """SELECT "end" / 86400, count(*), sum(coalesce(cpu, -1) % 1000003), sum(coalesce(memory, -1) % 1000003),
    sum(coalesce(gpu, -1) % 1000003), sum(coalesce("limit", -1)), sum(length(flags)) FROM run_use
    WHERE "end" >= ? AND "end" < ? GROUP BY 1"""


class JobDays:
    """The days of a scope, by the rules in force."""

    def __init__(self, store: Store, scope: Scope, rules: Rules) -> None:
        self._store, self._scope, self._rules = store, scope, rules

    def of(self, begin: int, until: int) -> list[Day]:
        """The days in [begin, until) (UTC epochs) in which runs ended, in their order, and those that have not ended.

        A day that was not read yet may be missing, where there is more than is read at once: the next cycle has it.
        """
        first = begin - begin % DAY
        signatures = self._signatures(first, until)
        kept = {day.begin: (signature, day) for signature, day in self._kept()}
        found, left = [], AT_ONCE
        for day, (signature, runs) in sorted(signatures.items(), reverse=True):
            before = kept.pop(day, None)
            if before and before[0] == signature:
                found.append(before[1])
            elif left > 0:
                left -= min(runs, MOST)
                found.append(packed(day, ended_in(self._store, self._scope, day, min(day + DAY, until)), self._rules))
                self._put(signature, found[-1])
            elif before:
                found.append(before[1])  # as it was
        self._drop(kept)
        goes_on = packed(OPEN, not_ended(self._store, self._scope, until), self._rules)
        return [*reversed(found), *([goes_on] if goes_on.runs else [])]

    def _signatures(self, begin: int, until: int) -> Mapping[int, tuple[str, int]]:
        """What all that is known of a day comes to, and how many runs ended in it, by its begin."""
        by_day: dict[int, list[object]] = {}
        runs: dict[int, int] = {}
        for day, count, *sums in self._store.all(_OF_RUNS, self._scope.qos, begin, until):
            by_day[day * DAY], runs[day * DAY] = [count, *sums], count
        for day, *sums in self._store.all(_OF_USE, begin, until):
            by_day.get(day * DAY, []).extend(sums)
        fixed = repr((FORM, self._scope.key, self._rules))
        return {day: (f"{fixed} {told}", runs[day]) for day, told in by_day.items()}

    def _kept(self) -> Iterator[tuple[str, Day]]:
        sql = "SELECT signature, begin, runs, left_out, users, partitions, data FROM job_day WHERE scope = ?"
        for signature, begin, runs, left_out, users, partitions, data in self._store.all(sql, self._scope.key):
            names = tuple(map(UserName, json.loads(users))), tuple(map(PartitionName, json.loads(partitions)))
            yield signature, Day(begin, runs, left_out, *names, data)

    def _put(self, signature: str, day: Day) -> None:
        with self._store.transaction():
            self._store.execute(
                "INSERT OR REPLACE INTO job_day VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(self._scope.key, day.begin, signature, day.runs, day.left_out),
                    *(json.dumps(day.users), json.dumps(day.partitions), day.packed),
                ),
            )

    def _drop(self, days: Iterable[int]) -> None:
        """Drop days that are not told any more."""
        with self._store.transaction():
            sql = "DELETE FROM job_day WHERE scope = ? AND begin = ?"
            self._store.execute_many(sql, [(self._scope.key, day) for day in days])


def forget(store: Store) -> None:
    """Drop all days: jobs are not published."""
    if store.one("SELECT 1 FROM job_day LIMIT 1"):
        with store.transaction():
            store.execute("DELETE FROM job_day")
