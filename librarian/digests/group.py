"""The group's digest, from the JSON of its site: what readers see, by the names that they see. Pure.

Each part fails alone: what a site of another release does not tell is missing, and is told to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from librarian.digests.document import Document, Frame, Item, Part
from librarian.digests.member import causes
from librarian.digests.model import Committed
from librarian.digests.period import Period
from librarian.errors import one_line
from librarian.rules.readings import gone_at
from librarian.shared.calendar import clock, local_date
from librarian.shared.resources import WANTED, by_key
from librarian.shared.text import visible
from librarian.shared.words import amount, counted, lasting, percent
from librarian.subjects.usage.totals import FAILED
from librarian.subjects.weeks.plain import glance, signed

Data = Mapping[str, Any]
_BEYOND = 3e10  # what `gone_at` says of what is never gone
WEEK = "7d"


@dataclass(frozen=True)
class Source:
    """The JSON of a QoS (None: there is none); what its jobs may still hold (None: not known)."""

    qos: str
    title: str
    data: Data | None
    committed: Committed | None = None


def digest(sources: Sequence[Source], period: Period, frame: Frame, now: int, zone: str) -> Document | None:
    """What the group's head is told; None where no QoS has any data."""
    told = [source for source in sources if source.data is not None]
    if not told:
        return None
    parts = []
    for source in told:
        name = "" if len(sources) == 1 else f"{one_line(visible(source.title), 60)}: "
        parts += [_named(part, name) for part in _parts(source, period, now, zone)]
    missing = [one_line(visible(source.title), 60) for source in sources if source.data is None]
    if missing:
        parts.append(Part("Not known", sentences=(f"There are no data of {', '.join(missing)}.",)))
    return Document(
        f"{frame.name}: the {period.kind} {period.title}{_short(told)}",
        f"{frame.name}, {period.title}",
        tuple(parts),
        frame.foot(),
    )


def _named(part: Part, name: str) -> Part:
    title = (
        f"{name}{part.title[:1].lower()}{part.title[1:]}" if name and part.title[1:2].islower() else name + part.title
    )
    return Part(title, part.head, part.rows, part.sentences, part.items)


def _short(told: Sequence[Source]) -> str:
    """What matters most, for the subject: an allocation that ends too soon."""
    early = [row for source in told for row in _early(source.data or {})]
    return f"; {one_line(str(early[0]['name']), 40)} ends early" if early else ""


def _early(data: Data) -> list[Data]:
    """The allocations that are gone before their period ends."""
    try:
        return [row for row in data.get("allocations") or [] if (_gone(row) or _BEYOND) < row["to"]]
    except Exception:  # whatever the file holds: the part on allocations says that it is missing
        return []


def _parts(source: Source, period: Period, now: int, zone: str) -> Iterator[Part]:
    data = source.data or {}
    span = _week if period.kind == "week" else _month
    makers: Sequence[tuple[str, Callable[[], Part]]] = (
        ("use", lambda: span(data, period, zone)),
        ("limits", lambda: _limits(data)),
        ("allocations", lambda: _allocations(data, source.committed, zone)),
        ("what was not used", lambda: _unused(data)),
        ("waits", lambda: _waits(data, now)),
        ("failures", lambda: _failures(data)),
    )
    lost = []
    for name, make in makers:
        try:
            part = make()
        except Exception:  # whatever the file holds, the other parts go on
            lost.append(name)
            continue
        if not part.is_empty:
            yield part
    try:
        sentences = tuple(_unknown(data, now, zone))
    except Exception:  # as above
        sentences = ("How well all this is known.",)
    unknown = Part("Not known", sentences=(*sentences, *(f"Missing: {name}." for name in lost)))
    if not unknown.is_empty:
        yield unknown


def _week(data: Data, period: Period, zone: str) -> Part:
    found = next(iter(glance(data, zone)), None)
    if found is None or found.table is None:
        return Part("Last 7 days", sentences=("There are no two whole weeks yet to hold against each other.",))
    items = tuple(Item(f"{name}: {words}") for name, words in found.items)
    head = ("", "last 7 days", "7 days before", "change")
    return Part("This week and the last, and who changed most", head, found.table.rows, found.sentences, items)


def _month(data: Data, period: Period, zone: str) -> Part:
    by_name = {month["month"]: month for month in data["months"]}
    now = by_name.get(period.key)
    if now is None:
        return Part("The month", sentences=("Nothing of this month is known.",))
    before_key = local_date(period.before[0][0] + 10 * 86400, zone).strftime("%Y-%m")
    before = by_name.get(before_key)
    rows = []
    for o in WANTED:
        hours, was = (None if one is None else one["total"]["hours"].get(o.key, 0.0) for one in (now, before))
        change = signed(hours, was) if hours is not None and was is not None else ""
        rows.append((o.hours, amount(hours or 0.0), "not known" if was is None else amount(was), change))
    whole = () if now["complete"] else ("Not all of this month is known.",)
    return Part("The month and the one before", ("", period.key, before_key, "change"), tuple(rows), whole)


def _limits(data: Data) -> Part:
    rows = []
    for o in WANTED:
        one = data["pressure"].get(o.key)
        if not one or one["limit"] is None:
            continue
        held = "not known" if one["used"] is None else f"{amount(one['used'])} of {amount(one['limit'])}"
        near = percent(one["seconds_near"], one["seconds_known"]) if one["seconds_known"] else "not known"
        rows.append((o.title, held, amount(one["peak"]["value"]) if one["peak"] else "not known", near))
    words = "The time at the limit is the share of the page's window in which 90 % of it or more were held."
    return Part(
        "Beside the limits", ("", "held now", "peak", "time at the limit"), tuple(rows), (words,) if rows else ()
    )


