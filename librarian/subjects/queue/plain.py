"""The queue and waiting times on the plain page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from librarian.errors import one_line
from librarian.render.html.parts import Part, Shown, and_more, shortened
from librarian.render.json.reading import how_many, is_others, person, wanted
from librarian.shared.calendar import clock
from librarian.shared.text import shown, visible
from librarian.shared.words import TextTable, amount, counted, lasting

_ASIDE = {"held": "held", "dependency": "waiting for other jobs", "begin": "with a later time to begin"}
_KINDS = {"gpu": ("GPU jobs", "GPU"), "cpu": ("CPU jobs", "CPU")}
_NAMED = 6  # users that a line names

Json = Mapping[str, Any]


def parts(data: Json, zone: str) -> Iterator[Part]:
    """What is pending and why, and how long jobs waited. What older data do not tell is left out."""
    if data.get("queue"):
        yield _queue(data, data["queue"], zone)
    whole = data.get("waits", {}).get("ranges", {}).get("all")
    if whole:
        yield _waits(data, whole, zone)


def glance(data: Json, zone: str) -> Iterator[Part]:
    """How much is pending, and the largest reason of those that compete."""
    queue = data.get("queue")
    if not queue:
        return
    if queue["at"] is None:
        yield Part("Why jobs wait", 20, (_unknown(queue),))
        return
    competing = [row for row in queue["reasons"] if row["group"] == "competing"]
    causes = sorted(competing or queue["reasons"], key=lambda row: -row["jobs"])[:1]
    told = tuple(_reason(data, row, zone) for row in causes)
    items = tuple((f"{name}, {jobs} of them", f"{words} Pending: {who}.") for name, jobs, _, who, words in told)
    yield Part("Why jobs wait", 20, tuple(_queue_sentences(data, queue, zone)), items=items)


def _queue(data: Json, queue: Json, zone: str) -> Part:
    if queue["at"] is None:
        return Part("", sentences=(_unknown(queue),))
    sentences = () if queue["jobs"] else tuple(_queue_sentences(data, queue, zone))
    tables = (_reasons(data, queue, zone), _waiting(data, queue, zone))
    return Part("", sentences=sentences, tables=tuple(table for table in tables if table.rows))


def _unknown(queue: Json) -> str:
    why = f": {one_line(queue['error'])}" if queue["error"] else ""
    return f"The queue is not known{why}."


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
        whose = "of one of the others" if oldest and is_others(data, oldest["user"]) else ""
        since = f"; the oldest, {whose or _whose(oldest)}, since {clock(oldest['since'], zone)}" if oldest else ""
        verb = "waits for its turn and wants" if competing["jobs"] == 1 else "wait for their turn and want"
        yield f"{counted(competing['jobs'], 'job')} {verb} {_wish(data, competing)}{since}."
        expects = f"expects the next to start {clock(start, zone)}" if start else "has no estimate of the next start"
        yield f"Slurm {expects}."
    aside = [f"{counted(queue['groups'][group]['jobs'], 'job')} {words}" for group, words in _ASIDE.items()
             if queue["groups"].get(group, {}).get("jobs")]  # fmt: skip
    if aside:
        yield f"Besides there are {', '.join(aside)}."


def _whose(oldest: Json) -> str:
    return f"{shown(oldest['user'])}'s"


def _wish(data: Json, wish: Json) -> str:
    found = [counted(wish[row["key"]], *_words(row)) for row in wanted(data) if wish[row["key"]] > 0]
    return ", ".join(found) or "nothing that is counted"


def _words(row: Json) -> tuple[str, str]:
    """One unit of a resource, and several; a unit such as GiB is the same for both."""
    return (row["one"] or row["unit"], row["unit"])


def _reasons(data: Json, queue: Json, zone: str) -> TextTable:
    head = ("Reason", "Jobs", "Want", "Of", "What it means")
    return TextTable("Why jobs wait", head, tuple(_reason(data, row, zone) for row in queue["reasons"]))


def _reason(data: Json, row: Json, zone: str) -> tuple[str, ...]:
    users = sorted(row["users"].items(), key=lambda item: (-item[1], item[0]))
    users.sort(key=lambda item: is_others(data, item[0]))
    named = [f"{shown(user)} {amount(jobs)}" for user, jobs in users[:_NAMED] if not is_others(data, user)]
    rest = users[len(named) :]
    more = ["others"] if any(is_others(data, user) for user, _ in rest) else [f"{amount(len(rest))} more"]
    start = f" Slurm expects the first to start {clock(row['next_start'], zone)}." if row["next_start"] else ""
    words = " ".join(one_line(text) for text in (row["text"], row["todo"] or "") if text)
    return (
        visible(row["reason"]),
        amount(row["jobs"]),
        _wish(data, row),
        ", ".join(named + more if rest else named),
        f"{words}{start}",
    )


def _waiting(data: Json, queue: Json, zone: str) -> TextTable:
    keys = [row["key"] for row in wanted(data)]
    head = ("User", "Jobs", *(row["unit"] for row in wanted(data)), "Oldest since", "Next start")

    def time(epoch: int | None) -> str:
        return clock(epoch, zone) if epoch else "–"

    def sums(of: Sequence[Json]) -> Iterator[str]:
        yield from (amount(sum(row[key] for row in of)) for key in ("jobs", *keys))

    first, rest = shortened(queue["users"])
    rows = [
        (person(data, row["user"], "queue"), *sums([row]), time(row["oldest"]), time(row["next_start"]))
        for row in first
    ]
    count = how_many(data, [row["user"] for row in rest], "queue")
    rows += [(and_more(count, "JSON"), *sums(rest), "", "")] if rest else []
    return TextTable("Who waits", head, tuple(rows))


def _waits(data: Json, whole: Json, zone: str) -> Part:
    title = f"How long jobs waited, {clock(whole['from'], zone)} to {clock(whole['to'], zone)}"
    columns = whole["columns"]
    table = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if not table:
        return Part(title, sentences=("No job started in this time.",))
    users = sorted((row for row in table if row["user"] is not None and row["size"] is None), key=_most_started)
    first, rest = shortened(users)
    count = how_many(data, {row["user"] for row in rest}, "waits")  # who has a row of each kind is one
    more = [(and_more(count, "JSON"), amount(sum(row["jobs"] for row in rest)), "", "")] if rest else []
    everybody = (row for row in table if row["user"] is None)
    rows = (*(_wait(data, row) for row in everybody), *(_wait(data, row) for row in first), *more)
    head = ("", "Jobs started", "Half waited at most", "9 of 10 at most")
    about = "From when a job could have started to when it did; jobs that still wait are not in it."
    return Part(title, sentences=(about,), tables=(TextTable("Waiting times", head, rows),))


def _most_started(row: Json) -> tuple[int, str, str]:
    return -row["jobs"], row["user"], row["kind"]


def _wait(data: Json, row: Json) -> tuple[str, ...]:
    kind, unit = _KINDS[row["kind"]]
    size = "" if row["size"] is None else f", {row['size']} {unit}{'' if row['size'] == '1' else 's'}"
    who = "everybody" if row["user"] is None else person(data, row["user"], "waits")
    return (f"{who}: {kind}{size}", amount(row["jobs"]), lasting(row["median"]), lasting(row["p90"]))


def describe(data: Json, zone: str) -> Shown:
    """What the picture of the queue shows, in words."""
    return Shown(_words_of(data, zone))


def _words_of(data: Json, zone: str) -> str:
    title = "CPUs and GPUs in use over time, and on top of them what was waited for, by user"
    at, groups = data["queue"]["at"], data["queue"]["groups"]
    if at is None:
        return f"{title}; the queue is not known."
    wish = groups["competing"]
    wanted = f"{counted(wish['jobs'], 'job')} for {amount(wish['NCPUS'])} CPUs and {amount(wish['NGPUS'])} GPUs"
    return f"{title}. Waiting at {clock(at, zone)} to start as soon as possible: {wanted}."
