"""What digests are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from librarian.digests.period import Period
from librarian.shared.names import UserName
from librarian.subjects.efficiency.asking import Evidence
from librarian.subjects.efficiency.costs import Costly
from librarian.subjects.efficiency.model import Hours


@dataclass(frozen=True)
class Wait:
    """A job that waited: for how many seconds since it could start, and for how many before that for a dependency or
    its begin time. `reason` says why in words, of a job that waits still; Slurm keeps none of one that started."""

    job: str
    seconds: int
    earlier: int = 0
    reason: str = ""
    todo: str = ""


@dataclass
class Member:
    """Of one user: unit-hours held by resource, and of each time before (None where it is not known); what runs that
    ended used; runs that ended by state; the longest waits; what was found that costs, worst first, and shapes of jobs
    that can ask for less."""

    user: UserName
    held: dict[str, float] = field(default_factory=dict)
    before: list[dict[str, float] | None] = field(default_factory=list)
    used: dict[str, Hours] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    waited: list[Wait] = field(default_factory=list)
    waiting: list[Wait] = field(default_factory=list)
    found: tuple[Costly, ...] = ()
    shapes: tuple[Evidence, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to say."""
        return not (any(self.held.values()) or self.ended or self.waiting or self.found)


@dataclass(frozen=True)
class Members:
    """All of them; `whole` where all hours of the time are known, `use_whole` where it is known what all runs used."""

    period: Period
    by_user: Mapping[UserName, Member]
    whole: bool
    use_whole: bool


@dataclass(frozen=True)
class Committed:
    """Unit-hours by resource that jobs may still hold, and of how many jobs that is not known."""

    hours: dict[str, float] = field(default_factory=dict)
    jobs: int = 0
    unknown: int = 0
