"""Whose month, as one HTML file to mail, to keep or to print: no script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from librarian.render import html, monthly
from librarian.render.html import clock, hashed, trusted
from librarian.render.monthly import Statement

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
        "heading": monthly.heading(told),
        "now": clock(told.now, told.zone),
        "months": [
            {
                "title": monthly.month_title(month, told.zone),
                "notes": [monthly.extent(month, told.zone), *monthly.notes(month, told)],
                "tables": [
                    ("Users", monthly.users_table(month, told.untracked)),
                    ("Accounts", monthly.accounts_table(month, told.untracked)),
                ],
            }
            for month in told.months
        ],
        "paces": [monthly.describe(pace, told.zone) for pace in told.paces],
    }
