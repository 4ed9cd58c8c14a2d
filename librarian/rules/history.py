"""The history of a rule's value, where the report keeps one by bin. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from librarian.config.conditions import Path
from librarian.config.rule_options import RuleOptions

Data = Mapping[str, Any]
Series = list[tuple[int, float | None]]
"""Values (None: not known) by the time at which their bin ended (UTC epoch), oldest first."""


def series(rule: RuleOptions, data: Data) -> Series | None:
    """The values of each bin of the window; None where the number has no history. Never raises."""
    try:
        values = _values(rule, data)
        ends = data["edges"][1:]
        if values is None or len(values) != len(ends):
            return None
        at = data["metadata"]["last_updated_epoch"]
        return [(min(int(end), int(at)), value) for end, value in zip(ends, values, strict=True)]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def _values(rule: RuleOptions, data: Data) -> Sequence[float | None] | None:
    if rule.when:
        return _at(rule.when.path, data)
    if rule.kind == "at-limit":
        return _shares(rule.resource, data)
    if rule.kind == "headroom":
        pairs = zip(_limits(rule.resource, data), _held(rule.resource, data), strict=True)
        return [None if limit is None else limit - held for limit, held in pairs]
    return None


def _at(path: Path, data: Data) -> Sequence[float | None] | None:
    """What is kept by bin of the number at a path."""
    if path[-1] == -1:
        found: Any = data
        for step in path[:-1]:
            found = found[step]
        return found if isinstance(found, list) and all(value is None or _is_number(value) for value in found) else None
    match path:
        case ("pressure", str() as key, "share"):
            return _shares(key, data)
        case ("pressure" | "limits", str() as key, "used") | ("now", "total", str() as key):
            return _held(key, data)
        case ("limits", str() as key, "value") | ("thresholds", str() as key):
            return _limits(key, data)
        case ("now", "users", str() as user, str() as key):
            row: Sequence[float | None] = data["observables"][key][user]
            return row
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _held(key: str, data: Data) -> list[float]:
    """What all held together: the mean of each bin."""
    return [float(sum(bins)) for bins in zip(*data["observables"][key].values(), strict=True)]


def _limits(key: str, data: Data) -> list[float | None]:
    """The limit at the end of each bin; None where there was none, or it is not known."""
    history = data["limits"][key]["history"]
    found: list[float | None] = []
    for end in data["edges"][1:]:
        rows = [row for row in history if row["from"] < end]
        found.append(rows[-1]["value"] if rows else None)
    return found


def _shares(key: str, data: Data) -> list[float | None]:
    pairs = zip(_limits(key, data), _held(key, data), strict=True)
    return [held / limit if limit else None for limit, held in pairs]
