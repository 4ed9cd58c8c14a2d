"""Which QoS a user may run in, from `sacctmgr show assoc`."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.errors import SlurmError, Trouble
from librarian.slurm.command import Slurm

_FORMAT = "cluster,account,user,qos,defaultqos"


@dataclass(frozen=True)
class Association:
    """A user in an account of a cluster: the QoS they may use and the one they get (or "")."""

    cluster: str
    account: str
    qos: tuple[str, ...]
    default_qos: str


def ask(slurm: Slurm, user: str) -> tuple[Association, ...]:
    """The associations of `user`. Raises `SlurmError`."""
    return parse(slurm.run("sacctmgr", ("-P", "show", "assoc", f"user={user}", f"format={_FORMAT}")).text)


def parse(text: str) -> tuple[Association, ...]:
    """Read the table. Raises `SlurmError` when it is not the one that was asked for."""
    rows = [line.split("|") for line in text.splitlines()]
    if not rows or rows[0][:2] != ["Cluster", "Account"]:
        raise SlurmError("sacctmgr gave no table of associations", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    return tuple(
        Association(row[0], row[1], tuple(name for name in row[3].split(",") if name), row[4])
        for row in rows[1:]
        if len(row) == 5
    )
