"""The demo's site: the whole pipeline, on the answers of a made-up cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from librarian import config
from librarian.config import setup as configfile
from librarian.cycle import stages
from librarian.demo.group import changes_of_limits, limits_at, simulate
from librarian.demo.queue import waiting_at
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.demo.weeks import CYCLE, DAY
from librarian.errors import LibrarianError
from librarian.health import agreed
from librarian.slurm.command import Slurm
from librarian.store import opened
from librarian.subjects.queue.keep import QueueSamples

SAMPLED = 1800  # seconds between two samples of the queue

CONFIG = """
[privacy]
accounts = true
jobs = true
[cluster]
name = "demo"
timezone = "US/Eastern"

[site]
title = "Avery Lab"

[efficiency]
currency = "EUR"
price_cpu_hour = 0.01
price_gpu_hour = 0.6
price_gib_hour = 0.001
co2_cpu_hour = 4
co2_gpu_hour = 130

[[qos]]
name = "avery"
title = "Avery group"

[[qos]]
name = "avery-b"
title = "Avery group, burst"

[allocation]
gpu_years = 10
cpu_hours = 3_200_000
from = "2025-07-01"
qos = ["avery"]
"""
# For how long somebody has been looking: months and an allocation need a past. Windows of 30 days overlap.
_LOOKS, _APART = 4, 29 * DAY


def write(site: Path, state: Path, now: int, environment: Mapping[str, str]) -> list[LibrarianError]:
    """Write the demo's site to `site`, with the store in `state`; returns what failed. Raises `LibrarianError`."""
    setup = configfile.setup(config.parse(CONFIG, "the demo"), state, environment)
    places = configfile.Places(state, state, site, state / "demo.sqlite")
    setup = configfile.Setup(setup.config, places, setup.zone)
    runs = simulate(now, days=_LOOKS * 29 + 31)
    for moment in range(now - _LOOKS * _APART, now, _APART):  # what cycles of those months would have kept
        then = [run for run in runs if run.submit < moment and (run.end is None or run.end > moment - _APART - 2 * DAY)]
        stages.collect_all(setup, _slurm(then, moment), moment)
        stages.look(setup)
    begin = now - 2 * CYCLE
    for moment in (begin, *changes_of_limits(begin, now)):  # as cycles in those weeks would have seen the limits
        stages.observe(setup, _slurm([], moment), moment)
    runs = simulate(now)
    _remember_queues(setup, runs, now)
    agreed.keep(state, now - DAY)  # as `librarian verify` does
    recent = [run for run in runs if run.end is None or run.end > now - 45 * DAY]
    return stages.run(setup, _slurm(recent, now), now)


def _remember_queues(setup: configfile.Setup, runs: Sequence[Run], now: int) -> None:
    """The samples of the queue that cycles in the window would have left, one a half hour."""
    end = now - now % SAMPLED
    moments = range(end - setup.config.report.window_days * DAY, end, SAMPLED)
    with opened(setup.places.store, setup.config.cluster.name) as store:
        for entry in setup.config.qos:
            for moment, wanted in waiting_at(runs, entry.name, moments).items():
                QueueSamples(store).add(setup.config.scope(entry), moment, wanted)


def _slurm(runs: Sequence[Run], now: int) -> Slurm:
    return Slurm(runner=DemoSlurm(runs, now=now, limits=limits_at(now)))
