"""The section: two weeks, and who changed."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.names import UserName
from librarian.shared.report import Section
from librarian.subjects.usage.section import UsageFacts, UsageSection
from librarian.subjects.weeks.model import Change, Week, changes, weeks_of


@dataclass(frozen=True)
class WeeksFacts:
    """Nothing of its own: weeks are made of the use that is known."""


@dataclass(frozen=True)
class WeeksSection(Section):
    """`weeks` are the last one and the one before it, as far as the window holds them whole."""

    weeks: tuple[Week, ...]
    changes: tuple[Change, ...]


def build(facts: UsageFacts, shown: UsageSection, others: UserName | None = None) -> WeeksSection:
    """The section from renamed facts; `shown` is what the reader is told of use, `others` who they are as one."""
    weeks = weeks_of(shown.usage, shown.ended, facts.tally.starts)
    keys = [one.key for one in shown.tracked if one.wanted]
    return WeeksSection(weeks, changes(*weeks, keys, others) if len(weeks) == 2 else ())
