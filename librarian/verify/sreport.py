"""Hours of use from `sreport cluster AccountUtilizationByUser`: slurmdbd's own sums, by user and, since 24.05, by QoS.

What each option is for:
-P  cells divided by `|`, which no name of Slurm's can hold; -n  no header; -t Seconds  not rounded to minutes;
-T ALL  every TRES that is tracked: one that is not would be refused.
Qos=…, and QOS among the fields  24.11 tells that QoS alone where it has both (without the first the field is empty);
22.05 takes the first, tells all QoS, and refuses the second (seen on both).
Times are `uts` epochs; sreport cuts them to whole hours of its zone, so it is run in the zone of the bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from librarian.errors import NoAnswerError, SlurmError, TooWideError, Trouble
from librarian.shared.spans import Span
from librarian.slurm.command import Slurm

_REPORT = ("-n", "-P", "-t", "Seconds", "-T", "ALL", "cluster", "AccountUtilizationByUser")
_FIELDS = ("Login", "Account", "TresName", "Used")
_DIGITS = 20  # of any number that 64 bits hold
_MIB = 1024.0
_HOURS_BACK = (1, 2, 3, 4, 6, 12, 24, 48, 96)
HOUR = 3600

Used = dict[str, dict[str, float]]  # unit-seconds by user, then by name of the TRES; memory in GiB


@dataclass(frozen=True)
class Question:
    """Which use: of these accounts of a cluster (of all, where none are named), of all people; `zone` is whose full
    hours are meant."""

    cluster: str
    accounts: tuple[str, ...]
    zone: str


def used(slurm: Slurm, question: Question, span: Span) -> Used:
    """What was used between two full hours (UTC epochs), of all QoS. Raises `SlurmError`."""
    return parse(_asked(slurm, question, span, (f"Format={','.join(_FIELDS)}",)), question.accounts)


def used_of_qos(slurm: Slurm, question: Question, span: Span, qos: str) -> Used | None:
    """What was used of one QoS; None where sreport does not tell QoS apart. Raises `SlurmError`."""
    fields = (*_FIELDS, "QOS")
    try:
        text = _asked(slurm, question, span, (f"Format={','.join(fields)}", f"Qos={qos}"))
    except (NoAnswerError, TooWideError):
        raise
    except SlurmError as error:
        if "unknown field" in str(error).lower():
            return None
        raise
    return parse(text, question.accounts, qos)


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


def _asked(slurm: Slurm, question: Question, span: Span, more: Sequence[str]) -> str:
    accounts = [f"Accounts={','.join(question.accounts)}"] if question.accounts else []
    arguments = (*_REPORT, *more, *accounts, *_where(question.cluster, span))
    return slurm.run("sreport", arguments, question.zone).text


def _where(cluster: str, span: Span) -> tuple[str, ...]:
    return (f"Clusters={cluster}", f"Start=uts{span[0]}", f"End=uts{span[1]}")


def parse(text: str, accounts: Sequence[str] = (), qos: str | None = None) -> Used:
    """Read `user|account|tres|seconds`, or with `qos` `user|account|tres|seconds|qos`, of which that QoS counts alone.

    With `accounts` these alone count: sreport tells the accounts below them too. Raises `SlurmError` for anything else.
    """
    found: Used = {}
    wanted = {name.lower() for name in accounts}
    for line in text.splitlines():
        cells = line.split("|")
        number = cells[3] if len(cells) == len(_FIELDS) + (qos is not None) else ""
        if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
            raise SlurmError("sreport gave no table", line[:200], trouble=Trouble.NOT_UNDERSTOOD)
        user, account, tres = cells[:3]
        # a line without a user is the sum of an account
        counts = user and (not wanted or account.lower() in wanted)
        if counts and (qos is None or cells[4].lower() == qos.lower()):
            by = found.setdefault(user, {})
            by[tres] = by.get(tres, 0.0) + int(number) / (_MIB if tres == "mem" else 1.0)
    return found
