"""Whose month: a month of a QoS as tables of text, for terminals, spreadsheets, programs and the renderers of pages."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from librarian.errors import one_line
from librarian.shared.calendar import clock, isoformat, local_date
from librarian.shared.resources import OBSERVABLES
from librarian.shared.text import csv_cell, file_safe, shown, visible
from librarian.shared.words import amount, counted, percent
from librarian.subjects.months import use_tables
from librarian.subjects.months.allocation import Pace
from librarian.subjects.months.model import Month, MonthUse
from librarian.subjects.months.to_json import month_json, pace_json
from librarian.subjects.usage.totals import Totals, jobs_ended, jobs_failed

SCHEMA_VERSION = 1
NOT_KNOWN = "account not known"
_DASH = "–"
_COUNTS = ("jobs ended", "jobs failed")  # heads of the CSV
_SHARED = ("NCPUS", "NGPUS")  # what has a column of shares
_HEADS = {"NJOBS": "Job-hours", "BILLING": "Billing"}


@dataclass(frozen=True)
class Statement:
    """The months of a QoS that are told, and its allocations, as known at `now` (UTC epoch), on the clock of `zone`."""

    qos: str
    title: str
    cluster: str
    zone: str
    now: int
    months: tuple[Month, ...]
    paces: tuple[Pace, ...] = ()
    untracked: frozenset[str] = frozenset()
    use: Mapping[str, MonthUse] | None = None
    """What jobs used, by the month's name; None where it was never asked."""

    def use_of(self, month: Month) -> MonthUse | None:
        """What jobs used in a month; None where nothing of that is known."""
        return (self.use or {}).get(month.name)


@dataclass(frozen=True)
class MonthTable:
    """A table as text: its columns, a row for each name, a row of sums."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...]


# the words


def heading(told: Statement) -> str:
    """The QoS as people call it."""
    title = one_line(told.title, 80) or visible(told.qos)
    return title if told.title == told.qos else f"{title} (QoS {visible(told.qos)})"


def month_title(month: Month, zone: str) -> str:
    """The month in words, e.g. October 2026."""
    return local_date(month.begin + 20 * 86400, zone).strftime("%B %Y")


def extent(month: Month, zone: str) -> str:
    """How much of a month is known, as a sentence."""
    if month.complete:
        return "The whole month."
    begin, end = clock(month.known_from, zone), clock(month.known_to, zone)
    gaps = month.known_to - month.known_from > month.known_seconds
    text = f"From {begin} to {end}" if month.known_from > month.begin else f"Up to {end}"
    rest = "; what was before is not known" if month.known_from > month.begin else ""
    return text + rest + ("; some of the time between is not known" if gaps else "") + "."


def notes(month: Month, told: Statement) -> Iterator[str]:
    """What one must know to read the tables of a month right."""
    if "NGPUS" in told.untracked:
        yield "GPUs are not tracked on this cluster."
    if month.runs_from is None:
        yield "Accounts and the runs that ended are not known of this month."
    elif month.runs_from > month.known_from:
        yield f"Accounts and the runs that ended are known from {clock(month.runs_from, told.zone)} on."
    if month.older_rule_to is not None:
        yield older_rule(month.older_rule_to, told.zone)
    if told.use is not None:
        yield use_tables.extent(told.use_of(month), told.zone)


def older_rule(until: int, zone: str) -> str:
    """What one must know of hours that were kept before suspended jobs counted as Slurm counts them."""
    return f"Up to {clock(until, zone)} suspended jobs count as holding nothing, as an older release had it."


def describe(pace: Pace, zone: str) -> str:
    """How an allocation stands, in a line."""
    return "; ".join(_described(pace, zone)) + "."


def _described(pace: Pace, zone: str) -> list[str]:
    begin, end = (local_date(at, zone).isoformat() for at in (pace.begin, pace.end))
    parts = [
        f"{pace.name} from {begin} to {end}: {amount(pace.amount)} {pace.unit}",
        f"used {amount(pace.used)} ({percent(pace.used, pace.amount)})",
        f"even use would be {amount(pace.even)} ({percent(pace.even, pace.amount)})",
    ]
    if pace.projected is not None:
        parts.append(f"at this pace {amount(pace.projected)} ({percent(pace.projected, pace.amount)}) at the end")
    if pace.known_from > pace.begin:
        parts.append(f"what was used before {clock(pace.known_from, zone)} is not known")
    return parts


# the tables


def every_table(told: Statement, month: Month) -> Iterator[tuple[str, MonthTable]]:
    """All tables of a month with their titles."""
    yield "Users", users_table(month, told.untracked)
    yield "Accounts", accounts_table(month, told.untracked)
    use = told.use_of(month)
    for title, head, rows, foot in use_tables.tables(use) if use else ():
        yield title, MonthTable(head, rows, foot)


def users_table(month: Month, untracked: frozenset[str]) -> MonthTable:
    """The users of a month, largest share first."""
    return _table("User", "user", month, month.users, untracked, Totals({}, {}))


def accounts_table(month: Month, untracked: frozenset[str]) -> MonthTable:
    """The accounts of a month, and what no account is known of."""
    lacking = Totals(dict(month.lacking), {})
    return _table("Account", "account", month, month.accounts, untracked, lacking)


def _table(
    head: str, thing: str, month: Month, found: Mapping[Any, Totals], untracked: frozenset[str], lacking: Totals
) -> MonthTable:
    heads: list[str] = [head]
    for o in OBSERVABLES:
        heads += [_HEADS.get(o.key, o.hours), "share"] if o.key in _SHARED else [_HEADS.get(o.key, o.hours)]
    told = month.runs_from is not None
    rows = [(visible(name), *_cells(totals, month.total, untracked, told)) for name, totals in found.items()]
    if lacking.hours:
        rows.append((NOT_KNOWN, *_cells(lacking, month.total, untracked, False)))
    foot = (counted(len(found), thing), *_cells(month.total, month.total, untracked, told))
    return MonthTable((*heads, "jobs", "failed"), tuple(rows), foot)


def _cells(totals: Totals, whole: Totals, untracked: frozenset[str], told: bool) -> Iterator[str]:
    for o in OBSERVABLES:
        yield _DASH if o.key in untracked else amount(totals.hours[o.key])
        if o.key in _SHARED:
            yield _DASH if o.key in untracked else percent(totals.hours[o.key], whole.hours[o.key])
    jobs = jobs_ended(totals)
    yield amount(jobs) if told else _DASH
    yield percent(jobs_failed(totals), jobs) if told else _DASH


# text


def text(statements: Sequence[Statement]) -> str:
    """The months for a terminal, no line longer than its columns need."""
    return "\n".join(line for told in statements for line in _lines(told))


def _lines(told: Statement) -> Iterator[str]:
    for month in told.months:
        yield f"{heading(told)}: {month_title(month, told.zone)}"
        yield " ".join((extent(month, told.zone), *notes(month, told)))
        for _, table in every_table(told, month):
            yield ""
            yield from _aligned(table)
        yield ""
    if not told.months:
        yield from (f"{heading(told)}: nothing is known of this month.", "")
    for pace in told.paces:
        first, *others = _described(pace, told.zone)
        yield from (first, *(f"  {part}" for part in others), "")


def _aligned(table: MonthTable) -> Iterator[str]:
    rows = [(shown(row[0]), *row[1:]) for row in (table.head, *table.rows, table.foot)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(table.head))]
    lines = []
    for row in rows:
        name = row[0] + " " * (widths[0] - _width(row[0]))
        lines.append("  ".join((name, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)))))
    rule = "-" * _width(lines[0])
    yield from (lines[0], rule, *lines[1:-1], rule, lines[-1])


def _width(name: str) -> int:
    """How many cells of a terminal `name` takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in name)
    return len(name) + wide - sum(unicodedata.combining(character) > 0 for character in name)


