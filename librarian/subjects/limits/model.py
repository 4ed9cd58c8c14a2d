"""Limits of a QoS: a number, no limit, or not known. These are three things, and 0 is a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from librarian.shared.names import Places
from librarian.shared.resources import JOBS, Observable
from librarian.subjects.limits.rules import Key, QosLimits, binding, where

__all__ = ["NEAR", "UNKNOWN", "Change", "History", "Limit", "QosLimits", "Since", "histories", "limits_of"]

Kind = Literal["limit", "none", "unknown"]
CONFIGURED = "configuration"  # the source of a limit that overrides Slurm's
NEAR = 0.95
"""From this part of a limit on it counts as hit: the next job would seldom fit."""
ANYWHERE: Places = MappingProxyType({})


@dataclass(frozen=True)
class Limit:
    """One limit in the observable's unit. `value` is None unless `kind` is "limit"; `source` names who said so."""

    kind: Kind
    value: float | None
    source: str

    @property
    def threshold(self) -> float:
        """The number that older dashboards draw: 0 where there is none or none is known."""
        return self.value or 0.0


UNKNOWN = Limit("unknown", None, "")


@dataclass(frozen=True)
class Change:
    """What the limits of a QoS follow from since a moment (UTC epoch): what Slurm says, None where it knows no such QoS
    or has not been heard yet, and the configuration's `overrides`."""

    since: int
    slurm: QosLimits | None
    overrides: Mapping[str, float]


@dataclass(frozen=True)
class Since:
    """A limit, and the time (UTC epoch) from which it held."""

    since: int
    limit: Limit


History = tuple[Since, ...]


def limits_of(
    observables: Sequence[Observable],
    slurm: QosLimits | None,
    overrides: Mapping[str, float],
    places: Places = ANYWHERE,
) -> dict[str, Limit]:
    """The limit of each observable on all that the QoS holds together, by key.

    `slurm` is None where Slurm could not be asked. `overrides`, from the configuration, are keyed as GrpTRES or
    `JOBS`, and win. `places` are where the QoS's jobs hold each resource: limits of other places do not bind them.
    """
    return {observable.key: _limit(observable.resource or JOBS, slurm, overrides, places) for observable in observables}


def histories(
    observables: Sequence[Observable],
    changes: Sequence[Change],
    limits: Mapping[str, Limit],
    window: tuple[int, int],
    places: Places = ANYWHERE,
) -> dict[str, History]:
    """Each observable's limit as it was in `window` (its start and end, UTC epochs), by key: one entry where it did
    not change.

    `changes` come in order of time, `limits` are those of now. The first entry begins at the start: Slurm does not tell
    since when a limit holds, so the first that is known is taken for the time before it too. A change after the end is
    told at the end, and the last entry is the limit of now.
    """
    return {o.key: _history(o.resource or JOBS, changes, limits[o.key], window, places) for o in observables}


def _history(
    resource: str, changes: Sequence[Change], limit: Limit, window: tuple[int, int], places: Places
) -> History:
    start, end = window
    past = [Since(change.since, _limit(resource, change.slurm, change.overrides, places)) for change in changes]
    steps = tuple(_known([*past, Since(end, limit)]))
    placed = {min(max(step.since, start), end): step.limit for step in steps}  # of several at one time the last holds
    found = [Since(since, held) for since, held in placed.items()]
    found[0] = Since(start, found[0].limit)
    return tuple(_known(found))


def _known(steps: Sequence[Since]) -> Iterator[Since]:
    """The steps at which the limit changed, from the first at which it was known on; the last one at least."""
    before: Limit | None = None
    for place, step in enumerate(steps):
        first = before is None and (step.limit.kind != "unknown" or place == len(steps) - 1)
        if first or (before is not None and step.limit != before):
            before = step.limit
            yield step


def _limit(resource: str, slurm: QosLimits | None, overrides: Mapping[str, float], places: Places) -> Limit:
    if resource in overrides:
        return Limit("limit", overrides[resource], CONFIGURED)
    if slurm is None:
        return UNKNOWN
    found = binding(slurm, group_key(resource), where(places, resource))
    if found and found.percent:
        return UNKNOWN  # how much that is of what there is was not told
    if found:
        return Limit("limit", found.value, found.words)
    return Limit("none", None, "GrpJobs" if resource == JOBS else f"GrpTRES {resource}")


def group_key(resource: str) -> Key:
    """The limit on what all together hold of a resource."""
    return ("GrpJobs" if resource == JOBS else "GrpTRES", resource)
