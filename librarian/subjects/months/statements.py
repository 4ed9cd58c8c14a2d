"""`librarian report`: months and allocations of some reports."""

from __future__ import annotations

from collections.abc import Sequence

from librarian.errors import ConfigError, StoreError
from librarian.shared.calendar import is_month
from librarian.shared.report import Report
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.months.tables import Statement
from librarian.subjects.usage.section import UsageSection

ALL = "all"


def check(month: str | None) -> None:
    """Raise `ConfigError` for what is no month."""
    if month and month.lower() != ALL and not is_month(month):
        raise ConfigError(f"{month} is not a month", todo="write it as in 2026-10, or all")


def statements(reports: Sequence[Report], month: str | None, names: Sequence[str]) -> list[Statement]:
    """What is known of `month` (2026-10, `ALL`; None is the newest known) of the QoS `names`.

    Of a QoS that knows nothing of the month there is a statement without months, as long as another one does. Raises
    `ConfigError` for a month that is not known, `StoreError` when nothing was collected yet.
    """
    found = [report for report in reports if report.header.qos in names]
    every = sorted({one.name for report in found for one in report[MonthsSection].months})
    if not every:
        raise StoreError("nothing was collected yet", f"of {', '.join(names)}", "run: librarian run")
    chosen = every[-1] if month is None else month.lower()
    if chosen != ALL and chosen not in every:
        raise ConfigError(f"nothing is known of {chosen}", f"months that are known: {', '.join(every)}")
    return [_statement(report, chosen) for report in found]


def _statement(report: Report, chosen: str) -> Statement:
    """The allocations go with the month that they stand in: the one that goes on."""
    section, header, now = report[MonthsSection], report.header, report.window.now
    months = tuple(one for one in section.months if chosen in (ALL, one.name))
    running = any(one.begin <= now <= one.end for one in months)
    paces, untracked = section.paces if running else (), report[UsageSection].untracked
    return Statement(header.qos, header.title, header.cluster, header.zone, now, months, paces, untracked)
