"""Tallies of pieces of time, in an open store: each is computed once, until Slurm tells something new of it.

Pieces are the days of the zone, and the hours of each. A day is put together from its hours, so what ended in it is
read once; a run that is told late drops the pieces that it ended in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple

from librarian.shared.calendar import midnights
from librarian.shared.scope import Scope
from librarian.shared.spans import Span
from librarian.store import Store
from librarian.subjects.efficiency.model import UsedRun
from librarian.subjects.efficiency.options import Rules
from librarian.subjects.efficiency.tally import VERSION, Tally, decoded, encoded, tally

HOUR = 3600
AT_ONCE = 20_000
"""So many runs are read in a cycle, and the hour that they end in; what is before comes in the next ones."""
_HOURS_KEPT = 3 * 86400  # seconds; of days before that no hours are kept

Runs = Callable[[int, int], Iterable[UsedRun]]
"""The runs that ended in [begin, end)."""


def drop_tallies(store: Store, ends: Iterable[int]) -> None:
    """Runs are known now, or are others, that ended at these moments (UTC epochs). Within a transaction."""
    quarters = {end - end % 900 for end in ends}  # in every zone pieces begin with a quarter of an hour
    rows = [(begin, begin + 900) for begin in sorted(quarters)]
    store.execute_many("DELETE FROM use_tally WHERE until > ? AND begin < ?", rows)


class Tallies:
    """The tallies of a scope by the rules in force."""

    def __init__(self, store: Store, scope: Scope, rules: Rules, runs: Runs) -> None:
        self._store, self._scope, self._rules, self._runs = store, scope.key, rules, runs
        self._named = repr((VERSION, *astuple(rules)))
        self._left = AT_ONCE
        self._found: list[tuple[Span, Tally]] = []

    def of(self, begin: int, until: int, zone: str) -> tuple[int, Tally]:
        """What the runs come to that ended from a midnight in [begin, until) to `until`, up to which all is known; with
        where that begins (UTC epoch): later where there is more than is read at once."""
        days = [day for day in midnights(begin, until, zone) if begin <= day < until]
        self._tidy(begin, until)
        kept = dict(self._read())
        self._found, since = [], until
        for first, last in reversed(list(zip(days, [*days[1:], until], strict=True))):
            known = kept.get((first, last))
            pieces = [((first, last), known)] if known else self._hours(first, last, until, kept)
            self._found += pieces
            since = pieces[-1][0][0] if pieces else since
            if since > first:
                break
        return since, self._together([part for _, part in self._found])

    def since(self, moment: int) -> tuple[int, Tally] | None:
        """Of what `of` told last that part which begins with `moment` (UTC epoch) or shortly before it, with where that
        is: an hour, or a day where no hours are kept. None where it begins later."""
        newest_first: list[Tally] = []
        for span, part in self._found:
            if span[0] > moment:
                newest_first.append(part)
                continue
            hours = self._hours_from(moment, span)
            parts = [part for _, part in hours] if hours else [part]
            return (hours[-1][0] if hours else span[0]), self._together([*newest_first, *parts])
        return None

    def _hours_from(self, moment: int, span: Span) -> list[tuple[int, Tally]]:
        """The hours of a day from that of `moment` on, the last one first; empty where they are not all kept."""
        sql = """SELECT begin, until, data FROM use_tally WHERE scope = ? AND rules = ? AND until > ? AND begin >= ?
            AND until <= ? AND until - begin <= ? ORDER BY begin DESC"""
        found, end = [], span[1]
        for begin, until, data in self._store.all(sql, self._scope, self._named, moment, *span, HOUR):
            try:
                made = decoded(data)
            except ValueError:
                return []
            if until != end:
                return []
            found.append((begin, made))
            end = begin
        return found if end <= moment else []

    def _together(self, newest_first: Sequence[Tally]) -> Tally:
        whole = Tally()
        for part in reversed(newest_first):
            whole.add(part, self._rules.failures_in_a_row)
        return whole

    def _hours(self, first: int, last: int, until: int, kept: dict[Span, Tally]) -> Sequence[tuple[Span, Tally]]:
        """The hours of a day, the last one first, as far as they may be read; the day is kept once it is over."""
        found: list[tuple[Span, Tally]] = []
        for begin in reversed(range(first, last, HOUR)):
            span = (begin, min(begin + HOUR, last))
            known = kept.get(span)
            if known is None and self._left <= 0:
                return found
            if known is None:
                known = tally(self._runs(*span), self._rules)
                self._left -= known.runs
                if span[1] < until:
                    self._keep(span, known)
            found.append((span, known))
        if last < until:
            self._keep((first, last), self._together([part for _, part in found]))
        return found

    def _tidy(self, begin: int, until: int) -> None:
        """Drop what is of other rules, what was before `begin`, and the hours of days that are long over."""
        whole = """EXISTS (SELECT 1 FROM use_tally AS day WHERE day.scope = hour.scope AND day.until - day.begin > ?
            AND day.begin <= hour.begin AND day.until >= hour.until)"""
        old = f"until - begin <= ? AND until <= ? AND {whole}"
        sql = f"DELETE FROM use_tally AS hour WHERE scope = ? AND (rules != ? OR until <= ? OR ({old}))"  # noqa: S608
        with self._store.transaction():
            values = (self._scope, self._named, begin, HOUR, until - _HOURS_KEPT, HOUR)
            self._store.execute(sql, values)

    def _read(self) -> Iterator[tuple[Span, Tally]]:
        days: list[Span] = []
        sql = "SELECT begin, until, data FROM use_tally WHERE scope = ? ORDER BY until - begin DESC"
        for begin, until, data in self._store.all(sql, self._scope):
            if any(first <= begin and until <= last for first, last in days):
                continue  # an hour of a day that is kept whole
            try:
                yield (begin, until), decoded(data)
            except ValueError:  # made anew
                continue
            days.append((begin, until))

    def _keep(self, span: Span, made: Tally) -> None:
        with self._store.transaction():
            self._store.execute(
                "INSERT OR REPLACE INTO use_tally VALUES (?, ?, ?, ?, ?)",
                (self._scope, self._named, *span, encoded(made)),
            )
