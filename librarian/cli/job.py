"""`librarian job`: the card of one job, asked of Slurm at once; neither the store nor its lock is touched."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from librarian import __version__
from librarian.cli import common
from librarian.errors import LibrarianError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.subjects.efficiency.ask_job import Told

UNKNOWN, SEVERAL = 1, 2  # exit statuses


def job(options: argparse.Namespace) -> int:
    """Print the card of a job; status 1 and a line where Slurm knows no such job."""
    from librarian.subjects.efficiency import ask_job, card

    setup = common.setup_of(options)
    slurm, cluster = common.slurm_of(setup), setup.config.cluster.name
    now = host.clock()
    told = ask_job.ask(slurm, options.id, cluster, now)
    tasks = ask_job.tasks_of(told)
    if len(tasks) > 1 or not tasks:
        return _not_one(options.id, tasks)
    *earlier, last = told
    newest = ask_job.whole(slurm, last, cluster)
    rules = setup.config.efficiency.rules
    if options.html:
        _write(options.html, _page(newest, earlier, setup, now))
    elif options.json:
        print(json.dumps(card.card_json(newest, rules, earlier), indent=1), flush=True)
        return 0
    else:
        print("\n".join(card.lines(newest, rules, setup.zone, earlier)), flush=True)
    if options.verdict and options.html != "-":
        print(f"WARNING={'true' if card.found(newest, rules) else 'false'}", flush=True)
    return 0


def _page(told: Told, earlier: Sequence[Told], setup: Setup, now: int) -> bytes:
    from librarian.site import assets
    from librarian.subjects.efficiency import job_page

    rules, templates = setup.config.efficiency.rules, assets.templates()
    page = job_page.page(told, rules, setup.zone, now, earlier, templates=templates, version=__version__)
    return page.encode("utf-8", "replace")


def _write(target: str, data: bytes) -> None:
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        host.write_atomic(Path(target).absolute(), data)
    except OSError as error:
        raise LibrarianError(f"{target} could not be written", error.strerror or str(error)) from error


def _not_one(job: str, tasks: Sequence[str]) -> int:
    if not tasks:
        why = "it does not exist, is older than what accounting keeps, or is not yours to see"
        print(f"librarian: Slurm knows no job {job}: {why}", file=sys.stderr)
        return UNKNOWN
    text = f"{job} is a job array of {len(tasks)} tasks; name one of them, such as {tasks[0]}"
    print(f"librarian: {text}", file=sys.stderr)
    return SEVERAL
