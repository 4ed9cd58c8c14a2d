"""Where on its nodes a running job is: which CPUs, how much memory, which GPUs, from `scontrol show job -d`.

    -d   adds a line for the nodes that are alike: Nodes=c01 CPU_IDs=0-3 Mem=500 GRES=gpu:a100:2(IDX:0-1)

The same answer holds texts that the job's owner wrote (its name, comment, command), which may look like such lines. So
they count only where they stand in one piece, and add up to as many CPUs as the job holds; else nothing is known.
CPU_IDs are those of Slurm's abstract order, as are the indexes of GPUs; see scontrol(1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from librarian.errors import SlurmError
from librarian.shared.tres import parse_tres
from librarian.slurm.command import Slurm

_LINE = re.compile(r"     Nodes=(\S{1,4000}) CPU_IDs=([0-9,-]{0,4000}) Mem=([0-9]{1,15}) GRES=(\S{0,4000})")
_INDEX = re.compile(r"\(IDX:([0-9,-]+)\)")
_MOST_CPUS = 2**20


@dataclass(frozen=True)
class Placed:
    """What a job holds on each of some `nodes` (Slurm's text): `cpus` and `gpus` are ranges of ids ("": none, or not
    told), `memory` MiB, `gres` as Slurm has it."""

    nodes: str
    cpus: str
    memory: int
    gres: str

    @property
    def gpus(self) -> str:
        """The indexes of its GPUs, of each kind."""
        return ",".join(
            index
            for one in re.split(r",(?![^()]*\))", self.gres)
            if one.startswith("gpu")
            for index in _INDEX.findall(one)
        )


def ask(slurm: Slurm, job: str, alloc_tres: str) -> tuple[Placed, ...]:
    """Where a running job is; empty where that is not told."""
    try:
        text = slurm.run("scontrol", ("show", "job", "-d", job)).text
    except SlurmError:  # of all else sacct has told
        return ()
    return parse(text, parse_tres(alloc_tres).get("cpu", 0))


def parse(text: str, cpus: float) -> tuple[Placed, ...]:
    """The lines on nodes in one job's answer, which holds so many CPUs."""
    blocks: list[list[Placed]] = []
    inside = False
    for line in text.split("\n"):
        found = _LINE.fullmatch(line)
        if found and not inside:
            blocks.append([])
        if found:
            blocks[-1].append(Placed(found[1], found[2], int(found[3]), "" if found[4] == "(null)" else found[4]))
        inside = found is not None
    if len(blocks) != 1 or sum(count(one.cpus) * nodes(one.nodes) for one in blocks[0]) != cpus:
        return ()
    return tuple(blocks[0])


def count(ranges: str) -> int:
    """How many numbers are in ranges such as `0-3,7`; 0 for what is none."""
    found = 0
    for part in ranges.split(","):
        ends = re.fullmatch("([0-9]{1,7})(?:-([0-9]{1,7}))?", part)
        if ends is None:
            return 0
        found += max(0, int(ends[2] or ends[1]) - int(ends[1]) + 1)
    return found if found <= _MOST_CPUS else 0


def nodes(text: str) -> int:
    """How many nodes a list of Slurm's names: `c01`, `c[01-03,07],d1`; 0 for what is none."""
    parts: Sequence[str] = re.split(r",(?![^\[]*\])", text)
    found = 0
    for part in parts:
        inside = re.findall(r"\[([^\]]*)\]", part)
        each = [count(ranges) for ranges in inside]
        product = 1
        for one in each:
            product *= one
        found += product if part else 0
    return found
