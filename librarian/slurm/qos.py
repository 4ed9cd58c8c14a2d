"""Limits of the QoS from `sacctmgr show qos`: which resources the group may hold together."""

from __future__ import annotations

from librarian.core.limits import QosLimits
from librarian.core.tres import parse_tres
from librarian.errors import SlurmError
from librarian.slurm.command import Slurm

ARGUMENTS = ("-P", "show", "qos", "format=name,grptres,grpjobs")


def ask(slurm: Slurm) -> dict[str, QosLimits]:
    """Limits of every QoS, by name as Slurm writes it. Raises `SlurmError`."""
    return parse(slurm.run("sacctmgr", ARGUMENTS).text)


def parse(text: str) -> dict[str, QosLimits]:
    """Read the table; an empty field is no limit. Raises `SlurmError` when it is not the one that was asked for."""
    lines = text.splitlines()
    if not lines or lines[0].lower() != "name|grptres|grpjobs":
        raise SlurmError("sacctmgr gave no table of QoS", text[:200])
    found = {}
    for line in lines[1:]:
        name, grp_tres, grp_jobs = ["", "", *line.rsplit("|", 2)][-3:]
        try:
            found[name] = QosLimits(parse_tres(grp_tres), float(grp_jobs) if grp_jobs else None)
        except ValueError as error:
            raise SlurmError(f"sacctmgr's limits of QoS {name!r} are not understood", str(error)) from error
    return found
