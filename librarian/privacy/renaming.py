"""What a report is built from, by the names that readers may see: one function for all subjects.

All is renamed before any section is built: so no table, picture or file can show more than another. Names are found by
their types (`shared.names`); a value that keeps them in arrays or tables renames itself, by a method `renamed`. Those
who share a name are summed, and cannot be told apart any more.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.names import KINDS, AccountName, UserName

Value = TypeVar("Value")
Floats = npt.NDArray[np.float64]
Indexes: TypeAlias = "npt.NDArray[np.integer[Any]]"  # as text, since numpy has it so from 1.22 on


@dataclass(frozen=True)
class Renaming:
    """The names that readers see, by real ones. Without `shows_accounts` sums of accounts are left out, without
    `shows_partitions` those of partitions, without `shows_nodes` the nodes that a reason names."""

    users: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    shows_accounts: bool = True
    shows_nodes: bool = True
    shows_partitions: bool = True

    def name(self, kind: Any, name: str) -> str:
        """What readers see of a name of this kind, one of `shared.names.KINDS`."""
        if kind is UserName:
            return self.users.get(name, name)
        return self.accounts.get(name, name) if kind is AccountName else name

    # for values that keep names in arrays and tables

    def merged(self, kind: Any, names: Sequence[str]) -> tuple[tuple[str, ...], Indexes]:
        """The public names of `names`, sorted, and where that of each is among them."""
        public = [self.name(kind, name) for name in names]
        distinct = tuple(sorted(set(public)))
        place = {name: number for number, name in enumerate(distinct)}
        return distinct, np.array([place[name] for name in public], dtype=np.int64)

    def column(self, kind: Any, column: pd.Series) -> pd.Series:
        """A column of names, of texts or of categories."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            texts = [str(text) for text in column.cat.categories]
            distinct, place = self.merged(kind, texts)
            codes = column.cat.codes.to_numpy()
            fresh = place[codes] if len(codes) else np.zeros(0, dtype=np.intp)
            made = pd.Categorical.from_codes(cast("Any", fresh), categories=cast("Any", list(distinct)))
            return pd.Series(made, index=column.index)
        known = {text: self.name(kind, str(text)) for text in set(column)}
        return pd.Series([known[text] for text in column], index=column.index, dtype=object)


@dataclass(frozen=True)
class Gathering(Renaming):
    """Leaves the names of some users, and calls all others by one."""

    shown: frozenset[UserName] = frozenset()
    others: str = ""

    def name(self, kind: Any, name: str) -> str:
        """The name itself, or that of the others."""
        return name if kind is not UserName or name in self.shown else self.others


@dataclass(frozen=True)
class Listening(Renaming):
    """Changes nothing, and notes which names there are, by kind."""

    heard: dict[Any, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})

    def name(self, kind: Any, name: str) -> str:
        """The name itself."""
        self.heard[kind].add(name)
        return name


def summed(rows: Floats, place: Indexes, count: int) -> Floats:
    """The sums of the rows (on the second axis from the end) that have one of `count` places.

    Where each row stays where it is, these are the rows themselves.
    """
    if count == len(place) and np.array_equal(place, np.arange(count)):
        return rows
    found = np.zeros((*rows.shape[:-2], count, rows.shape[-1]))
    for row, target in enumerate(place.tolist()):
        found[..., target, :] += rows[..., row, :]
    return found


def names_in(values: Iterable[object], *, shows_accounts: bool = True) -> dict[Any, set[str]]:
    """All names in some values, by kind, that could be shown."""
    listening = Listening(shows_accounts=shows_accounts)
    for value in values:
        renamed(value, listening)
    return listening.heard


def renamed(value: Value, names: Renaming) -> Value:
    """The same by the names that readers see. What comes to have one name is put together."""
    result: Value = _renamed(value, type(value), names)
    return result


def _renamed(value: Any, hint: Any, names: Renaming) -> Any:
    if hint in KINDS:
        return names.name(hint, value)
    if hasattr(value, "renamed"):
        return value.renamed(names)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value, names)
    if get_origin(hint) in (Union, types.UnionType):
        fitting = [one for one in get_args(hint) if one is not type(None)]
        return value if value is None or not fitting else _renamed(value, fitting[0], names)
    if isinstance(value, Mapping):
        return _mapping(value, hint, names)
    if isinstance(value, tuple):
        of = _items(hint, len(value))
        return tuple(_renamed(item, one, names) for item, one in zip(value, of, strict=True))
    if isinstance(value, frozenset):
        (of_all,) = get_args(hint) or (Any,)
        return frozenset(_renamed(item, of_all, names) for item in value)
    return value


def _fields(value: Any, names: Renaming) -> Any:
    hints = _hints(cast("Any", type(value)))
    fresh = {one.name: _renamed(getattr(value, one.name), hints[one.name], names) for one in dataclasses.fields(value)}
    return replace(value, **fresh)


@functools.cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _items(hint: Any, count: int) -> list[Any]:
    of = get_args(hint)
    if len(of) == 2 and of[1] is Ellipsis:
        return [of[0]] * count
    return list(of) if len(of) == count else [Any] * count


def _mapping(value: Mapping[Any, Any], hint: Any, names: Renaming) -> dict[Any, Any]:
    key_of, value_of = get_args(hint) or (Any, Any)
    found: dict[Any, Any] = {}
    for key, item in value.items():
        name, fresh = _renamed(key, key_of, names), _renamed(item, value_of, names)
        found[name] = _together(found[name], fresh) if name in found else fresh
    return found


def _together(one: Any, other: Any) -> Any:
    """What two come to that have one name now: numbers add up, of marks by bin either holds."""
    if isinstance(one, Mapping):
        keys = sorted({*one, *other})
        return {k: _together(one[k], other[k]) if k in one and k in other else one.get(k, other.get(k)) for k in keys}
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        pairs = {item.name: (getattr(one, item.name), getattr(other, item.name)) for item in dataclasses.fields(one)}
        return replace(one, **{name: _together(*pair) for name, pair in pairs.items()})
    if isinstance(one, np.ndarray):
        return one | other if one.dtype == np.bool_ else one + other
    return one + other
