"""How campaigns read on a terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from librarian.campaigns import arrays
from librarian.campaigns.looking import View
from librarian.campaigns.model import Task
from librarian.campaigns.states import DONE, FAILED, State, expected_end, pending_by, summary

_WORDS = {
    "not_submitted": "not submitted",
    "pending": "pending",
    "running": "running",
    "done": "done",
    "failed": "failed",
}
_LONGEST = 60


def to_json(view: View, now: int, *, known: bool) -> dict[str, Any]:
    """What other programs read. `known`: Slurm answered."""
    end = expected_end(view.states, now)
    return {
        "name": view.campaign.name,
        "description": view.campaign.description,
        "by": view.campaign.by,
        "created": view.campaign.created,
        "now": now,
        "slurm_answered": known,
        "paused": view.history.paused,
        **summary(view.states),
        "pending_by": pending_by(view.states),
        "cpu_hours": {kind: round(hours, 4) for kind, hours in hours_of(view).items()},
        "expected_end": {"median": end[0], "slow": end[1]} if end else None,
    }


def hours_of(view: View) -> dict[str, float]:
    """CPU-hours of last tries that went well, and of those that did not."""
    found = {DONE: 0.0, FAILED: 0.0}
    for state in view.states.values():
        if state.kind in found:
            found[state.kind] += state.cpu / 3600
    return found


def line(view: View) -> str:
    """A campaign in one line."""
    tasks = summary(view.states)["tasks"]
    parts = [f"{tasks[kind]} {word}" for kind, word in _WORDS.items() if tasks[kind]]
    paused = " (paused)" if view.history.paused else ""
    return f"{view.campaign.name}{paused}: {_counted(tasks['total'], 'task')}" + (
        f": {', '.join(parts)}" if parts else ""
    )


def details(view: View, now: int, zone_text: Any) -> list[str]:
    """More of a campaign: failures by kind, why tasks are pending, hours, expected end, arrays."""
    told = []
    for word, table in sorted(summary(view.states)["failed_by"].items()):
        told += [f"  failed: {count} {word}" + (f", exit code {code}" if code else "") for code, count in table.items()]
    told += [f"  pending: {count} {visible(reason)}" for reason, count in pending_by(view.states).items()]
    hours = hours_of(view)
    if any(hours.values()):
        told.append(f"  CPU-hours: {hours[DONE]:.2f} of tasks that are done, {hours[FAILED]:.2f} of failed ones")
    end = expected_end(view.states, now)
    if end:
        told.append(f"  expected end: {zone_text(end[0])}, {zone_text(end[1])} if tasks are slow")
    elif any(state.kind == "running" for state in view.states.values()):
        told.append("  expected end: not enough evidence")
    for array in view.history.arrays:
        if not array.void:
            job = f"job {array.job}" if array.job else array.kind if array.settled else "open"
            told.append(f"  {zone_text(array.at)} {array.by}: {job}, rows {visible(arrays.ranges(array.rows))}")
    return told


def tasks_table(tasks: Sequence[Task], states: Mapping[int, State], tries: Mapping[int, Sequence[Any]]) -> list[str]:
    """Tasks as a table."""
    names = list(tasks[0].parameters) if tasks else []
    rows = [["TASK", "REPEAT", *names, "STATE", "TRIES", "EXIT"]]
    for task in tasks:
        state = states[task.row]
        word = f"{_WORDS[state.kind]}" + (f" {state.word}" if state.kind == FAILED else "")
        values = [visible(text) for text in task.parameters.values()]
        count = str(len(tries.get(task.row, ())))
        rows.append([str(task.row), str(task.repeat), *values, word, count, state.exit])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def visible(text: str) -> str:
    """A text on one line of a table: nothing in it reaches the terminal as anything else, and it is not long."""
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
