"""Jobs as a table of text, as CSV and as JSON; what is not known is "?" or empty or null, and never 0."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from librarian.shared.calendar import clock, isoformat
from librarian.shared.text import csv_cell, shown, visible
from librarian.shared.tres import gpu_types, gpus, parse_tres
from librarian.shared.words import amount, counted, lasting, percent
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.asking import slurm_time
from librarian.subjects.efficiency.card import card_json, waited
from librarian.subjects.efficiency.model import Flag, Peak
from librarian.subjects.efficiency.options import Rules

HEAD = ("JOB", "USER", "STATE", "CPUS", "GPUS", "GIB", "ENDED", "WAITED", "RAN", "LIMIT", "CPU", "MEMORY", "GPU")
_RIGHT = ("JOB", "CPUS", "GIB", "WAITED", "RAN", "LIMIT", "CPU", "MEMORY", "GPU")
_UNKNOWN, _AT_LEAST = "?", "≥"
_ASKED_FOR_ALONE = ("name", "exit_code", "reason", "requested", "nodes", "steps", "earlier")
"""What the card has and the store does not know: `librarian job` asks for it."""
CSV_HEAD = (
    *("job", "user", "account", "qos", "partition", "state", "submitted", "eligible", "started", "ended"),
    *("waited_seconds", "elapsed_seconds", "limit_seconds", "allocated"),
    *("cpu_efficiency", "memory_efficiency", "gpu_efficiency", "findings", "notes"),
)


def lines(told: Sequence[Told], zone: str, since: int, as_of: int, user: str | None) -> list[str]:
    """A table and a last line on what it has; times on the clock of `zone`. Of one user's jobs it names no user."""
    cells = [_cells(one, zone) for one in told]
    whose = "everybody" if user is None else shown(user)
    count = counted(len(told), "job") if told else "No job"
    foot = f"{count} of {whose} since {clock(since, zone)}, as of {clock(as_of, zone)}."
    marks = {_UNKNOWN: "not measured", _AT_LEAST: "at least, since only part of the job was measured"}
    used = [
        f" {mark}: {words}."
        for mark, words in marks.items()
        if any(cell.startswith(mark) for row in cells for cell in row)
    ]
    return [*_table(cells, () if user is None else ("USER",)), foot + "".join(used)]


def _table(cells: Sequence[tuple[str, ...]], left_out: Sequence[str]) -> list[str]:
    if not cells:
        return []
    columns = {name: column for name, *column in zip(HEAD, *cells, strict=True) if name not in left_out}
    wide = {name: max(len(name), *map(len, column)) for name, column in columns.items()}
    rows = [tuple(columns), *zip(*columns.values(), strict=True)]
    return ["  ".join(_aligned(dict(zip(columns, row, strict=True)), wide)).rstrip() for row in rows]


def _aligned(line: Mapping[str, str], wide: Mapping[str, int]) -> Iterator[str]:
    for name, cell in line.items():
        yield cell.rjust(wide[name]) if name in _RIGHT else cell.ljust(wide[name])


def _cells(one: Told, zone: str) -> tuple[str, ...]:
    run, card = one.used.run, card_json(one, Rules())
    wait = waited(one)
    return (
        shown(one.id),
        shown(run.user),
        shown(run.state),
        *_size(run.alloc_tres),
        "" if one.end is None else clock(one.end, zone)[:16],
        "" if wait is None else lasting(wait),
        "" if one.start is None else slurm_time(run.elapsed),
        percent(run.elapsed, run.limit) if run.limit and one.start is not None else "",
        *(_efficiency(one, name, card[name]) for name in ("cpu", "memory", "gpu")),
    )


def _size(alloc_tres: str) -> tuple[str, str, str]:
    """CPUs, GPUs by type and GiB; nothing of what holds nothing yet."""
    if not alloc_tres:
        return "", "", ""
    held = parse_tres(alloc_tres)
    types, count = gpu_types(held), gpus(held)
    named = ", ".join(f"{amount(number)} {shown(name)}" for name, number in sorted(types.items()))
    cpus, memory = (amount(held[name]) if name in held else _UNKNOWN for name in ("cpu", "mem"))
    return cpus, named or (amount(count) if count else ""), memory


def _efficiency(one: Told, name: str, resource: object) -> str:
    """A share, "≥" where only a part of the steps or the largest task is known; "?" where that is not measured, and
    nothing of what it did not hold, or still holds."""
    told = resource if isinstance(resource, dict) else {}
    if one.end is None or not told.get("allocated"):
        return ""
    if told["efficiency"] is None:
        return _UNKNOWN
    text = percent(told["used"], told["allocated"])
    is_part = Flag.PARTLY in one.used.use.flags or (name == "memory" and one.used.use.peak == Peak.TASK)
    return f"{_AT_LEAST} {text}" if is_part else text


def as_json(told: Iterable[Told], rules: Rules, *, since: int, as_of: int, user: str | None) -> str:
    """One object; each of its `jobs` is as `librarian job --json` has it, without what only Slurm knows."""
    found = [{key: value for key, value in card.items() if key not in _ASKED_FOR_ALONE} for card in _cards(told, rules)]
    return json.dumps({"since": since, "as_of": as_of, "user": user, "jobs": found}, indent=1, allow_nan=False)


def _cards(told: Iterable[Told], rules: Rules) -> Iterator[Mapping[str, object]]:
    return (card_json(one, rules) for one in told)


def as_csv(told: Iterable[Told], rules: Rules) -> str:
    """A row a job, under `CSV_HEAD`; times are ISO 8601 in UTC, efficiencies shares, and what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for card in _cards(told, rules):
        writer.writerow(csv_cell(visible(cell)) if isinstance(cell, str) else cell for cell in _csv_cells(card))
    return text.getvalue()


def _csv_cells(card: Mapping[str, object]) -> Iterator[object]:
    for name in CSV_HEAD:
        resource = card.get(name.removesuffix("_efficiency"))
        if isinstance(resource, dict):
            yield "" if resource["efficiency"] is None else round(resource["efficiency"], 4)
        elif name in ("submitted", "eligible", "started", "ended"):
            moment = card[name]
            yield isoformat(moment, "UTC") if isinstance(moment, int) else ""
        elif name == "findings":
            found = card[name]
            yield "; ".join(one["rule"] for one in found) if isinstance(found, list) else ""
        elif name == "notes":
            notes = card[name]
            yield "; ".join(notes) if isinstance(notes, list) else ""
        else:
            value = card["id" if name == "job" else name]
            yield "" if value is None else value
