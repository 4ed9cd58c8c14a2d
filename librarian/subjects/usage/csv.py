"""A report as a table: CSV for spreadsheets and programs, compressed.

Of a table of thirty days all but the first and the last day are the same an hour later. The compression begins anew
with each day, so their bytes are the same too, and what sends differences (git, rsync) sends the last day alone.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from librarian.render.json.numbers import plain, rounded
from librarian.shared.report import Report
from librarian.shared.text import csv_cell
from librarian.shared.window import DAY, isoformat
from librarian.subjects.usage.section import UsageSection

_GZIP = 16 + zlib.MAX_WBITS  # a header and a sum as gzip has them: no name, no time
_LEVEL = 6  # the highest takes twice the time, for two hundredths of the bytes at most


def usage_gzip(report: Report) -> bytes:
    """The means as a table in UTF-8: a row for each bin and user who held something in it, by time, then by name.

    An order by share would change in all rows as soon as one user overtakes another.
    `seconds` is how long the bin was, or the part of the last one that has passed.
    Compressed as gzip does; equal days have equal bytes, but for where they stand.
    """
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    parts = (packer.compress(day) + packer.flush(zlib.Z_FULL_FLUSH) for day in _days(report))
    return b"".join(parts) + packer.flush()


def _days(report: Report) -> Iterator[bytes]:
    """The line of names, then the rows of each day of UTC."""
    yield _lines(
        [
            [
                "start",
                "start_epoch",
                "seconds",
                "user",
                *(csv_cell(o.key) for o in report[UsageSection].usage.observables),
            ]
        ]
    )
    for _, rows in groupby(_rows(report), key=lambda row: int(row[1]) // DAY):
        yield _lines(rows)


def _rows(report: Report) -> Iterator[list[str | float]]:
    section = report[UsageSection]
    window, usage = report.window, section.usage
    starts = [(isoformat(start, window.zone), start) for start in window.starts.tolist()]
    passed = window.passed.tolist()
    place = {user: row for row, user in enumerate(usage.users)}
    users = sorted(user for user in section.users if user in place)
    means = rounded(usage.means[:, [place[user] for user in users], :]).transpose(2, 1, 0)  # by bin, user, observable
    names = [csv_cell(user) for user in users]
    some = means.any(axis=2)
    for (at, user), values in zip(np.argwhere(some).tolist(), plain(means[some]), strict=True):
        yield [*starts[at], passed[at], names[user], *values]


def _lines(rows: Iterable[Sequence[str | float]]) -> bytes:
    lines = _Lines()
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return lines.text.getvalue().encode("utf-8", "backslashreplace")  # what is no text in UTF-8 stays told apart


class _Lines:
    """Takes the writer's rows and ends them with a line feed alone.

    The writer must believe in CR LF: older ones quote a carriage return in a name only if it ends lines.
    """

    def __init__(self) -> None:
        self.text = io.StringIO(newline="")

    def write(self, row: str) -> None:
        """Take one row, which ends with CR LF."""
        self.text.write(row[:-2] + "\n")
