"""Limits of the QoS from `sacctmgr show qos`: what the group, an account, a user and a job may hold."""

from __future__ import annotations

from librarian.errors import SlurmError, Trouble
from librarian.shared.resources import JOBS
from librarian.shared.tres import SIZES, parse_tres
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration
from librarian.subjects.limits.rules import SUBMITTED, WALLTIME, QosLimits, percentages

# sacctmgr's field -> our name of the setting and its resource ("": the field is a TRES text). The names of the fields
# are the same in 22.05, 24.11 and 26.05.
COLUMNS = {
    "GrpTRES": ("GrpTRES", ""),
    "GrpJobs": ("GrpJobs", JOBS),
    "GrpSubmit": ("GrpSubmitJobs", SUBMITTED),
    "MaxTRES": ("MaxTRES", ""),
    "MaxTRESPU": ("MaxTRESPerUser", ""),
    "MaxTRESPA": ("MaxTRESPerAccount", ""),
    "MaxJobsPU": ("MaxJobsPerUser", JOBS),
    "MaxJobsPA": ("MaxJobsPerAccount", JOBS),
    "MaxSubmitPU": ("MaxSubmitJobsPerUser", SUBMITTED),
    "MaxSubmitPA": ("MaxSubmitJobsPerAccount", SUBMITTED),
    "MaxWall": ("MaxWall", WALLTIME),
}
HEADER = "|".join(("Name", *COLUMNS, "Flags"))
ARGUMENTS = ("-P", "show", "qos", f"format={HEADER.replace('|', ',').lower()}")


def ask(slurm: Slurm) -> dict[str, QosLimits]:
    """Limits of every QoS, by name as Slurm writes it. Raises `SlurmError`."""
    return parse(slurm.run("sacctmgr", ARGUMENTS).text)


def parse(text: str) -> dict[str, QosLimits]:
    """Read the table; an empty field is no limit. Raises `SlurmError` when it is not the one that was asked for."""
    lines = text.splitlines()
    if not lines or lines[0].lower() != HEADER.lower():
        raise SlurmError("sacctmgr gave no table of QoS", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    if len(lines) < 2:  # slurmdbd has one at least: a header alone is an answer that was lost
        raise SlurmError("sacctmgr names no QoS at all", trouble=Trouble.NOT_BELIEVED)
    found = {}
    for line in lines[1:]:
        name, *fields = [*[""] * (len(COLUMNS) + 1), *line.rsplit("|", len(COLUMNS) + 1)][-len(COLUMNS) - 2 :]
        try:
            rules = rules_of(dict(zip(COLUMNS.values(), fields, strict=False)))
        except ValueError as error:
            what = f"sacctmgr's limits of QoS {name!r} are not understood"
            raise SlurmError(what, str(error), trouble=Trouble.NOT_UNDERSTOOD) from error
        flags = tuple(flag for flag in fields[-1].split(",") if flag)
        percent = percentages(rules, flags)
        rules |= {setting: _bare(rules[setting]) for setting in percent}
        tres, jobs = rules.pop("GrpTRES", {}), rules.pop("GrpJobs", {}).get(JOBS)
        found[name] = QosLimits(tres, jobs, rules, flags, percent=percent)
    return found


def rules_of(fields: dict[tuple[str, str], str]) -> dict[str, dict[str, float]]:
    """Limits by setting and resource, from the texts of the fields; what is not set is left out. `ValueError`."""
    found: dict[str, dict[str, float]] = {}
    for (setting, resource), text in fields.items():
        if resource == WALLTIME:
            values = {resource: float(parse_duration(text))} if text else {}
        elif resource:
            values = {resource: float(text)} if text else {}
        else:
            values = dict(parse_tres(text))
        if values:
            found[setting] = values
    return found


def _bare(values: dict[str, float]) -> dict[str, float]:
    """Percentages as they were written: sacctmgr takes a bare number for MiB where the resource has a size."""
    return {name: value * 1024 if name in SIZES else value for name, value in values.items()}
