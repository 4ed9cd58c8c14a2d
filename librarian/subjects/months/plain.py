"""Months and allocations on pages without a script, and their picture in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from librarian.errors import one_line
from librarian.render.html.parts import Part, Shown, and_more, shortened
from librarian.render.json.reading import how_many, is_others, people, person, pictured, short, tracked, wanted
from librarian.shared.calendar import clock
from librarian.shared.text import visible
from librarian.shared.words import TextTable, amount, counted, percent
from librarian.subjects.months.tables import older_rule

_FIRST = 5  # users of the first screen
_MONTHS = 2  # the newest; the JSON and `librarian report` have all
_DESCRIBED = 2  # resources whose hours a picture's description tells, where Slurm records them

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """The newest months by user and account."""
    months: Sequence[Json] = data.get("months", ())[-_MONTHS:]
    if not months:
        return
    tables = [
        table
        for month in reversed(months)
        for table in (_table(data, month, "users", zone), _table(data, month, "accounts", zone))
        if table.rows
    ]
    older = [month for month in months if month.get("older_rule_to") is not None]
    remarks = [f"{month['month']}: {older_rule(month['older_rule_to'], zone)}" for month in older]
    yield Part("", sentences=tuple(remarks), tables=tuple(tables))


def glance(data: Json, zone: str) -> Iterator[Part]:
    """The first of the newest month, by what is short, and how the allocations stand."""
    allocations = tuple(_allocation(row, zone) for row in data.get("allocations", ()))
    months: Sequence[Json] = data.get("months", ())[-1:]
    for month in months:
        keys, whole = [row["key"] for row in wanted(data)], month["total"]["hours"]
        rank = _by(short(data, keys))
        users = sorted(month["users"].items(), key=rank)
        users.sort(key=lambda item: is_others(data, item[0]))
        table = f"months.{month['month']}"
        rows = [(person(data, user, table), *_hours(row, whole, keys)) for user, row in users]
        foot = (people(data, month["users"], table), *(amount(whole.get(one, 0)) for one in keys))
        head = ("User", *(data["units"][one]["hours"] for one in keys))
        text = TextTable(f"Most in {_name(month)}", head, tuple(rows[:_FIRST]), foot)
        partly = () if month["complete"] else (f"{_partly(month, zone)}.",)
        yield Part(text.title, 50, (*partly, *allocations), table=text, anchor="month")
    if allocations and not months:
        yield Part("Allocations", 50, allocations)


def _by(key: str) -> Callable[[tuple[str, Json]], tuple[float, float, str]]:
    """Sorts users: those first who have most of `key`; then of anything, then by name."""

    def rank(item: tuple[str, Json]) -> tuple[float, float, str]:
        hours = item[1]["hours"]
        return -hours.get(key, 0), -max(hours.values(), default=0), item[0]

    return rank


def _partly(month: Json, zone: str) -> str:
    return f"Known from {clock(month['known_from'], zone)} to {clock(month['known_to'], zone)}"


def _name(month: Json) -> str:
    return datetime.strptime(month["month"], "%Y-%m").strftime("%B %Y")  # noqa: DTZ007 (a month, no moment)


def _table(data: Json, month: Json, side: str, zone: str) -> TextTable:
    keys = tracked(data)
    whole = month["total"]

    def cells(row: Json) -> Iterator[str]:
        yield from _hours(row, whole["hours"], keys)
        known = row["jobs"] is not None
        yield amount(row["jobs"]) if known else "–"
        yield percent(row["failed"], row["jobs"]) if known else "–"

    def weight(item: tuple[str, Json]) -> float:
        hours = item[1]["hours"]
        return max((hours.get(key, 0) / (whole["hours"].get(key, 0) or 1e300) for key in keys), default=0.0)

    rows = sorted(month[side].items(), key=lambda item: (-weight(item), item[0]))
    table = f"months.{month['month']}" if side == "users" else ""
    rows.sort(key=lambda item: bool(table) and is_others(data, item[0]))
    head = (side[:-1].title(), *(data["units"][key]["hours"] for key in keys), "Runs ended", "Failed")
    partly = "" if month["complete"] else f", {clock(month['known_from'], zone)} to {clock(month['known_to'], zone)}"
    total = (
        people(data, month["users"], table) if table else counted(len(rows), side[:-1]),
        *(amount(whole["hours"].get(key, 0)) for key in keys),
        *list(cells(whole))[-2:],
    )
    first, rest = shortened(rows)
    told = [(person(data, name, table) if table else visible(name), *cells(row)) for name, row in first]
    if rest:
        count = how_many(data, [name for name, _ in rest], table)
        told.append((and_more(count, "JSON"), *cells(_together([row for _, row in rest]))))
    return TextTable(f"{month['month']} by {side[:-1]}{partly}", head, tuple(told), total)


def _together(rows: Sequence[Json]) -> Json:
    """The sums of several users or accounts; runs are not known where those of one are not."""
    keys = {key for row in rows for key in row["hours"]}
    known = all(row["jobs"] is not None for row in rows)
    runs = {key: sum(row[key] for row in rows) if known else None for key in ("jobs", "failed")}
    return {"hours": {key: sum(row["hours"].get(key, 0) for row in rows) for key in keys}, **runs}


def _hours(row: Json, whole: Json, keys: Sequence[str]) -> Iterator[str]:
    """Unit-hours of each resource, and which share of all that is."""
    for key in keys:
        hours = row["hours"].get(key, 0)
        yield f"{amount(hours)} ({percent(hours, whole.get(key, 0))})"


def _allocation(row: Json, zone: str) -> str:
    share, pace = percent(row["used"], row["amount"]), percent(row["used"], row["even"])
    told = (
        f"{one_line(row['name'])}: {amount(row['used'])} of {amount(row['amount'])} {row['unit']} used since "
        f"{clock(row['from'], zone)} ({share}). Even use would have come to {amount(row['even'])} by now ({pace} of "
        "the pace)."
    )
    if row["projected"] is not None:
        told += f" At the pace so far {amount(row['projected'])} will be used by {clock(row['to'], zone)}."
    if row["known_from"] > row["from"]:
        told += f" Use before {clock(row['known_from'], zone)} is not known here."
    return told


def describe(data: Json) -> Shown:
    """The two newest months and the allocations of a QoS's data, which may be of an older release."""
    found = [*(_month(month, data) for month in reversed(data.get("months", ())[-2:]))]
    found += [*_allocations(data)]
    words = f"Hours by user in this month and the last. {' '.join(found)}"
    return Shown(words.rstrip())


def _month(month: Json, data: Json) -> str:
    name = _name(month)
    keys = [key for key in pictured(data)[:_DESCRIBED] if key not in data["untracked"]]
    sums = month["total"]["hours"]
    told = ", ".join(f"{amount(sums[key])} {data['units'][key]['hours']}" for key in keys)
    first = next(iter(month["users"]), None)
    most = f", most by {visible(first)}" if first is not None else ""
    return f"{name}{'' if month['complete'] else ', as far as it is known'}: {told}{most}."


def _allocations(data: Json) -> Iterator[str]:
    for one in data.get("allocations", ()):
        used, even = (percent(one[key], one["amount"]) for key in ("used", "even"))
        yield f"Of the {one['name']} of {amount(one['amount'])} {one['unit']} {used} is used; even use would be {even}."
