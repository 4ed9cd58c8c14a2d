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
from librarian.subjects.efficiency.job_arrays import JobArray, Share, folded, share
from librarian.subjects.efficiency.options import Rules

HEAD = (
    *("JOB", "TASKS", "USER", "STATE", "EXIT", "CPUS", "GPUS", "GIB"),
    *("ENDED", "WAITED", "RAN", "LIMIT", "CPU", "MEMORY", "GPU"),
)
_RIGHT = ("JOB", "TASKS", "EXIT", "CPUS", "GIB", "WAITED", "RAN", "LIMIT", "CPU", "MEMORY", "GPU")
_UNKNOWN, _AT_LEAST = "?", "≥"
_ASKED_FOR_ALONE = ("name", "reason", "requested", "nodes", "placed", "steps", "earlier")
"""What the card has and the store does not know: `librarian job` asks for it."""
CSV_HEAD = (
    *("job", "user", "account", "qos", "partition", "state", "submitted", "eligible", "started", "ended"),
    *("exit_code", "waited_seconds", "elapsed_seconds", "limit_seconds", "allocated"),
    *("cpu_efficiency", "memory_efficiency", "gpu_efficiency", "findings", "notes"),
)


def lines(
    told: Sequence[Told], zone: str, since: int, as_of: int, user: str | None, *, by_task: bool = False
) -> list[str]:
    """A table and a last line on what it has; times on the clock of `zone`. Of one user's jobs it names no user.

    A job array is one row, or a row a task (`by_task`).
    """
    rows: Sequence[Told | JobArray] = told if by_task else folded(told)
    cells = [_array_cells(one, zone) if isinstance(one, JobArray) else _cells(one, zone) for one in rows]
    whose = "everybody" if user is None else shown(user)
    count = counted(len(told), "job") if told else "No job"
    foot = f"{count} of {whose} since {clock(since, zone)}, as of {clock(as_of, zone)}."
    marks = {_UNKNOWN: "not measured", _AT_LEAST: "at least, since only part of the job was measured"}
    used = [
        f" {mark}: {words}."
        for mark, words in marks.items()
        if any(cell.startswith(mark) for row in cells for cell in row)
    ]
    arrays = any(isinstance(one, JobArray) for one in rows)
    left_out = (*(() if user is None else ("USER",)), *(() if any(row[1] for row in cells) else ("TASKS",)))
    of_arrays = " Of a job array: the longest wait and run, exit codes from the most frequent on." if arrays else ""
    return [*_table(cells, left_out), foot + "".join(used) + of_arrays]


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
        str(one.tasks) if one.tasks > 1 else "",
        shown(run.user),
        shown(run.state),
        "" if one.end is None else one.exit_code or _UNKNOWN,
        *_size(run.alloc_tres),
        "" if one.end is None else clock(one.end, zone)[:16],
        "" if wait is None else lasting(wait),
        "" if one.start is None else slurm_time(run.elapsed),
        percent(run.elapsed, run.limit) if run.limit and one.start is not None else "",
        *(_efficiency(one, name, card[name]) for name in ("cpu", "memory", "gpu")),
    )


def _array_cells(array: JobArray, zone: str) -> tuple[str, ...]:
    run, longest = array.runs[-1].used.run, array.longest
    states = array.states
    sizes = zip(*(_size(one.used.run.alloc_tres) for one in array.runs if one.start is not None), strict=True)
    limit = max((one.used.run.limit or 0 for one in array.runs), default=0)
    cards = [card_json(one, Rules()) for one in array.runs]
    return (
        str(array.runs[-1].array),
        str(array.tasks),
        shown(run.user),
        shown(", ".join(f"{count} {state}" for state, count in states.items()) if len(states) > 1 else run.state),
        _codes(array.exit_codes),
        *([_alike(told) for told in sizes] or ("", "", "")),
        "" if array.end is None else clock(array.end, zone)[:16],
        "" if array.waited is None else lasting(array.waited),
        "" if longest is None else slurm_time(longest.elapsed),
        percent(longest.elapsed, limit) if limit and longest is not None else "",
        *(
            _share([share(one, _of(card, name), name) for one, card in zip(array.runs, cards, strict=True)])
            for name in ("cpu", "memory", "gpu")
        ),
    )


def _codes(codes: Sequence[str]) -> str:
    """Few of them, and that there are more."""
    return ", ".join([code or _UNKNOWN for code in codes[:3]] + (["…"] if len(codes) > 3 else []))


def _alike(told: Sequence[str]) -> str:
    """What all tasks hold; where they differ, the first and the last of it."""
    found = sorted(set(told), key=lambda text: (len(text), text))
    return found[0] if len(found) == 1 else f"{found[0]}–{found[-1]}"


def _share(shares: Sequence[Share | None]) -> str:
    """What all that ended used of what they held."""
    known = [one for one in shares if one is not None]
    if not known:
        return ""
    whole = sum(known[1:], known[0])
    if whole.used is None:
        return _UNKNOWN
    text = percent(whole.used, whole.allocated)
    return f"{_AT_LEAST} {text}" if whole.is_least else text


def _of(card: Mapping[str, object], name: str) -> Mapping[str, object]:
    resource = card[name]
    return resource if isinstance(resource, dict) else {"allocated": None, "used": None}


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
    return _share([share(one, resource, name) if isinstance(resource, dict) else None])


def as_json(told: Iterable[Told], rules: Rules, *, since: int, as_of: int, user: str | None) -> str:
    """One object; each of its `jobs` is as `librarian job --json` has it, without what only Slurm knows."""
    found = [{key: value for key, value in card.items() if key not in _ASKED_FOR_ALONE} for card in _cards(told, rules)]
    for card in found:
        card["exit_code"] = card["exit_code"] or None
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
