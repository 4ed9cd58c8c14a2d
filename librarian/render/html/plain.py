"""The plain page: everything a site tells, in one HTML file without a script, to read in any browser or to print.

It is made from the site's JSON, not from reports: of a QoS that could not be asked the JSON of the last site is all
that there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from librarian.errors import one_line
from librarian.render.files import MONTH, OVERVIEW, PAGE, PICTURES, PRESSURE, QUEUE
from librarian.render.html import templates as html
from librarian.render.html.templates import clock, hashed, trusted
from librarian.shared.resources import OBSERVABLES
from librarian.shared.text import shown, visible
from librarian.shared.words import Table, amount, counted, percent
from librarian.subjects.limits.plain import Part, parts_of
from librarian.subjects.months.plain import describe_months

STYLE = "plain.css"
_PICTURED = tuple(observable.key for observable in OBSERVABLES if observable.pictured)
_TYPED = "NGPUS:"
_BINS = {3600: "an hour", 86400: "a day"}
_NAMED = 3  # users that a picture's description names

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A picture's file, its title and what it shows in words."""

    file: str
    title: str
    words: str


@dataclass(frozen=True)
class Section:
    """One QoS. Without data there is only `state`, which tells why."""

    entry: Json
    state: str
    old: bool
    notes: tuple[str, ...] = ()
    headroom: Table | None = None
    changes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    now: Table | None = None
    totals: Table | None = None
    ended: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()


def render_plain(index: Json, datasets: Mapping[str, bytes], *, templates: Mapping[str, str]) -> str:
    """The plain page of a site. `index` is the parsed index.json, `datasets` maps a data file's name to its JSON.

    Of a QoS whose data are missing or broken it says so.
    """
    style = templates[STYLE]
    return html.filled(
        templates,
        "plain.html.j2",
        index=index,
        sections=[_section(entry, datasets, index["zone"]) for entry in index["qos"]],
        clock=lambda epoch: clock(epoch, index["zone"]),
        policy=html.policy({"style-src": hashed(style), "img-src": "'self' data:"}),
        style=trusted(style),
        page=PAGE,
    )


def _section(entry: Json, datasets: Mapping[str, bytes], zone: str) -> Section:
    if entry["data"] is None:
        why = f": {one_line(entry['reason'])}" if entry["reason"] else ""
        return Section(entry, f"There are no data of this QoS yet{why}.", True)
    try:
        return _told(entry, json.loads(datasets[entry["data"]]), zone)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # data of another program or release: the other QoS must be shown all the same
        return Section(entry, "The data of this QoS cannot be read.", True)


def _told(entry: Json, data: Json, zone: str) -> Section:
    return Section(
        entry,
        _state(entry, zone),
        bool(entry["stale"]),
        notes=tuple(_notes(data)),
        headroom=_headroom(data),
        changes=tuple(_changes(data, zone)),
        pictures=tuple(_pictures(entry, data, zone)),
        now=_now(data) if data["now"]["users"] else None,
        totals=_totals(data, zone) if data["users"] else None,
        ended=tuple(_ended(data)),
        parts=parts_of(data, zone, lambda key: _name(data, key)),
    )


def _state(entry: Json, zone: str) -> str:
    if not entry["stale"]:
        return f"Updated {clock(entry['last_updated'], zone)}."
    why = f": {one_line(entry['reason'])}" if entry["reason"] else ""
    since = clock(entry["since"] or entry["last_updated"], zone)
    return f"Old data: nothing newer has come since {since}{why}. All below is as it was then."


def _notes(data: Json) -> Iterator[str]:
    yield from (one_line(note["text"]) for note in data["notes"])
    count = data["rejects"]["count"]
    if count:
        reasons = ", ".join(f"{one_line(reason)} ({number})" for reason, number in data["rejects"]["reasons"].items())
        yield f"{counted(count, 'record')} of Slurm's not understood and left out: {reasons}."


# what is in use now, and of how much


def _headroom(data: Json) -> Table:
    keys = [key for shown_key in _PICTURED for key in (shown_key, *(_types(data) if shown_key == "NGPUS" else ()))]
    head = ("", "In use now", "Limit", "Free")
    return Table("In use now, and limits", head, tuple(_headroom_row(data, key) for key in keys))


def _headroom_row(data: Json, key: str) -> tuple[str, ...]:
    if key in data["untracked"]:
        return (_name(data, key), "not tracked", "", "")
    used, limit = data["now"]["total"].get(key, 0), data["limits"][key]
    if limit["kind"] != "limit":
        return (_name(data, key), amount(used), {"none": "no limit"}.get(limit["kind"], "not known"), "")
    value = limit["value"]
    words = (": none allowed" if value == 0 else "", ", by configuration" if limit["source"] == "configuration" else "")
    share = f" ({int(100 * used / value)} %)" if value else ""  # 100 % is said only where nothing is left
    free = amount(value - used) if value >= used else f"{amount(used - value)} over"
    return (_name(data, key), f"{amount(used)}{share}", f"{amount(value)}{''.join(words)}", free)


def _types(data: Json) -> tuple[str, ...]:
    """Keys of the GPU types, where there are several or a type has a limit of its own."""
    keys = [key for key in data["limits"] if key.startswith(_TYPED)]
    return tuple(keys) if len(keys) > 1 or any(data["limits"][key]["kind"] == "limit" for key in keys) else ()


def _changes(data: Json, zone: str) -> Iterator[str]:
    """A sentence for each limit that changed in the window."""
    for key in (*_PICTURED, *_types(data)):
        history = data["limits"][key].get("history", ())
        values = [amount(step["value"]) if step["kind"] == "limit" else _no_limit(step["kind"]) for step in history]
        told = [f"{after} since {clock(step['from'], zone)}" for step, after in zip(history, values, strict=True)]
        if any(one != other for one, other in pairwise(values)):
            yield f"The limit of {_name(data, key)} changed: {values[0]} before, then {', '.join(told[1:])}."


