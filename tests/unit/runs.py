"""Runs for a made-up Slurm; light to import, since stand-ins for Slurm's commands do."""

from __future__ import annotations

from dataclasses import replace

from librarian.demo.runs import Run

T0 = 1_793_000_000


def run_of(number: int, **changes: object) -> Run:
    base = Run(
        **{"dbindex": 2**63 + number, "jobid": number, "job": str(number), "user": "alice", "uid": 1, "account": "a"},
        **{"qos": "avery", "partition": "cpu", "state": "COMPLETED", "submit": T0, "eligible": T0, "start": T0 + 10},
        **{"end": T0 + 5000, "suspended": 0, "alloc_tres": "cpu=4,mem=1G", "req_tres": "cpu=4", "nodes": 1},
    )
    return replace(base, **changes)  # type: ignore[arg-type]
