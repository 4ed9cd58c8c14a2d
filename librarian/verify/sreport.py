"""Hours of use from `sreport cluster AccountUtilizationByUser`: slurmdbd's own sums, by user and, since 24.05, by QoS.

What each option is for:
-P  cells divided by `|`, which no name of Slurm's can hold; -n  no header; -t Seconds  not rounded to minutes;
-T ALL  every TRES that is tracked: one that is not would be refused.
Format=…,QOS  22.05 and 23.11 do not know it: `Qos=` would not be refused there, and filter associations (seen live).
Times are `uts` epochs; sreport cuts them to whole hours of its zone, so it is run in the zone of the bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from librarian.errors import NoAnswerError, SlurmError, TooWideError, Trouble
from librarian.shared.spans import Span
from librarian.shared.tres import Counts
from librarian.slurm.command import Slurm

_REPORT = ("-n", "-P", "-t", "Seconds", "-T", "ALL", "cluster", "AccountUtilizationByUser")
_FIELDS = ("Login", "TresName", "Used")
_MIB = 1024.0
_HOURS_BACK = (1, 2, 3, 4, 6, 12, 24, 48, 96)
HOUR = 3600

By = dict[tuple[str, str], dict[str, float]]  # unit-seconds by user and QoS, then by name of the TRES


@dataclass(frozen=True)
class Question:
    """Which use: of these accounts of a cluster, of all people."""

    cluster: str
    accounts: tuple[str, ...]
    zone: str


@dataclass(frozen=True)
class Used:
    """What sreport tells: unit-seconds by user and QoS (in lower case; "" where it does not split), then by TRES;
    memory in GiB."""

    split: bool
    amounts: Mapping[tuple[str, str], Counts] = field(default_factory=dict)


def ask(slurm: Slurm, question: Question, span: Span) -> Used:
    """What was used between two full hours (UTC epochs). Raises `SlurmError`."""
    try:
        return Used(True, _asked(slurm, question, span, (*_FIELDS, "QOS")))
    except (NoAnswerError, TooWideError):
        raise
    except SlurmError as error:
        if "unknown field" not in str(error).lower():
            raise
    return Used(False, _asked(slurm, question, span, _FIELDS))


def rolled_up(slurm: Slurm, question: Question, now: int) -> int:
    """Up to when (UTC epoch, a full hour) slurmdbd has summed up its hours; 0 where it has not for days.

    An hour that is not summed up yet is one in which sreport knows no cluster. Raises `SlurmError`.
    """
    latest = now - now % HOUR
    for back in _HOURS_BACK:
        end = latest - (back - 1) * HOUR
        if _knows(slurm, question, (end - HOUR, end)):
            return end
    return 0


def _knows(slurm: Slurm, question: Question, span: Span) -> bool:
    arguments = ("-n", "-P", "-t", "Seconds", "cluster", "Utilization", "Format=Cluster,Reported")
    answer = slurm.run("sreport", (*arguments, *_where(question.cluster, span)), question.zone)
    return any(line.split("|")[0].lower() == question.cluster.lower() for line in answer.text.splitlines())


def _asked(slurm: Slurm, question: Question, span: Span, fields: Sequence[str]) -> By:
    accounts = f"Accounts={','.join(question.accounts)}"
    arguments = (*_REPORT, f"Format={','.join(fields)}", accounts, *_where(question.cluster, span))
    return parse(slurm.run("sreport", arguments, question.zone).text, len(fields))


def _where(cluster: str, span: Span) -> tuple[str, ...]:
    return (f"Clusters={cluster}", f"Start=uts{span[0]}", f"End=uts{span[1]}")


def parse(text: str, fields: int) -> By:
    """Read `user|tres|seconds` or `user|tres|seconds|qos`. Raises `SlurmError` for anything else."""
    found: By = {}
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) != fields or not (cells[2].isascii() and cells[2].isdigit()):
            raise SlurmError("sreport gave no table", line[:200], trouble=Trouble.NOT_UNDERSTOOD)
        user, tres, used = cells[:3]
        if not user:  # the sum of an account, of which its users' are parts
            continue
        by = found.setdefault((user, (cells[3:] or [""])[0].lower()), {})
        by[tres] = by.get(tres, 0.0) + int(used) / (_MIB if tres == "mem" else 1.0)
    return found
