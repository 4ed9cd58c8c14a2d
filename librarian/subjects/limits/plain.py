"""Limits on pages without a script: headroom; changes, limits with their use, the time at the limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from librarian.render.html.parts import Part, and_more, shortened
from librarian.render.json.reading import pictured, title, with_types
from librarian.shared.calendar import clock
from librarian.shared.text import shown, visible
from librarian.shared.words import TextTable, amount, lasting, percent

_PER = {"group": "all together", "account": "an account", "user": "a user", "job": "a job"}
_WHERE = {"everywhere": "", "partly": " (not everywhere)"}
_HOLDERS = 4
_LIMITS = 12  # in the short form
_RESIDUE = 1e-6  # what sums of floats, and the digits of the JSON, leave of a difference that is none

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """What changed, all limits, and when use was near them. What older data do not tell is left out."""
    changes = tuple(_changes(data, zone))
    if changes or "policy" in data:
        yield _limits(data, changes, zone)


def glance(data: Json) -> Iterator[Part]:
    """What is in use of each limit, and what is free."""
    table = _headroom(data)
    yield Part(table.title, 0, table=table, anchor="headroom")


def _headroom(data: Json) -> TextTable:
    head = ("", "In use now", "Limit", "Free")
    return TextTable("In use now, and limits", head, tuple(_headroom_row(data, key) for key in with_types(data)))


def _headroom_row(data: Json, key: str) -> tuple[str, ...]:
    if key in data["untracked"]:
        return (title(data, key), "not tracked", "", "")
    held, limit = data["now"]["total"].get(key, 0), data["limits"][key]
    if limit["kind"] != "limit":
        return (title(data, key), amount(held), {"none": "no limit"}.get(limit["kind"], "not known"), "")
    value, used = limit["value"], limit.get("used", held)  # an older release told what is held alone
    words = (": none allowed" if value == 0 else "", ", by configuration" if limit["source"] == "configuration" else "")
    most = f"{amount(value)}{''.join(words)}"
    if used is None:
        return (title(data, key), amount(held), f"{most}, shared with other QoS", "not known")
    share = f" ({percent(used, value)})" if value else ""
    paused = f", {amount(used - held)} of them suspended" if used - held > _RESIDUE else ""
    free = amount(value - used) if value >= used else f"{amount(used - value)} over"
    return (title(data, key), f"{amount(used)}{share}{paused}", most, free)


def _changes(data: Json, zone: str) -> Iterator[str]:
    """A sentence for each limit that changed in the window, those of types after the others."""
    whole = pictured(data)
    for key in (*whole, *(one for one in with_types(data) if one not in whole)):
        history = data["limits"][key].get("history", ())
        values = [amount(step["value"]) if step["kind"] == "limit" else _no_limit(step["kind"]) for step in history]
        told = [f"{after} since {clock(step['from'], zone)}" for step, after in zip(history, values, strict=True)]
        if any(one != other for one, other in pairwise(values)):
            yield f"The limit of {title(data, key)} changed: {values[0]} before, then {', '.join(told[1:])}."


def _no_limit(kind: str) -> str:
    return "none" if kind == "none" else "not known"


def _limits(data: Json, changes: tuple[str, ...], zone: str) -> Part:
    if "policy" not in data:
        return Part("", sentences=changes)
    near = _near(data, zone)
    first, rest = shortened(data["policy"], _LIMITS)
    policy = (*map(_policy, first), *([(and_more(len(rest), "JSON"), "", "", "", "")] if rest else ()))
    flags = [f"Flags of the QoS: {', '.join(visible(flag) for flag in data['flags'])}."] if data.get("flags") else []
    none = [] if policy else ["Slurm sets no limit here."]
    tables = (TextTable("All limits", ("For", "Of", "Limit", "In use", "Set by"), policy), near)
    return Part("", sentences=(*changes, *none, *flags), tables=tuple(table for table in tables if table.rows))


def _near(data: Json, zone: str) -> TextTable:
    head = ("", "Highest at one moment", "At 95 % of the limit or more", "Held then by")
    rows = []
    for key in pictured(data):
        told = data.get("pressure", {}).get(key)
        if told and key in data.get("near", {}):
            peak = told["peak"]
            most = f"{amount(peak['value'])}, {clock(peak['at'], zone)}" if peak and peak["at"] is not None else "–"
            held = ", ".join(f"{shown(h['user'])} {percent(h['share'], 1)}" for h in told["holders"][:_HOLDERS])
            limit, near = data["limits"][key], told["seconds_near"]
            shared = limit["kind"] == "limit" and limit.get("used", 0) is None
            rows.append((title(data, key), most, _near_words(lasting(near) if near else "", shared), held))
    return TextTable("At the limit in the window", head, tuple(rows))


def _near_words(lasted: str, shared: bool) -> str:
    """For how long use was near the limit; other QoS, of which nothing is known, can fill one that is shared."""
    if shared:
        return f"{lasted} at least" if lasted else "not known"
    return lasted or "never"


def _policy(row: Json) -> tuple[str, ...]:
    def told(value: float) -> str:
        if row["unit"] == "s":
            return lasting(value)
        return amount(value) if row["unit"] in ("", row["name"]) else f"{amount(value)} {row['unit']}"

    used = row.get("used")
    share = f" ({percent(used, row['limit'])})" if used is not None and row["limit"] else ""
    by = f", {shown(row['by'])}" if row.get("by") else ""
    in_use = "–" if used is None else f"{told(used)}{share}{by}"
    binds = "" if row["binds"] else _WHERE.get(row.get("enforced", ""), " (another one binds first)")
    return (
        _PER.get(row["per"], visible(row["per"])),
        visible(row["name"]),
        told(row["limit"]) + binds,
        in_use,
        visible(row["of"]),
    )
