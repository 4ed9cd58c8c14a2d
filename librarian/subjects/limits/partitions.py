"""Partitions from `scontrol show partition`: the QoS that each has, and which QoS it lets in."""

from __future__ import annotations

from librarian.errors import SlurmError, Trouble
from librarian.slurm.command import Slurm
from librarian.subjects.limits.effective_limits import Partition

ARGUMENTS = ("-a", "-o", "show", "partition")
_NONE = ("N/A", "(null)", "")


def ask(slurm: Slurm) -> dict[str, Partition]:
    """Every partition by name, those that are hidden from the user included. Raises `SlurmError`."""
    return parse(slurm.run("scontrol", ARGUMENTS).text)


def parse(text: str) -> dict[str, Partition]:
    """Read a line for each partition; a cluster without any says so. Raises `SlurmError` when these are none."""
    found = {}
    for line in text.splitlines():
        fields = dict(word.partition("=")[::2] for word in line.split(" "))
        if "PartitionName" in fields:
            allowed = fields.get("AllowQos", "ALL")
            found[fields["PartitionName"]] = Partition(
                "" if fields.get("QoS", "") in _NONE else fields["QoS"],
                None if allowed.upper() == "ALL" or "DenyQos" in fields else tuple(allowed.split(",")),
                tuple(name for name in fields.get("DenyQos", "").split(",") if name),
            )
    if not found and "No partitions" not in text:
        raise SlurmError("scontrol gave no partitions", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    return found
