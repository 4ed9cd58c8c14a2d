"""Calendar months, and how yearly allocations stand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from librarian.privacy.renaming import Renaming, renamed
from librarian.shared.report import Section
from librarian.subjects.months.allocation import Pace
from librarian.subjects.months.model import Month
from librarian.subjects.usage.rest import Unfinished


@dataclass(frozen=True)
class MonthsFacts:
    """`months` go back further than the window, oldest first; `paces` are the allocations that the QoS uses, which
    need the `past` of all QoS that share them."""

    months: tuple[Month, ...] = ()
    paces: tuple[Pace, ...] = ()
    past: Unfinished | None = None

    def renamed(self, names: Renaming) -> MonthsFacts:
        """By public names; where accounts must not be seen, their sums are left out."""
        shown = self.months if names.shows_accounts else tuple(replace(one, accounts={}) for one in self.months)
        return replace(self, months=tuple(renamed(month, names) for month in shown))


@dataclass(frozen=True)
class MonthsSection(Section):
    """As `MonthsFacts`, by the names that readers see."""

    months: tuple[Month, ...]
    paces: tuple[Pace, ...]
