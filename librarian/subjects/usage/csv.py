"""A report as a table: CSV for spreadsheets and programs, compressed.

Of a table of thirty days all but the first and the last day are the same an hour later. The compression begins anew
with each day, so their bytes are the same too, and what sends differences (git, rsync) sends the last day alone.
"""

from __future__ import annotations

import csv
import itertools
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from librarian.render.json.numbers import plain, rounded
from librarian.shared.report import Report
from librarian.shared.text import csv_cell
from librarian.shared.window import DAY, isoformat
from librarian.subjects.usage.binning import Usage
from librarian.subjects.usage.section import UsageSection

_GZIP = 16 + zlib.MAX_WBITS  # a header and a sum as gzip has them: no name, no time
_LEVEL = 6  # the highest takes twice the time, for two hundredths of the bytes at most


def usage_gzip(report: Report, everybody: Usage | None = None) -> bytes:
    """The means as a table in UTF-8: a row for each bin and user who held something in it, by time, then by name.

    An order by share would change in all rows as soon as one user overtakes another.
    `seconds` is how long the bin was, or the part of the last one that has passed.
    `everybody` is the usage of all, where the report has some as others.
    Compressed as gzip does; equal days have equal bytes, but for where they stand.
    """
    usage = everybody or report[UsageSection].usage
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    parts = (packer.compress(day) + packer.flush(zlib.Z_FULL_FLUSH) for day in _days(usage))
    return b"".join(parts) + packer.flush()


def _days(usage: Usage) -> Iterator[bytes]:
    """The line of names, then the rows of each day of UTC in which anybody held anything."""
    heads = ("start", "start_epoch", "seconds", "user", *(csv_cell(o.key) for o in usage.observables))
    yield f"{_cells(heads)}\n".encode()
    names = [_cells([csv_cell(user), ""])[:-1] for user in usage.users]  # an empty name alone would be quoted
    days = usage.window.starts // DAY
    for first, last in itertools.pairwise([0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(days)]):
        rows = b"".join(_rows(usage, names, first, last))
        if rows:
            yield rows


def _rows(usage: Usage, names: Sequence[str], first: int, last: int) -> Iterator[bytes]:
    """The rows of the bins from `first` up to `last`, by time, then by user."""
    window = usage.window
    means = usage.integrals[:, :, first:last] / window.passed[first:last]
    some = means.any(axis=0).T  # by bin, user
    values = plain(rounded(means.transpose(2, 1, 0)[some]))
    places = np.argwhere(some).tolist()
    for at, rows in itertools.groupby(zip(places, values, strict=True), key=lambda row: int(row[0][0])):
        start = int(window.starts[first + at])
        head = _cells([isoformat(start, window.zone), start, window.passed[first + at].item()])
        lines = (f"{head},{names[user]},{','.join(map(repr, row))}\n" for (_, user), row in rows)
        yield "".join(lines).encode("utf-8", "backslashreplace")  # what is no text in UTF-8 stays told apart


def _cells(cells: Sequence[str | float]) -> str:
    """A row without its end."""
    line = _Line()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.text


class _Line:
    """Takes a row of the writer's, and drops its end, CR LF.

    The writer must believe in that: older ones quote a carriage return in a name only if it ends lines.
    """

    text = ""

    def write(self, row: str) -> None:
        """Take it."""
        self.text = row[:-2]
