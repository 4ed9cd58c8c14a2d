"""What the cluster records and shows at all: tracked resources, privacy, its name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from librarian.errors import SlurmError, Trouble
from librarian.shared.calendar import DAY
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration


def gpus_tracked(slurm: Slurm) -> bool:
    """Whether accounting records GPUs (AccountingStorageTRES). Raises `SlurmError`."""
    return parse_tracked(slurm.run("sacctmgr", ("-P", "show", "tres")).text)


def parse_tracked(text: str) -> bool:
    """Read `sacctmgr show tres`: `gres|gpu|1001`. Raises `SlurmError`."""
    rows = [line.split("|") for line in text.splitlines()]
    if not rows or [name.lower() for name in rows[0][:2]] != ["type", "name"]:
        raise SlurmError("sacctmgr gave no table of TRES", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    if len(rows) < 2:  # CPUs at least are always there: a header alone is an answer that was lost
        raise SlurmError("sacctmgr names no TRES at all", trouble=Trouble.NOT_BELIEVED)
    return any(row[0] == "gres" and row[1].split(":")[0] == "gpu" for row in rows[1:] if len(row) > 1)


UNTOLD = "untold"
"""In the place of what is hidden: Slurm does not tell an ordinary user."""


def private_data(slurm: Slurm) -> frozenset[str]:
    """What slurmdbd hides from ordinary users (PrivateData), such as {"jobs"}, or {UNTOLD}. Raises `SlurmError`."""
    return parse_private(slurm.run("sacctmgr", ("-P", "show", "config")).text)


def parse_private(text: str) -> frozenset[str]:
    """Read `sacctmgr show config`. It has two PrivateData: slurm.conf's, then slurmdbd's, which binds sacct.

    26.05 tells an ordinary user defaults in the place of slurmdbd's settings: they say that it stores with itself.
    """
    _, _, daemon = text.partition("SlurmDBD configuration")
    if _setting(daemon, "StorageType") == "accounting_storage/slurmdbd":
        return frozenset({UNTOLD})
    value = _setting(daemon, "PrivateData")
    return frozenset(word for word in value.replace("(null)", "").lower().split(",") if word not in ("", "none"))


@dataclass(frozen=True)
class Archive:
    """How far slurmdbd lets one look: the longest time that a question may span, and for how long ended jobs are kept.

    Both in seconds; None where there is no such bound, or where Slurm does not tell it.
    """

    longest_query: int | None = None
    kept: int | None = None


def archive(slurm: Slurm) -> Archive:
    """MaxQueryTimeRange and PurgeJobAfter of slurmdbd. Raises `SlurmError`."""
    return parse_archive(slurm.run("sacctmgr", ("-P", "show", "config")).text)


def parse_archive(text: str) -> Archive:
    """Read `sacctmgr show config`: `MaxQueryTimeRange = 60-00:00:00`, `PurgeJobAfter = 12 months`.

    A month counts 28 days, since more is not known to be there; slurmdbd purges at the end of a unit.
    """
    _, _, daemon = text.partition("SlurmDBD configuration")
    try:
        longest = parse_duration(_setting(daemon, "MaxQueryTimeRange")) or None
    except ValueError:  # UNLIMITED
        longest = None
    number, _, unit = _setting(daemon, "PurgeJobAfter").replace("*", "").partition(" ")
    seconds = {"hour": 3600, "day": DAY, "days": DAY, "mont": 28 * DAY}.get(unit.strip().lower()[:4])
    return Archive(longest, int(number) * seconds if re.fullmatch(r"[0-9]{1,6}", number) and seconds else None)


def clusters(slurm: Slurm) -> tuple[str, ...]:
    """Names of the clusters that accounting knows. Raises `SlurmError`.

    sacct takes a cluster that does not exist for one without jobs (seen on 24.11), so somebody has to look.
    """
    names = slurm.run("sacctmgr", ("-P", "show", "cluster", "format=cluster")).text.splitlines()
    if not names or names[0].lower() != "cluster":
        raise SlurmError(
            "sacctmgr gave no table of clusters", names[0] if names else "", trouble=Trouble.NOT_UNDERSTOOD
        )
    if len(names) < 2:
        raise SlurmError("sacctmgr names no cluster at all", trouble=Trouble.NOT_BELIEVED)
    return tuple(names[1:])


def cluster_name(slurm: Slurm) -> str:
    """Name of the cluster that this machine belongs to. Raises `SlurmError`."""
    name = _setting(slurm.run("scontrol", ("show", "config")).text, "ClusterName")
    if not name:
        raise SlurmError("scontrol show config names no cluster", "", "set [cluster] name")
    return name


def _setting(text: str, name: str) -> str:
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return ""
