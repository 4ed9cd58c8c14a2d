"""Calendar months: what users and accounts came to in each, and how much of a month is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from librarian.shared.calendar import month_after, month_name, month_starts
from librarian.shared.names import AccountName, UserName
from librarian.shared.resources import OBSERVABLES
from librarian.shared.slices import gaps
from librarian.shared.spans import Spans, clipped
from librarian.subjects.efficiency.model import Hours
from librarian.subjects.usage.rest import Sums
from librarian.subjects.usage.totals import Totals

Name = TypeVar("Name", bound=str)
ByKey = Mapping[str, Hours]


@dataclass(frozen=True)
class Month:
    """A calendar month, from `begin` to `end` (UTC epochs), as far as it is known.

    Use is known from `known_from` to `known_to`, between which `known_seconds` are really known. It is `complete` when
    it is over and all of it is known. Accounts and the runs that ended are known since `runs_from`, which is later
    where an older release kept the hours of users alone; None where they are not known at all. Up to `older_rule_to`
    there are hours that were kept when a suspended job counted as holding nothing; None where there are none. `users`
    are those who held something or had a run end, and so are `accounts`; largest share first.
    """

    name: str
    begin: int
    end: int
    known_from: int
    known_to: int
    known_seconds: int
    complete: bool
    runs_from: int | None
    older_rule_to: int | None
    total: Totals
    users: Mapping[UserName, Totals]
    accounts: Mapping[AccountName, Totals]

    @property
    def lacking(self) -> Mapping[str, float]:
        """Unit-hours of which the account is not known, by observable key; empty where there are none."""
        rest = {
            key: rounded(whole - sum(totals.hours[key] for totals in self.accounts.values()))
            for key, whole in self.total.hours.items()
        }
        real = any(value > 1e-6 * max(1.0, self.total.hours[key]) for key, value in rest.items())
        return {key: max(value, 0.0) for key, value in rest.items()} if real else {}


@dataclass(frozen=True)
class MonthUse:
    """What the jobs that ended held and used of a month, by key of the resource: of all, by user, by account.

    What a job used is spread evenly over its time, so this is its part in the month. `known` are the spans of time
    (UTC epochs) in the month of which is known what the jobs used that ended in them.
    """

    known: Spans
    total: ByKey
    users: Mapping[UserName, ByKey]
    accounts: Mapping[AccountName, ByKey]


def months(
    kept: Iterable[Sums], usage_known: Spans, runs_known: Spans, zone: str, pauses_known: Spans | None = None
) -> tuple[Month, ...]:
    """The months of which anything is known, oldest first; what comes twice of a month is added up.

    A month in which nobody held anything is there when it is known. Hours outside `pauses_known` are of the older rule,
    none are where that is None.
    """
    if not usage_known:
        return ()
    today = usage_known if pauses_known is None else pauses_known
    parts: dict[int, list[Sums]] = {}
    for part in kept:
        parts.setdefault(part.begin, []).append(part)
    starts = month_starts(usage_known[0][0], usage_known[-1][1] - 1, zone)
    found = (_month(begin, zone, parts.get(begin, []), usage_known, runs_known, today) for begin in starts)
    return tuple(month for month in found if month)


def _month(
    begin: int, zone: str, parts: Sequence[Sums], usage_known: Spans, runs_known: Spans, pauses_known: Spans
) -> Month | None:
    end = month_after(begin, zone)
    known, runs = clipped(usage_known, begin, end), clipped(runs_known, begin, end)
    if not known:
        return None
    older = [gap for span in known for gap in gaps(pauses_known, *span)]
    seconds = sum(until - since for since, until in known)
    users = _totals([part.users for part in parts], _ended_by(parts, 0))
    accounts = _totals([part.accounts for part in parts], _ended_by(parts, 1))
    return Month(
        name=month_name(begin, zone),
        begin=begin,
        end=end,
        known_from=known[0][0],
        known_to=known[-1][1],
        known_seconds=seconds,
        complete=seconds == end - begin,
        runs_from=runs[0][0] if runs else None,
        older_rule_to=older[-1][1] if older else None,
        total=_sum(users.values()),
        users=users,
        accounts=accounts,
    )


def _ended_by(parts: Iterable[Sums], place: int) -> dict[Any, dict[str, int]]:
    found: dict[Any, dict[str, int]] = {}
    for part in parts:
        for names, count in part.ended.items():
            states = found.setdefault(names[place], {})
            states[names[2]] = states.get(names[2], 0) + count
    return found


def rounded(hours: float) -> float:
    """Unit-hours as every format has them, so that all round the same number for readers.

    Seven places: the least that counts is 1 MiB for a second, and nothing lies nearer to where readers' numbers change.
    """
    return round(hours, 7)


def _totals(
    amounts: Sequence[Mapping[Name, Mapping[str, float]]], ended: Mapping[Name, Mapping[str, int]]
) -> dict[Name, Totals]:
    """By name, largest share of any observable with charts first."""
    names = {name for part in amounts for name in part} | set(ended)
    empty: Mapping[str, float] = {}
    found = {
        name: Totals(
            {
                o.key: rounded(sum((part.get(name, empty).get(o.key, 0.0) for part in amounts), 0.0) / 3600)
                for o in OBSERVABLES
            },
            dict(sorted(ended.get(name, {}).items())),
        )
        for name in names
    }
    share = _shares(found, _sum(found.values()))
    return {name: found[name] for name in sorted(found, key=lambda name: (-share[name], name))}


def _shares(found: Mapping[Name, Totals], total: Totals) -> dict[Name, float]:
    """The largest share (0 to 1) of each in anything with charts."""
    drawn = [o.key for o in OBSERVABLES if o.pictured and total.hours[o.key]]
    return {name: max((it.hours[key] / total.hours[key] for key in drawn), default=0.0) for name, it in found.items()}


def shares(month: Month) -> dict[UserName, float]:
    """The users of a month, each with the largest share (0 to 1) of anything with charts."""
    return _shares(month.users, month.total)


def with_last(month: Month, user: UserName | None) -> Month:
    """The same with a user behind all others, if they are there."""
    if user is None or user not in month.users:
        return month
    users = {**month.users}
    users[user] = users.pop(user)
    return replace(month, users=users)


def _sum(totals: Iterable[Totals]) -> Totals:
    every = list(totals)
    ended: dict[str, int] = {}
    for one in every:
        for state, count in one.ended.items():
            ended[state] = ended.get(state, 0) + count
    return Totals(
        {o.key: rounded(sum((one.hours[o.key] for one in every), 0.0)) for o in OBSERVABLES},
        dict(sorted(ended.items())),
    )
