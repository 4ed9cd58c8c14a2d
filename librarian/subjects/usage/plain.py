"""Use on the plain page: who holds what now, totals of the window, runs that ended; and charts in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from librarian.render.html.parts import Part, Shown
from librarian.render.json.reading import is_others, people, person, pictured, short, title, tracked
from librarian.shared.calendar import clock
from librarian.shared.files import OVERVIEW
from librarian.shared.text import shown, visible
from librarian.shared.words import TextTable, amount, counted, percent

_BINS = {3600: "an hour", 86400: "a day"}
_HOLDERS = "Who holds what now"
_FIRST = 6  # users of the first screen
_NAMED = 3  # users that a picture's description names

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """What is in use now, what the window came to, which runs ended."""
    now = _now(data) if data["now"]["users"] else None
    nobody = () if now else ("Nobody ran anything.",)
    yield Part("In use now by user", 10, nobody, table=now, anchor="now", link="now")
    totals = _totals(data, zone) if data["users"] else None
    none = () if totals else ("No jobs in this window.",)
    yield Part("Totals", 11, none, table=totals, anchor="totals", link="totals")
    ended = tuple(_ended(data))
    if ended:
        yield Part("Runs that ended in this time", 12, items=ended)


def glance(data: Json) -> Iterator[Part]:
    """Who holds most now of what is short."""
    key, held = short(data), data["now"]["users"]
    users = sorted(held, key=lambda user: (-held[user].get(key, 0), -max(held[user].values(), default=0), user))
    users.sort(key=lambda user: is_others(data, user))
    nobody = () if users else ("Nobody runs anything.",)
    table = replace(_now(data, users, _FIRST), title=_HOLDERS) if users else None
    yield Part(_HOLDERS, 10, nobody, table=table, anchor="holders")


def _now(data: Json, users: Sequence[str] | None = None, most: int | None = None) -> TextTable:
    """What `users` hold, in their order (all, by share, where None are named), the first `most` with a row each."""
    keys, holding = tracked(data), data["now"]["users"]
    users = [user for user in data["users"] if user in holding] if users is None else users
    rows = [(person(data, user, "now"), *(amount(holding[user].get(key, 0)) for key in keys)) for user in users[:most]]
    total = (people(data, users, "now"), *(amount(data["now"]["total"].get(key, 0)) for key in keys))
    return TextTable("In use now by user", ("User", *(title(data, key) for key in keys)), tuple(rows), total)


def _totals(data: Json, zone: str) -> TextTable:
    keys = tracked(data)
    whole = data["totals"]["total"]["hours"]

    def cells(hours: Json) -> Iterator[str]:
        for key in keys:
            yield f"{amount(hours[key])} ({percent(hours[key], whole[key])})"

    head = ("User", *(data["units"][key]["hours"] for key in keys))
    rows = tuple(
        (person(data, user, "totals"), *cells(data["totals"]["users"][user]["hours"])) for user in data["users"]
    )
    total = (people(data, data["users"], "totals"), *(amount(whole[key]) for key in keys))
    begin, end = (clock(data["totals"][side], zone) for side in ("from", "to"))
    return TextTable(f"Totals and shares, {begin} to {end}", head, rows, total)


def _ended(data: Json) -> Iterator[tuple[str, str]]:
    """Who, and how their runs ended, all users together last; nothing where no run ended."""
    users = [user for user in data["users"] if data["totals"]["users"][user]["ended"]]
    for user in users:
        yield person(data, user, "totals"), _runs(data["totals"]["users"][user]["ended"])
    if users:
        yield people(data, users, "totals"), _runs(data["totals"]["total"]["ended"])


def _runs(ended: Json) -> str:
    """How many runs, and how many in each state, the most frequent first."""
    states: Sequence[tuple[str, int]] = sorted(ended.items(), key=lambda item: (-item[1], item[0]))
    told = (f"{amount(count)} {visible(state).lower().replace('_', ' ')}" for state, count in states)
    return f"{counted(sum(ended.values()), 'run')}: {', '.join(told)}"


def describe(data: Json, name: str, zone: str) -> Shown:
    """What a picture of use shows, in words."""
    if name != OVERVIEW:
        return Shown(title(data, name), describe_chart(data, name, zone))
    keys = pictured(data)
    names = ", ".join(title(data, key) for key in keys)
    charts = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}.get(len(keys), str(len(keys)))
    words = f"Use over time by user in {charts} charts, which also stand below: {names}."
    return Shown("Overview", words, leads=True)


def describe_chart(data: Json, key: str, zone: str) -> str:
    """What the chart of an observable shows, in words."""
    begin, end = (clock(data["totals"][side], zone) for side in ("from", "to"))
    words = f"{title(data, key)} over time by user, {begin} to {end}"
    if key in data["untracked"]:
        return f"{words}: not tracked on this cluster."
    rows = [row for row in data["observables"][key].values() if any(row)]
    if not rows:
        return f"{words}: none in use."
    unit = data["units"][key]["unit"]
    hours = data["totals"]["total"]["hours"][key]
    mean = hours * 3600 / (data["totals"]["to"] - data["totals"]["from"])
    seconds = data["metadata"]["time_resolution_seconds"]
    span = _BINS.get(seconds, f"{seconds // 60} minutes")
    peak = max(map(sum, zip(*rows, strict=True)))
    share = {user: data["totals"]["users"][user]["hours"][key] for user in data["users"]}
    first = sorted(
        (user for user in share if share[user] and not is_others(data, user)), key=lambda user: -share[user]
    )[:_NAMED]
    most = ", ".join(f"{shown(user)} {percent(share[user], hours)}" for user in first)
    return f"{words}: {amount(mean)} {unit} on average, at most {amount(peak)} over {span}. Most by {most}."
