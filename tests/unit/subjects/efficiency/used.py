"""Rows of sacct with steps, and runs with what they used, for tests."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping

from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.subjects.efficiency.ask import FIELDS, HEADER
from librarian.subjects.efficiency.model import Run, Source, Use, UsedRun
from librarian.subjects.efficiency.steps import Row
from librarian.subjects.jobs.question import DELIMITER
from librarian.system.processes import Answer
from tests.unit.runs import T0

GIB = 1 << 30
MAIN = {
    **{"Cluster": "demo", "DBIndex": "7", "JobIDRaw": "1", "User": "alice", "Account": "a", "QOS": "avery"},
    **{"Partition": "cpu", "State": "COMPLETED", "Submit": str(T0), "Start": str(T0), "End": str(T0 + 100)},
    **{"ElapsedRaw": "100", "TimelimitRaw": "60", "UserCPU": "03:00.000", "SystemCPU": "00:20.000"},
    **{"TotalCPU": "03:20.000", "AllocTRES": "billing=4,cpu=4,mem=4096M,node=1"},
}
STEP = {**MAIN, "JobIDRaw": "1.batch", "User": "", "QOS": "", "Partition": "", "NTasks": "1"}
STEP |= {"MaxRSS": "1000", "TRESUsageInTot": "cpu=00:03:20,energy=0,fs/disk=5,mem=1000", "TRESUsageOutTot": "fs/disk=6"}


def line(base: Mapping[str, str] = MAIN, **changes: str) -> bytes:
    cells = {**base, **changes}
    return DELIMITER.join(cells.get(name, "") for name in FIELDS).encode()


def told(lines: Iterable[bytes], stderr: str = "", header: str = HEADER) -> Answer:
    return Answer(0, b"".join(one + b"\n" for one in (header.encode(), *lines)), stderr)


def row(step: str = "batch", start: int | None = 0, end: int | None = 100, **changes: str) -> Row:
    cells = {"total": "00:10.000", "user": "", "system": "", "rss": "", "tasks": "1", "used_in": "energy=0", "out": ""}
    cells |= changes
    times = (cells["user"], cells["system"], cells["total"])
    return Row(step, start, end, *times, cells["rss"], cells["tasks"], cells["used_in"], cells["out"])


def run(**changes: object) -> Run:
    fields: dict[str, object] = {
        **{"dbindex": 7, "jobid": 1, "user": UserName("alice"), "account": AccountName("a"), "qos": "avery"},
        **{"partition": PartitionName("cpu"), "state": "COMPLETED", "start": T0, "end": T0 + 100, "elapsed": 100},
        **{"limit": 3600, "alloc_tres": "cpu=4,mem=4096M,node=1"},
    }
    return Run(**{**fields, **changes})  # type: ignore[arg-type]


def measured(cpu: int | None = 200_000, memory: int | None = GIB, **changes: object) -> UsedRun:
    sources = (None if cpu is None else Source.STEPS, None if memory is None else Source.STEPS)
    use = Use(cpu=cpu, cpu_source=sources[0], memory=memory, memory_source=sources[1])
    return UsedRun(run(**changes), use)


def jobstats(nodes: object, **more: object) -> str:
    body = json.dumps({"nodes": nodes, **more}).encode()
    return "JS1:" + base64.b64encode(gzip.compress(body)).decode()
