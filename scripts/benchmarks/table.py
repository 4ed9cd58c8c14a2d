"""The one table: what was measured, beside what, and whether that is what we want."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd


@dataclass(frozen=True)
class Row:
    """A measurement: `ours` in `unit`, beside `base`, which `beside` names. `cpu` seconds and `memory` MiB are ours.

    `goal` is the most that `ours` may be, or with a `base` the most that ours / base may be.
    """

    what: str
    ours: float
    base: float | None = None
    beside: str = ""
    goal: float | None = None
    unit: str = "s"
    cpu: float | None = None
    memory: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours / base."""
        return self.ours / self.base if self.base else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.goal


HEADS = ("what", "ours", "", "cpu s", "MiB", "base", "ratio", "goal", "", "beside")


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""
    met = {None: "", True: "met", False: "MISSED"}[row.is_met]
    return (
        *(row.what, number(row.ours), row.unit, number(row.cpu), number(row.memory, 0), number(row.base)),
        *(number(row.ratio), "" if row.goal is None else f"<= {row.goal:g}", met, row.beside),
    )


def number(value: float | None, places: int = 3) -> str:
    """A number to three places at most, fewer of a large one."""
    if value is None:
        return ""
    return f"{value:.{places if abs(value) < 10 else min(places, 1)}f}"


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [HEADS, *(cells(row) for row in rows)]
    wide = [max(len(line[place]) for line in lines) for place in range(len(HEADS))]
    left = {0, 2, 8, 9}
    return "\n".join(
        "  ".join(
            text.ljust(width) if place in left else text.rjust(width)
            for place, (text, width) in enumerate(zip(line, wide, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(rows: Sequence[Row]) -> str:
    """The table for docs/performance.md."""
    heads = ("what", "ours", "CPU s", "MiB", "base", "ours / base", "goal", "beside")
    lines = [heads, tuple("---" if place in {0, 7} else "---:" for place in range(len(heads)))]
    for row in rows:
        what, ours, unit, cpu, memory, base, ratio, goal, met, beside = cells(row)
        lines.append((what, f"{ours} {unit}", cpu, memory, base, ratio, f"{goal} {met}".replace("<=", "≤"), beside))
    return "\n".join("| " + " | ".join(cell.strip() for cell in line) + " |" for line in lines)


def machine(now: str) -> dict[str, str]:
    """Where and with what it was measured."""
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": now,
        "processor": f"{len(model)} × {model[0]}" if model else platform.processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pandas": pd.__version__,
        "matplotlib": matplotlib.__version__,
    }


def as_json(found: Mapping[str, Sequence[Row]], about: dict[str, str]) -> str:
    """The table for programs."""
    told: list[dict[str, Any]] = [
        {"kind": kind, **asdict(row), "ratio": row.ratio, "met": row.is_met}
        for kind, rows in found.items()
        for row in rows
    ]
    return json.dumps({"machine": about, "rows": told}, indent=1) + "\n"


def filled_in(text: str, found: Mapping[str, Sequence[Row]], about: dict[str, str]) -> str:
    """A document with its tables as they were measured: each stands between a line `<!-- measured KIND -->` and the
    next `<!-- end -->`. Raises `ValueError` where it has no place for one."""
    where = (
        f"{about['date'][:16].replace('T', ' ')} UTC, {about['processor']}, {about['system']}, Python {about['python']}"
    )
    for kind, rows in found.items():
        begin = f"<!-- measured {kind} -->"
        before, _, rest = text.partition(begin)
        _, end, after = rest.partition("<!-- end -->")
        if not end:
            raise ValueError(f"there is no place for {kind}: {begin} … <!-- end -->")
        text = f"{before}{begin}\n{where}, pandas {about['pandas']}, matplotlib {about['matplotlib']}\n\n"
        text += f"{as_markdown(rows)}\n{end}{after}"
    return text
