"""Two weeks as a table, and who changed in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from librarian.render.html.parts import Part
from librarian.render.json.reading import wanted
from librarian.shared.calendar import clock
from librarian.shared.text import visible
from librarian.shared.words import TextTable, amount, lasting, percent

TITLE = "This week and the one before"

Json = Mapping[str, Any]


def glance(data: Json, zone: str) -> Iterator[Part]:
    """The last week beside the one before it; nothing where the window holds no two weeks."""
    told = data.get("weeks")
    if told and len(told["spans"]) == 2:
        yield _part(data, told, zone)


def _part(data: Json, told: Json, zone: str) -> Part:
    now, before = told["spans"]
    rows: list[tuple[str, ...]] = [
        (data["units"][key]["hours"], *_cells(now["hours"][key], before["hours"][key]))
        for key in (row["key"] for row in wanted(data))
    ]
    rows.append(("Jobs that ended", *_cells(now["jobs"], before["jobs"])))
    rows.append(("Of them failed", *(percent(week["failed"], week["jobs"]) for week in (now, before)), ""))
    rows.append(("Median wait", *(_wait(week) for week in (now, before)), ""))
    table = TextTable(TITLE, ("", "Last 7 days", "7 days before", "Change"), tuple(rows))
    items = tuple((visible(one["user"]), _change(data, one)) for one in told["changes"])
    return Part(table.title, 25, (f"Up to {clock(now['to'], zone)}.",), table=table, items=items, anchor="weeks")


def _cells(hours: float, before: float) -> tuple[str, str, str]:
    return amount(hours), amount(before), signed(hours, before)


def signed(hours: float, before: float) -> str:
    """How much more or less that is, as a share of what was before."""
    if hours == before:
        return "same"
    if not before:
        return "new"
    share = percent(hours - before, before)
    return re.sub(r"[0-9]", r"+\g<0>", share, count=1) if hours > before else share  # "< +0.1 %"


def _wait(week: Json) -> str:
    return "–" if week["median_wait"] is None else lasting(week["median_wait"])


def _change(data: Json, one: Json) -> str:
    unit = data["units"][one["key"]]["hours"]
    return f"{amount(one['hours'])} {unit}, {amount(one['before'])} the week before"
