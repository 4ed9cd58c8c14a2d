"""Weeks: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Iterable

from librarian.render.html.parts import Part
from librarian.shared.report import Report
from librarian.subjects.subject import Data, Facts, Json, Reading, Subject
from librarian.subjects.usage.section import UsageFacts, UsageSection
from librarian.subjects.weeks import plain
from librarian.subjects.weeks.section import WeeksFacts, WeeksSection, build
from librarian.subjects.weeks.to_json import weeks_json


class Weeks(Subject):
    """The last week beside the one before it."""

    key = "weeks"
    fields = ("weeks",)

    def read(self, reading: Reading) -> WeeksFacts:
        """Nothing: the bins of use have all of it."""
        return WeeksFacts()

    def build(self, facts: Facts, report: Report) -> WeeksSection:
        """Two weeks of the window, from the use that is shown."""
        return build(facts[UsageFacts], report[UsageSection], report.gathered)

    def to_json(self, report: Report) -> Json:
        """Sums of both, and who changed most."""
        return {"weeks": weeks_json(report[WeeksSection])}

    def glance(self, data: Data, zone: str) -> Iterable[Part]:
        """A table of both."""
        return plain.glance(data, zone)
