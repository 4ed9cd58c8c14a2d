"""The section: the days of the window whose runs are told, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from librarian.shared.files import file_names
from librarian.shared.names import UserName
from librarian.shared.report import Report, Section
from librarian.subjects.job_table.days import OPEN, Day


@dataclass(frozen=True)
class JobTableFacts:
    """The days, and since when (UTC epoch) all runs are known that ended."""

    days: tuple[Day, ...]
    known_from: int


@dataclass(frozen=True)
class JobTableSection(Section):
    """As the facts, by the names that readers see."""

    days: tuple[Day, ...]
    known_from: int

    @property
    def people(self) -> Iterable[UserName]:
        """Those whose runs are told."""
        return sorted({user for day in self.days for user in day.users})


def file_of(qos: str, day: Day) -> str:
    """The name of a day's file: another content has another name, so none that was kept is taken for it."""
    return file_names(qos).piece("jobs", f"{day.name}_{day.version}")


def job_table_json(report: Report) -> Mapping[str, object]:
    """The field of the JSON: which files there are, and how many runs are in each."""
    section, qos = report[JobTableSection], report.header.qos
    rows = {day.begin: {"file": file_of(qos, day), "jobs": day.runs, "left_out": day.left_out} for day in section.days}
    days = [{"day": day.name, "begin": day.begin, **rows[day.begin]} for day in section.days if day.begin != OPEN]
    return {"known_from": section.known_from, "days": days, "open": rows.get(OPEN)}


def files_in(field: object) -> list[str]:
    """The names of files in such a field; none of what is no such field."""
    days = field.get("days") if isinstance(field, dict) else None
    rows = [*(days if isinstance(days, list) else []), field.get("open") if isinstance(field, dict) else None]
    names = [row.get("file") for row in rows if isinstance(row, dict)]
    return [name for name in names if isinstance(name, str)]
