"""Whose month, as one HTML file to mail, to keep or to print: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from librarian.render.html import templates as html
from librarian.render.html.templates import hashed, trusted
from librarian.shared.calendar import clock
from librarian.subjects.months import tables
from librarian.subjects.months.tables import Statement

STYLE = "plain.css"


def page(statements: Sequence[Statement], *, templates: Mapping[str, str], version: str) -> str:
    """The statements one after the other, each month on a page of its own when it is printed."""
    style = templates[STYLE]
    return html.filled(
        templates,
        "months.html.j2",
        statements=[_section(told) for told in statements],
        cluster=statements[0].cluster if statements else "",
        zone=statements[0].zone if statements else "UTC",
        policy=html.policy({"style-src": hashed(style)}),
        style=trusted(style),
        version=version,
    )


def _section(told: Statement) -> dict[str, object]:
    return {
        "heading": tables.heading(told),
        "now": clock(told.now, told.zone),
        "months": [
            {
                "title": tables.month_title(month, told.zone),
                "notes": [tables.extent(month, told.zone), *tables.notes(month, told)],
                "tables": list(tables.every_table(told, month)),
            }
            for month in told.months
        ],
        "paces": [tables.describe(pace, told.zone) for pace in told.paces],
    }