def _no_limit(kind: str) -> str:
    return "none" if kind == "none" else "not known"


# pictures

# those that are of no observable: their name, and what they show
_OTHERS = {
    PRESSURE: (
        "Limits",
        "How much of each limit was held over time, at most and on average; for how long it was hit; who held it then.",
    )
}


def _pictures(entry: Json, data: Json, zone: str) -> Iterator[Picture]:
    for name in sorted(PICTURES, key=lambda name: name != OVERVIEW):
        file = entry["figures"].get(name, {}).get("png")
        if file and name == OVERVIEW:
            names = ", ".join(_name(data, key) for key in _PICTURED)
            yield Picture(file, "Overview", f"Use over time by user in four charts, which also stand below: {names}.")
        elif file and name in _OTHERS:
            yield Picture(file, *_OTHERS[name])
        elif file and name == QUEUE:
            yield Picture(file, "Waiting", _describe_queue(data, zone))
        elif file and name == MONTH:
            yield Picture(file, "This month and the last", describe_months(data))
        elif file:
            yield Picture(file, _name(data, name), describe(data, name, zone))


def _describe_queue(data: Json, zone: str) -> str:
    """What the picture of the queue shows, in words."""
    title = "CPUs and GPUs in use over time, and on top of them what was waited for, by user"
    at, groups = data["queue"]["at"], data["queue"]["groups"]
    if at is None:
        return f"{title}; the queue is not known."
    wish = groups["competing"]
    wanted = f"{counted(wish['jobs'], 'job')} for {amount(wish['NCPUS'])} CPUs and {amount(wish['NGPUS'])} GPUs"
    return f"{title}. Waiting at {clock(at, zone)} to start as soon as possible: {wanted}."


def describe(data: Json, key: str, zone: str) -> str:
    """What the chart of an observable shows, in words."""
    begin, end = (clock(data["totals"][side], zone) for side in ("from", "to"))
    title = f"{_name(data, key)} over time by user, {begin} to {end}"
    if key in data["untracked"]:
        return f"{title}: not tracked on this cluster."
    rows = [row for row in data["observables"][key].values() if any(row)]
    if not rows:
        return f"{title}: none in use."
    unit = data["units"][key]["unit"]
    hours = data["totals"]["total"]["hours"][key]
    mean = hours * 3600 / (data["totals"]["to"] - data["totals"]["from"])
    seconds = data["metadata"]["time_resolution_seconds"]
    span = _BINS.get(seconds, f"{seconds // 60} minutes")
    peak = max(map(sum, zip(*rows, strict=True)))
    share = {user: data["totals"]["users"][user]["hours"][key] for user in data["users"]}
    first = sorted((user for user in share if share[user]), key=lambda user: -share[user])[:_NAMED]
    most = ", ".join(f"{shown(user)} {percent(share[user], hours)}" for user in first)
    return f"{title}: {amount(mean)} {unit} on average, at most {amount(peak)} over {span}. Most by {most}."


# tables


def _now(data: Json) -> Table:
    keys = [key for key in _PICTURED if key not in data["untracked"]]
    users = [user for user in data["users"] if user in data["now"]["users"]]
    rows = [(visible(user), *(amount(data["now"]["users"][user].get(key, 0)) for key in keys)) for user in users]
    total = (counted(len(users), "user"), *(amount(data["now"]["total"].get(key, 0)) for key in keys))
    return Table("In use now by user", ("User", *(_name(data, key) for key in keys)), tuple(rows), total)


def _totals(data: Json, zone: str) -> Table:
    keys = [key for key in _PICTURED if key not in data["untracked"]]
    whole = data["totals"]["total"]["hours"]

    def cells(hours: Json) -> Iterator[str]:
        for key in keys:
            yield f"{amount(hours[key])} ({percent(hours[key], whole[key])})"

    head = ("User", *(data["units"][key]["hours"] for key in keys))
    rows = tuple((visible(user), *cells(data["totals"]["users"][user]["hours"])) for user in data["users"])
    total = (counted(len(rows), "user"), *(amount(whole[key]) for key in keys))
    begin, end = (clock(data["totals"][side], zone) for side in ("from", "to"))
    return Table(f"Totals and shares, {begin} to {end}", head, rows, total)


def _ended(data: Json) -> Iterator[tuple[str, str]]:
    """Who, and how their runs ended, all users together last; nothing where no run ended."""
    users = [user for user in data["users"] if data["totals"]["users"][user]["ended"]]
    for user in users:
        yield visible(user), _runs(data["totals"]["users"][user]["ended"])
    if users:
        yield counted(len(users), "user"), _runs(data["totals"]["total"]["ended"])


def _runs(ended: Json) -> str:
    """How many runs, and how many in each state, the most frequent first."""
    states: Sequence[tuple[str, int]] = sorted(ended.items(), key=lambda item: (-item[1], item[0]))
    told = (f"{amount(count)} {visible(state).lower().replace('_', ' ')}" for state, count in states)
    return f"{counted(sum(ended.values()), 'run')}: {', '.join(told)}"


# words


def _name(data: Json, key: str) -> str:
    """What an observable is called, with the unit where that does not name it."""
    if key.startswith(_TYPED):
        return f"GPUs {shown(key[len(_TYPED) :])}"
    name, unit = (str(data["units"][key][part]) for part in ("name", "unit"))
    return f"{name} ({unit})" if unit.lower() not in name.lower() else name
