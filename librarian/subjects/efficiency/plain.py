"""What runs used, on the page without a script, from the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.render.html.parts import Part
from librarian.render.json.reading import wanted
from librarian.shared.calendar import clock
from librarian.shared.text import visible
from librarian.shared.words import TextTable, amount, counted, percent

TITLE = "Efficiency"
NOT_MEASURED = "Not measured on this cluster"

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """A table of users for each resource of which any use is known, the most unused hours first."""
    told = data.get("efficiency")
    if not told:
        return
    keys = [row["key"] for row in wanted(data) if row["key"] in told["total"]]
    tables = tuple(_table(data, told, key) for key in keys if told["total"][key]["measured_hours"])
    rest = [data["units"][key]["name"] for key in keys if not told["total"][key]["measured_hours"]]
    remarks = [f"Of jobs that ended, up to {clock(told['until'], zone)}; jobs that still run are not in it."]
    remarks += [f"{NOT_MEASURED}: {', '.join(rest)}."] if rest else []
    if keys:
        yield Part(TITLE, 35, tuple(remarks), tables, anchor="efficiency")


def _table(data: Json, told: Json, key: str) -> TextTable:
    unit = data["units"][key]["hours"]
    rows = [(name, by_key[key]) for name, by_key in told["users"].items() if key in by_key]
    rows.sort(key=lambda row: (-unused(row[1]), row[0]))
    total = told["total"][key]
    title = f"{data['units'][key]['name']}: {share(total)}, {coverage(total, unit)}"
    head = ("User", f"{unit} allocated", "measured", "used", "unused", "efficiency")
    lines = tuple((visible(name), *_cells(row)) for name, row in rows)
    return TextTable(title, head, lines, (counted(len(rows), "user"), *_cells(total)))


def _cells(row: Json) -> Sequence[str]:
    known = row["measured_hours"] > 0
    used = amount(row["used_hours"]) if known else "–"
    left = amount(unused(row)) if known else "–"
    return amount(row["allocated_hours"]), amount(row["measured_hours"]), used, left, share(row)


def unused(row: Json) -> float:
    """Hours that were measured and not used; 0 where nothing was measured."""
    return float(row["measured_hours"] - row["used_hours"]) if row["measured_hours"] else 0.0


def share(row: Json) -> str:
    """Used of what was measured."""
    return percent(row["used_hours"], row["measured_hours"]) if row["measured_hours"] else "not measured"


def coverage(row: Json, unit: str) -> str:
    """Of how much that is known: a percentage without it says less than it seems to."""
    return f"known for {percent(row['measured_hours'], row['allocated_hours'])} of the {unit}"
