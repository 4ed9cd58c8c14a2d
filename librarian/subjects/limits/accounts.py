"""The tree of accounts and their limits, from `sacctmgr show assoc`: accounts alone, not the users in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from librarian.errors import SlurmError, Trouble
from librarian.shared.resources import JOBS
from librarian.slurm.command import Slurm
from librarian.subjects.limits.effective_limits import Branch
from librarian.subjects.limits.qos import rules_of
from librarian.subjects.limits.rules import SUBMITTED, WALLTIME

COLUMNS = {
    "GrpTRES": ("GrpTRES", ""),
    "GrpJobs": ("GrpJobs", JOBS),
    "GrpSubmit": ("GrpSubmitJobs", SUBMITTED),
    "MaxTRES": ("MaxTRES", ""),
    "MaxJobs": ("MaxJobs", JOBS),
    "MaxSubmit": ("MaxSubmitJobs", SUBMITTED),
    "MaxWall": ("MaxWall", WALLTIME),
}
_PLACE = ("Account", "ParentName", "User", "Partition", "QOS")
HEADER = "|".join((*_PLACE, *COLUMNS))


def arguments(cluster: str) -> list[str]:
    """The arguments of sacctmgr; an empty `user=` leaves out the users' own associations."""
    fields = HEADER.replace("|", ",").lower()
    return ["-P", "show", "assoc", f"cluster={cluster}", "user=", f"format={fields}"]


def ask(slurm: Slurm, cluster: str) -> tuple[Branch, ...]:
    """Every account of the cluster. Raises `SlurmError`."""
    return parse(slurm.run("sacctmgr", arguments(cluster)).text)


def parse(text: str) -> tuple[Branch, ...]:
    """Read the table. Raises `SlurmError` when it is not the one that was asked for."""
    lines = text.splitlines()
    if not lines or lines[0].lower() != HEADER.lower():
        raise SlurmError("sacctmgr gave no table of accounts", text[:200], trouble=Trouble.NOT_UNDERSTOOD)
    found = []
    for line in lines[1:]:
        fields = line.split("|")
        if len(fields) != len(_PLACE) + len(COLUMNS) or fields[2] or fields[3]:
            continue
        try:
            rules = rules_of(dict(zip(COLUMNS.values(), fields[len(_PLACE) :], strict=True)))
        except ValueError as error:
            what = f"sacctmgr's limits of account {fields[0]!r} are not understood"
            raise SlurmError(what, str(error), trouble=Trouble.NOT_UNDERSTOOD) from error
        found.append(Branch(fields[0], fields[1], tuple(name for name in fields[4].split(",") if name), rules))
    return tuple(_without_inherited(found))


def _without_inherited(branches: Sequence[Branch]) -> Iterable[Branch]:
    """What each account sets itself: sacctmgr shows the Max… of the account above as if they were its own."""
    tree = {branch.account: branch for branch in branches}
    for branch in branches:
        above = tree[branch.parent].rules if branch.parent in tree else {}
        inherited = [name for name, values in branch.rules.items() if values == above.get(name) and name[:3] == "Max"]
        yield replace(branch, rules={name: branch.rules[name] for name in branch.rules if name not in inherited})


def relevant(branches: Iterable[Branch], names: Iterable[str]) -> tuple[Branch, ...]:
    """Those in which one of the QoS `names` may be used, and all above them; large sites have thousands."""
    tree = {branch.account: branch for branch in branches}
    wanted = {name.lower() for name in names}
    kept: dict[str, Branch] = {}
    for branch in tree.values():
        account = branch.account if wanted & {qos.lower() for qos in branch.qos} else ""
        while account in tree and account not in kept:
            kept[account] = tree[account]
            account = tree[account].parent
    return tuple(kept[account] for account in sorted(kept))
