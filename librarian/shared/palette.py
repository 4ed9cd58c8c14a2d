"""A colour for each user, the same in every picture, on every page, and as far as it goes from day to day."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

# Paul Tol's "muted" set, which colour-blind readers can tell apart; then four more that stay clear of it, so that the
# twelve users who have areas of their own by default all differ.
TIERS = (
    ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499"),
    ("#EE8866", "#4477AA", "#BBCC33", "#FFAABB"),
)
OTHERS = "#BBBBBB"  # everybody who has no area of their own


def assign(users: Sequence[str]) -> dict[str, str]:
    """Colour by user; `users` come with those that must be told apart first.

    Each user prefers the colour that their name's digest picks, so that it seldom changes when the order does; where it
    is taken, the next free one of the set. Once all are taken colours come again.
    """
    colours: dict[str, str] = {}
    tiers = itertools.cycle(TIERS)
    tier: tuple[str, ...] = ()
    taken: set[str] = set()
    for user in users:
        if all(colour in taken for colour in tier):
            tier, taken = next(tiers), set()
        wanted = int.from_bytes(hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()[:4], "big") % len(tier)
        free = (colour for colour in (*tier[wanted:], *tier[:wanted]) if colour not in taken)
        colours[user] = next(free)
        taken.add(colours[user])
    return colours
