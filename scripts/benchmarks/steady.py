"""What cycles cost where Slurm answers at once: one that draws all, one that closes no bin, an hour of them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import made
from benchmarks.crowd import Group, cycle, filled
from benchmarks.table import Row
from benchmarks.tools import HERE, Taken, command, progress
from librarian.health import timings_file

GROUP = Group(41, 200_000, 100, 500, 2)
# what a script needs that reads with pandas, and saves figures as PNG and PDF
IMPORTS = ("pandas", "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")
HOUR = 6  # cycles
EVERYTHING = '[report]\npictures = "cycle"\n'
QUIET, DAY, QUICK, COMMANDS = 0.35, 0.4, 1.5, 5  # the goals


def rows() -> Iterator[Row]:
    """Two hours of cycles: one as they are, one in which each draws everything; and what cannot be avoided."""
    with tempfile.TemporaryDirectory() as name:
        progress(f"{GROUP.qos} QoS of {GROUP.users} users and {GROUP.runs:,} runs each")
        config = filled(Path(name), GROUP)
        hourly = hour(config, 1)
        commands = asked(config)
        config.write_text(config.read_text("utf-8") + EVERYTHING, "utf-8")
        drawing = hour(config, 2)
        imports, saving = command([sys.executable, "-c", f"import {', '.join(IMPORTS)}"]), savefig(config)
    yield Row("unavoidable: importing pandas, matplotlib and what it writes with", imports.wall, cpu=imports.cpu)
    yield Row("unavoidable: savefig of all pictures", saving.wall, cpu=saving.cpu)
    floor, all_drawn = imports.cpu + saving.cpu, min(drawing, key=lambda one: one.cpu)
    yield Row("CPU of a cycle that draws all", all_drawn.cpu, floor, "the unavoidable parts", 1.5, memory=all_drawn.mib)
    quiet = min(hourly[1:], key=lambda one: one.cpu)
    beside = "the unavoidable parts of one that draws all"
    yield Row("CPU of a cycle that closes no bin", quiet.cpu, floor, beside, QUIET, memory=quiet.mib)
    yield Row("a cycle that closes no bin", quiet.wall, None, "", QUICK, cpu=quiet.cpu, memory=quiet.mib)
    sums = [sum(one.cpu for one in cycles) for cycles in (hourly, drawing)]
    yield Row(f"CPU of the {HOUR} cycles of an hour", sums[0], sums[1], 'with pictures = "cycle"', DAY)
    yield Row("commands to Slurm in a cycle, two QoS", commands, None, "", COMMANDS, "")


def hour(config: Path, number: int) -> list[Taken]:
    """The cycles of an hour, the first of which closes a bin; one before it has done what is done once."""
    first = made.NOW + 3600 * number
    cycle(config, first - 600, 1)
    return [cycle(config, first + 600 * turn, 1) for turn in range(HOUR)]


def asked(config: Path) -> int:
    """How many commands the last cycle sent."""
    last = timings_file.read(config.parent / "state")[-1]
    return sum(spent.count for (_, _, name), spent in last.parts.items() if name)


def savefig(config: Path) -> Taken:
    """What matplotlib alone takes to save all pictures."""
    argv = [sys.executable, str(HERE / "savefig.py"), str(config), str(made.NOW + 3 * 3600)]
    told = json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=3600).stdout)
    progress(f"{told['pictures']} pictures")
    return Taken(told["wall"], told["cpu"], 0.0)
