"""Who is shown by name where there are very many: behind the first hundreds the rest are one row, "others".

A QoS of some hundreds of users is shown whole. Of more, those come first who have the largest share of anything that
is shown of users: a row for each of the rest would tell nothing and make every file larger. Sums stay what they are,
and the table of a QoS (CSV) has everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from librarian.shared.names import UserName

MOST = 500
"""As many users of a QoS have rows of their own."""
OTHERS = "others"

Standing = Mapping[str, Mapping[UserName, float]]
"""By table in which users are shown: everybody who is in it, each with the share (0 to 1) of what it tells."""


@dataclass(frozen=True)
class Others:
    """Those who are shown as one: by this `name`, and how many they are in each table (tables without any are left
    out)."""

    name: UserName
    users: Mapping[str, int] = field(default_factory=dict)


def named(standing: Standing, most: int = MOST) -> frozenset[UserName] | None:
    """Who is shown by name; None where everybody is, since they are not more than `most`."""
    shares: dict[UserName, float] = {}
    for table in standing.values():
        for user, share in table.items():
            shares[user] = max(shares.get(user, 0.0), share)
    if len(shares) <= most:
        return None
    return frozenset(sorted(shares, key=lambda user: (-shares[user], user))[:most])


def others_of(standing: Standing, shown: Collection[UserName], name: UserName) -> Others:
    """All but the `shown`, by this name."""
    counts = {table: sum(user not in shown for user in users) for table, users in standing.items()}
    return Others(name, {table: count for table, count in counts.items() if count})


def free_name(taken: Collection[str]) -> UserName:
    """What the others are called where these names are taken."""
    name = OTHERS
    while name in taken:
        name += "*"
    return UserName(name)