# CSV and JSON


def table_csv(statements: Sequence[Statement]) -> bytes:
    """A row for each month and user, account, what no account is known of, and all; in UTF-8.

    Hours are headed by their units, as in "CPU-hours". Cells of what is not known are empty. Names that a spreadsheet
    would take for a formula have a `'` before them.
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    keys = [o.key for o in OBSERVABLES]
    heads = [csv_cell(o.hours) for o in OBSERVABLES]
    first = ("qos", "month", "known_from", "known_to", "complete", "kind", "name")
    writer.writerow([*first, *heads, *_COUNTS, *use_tables.HEADS])
    for told in statements:
        for month in told.months:
            when = [isoformat(at, told.zone) for at in (month.known_from, month.known_to)]
            for kind, name, totals in _named(month):
                hours = ["" if key in told.untracked else totals.hours[key] for key in keys]
                runs = month.runs_from is not None and kind != "unknown"
                counts = [jobs_ended(totals), jobs_failed(totals)] if runs else ["", ""]
                used = use_tables.cells(told.use_of(month), kind, name)
                row = [_cell(told.qos), month.name, *when, int(month.complete), kind, _cell(name)]
                writer.writerow([*row, *hours, *counts, *used])
    return lines.getvalue().encode("utf-8", "backslashreplace")


def file_stem(statements: Sequence[Statement]) -> str:
    """What a file of these is called, without its ending: `months_avery_2026-10`; of several `…_2026-09-2026-11`."""
    names = [month.name for told in statements for month in told.months]
    span = "-".join(sorted({min(names), max(names)})) if names else ""
    qos = file_safe("_".join(told.qos for told in statements))
    return "_".join(part for part in ("months", qos, span) if part)


def _cell(name: str) -> str:
    return csv_cell(name.replace("\r", "\ufffd"))


def _named(month: Month) -> Iterator[tuple[str, str, Totals]]:
    yield from (("user", name, totals) for name, totals in month.users.items())
    yield from (("account", name, totals) for name, totals in month.accounts.items())
    if month.lacking:
        yield "unknown", "", Totals(dict(month.lacking), {})
    yield "all", "", month.total


def data(statements: Sequence[Statement], *, version: str) -> bytes:
    """The months as one JSON object, in ASCII; months and allocations are as in a QoS's data file, and months have
    `use` too."""
    value = {
        "schema_version": SCHEMA_VERSION,
        "generator": f"librarian {version}",
        "qos": [
            {
                "qos": told.qos,
                "title": told.title,
                "cluster": told.cluster,
                "zone": told.zone,
                "now": told.now,
                "untracked": sorted(told.untracked),
                "months": [
                    {**month_json(month), "use": use_tables.use_json(told.use_of(month))} for month in told.months
                ],
                "allocations": [pace_json(pace) for pace in told.paces],
            }
            for told in statements
        ],
    }
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode("ascii")
