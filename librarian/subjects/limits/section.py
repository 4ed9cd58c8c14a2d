"""What may be held, as it was and as it is; what binds; how near use came to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from librarian.shared.names import UserName
from librarian.shared.report import Level, Section
from librarian.shared.resources import JOBS, ByKey
from librarian.shared.words import amount
from librarian.subjects.jobs.section import JobsFacts
from librarian.subjects.limits import policy
from librarian.subjects.limits.held import held_now
from librarian.subjects.limits.model import Change, History, Limit, QosLimits, histories, limits_of
from librarian.subjects.limits.pressure import PressedBins, Pressures, pressures
from librarian.subjects.usage.bins import Tally
from librarian.subjects.usage.section import UsageFacts, UsageSection


@dataclass(frozen=True)
class LimitsFacts:
    """What Slurm says of the QoS, None where it could not be asked; how that came to be, in order of time; and the
    bins of the window measured against it. `overrides` are the configuration's, as GrpTRES has them."""

    limits: QosLimits | None
    changes: tuple[Change, ...]
    overrides: Mapping[str, float]
    pressed: PressedBins


@dataclass(frozen=True)
class LimitsSection(Section):
    """`limits`, and their `history` in the window, are by key of the resource.

    `policy` has every limit that is set anywhere, `flags` those of the QoS (None: not known); `counted` is what Slurm
    counts of the QoS now, by key of what is tracked, `used` what it counts against each limit (None: there is none, or
    others count as well, of whom nothing is known), and `pressure` how near they were.
    """

    limits: Mapping[str, Limit]
    history: Mapping[str, History]
    policy: tuple[policy.LimitRow, ...]
    flags: tuple[str, ...] | None
    counted: ByKey
    used: Mapping[str, float | None]
    pressure: Pressures
    units: Mapping[str, str]
    unknown: bool

    @property
    def levels(self) -> Mapping[str, tuple[Level, ...]]:
        """The limits as they were, by key of the resource."""
        return {
            key: tuple(_level(step.since, step.limit, self.units[key]) for step in history)
            for key, history in self.history.items()
        }

    @property
    def caveats(self) -> tuple[str, ...]:
        """That the limit of something with a chart is not known."""
        return ("limits not known",) if self.unknown else ()


def _level(since: int, limit: Limit, unit: str) -> Level:
    return Level(since, limit.value if limit.kind == "limit" else None, in_words(limit, unit))


def in_words(limit: Limit, unit: str) -> str:
    """The label of a limit's line."""
    return f"limit {amount(limit.value or 0.0)} {unit}"


def limits_in(
    tally: Tally, limits: QosLimits | None, changes: tuple[Change, ...], overrides: Mapping[str, float]
) -> tuple[Mapping[str, Limit], Mapping[str, History]]:
    """The limits of now, and as they were in the window of `tally`, by key of the resource."""
    observables, window, places = tally.usage.observables, tally.window, tally.places
    now = limits_of(observables, limits, overrides, places)
    return now, histories(observables, changes, now, (window.start, window.now), places)


def build(
    qos: str,
    jobs: JobsFacts,
    usage: UsageFacts,
    facts: LimitsFacts,
    shown: UsageSection,
    others: UserName | None = None,
) -> LimitsSection:
    """The section from renamed facts, and from what is shown of use; `others`, many under one name, are no user."""
    tally = usage.tally
    limits, history = limits_in(tally, facts.limits, facts.changes, facts.overrides)
    held = held_now(jobs.counting, tally.window.now, shown.tracked)
    held = replace(held, users={user: amounts for user, amounts in held.users.items() if user != others})
    rows = policy.rows(qos, facts.limits, facts.overrides, tally.places, {policy.OWN: held})
    return LimitsSection(
        limits=limits,
        history=history,
        policy=rows,
        flags=facts.limits.flags if facts.limits else None,
        counted={o.key: held.total[o.resource or JOBS] for o in shown.tracked},
        used={o.key: _used(limits[o.key], o.resource or JOBS, rows) for o in tally.usage.observables},
        pressure=pressures(facts.pressed, others),
        units={o.key: o.unit for o in tally.usage.observables},
        unknown=any(limits[o.key].kind == "unknown" for o in shown.pictured if o.key in limits),
    )


def _used(limit: Limit, resource: str, rows: Sequence[policy.LimitRow]) -> float | None:
    """What counts against a limit on the group: a suspended job's CPUs too, which it does not hold."""
    if limit.kind != "limit":
        return None
    on_group = (row for row in rows if row.binds and row.source.setting.per == "group")
    return next((row.used for row in on_group if row.source.resource == resource), None)
