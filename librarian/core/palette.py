"""A colour for each user, the same in every picture, on every page, and as far as it goes from day to day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

# Two sets that stay apart for colour-blind readers: Paul Tol's "muted", then his "light" without its grey.
COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499",
    "#77AADD", "#EE8866", "#EEDD88", "#FFAABB", "#99DDFF", "#44BB99", "#BBCC33", "#AAAA00",
)  # fmt: skip
OTHERS = "#BBBBBB"  # everybody who has no area of their own


def assign(users: Sequence[str]) -> dict[str, str]:
    """Colour by user; `users` come with those that must be told apart first.

    Each user prefers the colour that their name's digest picks, so that it seldom changes when the order does; where it
    is taken, the next free one. Once all are taken colours come again.
    """
    colours: dict[str, str] = {}
    free: list[int] = []
    for user in users:
        free = free or list(range(len(COLOURS)))
        wanted = int.from_bytes(hashlib.sha256(user.encode("utf-8", "surrogatepass")).digest()[:4], "big") % len(
            COLOURS
        )
        place = min(free, key=lambda index: (index - wanted) % len(COLOURS))
        free.remove(place)
        colours[user] = COLOURS[place]
    return colours
