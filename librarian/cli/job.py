"""`librarian job`: the card of one job, asked of Slurm at once; neither the store nor its lock is touched."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.system import host

if TYPE_CHECKING:
    pass

UNKNOWN, SEVERAL = 1, 2  # exit statuses


def job(options: argparse.Namespace) -> int:
    """Print the card of a job; status 1 and a line where Slurm knows no such job."""
    from librarian.subjects.efficiency import ask_job, card

    setup = common.setup_of(options)
    slurm, cluster = common.slurm_of(setup), setup.config.cluster.name
    told = ask_job.ask(slurm, options.id, cluster, host.clock())
    tasks = ask_job.tasks_of(told)
    if len(tasks) > 1 or not tasks:
        return _not_one(options.id, tasks)
    *earlier, last = told
    newest = ask_job.whole(slurm, last, cluster)
    rules = setup.config.efficiency.rules
    if options.json:
        print(json.dumps(card.card_json(newest, rules, earlier), indent=1), flush=True)
        return 0
    print("\n".join(card.lines(newest, rules, setup.zone, earlier)), flush=True)
    if options.verdict:
        print(f"WARNING={'true' if card.found(newest, rules) else 'false'}", flush=True)
    return 0


def _not_one(job: str, tasks: Sequence[str]) -> int:
    if not tasks:
        why = "it does not exist, is older than what accounting keeps, or is not yours to see"
        print(f"librarian: Slurm knows no job {job}: {why}", file=sys.stderr)
        return UNKNOWN
    text = f"{job} is a job array of {len(tasks)} tasks; name one of them, such as {tasks[0]}"
    print(f"librarian: {text}", file=sys.stderr)
    return SEVERAL
