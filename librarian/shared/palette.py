"""A colour for each user, the same in every picture, on every page, and as far as it goes from day to day."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name", bound=str)

# Paul Tol's "muted" set, which colour-blind readers can tell apart; then four more that stay clear of it, so that the
# twelve users who have areas of their own by default all differ.
TIERS = (
    ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499"),
    ("#EE8866", "#4477AA", "#BBCC33", "#FFAABB"),
)
# For those who would share a colour: each is as far as can be from all before it, for colour-blind readers too.
MORE = (
    "#0000FF",
    "#BB55FF",
    "#88AAFF",
    "#AA0011",
    "#5522CC",
    "#FFCCAA",
    "#7766CC",
    "#9999BB",
    "#DD2244",
    "#FF3300",
    "#7733FF",
    "#6644CC",
    "#444499",
    "#335500",
    "#883344",
    "#99EE00",
    "#008866",
    "#AA5588",
    "#77AADD",
    "#77CC88",
    "#FF9955",
    "#664477",
    "#FFCC66",
    "#00EEDD",
    "#BB77FF",
    "#FF6699",
    "#7788CC",
    "#EE9900",
    "#DD1122",
    "#8844EE",
    "#EE2266",
    "#CC55BB",
    "#1144AA",
    "#AABBFF",
    "#448855",
    "#CC44DD",
    "#338811",
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


def told_apart(colours: Mapping[Name, str], users: Sequence[Name], later: Sequence[Name] = ()) -> dict[Name, str]:
    """Colour by user of those who are shown together; no two share one.

    Of `users` who have the same the first keeps it, and the others get the first that none of them has. Who comes
    `later` changes nothing of theirs. The others' grey, and no colour, stay grey. dashboard/charts/colours.js does
    the same; tests/data/colours.json holds both to it.
    """
    found: dict[Name, str] = {}
    taken = {OTHERS}
    for user in dict.fromkeys((*users, *later)):
        colour = colours.get(user, OTHERS)
        if colour == OTHERS or (colour not in taken and user in users):
            found[user] = colour
            taken.add(colour)
    for user in dict.fromkeys((*users, *later)):
        if user not in found:
            own = colours[user]
            found[user] = own if own not in taken else next(colour for colour in _all() if colour not in taken)
            taken.add(found[user])
    return found


def _all() -> Iterator[str]:
    """First those that can be told apart by eye, then any."""
    yield from itertools.chain(*TIERS, MORE)
    for number in itertools.count(1):
        yield f"#{number * 0x9E3779 % 0x1000000:06X}"
