"""scrontab: the user's table, and the jobs of its entries."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from librarian.errors import LibrarianError, SlurmError
from librarian.scrontab.watch import CronJob
from librarian.slurm.command import Slurm, complaint

_NONE_YET = "no crontab for"
_FIELDS = ("JobID", "Name", "State", "Reason", "StartTime", "TimeUsed")
_DELIMITER = "\x1f"
_NO_SCRONTAB = "Slurm's scrontab cannot be used here"


class NoScrontabError(SlurmError):
    """There is no scrontab on this machine, or the cluster does not allow it."""


def read(slurm: Slurm) -> str:
    """The user's table, "" where there is none; else as `look`."""
    return look(slurm) or ""


def look(slurm: Slurm) -> str | None:
    """The user's table, None where Slurm says that there is none. Of a table that was emptied scrontab prints nothing,
    with status 0. Bytes that are no UTF-8 come as surrogates, to be written as they were.

    Raises `NoScrontabError` where scrontab is missing or switched off, `SlurmError` when it does not answer.
    """
    try:
        answer = slurm.runner(slurm.argv("scrontab", ["-l"]), timeout=slurm.timeout, env=slurm.environment)
    except LibrarianError as error:
        if "could not be started" in error.what:
            raise NoScrontabError(_NO_SCRONTAB, error.why, "use cron or systemd instead") from error
        raise SlurmError(error.what, error.why, error.todo) from error
    said = complaint(answer)
    if answer.status == 0:
        return answer.stdout.decode("utf-8", "surrogateescape")
    if _NONE_YET in said:
        return None
    if "disabled" in said or "not enabled" in said:
        raise NoScrontabError(_NO_SCRONTAB, said, "use cron or systemd instead")
    raise SlurmError(f"scrontab -l failed with status {answer.status}", said)


def write(slurm: Slurm, file: Path) -> None:
    """Put the table in `file` in the place of the user's. Raises `SlurmError`; the old table then stays."""
    slurm.run("scrontab", [str(file)])


def jobs(slurm: Slurm, names: Collection[str]) -> tuple[CronJob, ...]:
    """The jobs of the entries that are called one of `names`: by name, and only those that Slurm calls cron jobs.

    Raises `SlurmError`.
    """
    form = ",".join(f"{field}:{_DELIMITER}" for field in _FIELDS)
    answer = slurm.run("squeue", ["--noheader", "--me", f"--name={','.join(sorted(names))}", "-O", form])
    found = [parse(line) for line in answer.text.splitlines() if line.strip()]
    return tuple(job for job in found if job.name in names and _is_cron(slurm, job.job))


def parse(line: str) -> CronJob:
    """A line of squeue's. Raises `SlurmError` when it has not our fields."""
    parts = [part.strip() for part in line.split(_DELIMITER)]
    if len(parts) < len(_FIELDS):
        raise SlurmError("squeue's answer is not understood", line[:200])
    job, name, state, reason, start, used = parts[: len(_FIELDS)]
    running = _seconds(used) if state == "RUNNING" else None
    return CronJob(job, name, state, reason, int(start) if start.isdigit() else None, running)


def _is_cron(slurm: Slurm, job: str) -> bool:
    return re.search(r"\bCronJob=Yes\b", slurm.run("scontrol", ["show", "job", job]).text) is not None


def requeue(slurm: Slurm, job: str) -> None:
    """End a firing; its entry stays and fires again at its next time. Raises `SlurmError`."""
    slurm.run("scontrol", ["requeue", job])


def _seconds(text: str) -> int:
    """Seconds of squeue's `[days-]hours:minutes:seconds`, 0 for what is none."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in parts) or (days and not days.isdigit()):
        return 0
    seconds = 86400 * int(days or 0)
    for place, part in enumerate(reversed(parts)):
        seconds += int(part) * 60**place
    return seconds
