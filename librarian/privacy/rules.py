"""Names as the readers of the site may see them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from typing import Literal

from librarian.shared.crowd import OTHERS

Mode = Literal["real", "short", "alias", "pseudonym"]
MODES = ("real", "short", "alias", "pseudonym")
_MARK = "u-"  # pseudonyms begin with it
_WORD = re.compile(r"[\w.@+-]+")
_LETTERS = 6  # of a pseudonym: 30 bits, lengthened where two users would share one


@dataclass(frozen=True)
class Rules:
    """What readers may see. The defaults show users by name and nothing of accounts, partitions, nodes and single jobs.

    `show`, where not empty, names the only users that are shown; `hide` names users that are not. Users whose share of
    every observable is below `min_share` (0 to 1) are folded into "others" too, and if "others" then are fewer
    than `min_others` people, those with the least are added until they are not.
    """

    users: Mode = "real"
    aliases: Mapping[str, str] = field(default_factory=dict)
    show: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    min_share: float = 0.0
    min_others: int = 0
    accounts: bool = False
    partitions: bool = False
    nodes: bool = False
    jobs: bool = False

    @property
    def digest(self) -> str:
        """The same for the same rules, and tells none of the names in them."""
        import hashlib  # here, since OpenSSL takes long to load

        told = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def folded(ranked: Sequence[tuple[str, float]], rules: Rules) -> frozenset[str]:
    """Who is folded into "others": `ranked` are all users, each with the largest of their shares (0 to 1)."""
    hidden = {user for user, share in ranked if _is_folded(user, share, rules)}
    missing = rules.min_others - len(hidden)
    if hidden and missing > 0:
        rest = sorted((share, user) for user, share in ranked if user not in hidden)
        hidden |= {user for _, user in rest[:missing]}
    return frozenset(hidden)


def _is_folded(user: str, share: float, rules: Rules) -> bool:
    if user in rules.hide or (rules.show and user not in rules.show):
        return True
    return share < rules.min_share and user not in rules.show


def public_names(
    users: Iterable[str], rules: Rules, key: bytes, hidden: AbstractSet[str] = frozenset()
) -> dict[str, str]:
    """The name that readers see of each user; two shown users never share one, and none has that of "others".

    `key` makes pseudonyms: the same key and user always give the same one. A user without an alias gets one of these.
    """
    everyone = sorted(set(users) | hidden)
    shown = [user for user in everyone if user not in hidden]
    made = {
        "real": lambda: {user: user for user in shown},
        "short": lambda: _short(shown, everyone),
        "alias": lambda: _pseudonyms(shown, key) | _aliases(shown, rules.aliases),
        "pseudonym": lambda: _pseudonyms(shown, key),
    }[rules.users]()
    names = _apart({user: made[user] for user in shown})
    others = OTHERS
    while others in names.values():
        others += "*"
    return names | dict.fromkeys(hidden, others)


def _apart(names: Mapping[str, str]) -> dict[str, str]:
    """Names told apart where two users were given the same."""
    taken: set[str] = set()
    result = {}
    for user, name in names.items():
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name} {number}", number + 1
        taken.add(unique)
        result[user] = unique
    return result


def _aliases(users: Iterable[str], aliases: Mapping[str, str]) -> dict[str, str]:
    return {user: aliases[user] for user in users if user in aliases}


def _short(users: Sequence[str], everyone: Sequence[str]) -> dict[str, str]:
    """First letters, as many as tell a user from all others, fewer than the whole name; else a letter and a number."""
    found: dict[str, str] = {}
    number = 0
    for user in users:
        others = [other for other in everyone if other != user]
        prefixes = (user[:size] for size in range(1, len(user)))
        short = next((p for p in prefixes if not any(other.startswith(p) for other in others)), None)
        while short is None:
            number += 1
            name = f"{user[:1]}{number}"
            short = name if not any(other.startswith(name) for other in everyone) else None
        found[user] = short
    return found


def _pseudonyms(users: Iterable[str], key: bytes) -> dict[str, str]:
    return {user: pseudonym(user, key) for user in users}


def pseudonym(user: str, key: bytes) -> str:
    """A name that tells nothing without the key: the first letters of an HMAC-SHA256, in base32."""
    import base64  # here, since OpenSSL takes long to load, and most commands make no pseudonyms
    import hashlib
    import hmac

    digest = hmac.new(key, user.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return _MARK + base64.b32encode(digest).decode().lower()[:_LETTERS]


def words(text: str) -> set[str]:
    """The whole words of a text, as names are found in it."""
    return {word.rstrip(".-") for word in _WORD.findall(text)} | set(_WORD.findall(text))
