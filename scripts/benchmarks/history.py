"""Whether a cycle costs the same after years: the same window, with more and more runs before it in the store."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import made
from benchmarks.local import configured, cycle
from benchmarks.table import Row
from benchmarks.tools import HERE, Taken, command, progress, quickest
from librarian import configfile, pipeline
from librarian.core.window import DAY
from librarian.slurm import accounting
from librarian.store import Asked, Scope, opened
from librarian.system import Answer, environment

A_MONTH = 100_000
MONTH = 30 * DAY
RECENT = 100  # runs that have ended in the last hour


def rows(sizes: tuple[int, ...]) -> Iterator[Row]:
    """A steady cycle with each of these numbers of runs in the store, 100,000 of them in the window."""
    first: Taken | None = None
    for size in sizes:
        progress(f"a store of {size:,} runs")
        with tempfile.TemporaryDirectory() as folder:
            taken = steady(Path(folder), size)
            file = (Path(folder) / "state" / "hpg.sqlite").stat().st_size
        first = first or taken
        what, beside = f"a cycle, {size:,} runs in the store ({file / 1e6:.0f} MB)", f"with {sizes[0]:,}"
        goal = None if taken is first else 1.2
        yield Row(what, taken.wall, first.wall, beside, goal, cpu=taken.cpu, memory=taken.mib)


def steady(folder: Path, size: int) -> Taken:
    """Months of `A_MONTH` runs, each kept as cycles of that time would have; then the quickest of three cycles."""
    config = configured(folder, ("avery",))
    (folder / "state").mkdir()
    setup, months = configfile.load(config, environment()), max(1, size // A_MONTH)
    for month in range(months):
        end = made.NOW - (months - 1 - month) * MONTH
        count = min(A_MONTH, size)
        text = made.sacct_text(count, seed=month, begin=end - MONTH, end=end, users=41, first=2**40 + month * A_MONTH)
        jobs = accounting.parse(Answer(0, text.encode(), ""), "hpg").jobs
        with opened(setup.places.store) as store:
            store.add(Scope("avery"), Asked(end - MONTH - 2 * DAY, end, 1.0, count, full=True), jobs, ())
        pipeline.look(setup)
    cycle(config, made.NOW + 600, RECENT)
    argv = [sys.executable, str(HERE / "cycle.py"), str(config)]
    return quickest([command([*argv, str(made.NOW + 600 * turn), str(RECENT)], 1) for turn in (2, 3, 4)])
