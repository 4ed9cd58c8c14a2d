#!/usr/bin/env python3
"""One cycle of Librarian's at NOW (UTC epoch), with a Slurm that answers at once: `cycle.py CONFIG NOW [RUNS]`.

RUNS job runs have ended in the last hour before NOW, for each QoS; without them the configuration's own commands are
asked. So what is measured is ours alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.slurm.command import Slurm
from librarian.system.host import environment

FIRST = 2**50


def recent(qos: str, now: int, count: int, users: int) -> list[Run]:
    """Runs that have ended in the hour before `now`, with ids that no other time or QoS has."""
    runs = []
    for number in range(count):
        index, end = FIRST + (now + sum(map(ord, qos))) * 10_000 + number, now - 1 - number * 3600 // max(count, 1)
        start, cpus = end - 30 - number * 7919 % 7200, 1 << number % 7
        tres = f"billing={cpus},cpu={cpus},gres/gpu={cpus // 16},mem={cpus * 4096}M,node=1"
        name = f"user{number * 31 % users:03d}"
        who = (index, index, str(index), name, 5000, "avery", qos, "cpu")
        runs.append(Run(*who, "COMPLETED", start - 60, start - 60, start, end, 0, tres, tres, 1))
    return runs


def main() -> int:
    """Run the cycle; what fails is told."""
    setup, now = configfile.load(Path(sys.argv[1]), environment()), int(sys.argv[2])
    slurm = made_up(setup, now, int(sys.argv[3])) if sys.argv[3:] else Slurm(setup.config.slurm.bin_dir)
    problems = stages.run(setup, slurm, now)
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


def made_up(setup: Setup, now: int, count: int) -> Slurm:
    """A Slurm that tells of these runs."""
    names = [entry.name for entry in setup.config.qos]
    runs = [run for name in names for run in recent(name, now, count, 41)]
    limits = dict.fromkeys(names, ("cpu=4300,gres/gpu=390,mem=33590G", ""))
    return Slurm(runner=DemoSlurm(runs, now=now, cluster=setup.config.cluster.name, limits=limits))


if __name__ == "__main__":
    sys.exit(main())
