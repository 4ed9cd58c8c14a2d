"""The list of subjects, in their order: one may use those before it, never those after it. A new one is a line."""

from __future__ import annotations

from librarian.render.html.page import Titles
from librarian.subjects.efficiency.subject import Efficiency
from librarian.subjects.job_table.subject import JobTable
from librarian.subjects.jobs.subject import Jobs
from librarian.subjects.limits.subject import Limits
from librarian.subjects.months.subject import Months
from librarian.subjects.queue.subject import Queue
from librarian.subjects.subject import Subject
from librarian.subjects.usage.subject import Usage
from librarian.subjects.weeks.subject import Weeks

SUBJECTS: tuple[Subject, ...] = (Jobs(), Usage(), Limits(), Queue(), Efficiency(), JobTable(), Weeks(), Months())


def titles(subjects: tuple[Subject, ...] = SUBJECTS) -> Titles:
    """What the subjects show on the page."""
    return Titles(
        {subject.key: subject.charts() for subject in subjects},
        {name: title for subject in subjects for name, title in subject.pictures().items()},
        subjects,
        [name for subject in subjects for name in subject.first],
    )
