"""What a report is built from, by the names that readers may see.

All is renamed before the report is built: so no table, picture or file can show more than another. Users who share a
name are summed, and cannot be told apart any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from librarian.subjects.jobs.model import Mask, coded, codes
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.rules import Place
from librarian.subjects.months.model import Month
from librarian.subjects.queue.demand import Samples
from librarian.subjects.queue.model import Seen
from librarian.subjects.usage.binning import Floats, Indexes, Usage
from librarian.subjects.usage.bins import Measured
from librarian.subjects.usage.summary import Ended, Totals


def renamed_column(column: pd.Series, names: Mapping[str, str]) -> pd.Categorical:
    """A text column of a jobs table with each text renamed; texts that get one name become one."""
    frame = pd.DataFrame({"text": column})
    code, texts = codes(frame, "text")
    public = [names.get(text, text) for text in texts]
    distinct = sorted(set(public))
    place = np.array([distinct.index(name) for name in public] or [0])
    return coded(place[code] if len(code) else np.zeros(0, dtype=np.intp), distinct)


def renamed_measured(measured: Measured, users: Mapping[str, str], accounts: Mapping[str, str]) -> Measured:
    """What runs came to, by public names of users and accounts; those who share one are summed."""
    tally, pressed = measured.tally, measured.pressed
    names, place = _merged_names(pressed.users, users)
    of = {key: replace(one, held=_summed(one.held, place, len(names))) for key, one in pressed.of.items()}
    known, start = _merged_names(tally.starts.users, users)
    tally = replace(
        tally,
        usage=renamed_usage(tally.usage, users),
        ended=_renamed_ended(tally.ended, users),
        starts=replace(tally.starts, users=known, user=np.append(start, 0)[tally.starts.user]),
        seen={key: _renamed_places(places, accounts) for key, places in tally.seen.items()},
    )
    return Measured(tally, replace(pressed, users=names, of=of))


def _merged_names(users: Sequence[str], names: Mapping[str, str]) -> tuple[tuple[str, ...], Indexes]:
    """The public names of `users`, sorted, and where that of each is among them."""
    public = [names.get(user, user) for user in users]
    distinct = tuple(sorted(set(public)))
    return distinct, np.array([distinct.index(name) for name in public], dtype=np.int64)


def _summed(rows: Floats, place: Indexes, count: int) -> Floats:
    """The sums of the rows (on the second axis from the end) that have one place."""
    found = np.zeros((*rows.shape[:-2], count, rows.shape[-1]))
    for row, target in enumerate(place.tolist()):
        found[..., target, :] += rows[..., row, :]
    return found


def renamed_usage(usage: Usage, names: Mapping[str, str]) -> Usage:
    """Usage by public name: the rows of users who share one are summed."""
    users, place = _merged_names(usage.users, names)
    holding = _summed(usage.holding[..., np.newaxis], place, len(users))[..., 0]
    return replace(usage, users=users, integrals=_summed(usage.integrals, place, len(users)), holding=holding)


def _renamed_ended(ended: Ended, names: Mapping[str, str]) -> Ended:
    found: Ended = {}
    for user, states in ended.items():
        mine = found.setdefault(names.get(user, user), {})
        for state, counts in states.items():
            mine[state] = mine[state] + counts if state in mine else counts
    return {user: dict(sorted(found[user].items())) for user in sorted(found)}


def _renamed_places(places: Mapping[Place, Mask], accounts: Mapping[str, str]) -> dict[Place, Mask]:
    found: dict[Place, Mask] = {}
    for (partition, account), bins in places.items():
        place = partition, accounts.get(account, account)
        found[place] = found[place] | bins if place in found else bins
    return found


def renamed_samples(samples: Samples, names: Mapping[str, str]) -> Samples:
    """Samples of the queue by public name; rows of users who share one are summed where they are binned."""
    return replace(samples, sums=samples.sums.assign(user=_replaced(samples.sums["user"], names)))


def renamed_queue(
    seen: Seen, names: Mapping[str, str], accounts: Mapping[str, str], reason: Callable[[str], str]
) -> Seen:
    """A look at the queue by public names of users and accounts; `reason` is what may be told of one of Slurm's."""
    table = seen.table.assign(
        user=_replaced(seen.table["user"], names),
        account=_replaced(seen.table["account"], accounts),
        reason=[reason(str(text)) for text in seen.table["reason"]],
    )
    return replace(seen, table=table)


def _replaced(column: pd.Series, names: Mapping[str, str]) -> pd.Series:
    return pd.Series([names.get(str(text), str(text)) for text in column], index=column.index, dtype=object)


def renamed_months(months: Sequence[Month], names: Mapping[str, str], *, accounts: bool) -> tuple[Month, ...]:
    """Months by public name of user; without `accounts` those are left out."""
    shown = [month if accounts else replace(month, accounts={}) for month in months]
    return tuple(replace(month, users=_merged(month.users, names)) for month in shown)


def _merged(totals: Mapping[str, Totals], names: Mapping[str, str]) -> dict[str, Totals]:
    merged: dict[str, Totals] = {}
    for user, one in totals.items():
        name = names.get(user, user)
        other = merged.get(name, Totals({}, {}))
        hours = {key: one.hours.get(key, 0.0) + other.hours.get(key, 0.0) for key in (*one.hours, *other.hours)}
        merged[name] = Totals(hours, dict(sorted((Counter(one.ended) + Counter(other.ended)).items())))
    return merged


def renamed_limits(limits: QosLimits | None, accounts: Mapping[str, str]) -> QosLimits | None:
    """Limits by public name of account."""
    if limits is None:
        return None

    def public(name: str) -> str:
        return accounts.get(name, name)

    renamed = [replace(one, name=public(one.name), parent=public(one.parent)) for one in limits.accounts]
    return replace(limits, accounts=tuple(renamed))


def renamed_changes(changes: Sequence[Change], accounts: Mapping[str, str]) -> tuple[Change, ...]:
    """Changes of limits by public name of account."""
    return tuple(replace(change, slurm=renamed_limits(change.slurm, accounts)) for change in changes)
