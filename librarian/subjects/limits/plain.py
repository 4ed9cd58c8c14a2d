"""Limits, the queue, waiting times and months on the plain page: texts and tables from a QoS's JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from librarian.errors import one_line
from librarian.render.html.templates import clock
from librarian.shared.text import shown, visible
from librarian.shared.words import Table, amount, counted, lasting, percent

_WISHES = (("NCPUS", "CPU"), ("NGPUS", "GPU"), ("MEMORY", "GiB"))
_PER = {"group": "all together", "account": "an account", "user": "a user", "job": "a job"}
_ASIDE = {"held": "held", "dependency": "waiting for other jobs", "begin": "with a later time to begin"}
_KINDS = {"gpu": ("GPU jobs", "GPU"), "cpu": ("CPU jobs", "CPU")}
_PICTURED = ("NCPUS", "NGPUS", "MEMORY", "NJOBS")
_NAMED = 6  # users that a line names
_HOLDERS = 4
_MONTHS = 2  # the newest; the JSON and `librarian report` have all

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A heading with sentences and tables below it."""

    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def parts_of(data: Json, zone: str, name: Callable[[str], str]) -> tuple[Part, ...]:
    """What a QoS's JSON tells of limits, queue, waits and months; `name` is that of an observable with its unit.

    What older data do not tell is left out. Times are told on the clock of `zone`.
    """
    parts = (_queue(data, zone), _limits(data, zone, name), _waits(data, zone), _months(data, zone))
    return tuple(part for part in parts if part)


# the queue


def _queue(data: Json, zone: str) -> Part | None:
    queue = data.get("queue")
    if not queue:
        return None
    if queue["at"] is None:
        why = f": {one_line(queue['error'])}" if queue["error"] else ""
        return Part("Queue", (f"The queue is not known{why}.",))
    sentences = tuple(_queue_sentences(data, queue, zone))
    tables = (_reasons(data, queue, zone), _waiting(data, queue, zone))
    return Part("Queue", sentences, tuple(table for table in tables if table.rows))


def _queue_sentences(data: Json, queue: Json, zone: str) -> Iterator[str]:
    if queue["error"] and queue["at"] >= data["metadata"]["last_updated_epoch"]:
        yield f"Not all of the queue is known: {one_line(queue['error'])}."
    elif queue["error"]:
        yield f"This is the queue of {clock(queue['at'], zone)}; nothing newer is known: {one_line(queue['error'])}."
    if not queue["jobs"]:
        yield "Nothing waits."
        return
    competing, oldest, start = queue["groups"]["competing"], queue["oldest"], queue["next_start"]
    if competing["jobs"]:
        since = f"; the oldest, {shown(oldest['user'])}'s, since {clock(oldest['since'], zone)}" if oldest else ""
        verb = "waits for its turn and wants" if competing["jobs"] == 1 else "wait for their turn and want"
        yield f"{counted(competing['jobs'], 'job')} {verb} {_wish(data, competing)}{since}."
        expects = f"expects the next to start {clock(start, zone)}" if start else "has no estimate of the next start"
        yield f"Slurm {expects}."
    aside = [f"{counted(queue['groups'][group]['jobs'], 'job')} {words}" for group, words in _ASIDE.items()
             if queue["groups"].get(group, {}).get("jobs")]  # fmt: skip
    if aside:
        yield f"Besides there are {', '.join(aside)}."


def _wish(data: Json, wish: Json) -> str:
    parts = [
        counted(wish[key], word, word if word == "GiB" else None)
        for key, word in _WISHES
        if key not in data["untracked"] and wish[key] > 0
    ]
    return ", ".join(parts) or "nothing that is counted"


def _reasons(data: Json, queue: Json, zone: str) -> Table:
    head = ("Reason", "Jobs", "Want", "Of", "What it means")
    return Table("Why jobs wait", head, tuple(_reason(data, row, zone) for row in queue["reasons"]))


def _reason(data: Json, row: Json, zone: str) -> tuple[str, ...]:
    users = sorted(row["users"].items(), key=lambda item: (-item[1], item[0]))
    named = [f"{shown(user)} {amount(jobs)}" for user, jobs in users[:_NAMED]]
    more = [f"{len(users) - _NAMED} more"] if len(users) > _NAMED else []
    start = f" Slurm expects the first to start {clock(row['next_start'], zone)}." if row["next_start"] else ""
    words = " ".join(one_line(text) for text in (row["text"], row["todo"] or "") if text)
    return (visible(row["reason"]), amount(row["jobs"]), _wish(data, row), ", ".join(named + more), f"{words}{start}")


def _waiting(data: Json, queue: Json, zone: str) -> Table:
    keys = [(key, word) for key, word in _WISHES if key not in data["untracked"]]
    head = ("User", "Jobs", *(word if word == "GiB" else f"{word}s" for _, word in keys), "Oldest since", "Next start")

    def time(epoch: int | None) -> str:
        return clock(epoch, zone) if epoch else "–"

    rows = (
        (visible(row["user"]), amount(row["jobs"]), *(amount(row[key]) for key, _ in keys), time(row["oldest"]),
         time(row["next_start"]))
        for row in queue["users"]
    )  # fmt: skip
    return Table("Who waits", head, tuple(rows))


