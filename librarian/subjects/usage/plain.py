"""Use on pages without a script: who holds what now, totals of the window; and charts in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from librarian.render.html.parts import Part, Shown, and_more, shortened
from librarian.render.json.reading import how_many, is_others, people, person, pictured, short, title, tracked
from librarian.shared.calendar import clock
from librarian.shared.files import OVERVIEW
from librarian.shared.text import shown, visible
from librarian.shared.words import TextTable, amount, counted, percent

_BINS = {3600: "an hour", 86400: "a day"}
_HOLDERS = "Who holds what now"
_OTHERS = "Who else holds something now"
_FIRST = 6  # users of the first screen
_NAMED = 3  # users that a picture's description names

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """What the window came to, and what those hold now who are not on the first screen."""
    if not data["users"]:
        yield Part("", sentences=("No jobs in this window.",))
        return
    table, ended = _totals(data, zone), data["totals"]["total"]["ended"]
    yield Part(table.title, sentences=(f"{_runs(ended)}.",) if ended else (), table=table, anchor="totals")
    others = _by_short(data)[_FIRST:]
    if others:
        yield Part(_OTHERS, table=_now(data, others), anchor="now")


def glance(data: Json) -> Iterator[Part]:
    """Who holds most now of what is short."""
    users = _by_short(data)
    nobody = () if users else ("Nobody runs anything.",)
    total = (people(data, users, "now"), *(amount(data["now"]["total"].get(key, 0)) for key in tracked(data)))
    table = replace(_now(data, users[:_FIRST]), title=_HOLDERS, foot=total) if users else None
    yield Part(_HOLDERS, 10, nobody, table=table, anchor="holders")


def _by_short(data: Json) -> list[str]:
    """Who holds anything now, those first who hold most of what is short."""
    key, held = short(data), data["now"]["users"]
    users = sorted(held, key=lambda user: (-held[user].get(key, 0), -max(held[user].values(), default=0), user))
    return sorted(users, key=lambda user: is_others(data, user))


def _now(data: Json, users: Sequence[str]) -> TextTable:
    """What `users` hold, in their order."""
    keys, holding = tracked(data), data["now"]["users"]

    def sums(of: Sequence[str]) -> Iterator[str]:
        yield from (amount(sum(holding[user].get(key, 0) for user in of)) for key in keys)

    first, rest = shortened(users)
    rows = [(person(data, user, "now"), *sums([user])) for user in first]
    rows += [(and_more(how_many(data, rest, "now"), "JSON"), *sums(rest))] if rest else []
    return TextTable(_OTHERS, ("User", *(title(data, key) for key in keys)), tuple(rows))


def _totals(data: Json, zone: str) -> TextTable:
    keys = tracked(data)
    whole = data["totals"]["total"]["hours"]

    def cells(rows: Sequence[Json]) -> Iterator[str]:
        for key in keys:
            hours = sum(row["hours"][key] for row in rows)
            yield f"{amount(hours)} ({percent(hours, whole[key])})"

    head = ("User", *(data["units"][key]["hours"] for key in keys))
    users, told = data["users"], data["totals"]["users"]
    first, rest = shortened(users)
    rows = [(person(data, user, "totals"), *cells([told[user]])) for user in first]
    rows += [(and_more(how_many(data, rest, "totals"), "CSV"), *cells([told[user] for user in rest]))] if rest else []
    total = (people(data, users, "totals"), *(amount(whole[key]) for key in keys))
    begin, end = (clock(data["totals"][side], zone) for side in ("from", "to"))
    return TextTable(f"Totals and shares, {begin} to {end}", head, tuple(rows), total)


def _runs(ended: Json) -> str:
    """How many runs ended, and how many in each state, the most frequent first."""
    states: Sequence[tuple[str, int]] = sorted(ended.items(), key=lambda item: (-item[1], item[0]))
    told = (f"{amount(count)} {visible(state).lower().replace('_', ' ')}" for state, count in states)
    return f"{counted(sum(ended.values()), 'run')} ended: {', '.join(told)}"


def describe(data: Json, name: str, zone: str) -> Shown:
    """What a picture of use shows, in words."""
    if name != OVERVIEW:
        return Shown(describe_chart(data, name, zone))
    return Shown(" ".join(describe_chart(data, key, zone) for key in pictured(data)), leads=True)


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
