"""What `librarian report` tells of a report: the same as from sums that are kept, computed anew."""

from __future__ import annotations

from librarian.shared.report import Report
from librarian.subjects.months.section import MonthsSection
from librarian.subjects.months.tables import Statement
from librarian.subjects.usage.section import UsageSection


def statement(report: Report) -> Statement:
    """All months of a report."""
    section, header, untracked = report[MonthsSection], report.header, report[UsageSection].untracked
    now, months, paces = report.window.now, section.months, section.paces
    return Statement(header.qos, header.title, header.cluster, header.zone, now, months, paces, untracked)
