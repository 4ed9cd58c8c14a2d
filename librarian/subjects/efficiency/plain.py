"""What runs used, on the page without a script, from the JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.render.html.parts import Part, and_more, shortened
from librarian.render.json.reading import how_many, is_others, people, person, short, wanted
from librarian.shared.calendar import clock
from librarian.shared.words import TextTable, amount, counted, percent

TABLE = "efficiency"
"""What the table of users is called where those are counted who have no row of their own."""
NOT_MEASURED = "not measured on this cluster"
ROWS = 5
FOUND = 4

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """How much of each resource was used, in a line; and a table of users of what is short, or else the first of which
    use is known, whoever left most of it unused first."""
    told = data.get("efficiency")
    keys = [row["key"] for row in wanted(data) if row["key"] in told["total"]] if told else []
    if not told or not keys:
        return
    measured = [key for key in keys if told["total"][key]["measured_hours"]]
    about = f"Of jobs that ended, up to {clock(told['until'], zone)}; jobs that still run are not in it."
    lines = tuple((data["units"][key]["name"], _line(data, told["total"][key], key)) for key in keys)
    if found := _found(data, told):
        lines = (*lines, ("Findings", found))
    shown = [short(data)] if short(data) in measured else measured[:1]
    yield Part("", sentences=(about,), items=lines, tables=tuple(_table(data, told, key) for key in shown))


def _found(data: Json, told: Json) -> str:
    """The first of what is found, the gravest first, in a line; empty where nothing is."""
    rules = told.get("findings", {}).get("rules", [])
    words = [f"{_lowered(one['words'])} ({counted(one['jobs'], 'job')}{_cost(data, one)})" for one in rules[:FOUND]]
    rest = [and_more(len(rules) - FOUND, "JSON")] if len(rules) > FOUND else []
    return "; ".join(words + rest)


def _cost(data: Json, one: Json) -> str:
    if one["hours"] is None:
        return ""
    return f", {amount(one['hours'])} {data['units'][one['resource']]['hours']} {'held' if one['killed'] else 'unused'}"


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _line(data: Json, total: Json, key: str) -> str:
    if not total["measured_hours"]:
        return NOT_MEASURED
    unit = data["units"][key]["hours"]
    return f"{share(total)} used ({coverage(total, unit)}); {amount(unused(total))} {unit} unused"


def _table(data: Json, told: Json, key: str) -> TextTable:
    unit = data["units"][key]["hours"]
    rows = [(name, by_key[key]) for name, by_key in told["users"].items() if key in by_key]
    rows.sort(key=lambda row: (is_others(data, row[0]), -unused(row[1]), row[0]))
    head = ("User", f"{unit} allocated", "measured", "used", "unused", "efficiency")
    first, rest = shortened(rows, ROWS)
    lines = [(person(data, name, TABLE), *_cells(row)) for name, row in first]
    if rest:
        count = how_many(data, [name for name, _ in rest], TABLE)
        lines.append((and_more(count, "JSON"), *_cells(_together([row for _, row in rest]))))
    foot = (people(data, [name for name, _ in rows], TABLE), *_cells(told["total"][key]))
    return TextTable(f"{unit} by user", head, tuple(lines), foot)


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
