"""Summaries that Princeton's jobstats leaves in AdminComment: `JS1:` and base64 of gzip of JSON. Pure.

    {"nodes": {"c01": {"cpus": 4, "total_time": 99.5, "total_memory": 4294967296, "used_memory": 1073741824,
                       "gpu_utilization": {"0": 37.5}, "gpu_total_memory": {"0": …}, "gpu_used_memory": {"0": …}}},
     "total_time": 3600, "gpus": 1}

`total_time` of a node is CPU-seconds, of the whole the seconds that the job ran; per cent are means over all of the
job. `JS1:Short` stands for a job that ended before it was sampled, `JS1:None` for one of which nothing was found.

sacctmgr of Slurm 22.05 stores a comment in lower case (seen): base64 does not survive that, and is refused.

Whatever an admin or a program wrote there is read within bounds, and refused with a reason that repeats none of it.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from librarian.subjects.efficiency.model import Flag, Peak, Source, Use

PREFIX = "JS1:"
LONGEST = 1 << 20  # characters
_UNPACKED = 8 << 20  # bytes: some thousands of nodes
_NODES, _GPUS = 20_000, 64  # of a job, of a node
_MOST_SECONDS, _MOST_BYTES = 2**40, 2**50


@dataclass(frozen=True)
class Refused:
    """Why a summary is not believed; in our words alone."""

    reason: str


def parse(text: str, elapsed: int) -> Use | Refused | None:
    """What AdminComment tells of a run that ran for `elapsed` seconds; None where it holds no summary."""
    if text[: len(PREFIX)].upper() != PREFIX:
        return None
    packed = text[len(PREFIX) :].strip()
    if packed.lower() in ("short", "none"):
        return Use(flags=frozenset({Flag.SHORT if packed.lower() == "short" else Flag.NO_STATS}))
    try:
        return _use(_unpacked(packed), elapsed)
    except _RefusedError as error:
        return Refused(str(error))


class _RefusedError(Exception):
    pass


def _unpacked(packed: str) -> Mapping[str, Any]:
    if len(packed) > LONGEST:
        raise _RefusedError("too long")
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise _RefusedError("not base64") from None
    unpacking = zlib.decompressobj(31)  # gzip alone
    try:
        body = unpacking.decompress(data, _UNPACKED)
    except zlib.error:
        raise _RefusedError("not gzip") from None
    if unpacking.unconsumed_tail:
        raise _RefusedError("larger than it may be when it is unpacked")
    if not unpacking.eof:
        raise _RefusedError("cut off")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested without end
        raise _RefusedError("not JSON") from None
    if not isinstance(found, dict):
        raise _RefusedError("no object")
    return found


def _use(told: Mapping[str, Any], elapsed: int) -> Use:
    nodes = told.get("nodes")
    if not isinstance(nodes, dict) or not nodes or len(nodes) > _NODES:
        raise _RefusedError("no nodes")
    each = list(nodes.values())
    if not all(isinstance(node, dict) for node in each):
        raise _RefusedError("a node that is no object")
    cpu = _total("total_time", each, _MOST_SECONDS)
    memory = _total("used_memory", each, _MOST_BYTES)
    shares = _by_gpu("gpu_utilization", each, 100)
    gpu_memory = _by_gpu("gpu_used_memory", each, _MOST_BYTES)
    return Use(
        cpu=None if cpu is None else round(cpu * 1000),
        cpu_source=None if cpu is None else Source.JOBSTATS,
        memory=None if memory is None else round(memory),
        memory_source=None if memory is None else Source.JOBSTATS,
        peak=None if memory is None else Peak.NODES,
        gpu=None if shares is None else round(math.fsum(shares) * 10 * elapsed),
        gpu_source=None if shares is None else Source.JOBSTATS,
        gpu_memory=None if gpu_memory is None else round(math.fsum(gpu_memory)),
    )


def _total(name: str, nodes: Iterable[Mapping[str, Any]], most: float) -> float | None:
    """The sum over nodes; None where one of them does not tell it."""
    values = [node.get(name) for node in nodes]
    return None if None in values else math.fsum(_number(value, most) for value in values)


def _by_gpu(name: str, nodes: Iterable[Mapping[str, Any]], most: float) -> list[float] | None:
    """What each GPU of each node came to; None where no node tells it."""
    found: list[float] = []
    told = False
    for node in nodes:
        by_index = node.get(name)
        if by_index is None:
            continue
        if not isinstance(by_index, dict) or len(by_index) > _GPUS:
            raise _RefusedError("GPUs that are no object")
        told = told or bool(by_index)
        found += [_number(value, most) for value in by_index.values()]
    return found if told else None


def _number(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise _RefusedError("a number that cannot be")
    return float(value)
