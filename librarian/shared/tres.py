"""TRES strings (trackable resources, as in AllocTRES, ReqTRES and GrpTRES) to numbers.

`billing=8,cpu=8,gres/gpu:a100=2,gres/gpu=2,mem=32768M,node=1`; see the section TRES of sacctmgr(1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

Counts = Mapping[str, float]

_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTPE]?)(?:i?B)?[nc]?", re.IGNORECASE)
_UNIT = {unit: 1024.0**power for power, unit in enumerate("KMGTPE", start=1)}
_GIB = 1024.0**3
_MOST = 2.0**64  # Slurm counts in 64 bits, and tells an energy of 2^64 - 2 where it knows none
SIZES = ("mem", "vmem", "fs/disk", "gres/gpumem")


def parse_tres(text: str) -> Counts:
    """Counts by TRES name; sizes (mem, vmem, fs/disk, gres/gpumem) in GiB.

    A size without a unit is in MiB, Slurm's own unit for memory, and other counts may have units too (`cpu=2K`).
    An unlimited entry, `N`, is left out. Raises `ValueError` with the entry that is not understood.
    """
    counts: dict[str, float] = {}
    for entry in text.split(","):
        if not entry:
            continue
        name, equals, value = entry.rpartition("=")
        if not equals or not name:
            raise ValueError(f"not a TRES: {entry!r}")
        if value != "N":
            counts[name] = parse_size(value) if name in SIZES else _count(value)
    return MappingProxyType(counts)


def parse_size(text: str) -> float:
    """A size such as `32768M`, `2.50G`, `1T` or a bare number of MiB, in GiB. Raises `ValueError`."""
    match = _NUMBER.fullmatch(text)
    if not match or float(match[1]) > _MOST:
        raise ValueError(f"not a size: {text!r}")
    unit = match[2].upper() or "M"
    return float(match[1]) * _UNIT[unit] / _GIB


def _count(text: str) -> float:
    match = _NUMBER.fullmatch(text)
    if not match or float(match[1]) > _MOST:
        raise ValueError(f"not a count: {text!r}")
    unit = match[2].upper()
    return float(match[1]) * (1000.0 ** ("KMGTPE".index(unit) + 1) if unit else 1.0)


def cpus(counts: Counts) -> float:
    """CPUs."""
    return counts.get("cpu", 0.0)


def memory_gib(counts: Counts) -> float:
    """Memory in GiB."""
    return counts.get("mem", 0.0)


def billing(counts: Counts) -> float:
    """Billing units, the site's own weighting of resources (TRESBillingWeights)."""
    return counts.get("billing", 0.0)


def gpus(counts: Counts) -> float:
    """GPUs of all types.

    Where Slurm tracks typed and untyped GPUs a job holds both entries for the same devices, so the untyped one counts
    alone; where only typed ones are tracked they add up. `gres/gpumem`, `gres/gpuutil` and `gres/shard` are
    other things.
    """
    for name in ("gres/gpu", "gpu"):
        if name in counts:
            return counts[name]
    return sum(gpu_types(counts).values())


def gpu_types(counts: Counts) -> dict[str, float]:
    """GPUs by type, e.g. {"a100": 2.0}; MIG slices are types of their own (`a100_1g.5gb`)."""
    prefix = "gres/gpu:"
    return {name[len(prefix) :]: count for name, count in counts.items() if name.startswith(prefix) and count}
