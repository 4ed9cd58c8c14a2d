"""Whether a cycle costs the same after years: the same window, with more and more runs before it in the store."""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import made
from benchmarks.local import cycle
from benchmarks.table import Row
from benchmarks.tools import HERE, Taken, command, progress, quickest
from librarian.config import setup as configfile
from librarian.cycle import stages
from librarian.shared.scope import Scope
from librarian.shared.window import DAY
from librarian.store import opened
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.system.host import environment
from librarian.system.processes import Answer

A_MONTH = 100_000
MONTH = 30 * DAY
RECENT = 100  # runs that have ended in the last hour


def rows(sizes: tuple[int, ...]) -> Iterator[Row]:
    """A steady cycle with each of these numbers of runs in the store, 100,000 of them in the window."""
    with tempfile.TemporaryDirectory() as name:
        configs = {}
        for size in sizes:
            progress(f"a store of {size:,} runs")
            configs[size] = filled(Path(name) / str(size), size)
        taken: dict[int, list[Taken]] = {size: [] for size in sizes}
        for turn, (size, config) in itertools.product((2, 3, 4), configs.items()):  # in turn: the machine has moods
            argv = [sys.executable, str(HERE / "cycle.py"), str(config), str(made.NOW + 600 * turn), str(RECENT)]
            taken[size].append(command(argv, 1))
        first = quickest(taken[sizes[0]])
        for size, config in configs.items():
            file = (config.parent / "state" / "hpg.sqlite", "hpg").stat().st_size
            ours, goal = quickest(taken[size]), None if size == sizes[0] else 1.2
            what, beside = f"a cycle, {size:,} runs in the store ({file / 1e6:.0f} MB)", f"with {sizes[0]:,}"
            yield Row(what, ours.wall, first.wall, beside, goal, cpu=ours.cpu, memory=ours.mib)


def filled(folder: Path, size: int) -> Path:
    """Months of `A_MONTH` runs, each kept as cycles of that time would have, and one cycle; the configuration."""
    folder.mkdir()
    config = made.configured(folder, ("avery",))
    (folder / "state").mkdir()
    setup, months = configfile.load(config, environment()), max(1, size // A_MONTH)
    for month in range(months):
        end = made.NOW - (months - 1 - month) * MONTH
        count = min(A_MONTH, size)
        text = made.sacct_text(count, seed=month, begin=end - MONTH, end=end, users=41, first=2**40 + month * A_MONTH)
        jobs = ask.parse(Answer(0, text.encode(), ""), "hpg").jobs
        with opened(setup.places.store, setup.config.cluster.name) as store:
            JobRuns(store).add(
                Scope("hpg", "avery"), Asked(end - MONTH - 2 * DAY, end, 1.0, count, full=True), jobs, ()
            )
        stages.look(setup)
    cycle(config, made.NOW + 600, RECENT)
    return config
