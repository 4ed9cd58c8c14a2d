"""Months: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from librarian.render.html.parts import Part, Shown
from librarian.shared.crowd import Standing
from librarian.shared.files import MONTH
from librarian.shared.report import Report
from librarian.store import Store
from librarian.subjects.months import history, plain
from librarian.subjects.months.model import shares, with_last
from librarian.subjects.months.section import MonthsFacts, MonthsSection
from librarian.subjects.months.to_json import month_json, pace_json
from librarian.subjects.subject import Data, Facts, Json, Reading, Subject
from librarian.subjects.usage.section import UsageFacts, UsageSection


class Months(Subject):
    """Calendar months of users and accounts, and the pace of allocations."""

    key = "months"
    fields = ("months", "allocations")

    def read(self, reading: Reading) -> MonthsFacts:
        """All months that are known, the running one up to now."""
        past = reading.facts[UsageFacts].unfinished
        return MonthsFacts(history.months_of(reading.store, past), past=past)

    def together(self, store: Store, every: Mapping[str, Facts], options: Mapping[str, Any]) -> Mapping[str, object]:
        """How allocations stand, which several QoS may share; `options` has them as `allocations`."""
        mine = {name: found for name, facts in every.items() if (found := facts.get(MonthsFacts))}
        pasts = {name: facts.past for name, facts in mine.items() if facts.past}
        paces = history.paces(store, options.get("allocations", ()), pasts)
        return {name: replace(facts, paces=paces.get(name, ()), past=None) for name, facts in mine.items()}

    def standing(self, facts: Facts) -> Standing:
        """Shares of each month."""
        return {f"months.{month.name}": shares(month) for month in facts[MonthsFacts].months}

    def build(self, facts: Facts, report: Report) -> MonthsSection:
        """The same, by the names that readers see; who is told of with others comes last."""
        months = tuple(with_last(month, report.gathered) for month in facts[MonthsFacts].months)
        return MonthsSection(months, facts[MonthsFacts].paces)

    def to_json(self, report: Report) -> Json:
        """Months, oldest first, and allocations."""
        section = report[MonthsSection]
        return {
            "months": [month_json(month) for month in section.months],
            "allocations": [pace_json(pace) for pace in section.paces],
        }

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """The newest months, and allocations."""
        return plain.parts(data, zone)

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """Who used most in the newest month, and how allocations stand."""
        return plain.glance(data, zone)

    def pictures(self) -> Mapping[str, str]:
        """This month beside the last."""
        return {MONTH: "Month"}

    def inputs(self, report: Report, name: str) -> object:
        """Two months, and the allocations."""
        section = report[MonthsSection]
        return section.months[-2:], section.paces, report[UsageSection].untracked, report.others

    def settled(self, report: Report, name: str) -> object:
        """The last month, and that the running one and the allocations are the same ones."""
        section = report[MonthsSection]
        running = [month.name for month in section.months[-1:]]
        allocations = [pace.allocation for pace in section.paces]
        return section.months[-2:-1], running, allocations, report[UsageSection].untracked

    def draw(self, report: Report, name: str) -> Any:
        """Bars by user, and the pace of allocations."""
        from librarian.subjects.months import pictures  # matplotlib is loaded only where there is something to draw

        return pictures.draw(report)

    def describe(self, data: Data, name: str, zone: str) -> Shown:
        """What the picture shows, in words."""
        return plain.describe(data)