# limits


def _limits(data: Json, zone: str, name: Callable[[str], str]) -> Part | None:
    if "policy" not in data:
        return None
    near = _near(data, zone, name)
    policy = tuple(_policy(row) for row in data["policy"])
    flags = [f"Flags of the QoS: {', '.join(visible(flag) for flag in data['flags'])}."] if data.get("flags") else []
    none = [] if policy else ["Slurm sets no limit here."]
    tables = (Table("All limits", ("For", "Of", "Limit", "In use", "Set by"), policy), near)
    return Part("Limits", (*none, *flags), tuple(table for table in tables if table.rows))


def _near(data: Json, zone: str, name: Callable[[str], str]) -> Table:
    head = ("", "Highest at one moment", "At 95 % of the limit or more", "Held then by")
    rows = []
    for key in _PICTURED:
        told = data.get("pressure", {}).get(key)
        if told and key in data.get("near", {}):
            peak = told["peak"]
            most = f"{amount(peak['value'])}, {clock(peak['at'], zone)}" if peak and peak["at"] is not None else "–"
            held = ", ".join(f"{shown(h['user'])} {percent(h['share'], 1)}" for h in told["holders"][:_HOLDERS])
            rows.append((name(key), most, lasting(told["seconds_near"]) if told["seconds_near"] else "never", held))
    return Table("At the limit in the window", head, tuple(rows))


def _policy(row: Json) -> tuple[str, ...]:
    def told(value: float) -> str:
        if row["unit"] == "s":
            return lasting(value)
        return amount(value) if row["unit"] in ("", row["name"]) else f"{amount(value)} {row['unit']}"

    used = row.get("used")
    share = f" ({percent(used, row['limit'])})" if used is not None and row["limit"] else ""
    by = f", {shown(row['by'])}" if row.get("by") else ""
    in_use = "–" if used is None else f"{told(used)}{share}{by}"
    binds = "" if row["binds"] else " (another one binds first)"
    return (
        _PER.get(row["per"], visible(row["per"])),
        visible(row["name"]),
        told(row["limit"]) + binds,
        in_use,
        visible(row["of"]),
    )


# waits


def _waits(data: Json, zone: str) -> Part | None:
    whole = data.get("waits", {}).get("ranges", {}).get("all")
    if not whole:
        return None
    title = f"How long jobs waited, {clock(whole['from'], zone)} to {clock(whole['to'], zone)}"
    columns = whole["columns"]
    table = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if not table:
        return Part(title, ("No job started in this time.",))
    rows = tuple(_wait(row) for row in table if row["user"] is None or row["size"] is None)
    head = ("", "Jobs started", "Half waited at most", "9 of 10 at most")
    about = "From when a job could have started to when it did; jobs that still wait are not in it."
    return Part(title, (about,), (Table("Waiting times", head, rows),))


def _wait(row: Json) -> tuple[str, ...]:
    kind, unit = _KINDS[row["kind"]]
    size = "" if row["size"] is None else f", {row['size']} {unit}{'' if row['size'] == '1' else 's'}"
    who = "everybody" if row["user"] is None else visible(row["user"])
    return (f"{who}: {kind}{size}", amount(row["jobs"]), lasting(row["median"]), lasting(row["p90"]))


# months


def _months(data: Json, zone: str) -> Part | None:
    allocations = tuple(_allocation(row, zone) for row in data.get("allocations", ()))
    months: Sequence[Json] = data.get("months", ())[-_MONTHS:]
    if not months and not allocations:
        return None
    tables = [
        table
        for month in reversed(months)
        for table in (_month(data, month, "users", zone), _month(data, month, "accounts", zone))
        if table.rows
    ]
    return Part("Whose month", allocations, tuple(tables))


def _month(data: Json, month: Json, side: str, zone: str) -> Table:
    keys = [key for key in _PICTURED if key not in data["untracked"]]
    whole = month["total"]

    def cells(row: Json) -> Iterator[str]:
        for key in keys:
            hours = row["hours"].get(key, 0)
            yield f"{amount(hours)} ({percent(hours, whole['hours'].get(key, 0))})"
        known = row["jobs"] is not None
        yield amount(row["jobs"]) if known else "–"
        yield percent(row["failed"], row["jobs"]) if known else "–"

    def weight(item: tuple[str, Json]) -> float:
        hours = item[1]["hours"]
        return max((hours.get(key, 0) / (whole["hours"].get(key, 0) or 1e300) for key in keys), default=0.0)

    rows = sorted(month[side].items(), key=lambda item: (-weight(item), item[0]))
    head = (side[:-1].title(), *(data["units"][key]["hours"] for key in keys), "Runs ended", "Failed")
    partly = "" if month["complete"] else f", {clock(month['known_from'], zone)} to {clock(month['known_to'], zone)}"
    total = (
        counted(len(rows), side[:-1]),
        *(amount(whole["hours"].get(key, 0)) for key in keys),
        *list(cells(whole))[-2:],
    )
    return Table(
        f"{month['month']} by {side[:-1]}{partly}", head, tuple((visible(n), *cells(row)) for n, row in rows), total
    )


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