def _gone(row: Data) -> float | None:
    at = gone_at(row)
    return None if at is None or at > _BEYOND else at


def _allocations(data: Data, committed: Committed | None, zone: str) -> Part:
    items = []
    for row in data.get("allocations") or []:
        used, whole, unit = row["used"], row["amount"], row["unit"]
        pace = f"{amount(used)} of {amount(whole)} {unit} used ({percent(used, whole)}); even use would be "
        pace += f"{amount(row['even'])} by now."
        at = _gone(row)
        if at is None:
            pace += " It has no pace yet." if row["projected"] is None else " At the pace so far it lasts."
        elif at < row["to"]:
            early = lasting(row["to"] - at)
            pace += f" At the pace so far it is gone on {local_date(int(at), zone)}, {early} before its period ends."
        else:
            pace += f" At the pace so far it lasts until its period ends on {local_date(row['to'] - 1, zone)}."
        items.append(Item(f"{row['name']}: {pace}", _committed(row, committed, data)))
    return Part("Allocation", items=tuple(items))


def _committed(row: Data, committed: Committed | None, data: Data) -> str:
    if committed is None:
        return "What running and pending jobs may still hold is not known."
    hours = committed.hours.get(row["key"], 0.0)
    left = row["amount"] - row["used"]
    words = f"Running and pending jobs may hold {amount(hours)} {row['unit']} more by their time limits"
    words += f" ({amount(hours - left)} more than is left)." if hours > left else f"; {amount(left - hours)} are free."
    if committed.unknown:
        words += f" Of {counted(committed.unknown, 'job')} it is not known: no time limit, or none that Slurm tells."
    return words


def _unused(data: Data) -> Part:
    total = data["efficiency"]["ranges"][WEEK]["total"]
    rows = []
    for o in WANTED:
        one = total.get(o.key)
        if not one or not one["allocated_hours"]:
            continue
        used, measured = one["used_hours"], one["measured_hours"]
        known = used is not None and measured
        share = percent(max(0.0, measured - used), measured) if known else "not known"
        unused = amount(max(0.0, measured - used)) if known else "not known"
        rows.append((o.hours, unused, share, percent(measured, one["allocated_hours"])))
    words = "Of jobs that ended in the last 7 days; known is the share of their hours of which the use was measured."
    return Part("Unused", ("", "unused", "of measured", "known"), tuple(rows), (words,) if rows else ())


def _waits(data: Data, now: int) -> Part:
    columns = data["waits"]["ranges"][WEEK]["columns"]
    names = ("user", "kind", "size", "jobs", "median", "p90")
    rows = []
    for user, kind, size, jobs, median, p90 in zip(*(columns[name] for name in names), strict=True):
        if user is None and size is None:
            words = {"cpu": "Jobs without GPUs", "gpu": "Jobs with GPUs"}.get(kind, one_line(str(kind), 40))
            rows.append((words, amount(jobs), lasting(median), lasting(p90)))
    queue, sentences = data["queue"], []
    if queue["at"] is not None:
        words = f"{counted(queue['jobs'], 'job')} pending"
        oldest = queue.get("oldest")
        words += f"; the longest waits since {lasting(max(0, queue['at'] - oldest['since']))}." if oldest else "."
        sentences.append(words)
    items = tuple(
        Item(f"{counted(one['jobs'], 'job')}: {one_line(str(one['text']), 300)}")
        for one in queue["reasons"][:3]
        if one["group"] == "competing"
    )
    head = ("Started in 7 days", "jobs", "median wait", "nine in ten")
    return Part("Waits", head if rows else (), tuple(rows), tuple(sentences), items)


def _failures(data: Data) -> Part:
    """Runs that failed in the last 7 days that are over, by cause."""
    spans = data["weeks"]["spans"]
    if not spans:
        return Part("")
    edges, begin, end = data["edges"], spans[0]["from"], spans[0]["to"]
    found: dict[str, int] = {}
    for states in data["ended"].values():
        for state in FAILED:
            counts = states.get(state) or {"bins": [], "runs": []}
            runs = sum(
                n for place, n in zip(counts["bins"], counts["runs"], strict=True) if begin <= edges[place] < end
            )
            found[state] = found.get(state, 0) + runs
    failed = sum(found.values())
    title = f"{amount(failed)} of {counted(spans[0]['jobs'], 'job')} failed in 7 days"
    return Part(title if failed else "", items=causes(found))


def _unknown(data: Data, now: int, zone: str) -> Iterator[str]:
    """What a reader must know of how well all this is known."""
    stale = data.get("staleness") or {}
    if stale.get("stale"):
        since = stale.get("since")
        when = f" since {clock(since, zone)} ({lasting(max(0, now - since))})" if isinstance(since, int) else ""
        yield f"The data are stale{when}: {one_line(str(stale.get('reason') or 'why is not known'), 200)}."
    else:
        at = (data.get("metadata") or {}).get("last_updated_epoch")
        if isinstance(at, int) and now - at > 86400:
            yield f"The data are {lasting(now - at)} old."
    for key in data.get("untracked") or []:
        yield f"{by_key(str(key)).name} are not recorded by accounting."
    for note in (data.get("notes") or [])[:3]:
        yield one_line(str(note.get("text", "")), 250) if isinstance(note, Mapping) else ""
