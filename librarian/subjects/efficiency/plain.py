"""What runs used, on the page without a script, from the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.render.html.parts import Part, and_more, shortened
from librarian.render.json.reading import how_many, is_others, people, person, wanted
from librarian.shared.calendar import clock
from librarian.shared.words import TextTable, amount, percent

TABLE = "efficiency"
"""What the table of users is called where those are counted who have no row of their own."""
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
        yield Part("", sentences=tuple(remarks), tables=tables)


def _table(data: Json, told: Json, key: str) -> TextTable:
    unit = data["units"][key]["hours"]
    rows = [(name, by_key[key]) for name, by_key in told["users"].items() if key in by_key]
    rows.sort(key=lambda row: (is_others(data, row[0]), -unused(row[1]), row[0]))
    total = told["total"][key]
    title = f"{data['units'][key]['name']}: {share(total)}, {coverage(total, unit)}"
    head = ("User", f"{unit} allocated", "measured", "used", "unused", "efficiency")
    first, rest = shortened(rows)
    lines = [(person(data, name, TABLE), *_cells(row)) for name, row in first]
    if rest:
        count = how_many(data, [name for name, _ in rest], TABLE)
        lines.append((and_more(count, "JSON"), *_cells(_together([row for _, row in rest]))))
    return TextTable(title, head, tuple(lines), (people(data, [name for name, _ in rows], TABLE), *_cells(total)))


def _together(rows: Sequence[Json]) -> Json:
    """The sums of several rows; what was used is that of those of whom it is known."""
    parts = ("allocated_hours", "measured_hours", "used_hours")
    return {part: sum(row[part] or 0 for row in rows) for part in parts}


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
