"""What whole cycles on a made-up Slurm are tested with: a configuration, runs of jobs, pictures that nobody draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from librarian import config
from librarian.config import setup
from librarian.config.setup import Setup
from librarian.cycle import assemble, housekeeping, pictures, stages
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.render.pictures.figure import Picture
from librarian.site import folder as sitefolder
from librarian.subjects.jobs.keep import JobRuns
from librarian.subjects.usage.keep import Hours
from tests.unit.runs import run_of

NOW = 1_793_100_000
BASE = """
[cluster]
name = "demo"
timezone = "US/Eastern"
[paths]
state = "state"
site = "site"
"""
TWO_DAYS = "[report]\nwindow_days = 2\n"
WEB = '[[publish]]\nkind = "folder"\npath = "web"\n'
AVERY, AVERY_B = (f'[[qos]]\nname = "{name}"\n' for name in ("avery", "avery-b"))
STEPS: dict[str, tuple[Any, str]] = {
    "sacct": (DemoSlurm, "_sacct"),
    "the answer": (JobRuns, "_put_jobs"),
    "the answer's end": (JobRuns, "_cover"),
    "hourly usage": (Hours, "keep"),
    "the pictures": (pictures, "draw_one"),
    "the page": (assemble, "render_page"),
    "the folder": (sitefolder, "_fill"),
    "the swap": (sitefolder, "_swap"),
    "the old site's end": (sitefolder, "remove_tree"),
    "publishing": (stages, "publish"),
    "housekeeping": (housekeeping, "tidy"),
}
"""What a run may be doing when it is ended: a module or a class, and the name of a function of it."""


def configured(folder: Path, text: str) -> Setup:
    """The configuration `text` as that of `folder`."""
    return setup.setup(config.parse(text), folder, {})


def ended(number: int, **changes: object) -> Run:
    """A run that ended an hour before `NOW`, after an hour."""
    times = {"submit": NOW - 9000, "eligible": NOW - 9000, "start": NOW - 7200, "end": NOW - 3600}
    return run_of(number, **{**times, **changes})


def leave_out_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that do not look at the pictures need not wait for them."""
    monkeypatch.setattr(pictures, "draw_one", lambda subject, report, name: Picture(name, b"png", b"pdf"))
