"""A table of `squeue`'s: its arguments, what would narrow it without a word, and its rows.

What each option is for:
-a  jobs in hidden partitions too; -M  the cluster that is meant; no -h: a header tells an empty queue from no answer.
-O with `:` and a control character after each field  no field is cut or padded, and no free text can end one.
"""

from __future__ import annotations

from collections.abc import Sequence

from librarian.errors import SlurmError, Trouble
from librarian.shared.scope import Scope
from librarian.shared.words import counted
from librarian.slurm.command import Slurm, complaint
from librarian.system.host import environment
from librarian.system.processes import Answer

DELIMITER = "\x1f"
# Variables of the user's that would narrow or split the answer without a word; what is given as an option wins.
_NARROWING = ("USERS", "NAMES", "LICENSES", "ACCOUNT", "PARTITION", "JOBS", "RESERVATION", "STEPS")


def arguments(scope: Scope, states: Sequence[str], fields: Sequence[str]) -> list[str]:
    """The arguments of squeue for the jobs of `scope` in these states, with these fields of `-O`."""
    filters = [f"--account={','.join(scope.accounts)}"] if scope.accounts else []
    filters += [f"--partition={','.join(scope.partitions)}"] if scope.partitions else []
    chosen = (f"--states={','.join(states)}", f"--qos={scope.qos}", *filters)
    return ["-a", "-M", scope.cluster, *chosen, "-O", ",".join(f"{field}:{DELIMITER}" for field in fields)]


def ask(slurm: Slurm, scope: Scope, states: Sequence[str], fields: Sequence[str]) -> Answer:
    """What squeue answers. Raises `SlurmError` when it fails, or would tell of a part only.

    It takes a QoS that does not exist for one without jobs: who asks must know that it does.
    """
    narrowing = sorted(f"SQUEUE_{name}" for name in _NARROWING if f"SQUEUE_{name}" in environment())
    if narrowing:
        what, why = "squeue would tell a part of the queue only", f"{narrowing[0]} is set"
        raise SlurmError(what, why, f"unset {narrowing[0]}", trouble=Trouble.NARROWED)
    return slurm.run("squeue", arguments(scope, states, fields))


def rows(answer: Answer, head: str, fields: int) -> list[list[str]]:
    """The cells of each row below the header, whose first word is `head`; a whole row has as many as `fields`.

    Raises `SlurmError` when there is no header, or when the answer ends within a row.
    """
    header, *lines = [line for line in answer.text.split("\n") if not line.startswith("CLUSTER: ")] or [""]
    if not header.startswith(head) or header.count(DELIMITER) != fields or not lines:
        raise SlurmError("squeue gave no table", complaint(answer), trouble=Trouble.NOT_UNDERSTOOD)
    if lines[-1]:
        why = f"it ends within a row, after {counted(len(answer.stdout), 'byte')}"
        raise SlurmError("squeue's answer was cut off", why, trouble=Trouble.CUT_OFF)
    return [line.removesuffix(DELIMITER).split(DELIMITER) for line in lines[:-1]]
