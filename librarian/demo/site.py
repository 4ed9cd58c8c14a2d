"""The demo's site: the whole pipeline, on the answers of a made-up cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from librarian import config, configfile, pipeline
from librarian.demo.group import simulate
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError
from librarian.slurm.command import Slurm

CONFIG = """
[cluster]
name = "demo"
timezone = "US/Eastern"

[[qos]]
name = "avery"
title = "Avery group"

[[qos]]
name = "avery-b"
title = "Avery group, burst"
"""


def write(site: Path, state: Path, now: int, environment: Mapping[str, str]) -> list[LibrarianError]:
    """Write the demo's site to `site`, with the store in `state`; returns what failed. Raises `LibrarianError`."""
    setup = configfile.setup(config.parse(CONFIG, "the demo"), state, environment)
    places = configfile.Places(state, state, site, state / "demo.sqlite")
    slurm = Slurm(runner=DemoSlurm(simulate(now), now=now))
    return pipeline.run(configfile.Setup(setup.config, places, setup.zone), slurm, now)
