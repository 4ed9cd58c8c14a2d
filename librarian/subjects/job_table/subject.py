"""The table of jobs: what the cycle asks of this subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from librarian.render.html.parts import Part
from librarian.shared.calendar import clock
from librarian.shared.report import Report
from librarian.shared.words import amount, counted
from librarian.subjects.job_table import keep
from librarian.subjects.job_table.days import script
from librarian.subjects.job_table.options import options_of
from librarian.subjects.job_table.section import JobTableFacts, JobTableSection, file_of, files_in, job_table_json
from librarian.subjects.jobs.covered import coverage
from librarian.subjects.subject import Data, Facts, Json, Reading, Subject


class JobTable(Subject):
    """What became of each job."""

    key = "job_table"
    fields = ("job_table",)

    @property
    def heading(self) -> str:
        """What its section of a page is called."""
        return "Jobs"

    def read(self, reading: Reading) -> JobTableFacts | None:
        """The days of the window; None where jobs are not published."""
        options, store, scope = options_of(reading.options), reading.store, reading.scope
        if not options.enabled:
            keep.forget(store)
            return None
        covered, window = coverage(store, scope), reading.window
        if covered is None:
            return None
        days = keep.JobDays(store, scope, options.rules).of(max(window.start, covered.covered_from), window.now)
        return JobTableFacts(tuple(days), max(window.start, covered.covered_from))

    def build(self, facts: Facts, report: Report) -> JobTableSection | None:
        """The section."""
        found = facts.get(JobTableFacts)
        return JobTableSection(found.days, found.known_from) if found else None

    def to_json(self, report: Report) -> Json:
        """Which files there are."""
        return {"job_table": job_table_json(report)}

    def plain(self, data: Data, zone: str) -> Iterable[Part]:
        """How many jobs there are, and where they are listed."""
        told = data.get("job_table")
        if not told:
            return
        ended, open_ = sum(day["jobs"] for day in told["days"]), (told["open"] or {}).get("jobs", 0)
        words = f"{counted(ended, 'job')} ended since {clock(told['known_from'], zone)}"
        yield Part(
            "",
            sentences=(
                f"{words}; {amount(open_)} run or are pending. Each of them is listed on the page with JavaScript.",
            ),
        )

    def pieces(self, report: Report) -> Mapping[str, Callable[[], bytes]]:
        """A file a day."""
        named = ((file_of(report.header.qos, day), day) for day in report[JobTableSection].days)
        return {name: partial(script, name, day) for name, day in named}

    def kept_pieces(self, data: Data) -> list[str]:
        """The files of the last site."""
        return files_in(data.get("job_table"))
