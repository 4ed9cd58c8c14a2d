"""Limits: what the cycle asks of this subject."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from librarian.render.html.parts import Part, Shown
from librarian.shared.files import PRESSURE
from librarian.shared.report import Report
from librarian.subjects.jobs.section import JobsFacts
from librarian.subjects.limits import bin_cache, collect, plain
from librarian.subjects.limits.keep import LimitChanges
from librarian.subjects.limits.section import LimitsFacts, LimitsSection, build, limits_in
from librarian.subjects.limits.to_json import limits_fields
from librarian.subjects.subject import ACCOUNTING, Asking, Data, Facts, Json, Problems, Reading, Subject
from librarian.subjects.usage.section import UsageFacts, UsageSection

log = logging.getLogger(__name__)


class Limits(Subject):
    """What may be held, what binds, and how near use came to it."""

    key = "limits"
    fleeting = True
    fields = ("thresholds", "limits", "policy", "flags", "peaks", "near", "pressure")
    first = ("limits",)

    def collect(self, asking: Asking) -> Problems:
        """Ask for the limits of all QoS, of accounts and of partitions, and keep what changed of them."""
        problems: Problems = []
        if ACCOUNTING in asking.silent:
            asking.skipped.add(self.key)
        else:
            problems += collect.observe(asking)
        for watched in asking.watched:
            if collect.keep_limits(asking.store, watched.scope, watched.overrides, asking.now):
                log.info("%s: its limits are new or have changed", watched.name)
        return problems

    def read(self, reading: Reading) -> LimitsFacts:
        """The limits as they came to be, and the bins of the window measured against them."""
        name, overrides = reading.watched.name, reading.watched.overrides
        known, changes = collect.known_limits(reading.store, name), LimitChanges(reading.store).of(reading.scope)
        tally = reading.facts[UsageFacts].tally
        histories = limits_in(tally, known, changes, overrides)[1]
        return LimitsFacts(known, changes, overrides, bin_cache.measure(reading, histories))

    def build(self, facts: Facts, report: Report) -> LimitsSection:
        """What binds, what counts against it, and the pressure."""
        known = facts[JobsFacts], facts[UsageFacts], facts[LimitsFacts]
        return build(report.header.qos, *known, report[UsageSection], report.gathered)

    def to_json(self, report: Report) -> Json:
        """Limits, every one that is set anywhere, peaks and time at the limit."""
        return limits_fields(report)

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """Headroom, all limits, time at the limit."""
        return plain.parts(data, zone)

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """What is in use of each limit, and what is free."""
        return plain.glance(data)

    def pictures(self) -> Mapping[str, str]:
        """How much of each limit was held."""
        return {PRESSURE: "Limits"}

    def inputs(self, report: Report, name: str) -> object:
        """Parts of the limits by bin, and who held them."""
        use, section = report[UsageSection], report[LimitsSection]
        pressure, told = section.pressure, use.pictured
        rows = [(section.limits.get(o.key), pressure.shares.get(o.key), pressure.totals.get(o.key)) for o in told]
        return [(o.key, o.name, o.unit) for o in told], rows, use.untracked

    def settled(self, report: Report, name: str) -> object:
        """The parts up to the bin that is not over."""
        use, shares = report[UsageSection], report[LimitsSection].pressure.shares
        rows = [(o.key, report.levels(o.key), shares[o.key][:, :-1]) for o in use.pictured if o.key in shares]
        return rows, use.untracked

    def draw(self, report: Report, name: str) -> Any:
        """How much of each limit was held over time, and who held it."""
        from librarian.subjects.limits import pictures  # matplotlib is loaded only where there is something to draw

        return pictures.draw(report)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """What the picture shows, in words."""
        words = "How much of each limit was held over time, at most and on average; for how long it was hit; "
        return Shown(f"{words}who held it then.")
