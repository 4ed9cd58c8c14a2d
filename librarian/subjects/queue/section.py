"""Who is pending, for what and why; what was asked for over time; how long it took to start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from librarian.shared.names import UserName
from librarian.shared.report import Section
from librarian.subjects.limits.section import LimitsFacts, LimitsSection
from librarian.subjects.queue.blocking import Bounds
from librarian.subjects.queue.demand import Samples, Wanted, by_bin
from librarian.subjects.queue.model import LastQueue, Queue, summarise
from librarian.subjects.queue.waits import Waits, waits_of
from librarian.subjects.usage.section import UsageFacts, UsageSection


@dataclass(frozen=True)
class QueueFacts:
    """`seen` is what squeue told last, `samples` what the jobs in it wanted over time; not `whole`: of some of the
    QoS's accounts or partitions alone."""

    seen: LastQueue = field(default_factory=LastQueue)
    samples: Samples = field(default_factory=Samples)
    whole: bool = True


@dataclass(frozen=True)
class QueueSection(Section):
    """`queue` is who is pending, `wanted` what was asked for by bin, `waits` how long it took to start."""

    queue: Queue
    wanted: Wanted
    waits: Waits

    @property
    def people(self) -> Iterable[UserName]:
        """Those who are or were pending, by name."""
        return sorted({*self.wanted.users, *(waiter.user for waiter in self.queue.users)})


def build(
    usage: UsageFacts,
    facts: QueueFacts,
    shown: UsageSection,
    limits: LimitsSection | None,
    rules: LimitsFacts | None = None,
    others: UserName | None = None,
) -> QueueSection:
    """The section from renamed facts; `others` are many under one name, where there is one.

    Where limits are missing, nothing is explained by them.
    """
    bounds = Bounds(
        limits.limits if limits else {},
        shown.now,
        rules.limits if limits and rules else None,
        usage.tally.places,
        whole=facts.whole,
        others=others,
    )
    return QueueSection(
        queue=summarise(facts.seen, bounds),
        wanted=by_bin(facts.samples, usage.usage.window),
        waits=waits_of(usage.tally.starts, usage.usage.window),
    )
