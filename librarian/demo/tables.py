"""The demo's answers about limits: of the QoS, the partitions and the accounts, and what counts against them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from librarian.demo.runs import Run, as_of
from librarian.shared.tres import parse_tres

QOS_COLUMNS = (
    *("GrpTRES", "GrpJobs", "GrpSubmit", "MaxTRES", "MaxTRESPU", "MaxTRESPA", "MaxJobsPU", "MaxJobsPA"),
    *("MaxSubmitPU", "MaxSubmitPA", "MaxWall", "Flags"),
)
ACCOUNT_COLUMNS = ("GrpTRES", "GrpJobs", "GrpSubmit", "MaxTRES", "MaxJobs", "MaxSubmit", "MaxWall")
_ENDLESS = ("cpu", "mem", "node", "billing", "gres/gpu", "gres/gpu:a100", "gres/gpu:b200")
Texts = Mapping[str, str]


@dataclass(frozen=True)
class AccountTable:
    """An account: the one above it, the QoS that may be used in it ("" for the first: all), its limits by column."""

    parent: str
    qos: tuple[str, ...] = ()
    limits: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Rulebook:
    """All limits but GrpTRES and GrpJobs of the QoS: further columns by QoS, the QoS of partitions, the accounts."""

    qos: Mapping[str, Texts] = field(default_factory=dict)
    partitions: Texts = field(default_factory=dict)
    accounts: Mapping[str, AccountTable] = field(default_factory=dict)


def qos_table(limits: Mapping[str, tuple[str, str]], book: Rulebook) -> str:
    """`sacctmgr show qos`: `limits` are GrpTRES and GrpJobs by QoS."""
    rows = {name: {"GrpTRES": tres, "GrpJobs": jobs, **book.qos.get(name, {})} for name, (tres, jobs) in limits.items()}
    return _table(("Name", *QOS_COLUMNS), ([name, *_cells(row, QOS_COLUMNS)] for name, row in rows.items()))


def partition_lines(book: Rulebook) -> str:
    """`scontrol -a -o show partition`."""
    return "".join(
        f"PartitionName={name} AllowGroups=ALL AllowAccounts=ALL AllowQos=ALL Default=NO QoS={qos or 'N/A'} State=UP\n"
        for name, qos in book.partitions.items()
    )


def account_table(book: Rulebook) -> str:
    """`sacctmgr show assoc user=`: accounts alone."""
    rows = (
        [name, found.parent, "", "", ",".join(found.qos), *_cells(found.limits, ACCOUNT_COLUMNS)]
        for name, found in book.accounts.items()
    )
    return _table(("Account", "ParentName", "User", "Partition", "QOS", *ACCOUNT_COLUMNS), rows)


def assoc_mgr(names: Sequence[str], accounts: Sequence[str], runs: Iterable[Run], now: int, book: Rulebook) -> str:
    """`scontrol show assoc_mgr` for these QoS and accounts: what counts against their limits at `now`.

    No limit is told beside the use, as it tells where there is none: its readers take limits from sacctmgr.
    """
    known = [run for whole in runs if (run := as_of(whole, now)) is not None and run.end is None]
    records = ["Current Association Manager state", "", "Association Records", ""]
    for account in accounts:
        mine = [run for run in known if account in _above(run.account, book)]
        records += [f"ClusterName=demo Account={account} UserName= Partition= Priority=0 ID=1", *_uses("Grp", "", mine)]
    records += ["", "QOS Records", ""]
    for name in names:
        mine = [run for run in known if name in (run.qos, book.partitions.get(run.partition))]
        records += [f"QOS={name}(1)", *_uses("Grp", "", mine), "    Account Limits"]
        for account in sorted({run.account for run in mine}):
            records += [f"      {account}", *_uses("Max", "PA", [run for run in mine if run.account == account])]
        records.append("    User Limits")
        for user, uid in sorted({(run.user, run.uid) for run in mine}):
            records += [f"      {user}({uid})", *_uses("Max", "PU", [run for run in mine if run.user == user])]
    return "\n".join(records) + "\n"


def _uses(prefix: str, suffix: str, runs: Sequence[Run]) -> list[str]:
    """The lines of use: running and suspended jobs hold what they have, all that are not over count as submitted."""
    held = [parse_tres(run.alloc_tres) for run in runs if run.start is not None]
    sums = {name: sum(counts.get(name, 0.0) for counts in held) for name in _ENDLESS}
    sums["mem"] *= 1024
    tres = ",".join(f"{name}=N({amount:.0f})" for name, amount in sums.items())
    jobs = f"{prefix}Jobs{suffix}=N({len(held)}) {prefix}SubmitJobs{suffix}=N({len(runs)})"
    blanks = " " * (8 if suffix else 4)
    return [f"{blanks}{jobs}", f"{blanks}{prefix}TRES{suffix}={tres}"]


def _above(account: str, book: Rulebook) -> set[str]:
    found = set()
    while account not in found:
        found.add(account)
        account = book.accounts[account].parent if account in book.accounts else account
    return found


def _cells(row: Texts, columns: Sequence[str]) -> list[str]:
    return [row.get(column, "") for column in columns]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join("|".join(row) + "\n" for row in (header, *rows))
