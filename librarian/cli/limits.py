"""`librarian limits`: what each QoS may hold and what counts against it now, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.shared.words import amount, percent
from librarian.system import host

if TYPE_CHECKING:
    from librarian.subjects.limits.now import Headroom
    from librarian.subjects.limits.policy import LimitRow

_HEADER = ("QOS", "RESOURCE", "PER", "LIMIT", "USED", "SHARE", "FREE", "WHO", "SOURCE")
_RIGHT = ("LIMIT", "USED", "SHARE", "FREE")
_DISPENSABLE = ("SOURCE", "FREE", "WHO")  # what a narrow terminal goes without, in this order
# of a limit that does not bind all of the QoS where its jobs are
_WHERE = {"everywhere": "", "partly": " (not everywhere)", "never": " (not enforced)"}
_SHORTEST = 12  # columns that are left for a source at least, else it is left out
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


def limits(options: argparse.Namespace) -> int:
    """Limits and their use at this moment."""
    from librarian.cycle.parts import chosen
    from librarian.subjects.limits import now

    setup = common.setup_of(options)
    found = now.ask(common.slurm_of(setup), setup.config.cluster.name, chosen(setup, options.qos), host.clock())
    if options.json:
        print(json.dumps([entry for one in found for entry in as_json(one)], indent=1), flush=True)
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    colours = sys.stdout.isatty() and "NO_COLOR" not in host.environment()
    print("\n".join(table(found, width, colours)), flush=True)
    return 0


def as_json(found: Headroom) -> list[dict[str, object]]:
    """A row for each limit, as in the site's JSON, with its QoS and its source in words."""
    from librarian.subjects.limits.policy_json import policy_row

    return [{"qos": found.qos, "source": _source(row), **policy_row(row)} for row in found.rows]


def _source(row: LimitRow) -> str:
    return row.of if row.of == "configuration" else row.source.words


def table(found: Sequence[Headroom], width: int, colours: bool = False) -> list[str]:
    """The lines of a table, at most `width` columns wide (0: as wide as need be); a hit limit is red with `colours`."""
    from librarian.shared.text import shown
    from librarian.subjects.limits.model import NEAR

    lines: list[tuple[str, ...]] = [_HEADER]
    hot = [False]
    for one in found:
        for row in one.rows:
            lines.append((shown(one.qos), *_cells(row)))
            hot.append(row.binds and row.used is not None and row.used >= row.source.value * NEAR)
        if not one.rows:
            lines.append((shown(one.qos), "nothing limits it", *[""] * 7))
            hot.append(False)
    texts = _laid_out(lines, width)
    return [f"{_RED}{text}{_PLAIN}" if red and colours else text for text, red in zip(texts, hot, strict=True)]


def _cells(row: LimitRow) -> tuple[str, ...]:
    from librarian.shared.text import shown, visible

    limit, used = row.source.value, row.used
    free = None if used is None else max(limit - used, 0.0)
    return (
        shown(row.source.resource),
        row.source.setting.per,
        _amount(row, limit),
        _amount(row, used) if used is not None else "" if row.source.setting.per == "job" else "?",
        percent(used, limit) if used is not None and limit else "",
        "" if free is None else _amount(row, free),
        shown(row.by or ""),
        visible(_source(row)) + ("" if row.binds else _WHERE[row.enforced]),
    )


def _amount(row: LimitRow, value: float) -> str:
    """A number with its unit where that is not the resource's name."""
    if row.source.resource == "walltime":
        days, rest = divmod(int(value), 86400)
        return f"{days}-{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    text = amount(value)
    return f"{text} {row.unit}" if row.unit in ("GiB", "%") else text


def _laid_out(lines: Sequence[Sequence[str]], width: int) -> list[str]:
    """Columns side by side. Too wide: the source is cut, and if that is not enough, columns are left out."""
    columns = dict(zip(_HEADER, zip(*lines, strict=True), strict=True))
    for name in _DISPENSABLE:
        others = sum(max(map(len, cells)) + 2 for title, cells in columns.items() if title != "SOURCE")
        room = width - others
        if not width or ("SOURCE" in columns and room >= _SHORTEST) or ("SOURCE" not in columns and room >= -2):
            break
        del columns[name]
    if width and "SOURCE" in columns:
        columns["SOURCE"] = tuple(cell if len(cell) <= room else cell[: room - 1] + "…" for cell in columns["SOURCE"])
    wide = {name: max(map(len, cells)) for name, cells in columns.items()}
    return [
        "  ".join(
            cell.rjust(wide[name]) if name in _RIGHT else cell.ljust(wide[name])
            for name, cell in zip(columns, cells, strict=True)
        ).rstrip()
        for cells in zip(*columns.values(), strict=True)
    ]
