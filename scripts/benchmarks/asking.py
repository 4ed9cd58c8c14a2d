"""What a person waits for who asks what is so now: `librarian limits`, `librarian queue`, beside Slurm's own commands.

Stand-ins for these give at once what the demo's Slurm answered, and so take next to nothing; what they take is told.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import made, stand_in
from benchmarks.table import Row
from benchmarks.tools import command
from librarian.config import setup as configfile
from librarian.cycle.parts import chosen
from librarian.demo.runs import Run
from librarian.demo.slurm import DemoSlurm
from librarian.demo.tables import Rulebook
from librarian.shared.scope import Scope
from librarian.slurm.command import Slurm
from librarian.subjects.limits import now
from librarian.subjects.queue import ask
from librarian.subjects.queue.table import HOLDING, WAITING
from librarian.system.processes import Answer

BEYOND, MEMORY = 0.35, 30  # the most that each may take beyond Slurm's commands, and MiB in all
LIMITS = {"avery": ("cpu=4000,mem=16T,gres/gpu=40", ""), "avery-b": ("cpu=9000", "")}
BOOK = Rulebook(qos={"avery": {"MaxTRESPU": "cpu=400", "MaxSubmitPU": "2000"}}, partitions={"cpu": "", "gpu": ""})


def rows() -> Iterator[Row]:
    """A row for the time and one for the memory of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = answered(folder)
        program = [sys.executable, "-m", "librarian", "--config", str(folder / "librarian.toml")]
        for word in ("limits", "queue"):
            slurm = command(["sh", "-c", "; ".join(f"{shlex.join(argv)} >/dev/null" for argv in asked[word])], 5)
            ours = command([*program, word, "avery"], 5)
            beside = f"goal: beyond Slurm's own {len(asked[word])} commands, here {slurm.wall:.3f} s"
            yield Row(f"librarian {word}", ours.wall - slurm.wall, None, beside, BEYOND, cpu=ours.cpu, memory=ours.mib)
            yield Row(f"librarian {word}, memory", ours.mib, None, "", MEMORY, "MiB")


def answered(folder: Path) -> Mapping[str, Sequence[Sequence[str]]]:
    """A configuration in `folder` with stand-ins for Slurm; which of their commands each of ours runs."""
    stand_in.put(folder / "bin")
    config = folder / "librarian.toml"
    config.write_text(f'[cluster]\nname = "hpg"\n[slurm]\nbin_dir = "{folder}/bin"\n[[qos]]\nname = "avery"\n', "utf-8")
    asked: list[list[str]] = []
    demo = DemoSlurm(jobs(), now=made.NOW, cluster="hpg", limits=LIMITS, rules=BOOK)

    def heard(argv: Sequence[str], *, timeout: float, env: Mapping[str, str]) -> Answer:
        answer = demo([Path(argv[0]).name, *argv[1:]], timeout=timeout, env=env)
        stand_in.keep(argv, answer.stdout)
        asked.append([str(part) for part in argv])
        return answer

    slurm = Slurm(str(folder / "bin"), runner=heard)
    now.ask(slurm, "hpg", chosen(configfile.load(config, {}), ["avery"]), made.NOW)
    limits = list(asked)
    ask.ask(slurm, ask.Question(Scope("hpg", "avery"), (*WAITING, *HOLDING)))
    common = [argv for argv in limits if not argv[0].endswith("sacct") and "assoc_mgr" not in argv]
    return {"limits": limits, "queue": [*common, asked[-1]]}


def jobs() -> list[Run]:
    """500 jobs that run and 1000 that wait, of 40 users."""
    return [job(number, runs=number < 500) for number in range(1500)]


def job(number: int, *, runs: bool) -> Run:
    """One of them."""
    tres = f"billing=8,cpu={1 + number % 16},gres/gpu={number % 2},mem=32G,node=1"
    began, user = made.NOW - 60 * (number + 10), f"user{number % 40:02d}"
    return Run(
        **{"dbindex": number + 1, "jobid": number + 1, "job": str(number + 1), "user": user, "uid": number % 40},
        **{"account": "lab", "qos": "avery", "partition": "cpu", "state": "RUNNING" if runs else "PENDING"},
        **{"submit": began - 60, "eligible": began - 60, "start": began if runs else None, "end": None, "suspended": 0},
        **{"alloc_tres": tres if runs else "", "req_tres": tres, "nodes": 1},
    )
