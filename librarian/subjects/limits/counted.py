"""What Slurm counts against its limits at this moment, from `scontrol show assoc_mgr`.

It tells live use beside each limit, `cpu=430(2)`: of a QoS, of each user and account in it, and of an account's
association. It counts what slurmctld compares with the limits: suspended jobs too, nodes each once, submitted jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from librarian.errors import SlurmError, Trouble
from librarian.shared.resources import JOBS
from librarian.shared.tres import Counts, parse_tres
from librarian.slurm.command import Slurm
from librarian.subjects.limits.policy import OWN, Held
from librarian.subjects.limits.rules import SUBMITTED, QosLimits

_USE = re.compile(r"([^=,(\s]+)=[^,()\s]*\(([0-9.]+)\)")
_LIMIT = re.compile(r"([^=,(\s]+)=([^,()\s]*)\([0-9.]+\)")
_SCALARS = {"Jobs": JOBS, "SubmitJobs": SUBMITTED}
_USERS, _ACCOUNTS = "User Limits", "Account Limits"


def ask(slurm: Slurm, name: str, limits: QosLimits, login: Callable[[int], str]) -> dict[str, Held]:
    """What counts at each place that may limit the QoS `name`, by place as `policy` names them.

    `login` gives a user's name by number: 22.05 tells only that. Raises `SlurmError`; a QoS of which slurmctld tells
    nothing, as where PrivateData hides it, is left out.
    """
    return ask_all(slurm, {name: limits}, login)[name]


def ask_all(slurm: Slurm, limits: Mapping[str, QosLimits], login: Callable[[int], str]) -> dict[str, dict[str, Held]]:
    """The same for several QoS in one question, by their names in `limits`. Raises `SlurmError`."""
    names = list(dict.fromkeys([*limits, *(name for one in limits.values() for name in _special(one))]))
    accounts = list(dict.fromkeys(str(account.name) for one in limits.values() for account in one.accounts))
    wanted = ["flags=qos,assoc" if accounts else "flags=qos", f"qos={','.join(names)}"]
    wanted += [f"account={','.join(accounts)}"] if accounts else []
    by_qos, by_account = parse(_state(slurm, wanted), login)
    return {name: _of(name, one, by_qos, by_account) for name, one in limits.items()}


def _special(limits: QosLimits) -> list[str]:
    return sorted({found.name for found in limits.partitions.values()})


def _of(name: str, limits: QosLimits, by_qos: Mapping[str, Held], by_account: Mapping[str, Held]) -> dict[str, Held]:
    """What counts at the places of one QoS, of all that was told."""
    accounts = {account.name.lower() for account in limits.accounts}
    special = {known.lower() for known in _special(limits)}
    found = {f"association {account}": held for account, held in by_account.items() if account.lower() in accounts}
    for known, held in by_qos.items():
        if known.lower() == name.lower():
            found[OWN] = held
        elif known.lower() in special:
            found[f"partition QoS {known}"] = held
    return found


def group_limits(slurm: Slurm, names: Sequence[str]) -> dict[str, Counts]:
    """GrpTRES as slurmctld has it of those QoS that it tells of, by name in lower case. Raises `SlurmError`."""
    found: dict[str, Counts] = {}
    for title, *lines in _records(_state(slurm, ["flags=qos", f"qos={','.join(names)}"]).splitlines()):
        told = [line.strip().partition("=")[2] for line in lines if line.startswith("    GrpTRES=")]
        name = title.removeprefix("QOS=").rpartition("(")[0]
        try:
            found[name.lower()] = parse_tres(",".join(f"{of}={most}" for of, most in _LIMIT.findall("".join(told))))
        except ValueError as error:
            raise _not_understood(error) from error
    return found


def _state(slurm: Slurm, wanted: Sequence[str]) -> str:
    answer = slurm.run("scontrol", ("show", "assoc_mgr", *wanted)).text
    if "Current Association Manager state" not in answer:
        raise SlurmError("scontrol gave no state of the limits", answer[:200], trouble=Trouble.NOT_UNDERSTOOD)
    return answer


def _not_understood(error: Exception) -> SlurmError:
    what = "scontrol's state of the limits is not understood"
    return SlurmError(what, str(error), trouble=Trouble.NOT_UNDERSTOOD)


def parse(text: str, login: Callable[[int], str]) -> tuple[dict[str, Held], dict[str, Held]]:
    """What counts in each QoS and in each account, by name. Raises `SlurmError` when it is not understood."""
    qos: dict[str, Held] = {}
    accounts: dict[str, Held] = {}
    for lines in _records(text.splitlines()):
        title = dict(word.partition("=")[::2] for word in lines[0].split(" "))
        try:
            if "QOS" in title:
                qos[title["QOS"].rpartition("(")[0]] = _held(lines, login)
            else:
                known = accounts.get(title["Account"], Held())
                user, uses = title.get("UserName", ""), _uses(lines[1:])
                people = {**known.users, _person(user, login): uses} if user else known.users
                accounts[title["Account"]] = Held(known.total if user else uses, people)
        except (KeyError, ValueError) as error:
            raise _not_understood(error) from error
    return qos, accounts


def _records(lines: Sequence[str]) -> Iterator[list[str]]:
    """The lines of each record; its first is not indented."""
    record: list[str] = []
    for line in lines:
        if line.startswith(("QOS=", "ClusterName=")):
            if record:
                yield record
            record = [line]
        elif record and line.startswith(" "):
            record.append(line)
    if record:
        yield record


def _held(lines: Sequence[str], login: Callable[[int], str]) -> Held:
    """A QoS: its own use, then that of each account and user in it, under their names."""
    places = {line.strip(): number for number, line in enumerate(lines) if line.strip() in (_USERS, _ACCOUNTS)}
    inner = min(places.values(), default=len(lines))
    return Held(
        _uses(lines[1:inner]),
        _each(lines, places.get(_USERS), lambda name: _person(name, login)),
        _each(lines, places.get(_ACCOUNTS), str),
    )


def _each(lines: Sequence[str], start: int | None, named: Callable[[str], str]) -> dict[str, dict[str, float]]:
    """Use by name, of the part that begins at line `start`: names are indented by six blanks, what they hold by 8."""
    found: dict[str, dict[str, float]] = {}
    current: dict[str, float] = {}
    for line in lines[start + 1 :] if start is not None else ():
        depth = len(line) - len(line.lstrip(" "))
        if depth < 6:
            break
        if depth < 8:
            current = found.setdefault(named(line.strip()), {})
        else:
            current.update(_uses([line]))
    return found


def _uses(lines: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in lines:
        uses = _USE.findall(line)
        key = line.strip().partition("=")[0]
        if key in ("GrpTRES", "MaxTRESPU", "MaxTRESPA"):
            # the name of the setting stands before the first resource
            found |= parse_tres(",".join(f"{name}={used}" for name, used in _USE.findall(line.partition("=")[2])))
        else:
            for name, used in uses:
                bare = re.sub("^(Grp|Max)|P[UA]$", "", name)
                if bare in _SCALARS:
                    found[_SCALARS[bare]] = float(used)
    return found


def _person(text: str, login: Callable[[int], str]) -> str:
    """The user of `erin(5005)` or `5005`."""
    name, bracket, _ = text.partition("(")
    return name if bracket or not name.isdigit() else login(int(name))
