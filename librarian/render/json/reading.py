"""Reading the JSON of a QoS, which may be of the last site: its table of resources, and what that is called."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from librarian.shared.resources import OBSERVABLES, Observable
from librarian.shared.text import shown, visible
from librarian.shared.words import counted

Json = Mapping[str, Any]
_TYPE = ":"  # between the key of a resource and one of its types


def resource_row(observable: Observable) -> dict[str, object]:
    """A row of the table of resources, as whatever shows it reads it."""
    return {
        "key": observable.key,
        "tres": observable.resource,
        "name": observable.name,
        "title": observable.title,
        "unit": observable.unit,
        "one": observable.one,
        "hours": observable.hours,
        "pictured": observable.pictured,
        "wanted": observable.wanted,
    }


def resources(data: Json) -> Sequence[Json]:
    """The table of resources; data of an older release do not have it, and are of the rows that were there then."""
    told: Sequence[Json] | None = data.get("resources")
    return [resource_row(observable) for observable in OBSERVABLES] if told is None else told


def pictured(data: Json) -> tuple[str, ...]:
    """The keys of resources that have charts, in order."""
    return tuple(row["key"] for row in resources(data) if row["pictured"])


def is_others(data: Json, user: str) -> bool:
    """Whether this is no user, but the name of those who have no rows of their own: see `shared.crowd`."""
    return bool(data.get("others")) and data["others"]["name"] == user


def person(data: Json, user: str, table: str) -> str:
    """What a table calls a user: those who have no rows of their own are told with how many they are in it."""
    return counted(data["others"]["users"].get(table, 0), "other") if is_others(data, user) else visible(user)


def people(data: Json, users: Collection[str], table: str) -> str:
    """How many people `users` are in a table, in words."""
    return counted(how_many(data, users, table), "user")


def how_many(data: Json, users: Collection[str], table: str) -> int:
    """How many people `users` are in a table."""
    return len(users) + sum(data["others"]["users"].get(table, 1) - 1 for user in users if is_others(data, user))


def tracked(data: Json) -> tuple[str, ...]:
    """Those of them that Slurm records."""
    return tuple(key for key in pictured(data) if key not in data["untracked"])


def wanted(data: Json) -> tuple[Json, ...]:
    """The rows of resources of which the queue tells how much is asked for, of those that Slurm records."""
    return tuple(row for row in resources(data) if row["wanted"] and row["key"] not in data["untracked"])


def types(data: Json, key: str) -> tuple[str, ...]:
    """Keys of the types of a resource, where there are several or one has a limit of its own."""
    keys = [one for one in data["limits"] if one.startswith(f"{key}{_TYPE}")]
    return tuple(keys) if len(keys) > 1 or any(data["limits"][one]["kind"] == "limit" for one in keys) else ()


def with_types(data: Json) -> tuple[str, ...]:
    """The keys of resources that have charts, each before its types."""
    return tuple(key for one in pictured(data) for key in (one, *types(data, one)))


def short(data: Json, keys: Sequence[str] = ()) -> str:
    """The resource, of `keys` (all that are tracked, where none are given), of which most of the limit is in use;
    without any limit the first of them.

    What is short is what people look for, so small tables are sorted by it.
    """
    shares, keys = {}, keys or tracked(data)
    for key in keys:
        limit = data["limits"].get(key, {})
        used = limit.get("used", data["now"]["total"].get(key, 0))
        if limit.get("kind") == "limit" and limit["value"] and used is not None:
            shares[key] = used / limit["value"]
    return max(shares, key=lambda key: shares[key], default=keys[0])


def title(data: Json, key: str) -> str:
    """What a resource is called, with the unit where that does not name it."""
    whole, _, kind = key.partition(_TYPE)
    if kind:
        return f"{data['units'][whole]['name']} {shown(kind)}"
    return str(next(row["title"] for row in resources(data) if row["key"] == key))
