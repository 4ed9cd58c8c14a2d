"""Jobs for the user's own cluster, through `sbatch`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from librarian.errors import SlurmError
from librarian.slurm.command import Slurm


def submit(slurm: Slurm, script: Path, options: Sequence[str] = ()) -> str:
    """Submit a script; returns the job's id. Raises `SlurmError` when Slurm does not take it."""
    told = slurm.run("sbatch", ["--parsable", *options, str(script)]).text.strip()
    job = told.partition(";")[0]  # behind it may be the cluster
    if not re.fullmatch(r"[0-9]+", job):
        raise SlurmError("sbatch told no job", told)
    return job


def after_all(job: str) -> list[str]:
    """Options for a job that begins when all tasks of `job` went well, and is dropped when one did not."""
    return [f"--dependency=afterok:{job}", "--kill-on-invalid-dep=yes"]
