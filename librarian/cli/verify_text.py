"""What `librarian verify` found, in lines for a terminal and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytz

from librarian.shared.resources import by_key
from librarian.shared.spans import Span
from librarian.shared.text import shown
from librarian.shared.words import counted
from librarian.verify.compare import Line, Running
from librarian.verify.found import Found
from librarian.verify.hours import Hours

_JOBS_NAMED = 10


def lines(found: Found, zone: str, width: int) -> list[str]:
    """What was found of one QoS: the hours, then the running jobs."""
    texts = [*_hours(found.hours, zone), *_running(found.running, zone)]
    told = [line for text in texts for line in _wrapped(text, max(width, 40))]
    return [f"{shown(found.qos)}:", *told]


def _wrapped(text: str, width: int) -> list[str]:
    """A table's row as it is, which begins with blanks; anything else within the width."""
    if text.startswith("   "):
        return [text.rstrip()]
    return textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ")


def _hours(hours: Hours | None, zone: str) -> list[str]:
    if hours is None:
        return ["hours: not compared, see below"]
    hidden = f"not compared, since sreport hides them from you: {', '.join(map(shown, hours.hidden))}"
    if hours.why:
        return [f"hours: not compared, {hours.why}"]
    when = "; ".join(_span(span, zone) for span in hours.spans)
    if not hours.lines:
        return [f"hours: {hidden}"] if hours.hidden else [f"hours: nobody used anything, here and in sreport, {when}"]
    users, unlike = {line.user for line in hours.lines}, [line for line in hours.lines if not line.agrees]
    agreeing = len(users) - len({line.user for line in unlike})
    which = {1: "the only user", 2: "both users"}.get(len(users), f"all {len(users)} users")
    who = which if agreeing == len(users) else f"{agreeing} of {counted(len(users), 'user')}"
    return [
        f"hours: same as in sreport for {who}, {when}",
        *_others(hours),
        *([hidden] if hours.hidden else []),
        *_table(unlike),
    ]


def _span(span: Span, zone: str) -> str:
    begin, end = (datetime.fromtimestamp(epoch, pytz.timezone(zone)) for epoch in span)
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M %Z}"


def _others(hours: Hours) -> list[str]:
    """What of sreport's hours other QoS had, where it does not tell QoS apart."""
    if hours.split:
        return []
    sums: dict[str, float] = {}
    for line in hours.lines:
        sums[line.key] = sums.get(line.key, 0.0) + line.others / 3600
    told = ", ".join(f"{amount:,.2f} {by_key(key).hours}" for key, amount in sums.items() if amount)
    return [f"sreport does not tell QoS apart here; of its hours other QoS had, by sacct: {told or 'none'}"]


def _table(unlike: Sequence[Line]) -> list[str]:
    if not unlike:
        return []
    rows: list[tuple[str, ...]] = [("USER", "UNIT", "HERE", "OTHER QOS", "SREPORT", "DIFFERENCE")]
    for line in unlike:
        amounts = (line.ours, line.others, line.theirs)
        told = [f"{amount / 3600:,.4f}" for amount in amounts]
        rows.append((shown(line.user), by_key(line.key).hours, *told, f"{line.difference / 3600:+,.4f}"))
    sizes = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    texts = [
        "    " + "  ".join([row[0].ljust(sizes[0]), row[1].ljust(sizes[1]), *_right(row[2:], sizes[2:])])
        for row in rows
    ]
    found = texts[:1]
    for place, (line, text) in enumerate(zip(unlike, texts[1:], strict=True)):
        found.append(text)
        after = unlike[place + 1] if place + 1 < len(unlike) else None
        if not after or (after.user, after.reasons) != (line.user, line.reasons):  # a reason is told once a user
            found += [f"      {reason}" for reason in line.reasons or ("why is not known",)]
    return found


def _right(cells: Sequence[str], sizes: Sequence[int]) -> list[str]:
    return [cell.rjust(size) for cell, size in zip(cells, sizes, strict=True)]


def _running(running: Running | None, zone: str) -> list[str]:
    if running is None:
        return ["running jobs: not compared"]
    at = datetime.fromtimestamp(running.at, pytz.timezone(zone)).strftime("%H:%M %Z")
    since = f"; {running.since} began or ended since" if running.since else ""
    told = [f"running jobs: {running.same} the same in squeue, as of {at}{since}"]
    if running.missing:
        told.append(f"running in squeue, but not known here: {_jobs(running.missing)}")
    if running.gone:
        told.append(f"running here, but not in squeue, and sacct has no end: {_jobs(running.gone)}")
    for job, key, here, there in running.unlike:
        unit = by_key(key).unit
        told.append(f"job {job}: {here:,.10g} {unit} here, {there:,.10g} in squeue")
    return told


def _jobs(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _JOBS_NAMED} more" if len(numbers) > _JOBS_NAMED else ""
    return f"{'job' if len(numbers) == 1 else 'jobs'} {', '.join(map(str, numbers[:_JOBS_NAMED]))}{more}"


def as_json(told: Sequence[Found], now: int) -> dict[str, Any]:
    """For programs: times are UTC epochs, amounts unit-hours (memory in GiB)."""
    good = [found.compared and not found.differs and not found.problems for found in told]
    return {"at": now, "agrees": bool(good) and all(good), "qos": [_qos_json(found) for found in told]}


def _qos_json(found: Found) -> dict[str, Any]:
    hours = found.hours
    return {
        "qos": found.qos,
        "agrees": found.compared and not found.differs and not found.problems,
        "problems": [str(problem) for problem in found.problems],
        "hours": None if hours is None else _hours_json(hours),
        "running": asdict(found.running) if found.running else None,
    }


def _hours_json(hours: Hours) -> dict[str, Any]:
    return {
        "spans": [list(span) for span in hours.spans],
        "sreport_until": hours.reach or None,
        "sreport_tells_qos": hours.split,
        "not_compared": hours.why or None,
        "hidden": list(hours.hidden),
        "lines": [_line_json(line) for line in hours.lines],
    }


def _line_json(line: Line) -> dict[str, Any]:
    amounts = {"here": line.ours, "other_qos": line.others, "sreport": line.theirs, "difference": line.difference}
    told = {name: amount / 3600 for name, amount in amounts.items()}
    return {"user": line.user, "resource": line.key, **told, "agrees": line.agrees, "reasons": list(line.reasons)}
