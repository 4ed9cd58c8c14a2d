"""Why jobs wait: each of Slurm's reasons in plain words, with what to do about it.

The names are those of Slurm's page job_reason_codes and of squeue(1). Most of them are made by a rule from whose limit
it is, on what, and for whom, and are read by that rule; the rest stands in a table. One that is not known is shown as
it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Group = Literal["competing", "held", "dependency", "begin"]
GROUPS: tuple[Group, ...] = ("competing", "held", "dependency", "begin")
Per = Literal["group", "account", "user"]


@dataclass(frozen=True)
class Limited:
    """The limit behind a reason: for whom it is, whose it is, and on what (as in TRES, or "jobs" and other words).

    `running` is true where the limit is on what is held at a time, so that those who hold it can be named.
    """

    per: Per
    owner: Literal["QoS", "account"]
    resource: str
    noun: str
    running: bool = True


@dataclass(frozen=True)
class Reason:
    """What a reason means. `group` tells those who compete from those who wait for something else.

    "held" is all that waits for a person: jobs that are held, tasks that their own array keeps back, and jobs that can
    never start as they are.
    """

    group: Group
    words: str
    todo: str
    limit: Limited | None = None


_RESOURCES = {
    "cpu": ("cpu", "CPUs"),
    "mem": ("mem", "memory"),
    "memory": ("mem", "memory"),
    "gres": ("gres/gpu", "GPUs"),
    "node": ("node", "nodes"),
    "billing": ("billing", "billing units"),
    "bb": ("bb", "burst buffer"),
    "energy": ("energy", "energy"),
    "license": ("license", "licenses"),
    "unknown": ("unknown", "a resource that Slurm does not name"),
    "jobs": ("jobs", "running jobs"),
    "job": ("jobs", "running jobs"),
    "submitjobs": ("submitted", "jobs in the queue"),
    "submitjob": ("submitted", "jobs in the queue"),
    "wall": ("wall", "wall time"),
    "wallduration": ("wall", "wall time"),
}
_RULE = re.compile(
    r"(?P<owner>QOS|Assoc|)(?P<kind>Grp|Max|Min)"
    r"(?P<what>Cpu|Mem|Memory|GRES|Node|Billing|BB|Energy|License|Unknown|Jobs|SubmitJobs?|WallDuration|Wall)"
    r"(?P<minutes>RunMinutes|RunMins|Minutes|)(?:Per(?P<per>Job|Node|User|Account)|)(?:Limit|NotSatisfied|)",
    re.IGNORECASE,
)
_WAIT = "Wait: it starts when enough of what they hold is free again."
_LESS = "It will never start as it is: cancel it and submit it again within the limit."
_ACCOUNT = "Ask who runs the account."
_SHORTER = "Wait, or ask for a shorter time limit: less time is set aside then."

_TABLE = {
    "None": Reason("competing", "Slurm has not looked at the job yet.", "Wait: the next look comes soon."),
    "Priority": Reason(
        "competing",
        "Other jobs for the same nodes come first.",
        "Wait. A short time limit can let a job start in a gap before them.",
    ),
    "Resources": Reason(
        "competing",
        "The job is the next in line, and the nodes that it asks for are busy or not available.",
        "Wait, or ask for less, for other nodes, or for a shorter time.",
    ),
    "Licenses": Reason("competing", "All licenses that it asks for are taken.", "Wait until one is given back."),
    "BurstBufferResources": Reason("competing", "The burst buffer has no room for it now.", "Wait for room."),
    "BurstBufferStageIn": Reason("competing", "Its files are being copied to the burst buffer.", "Wait."),
    "BurstBufferOperation": Reason(
        "held", "An operation of the burst buffer failed.", "See scontrol show job; cancel and submit again."
    ),
    "NodeDown": Reason("competing", "A node that it must have is down.", "Wait, or leave out --nodelist."),
    "FrontEndDown": Reason("competing", "No front end can launch it now.", "Wait; tell the admins if it stays."),
    "ReqNodeNotAvail": Reason(
        "competing",
        "A node that it must have is down, drained, or reserved for others.",
        "Wait. If a maintenance is coming, a shorter time limit may let it run before that.",
    ),
    "Reservation": Reason("competing", "It waits for its reservation to begin.", "Wait, or leave out --reservation."),
    "ReservationDeleted": Reason("held", "Its reservation is gone.", "Cancel it, or name another one."),
    "ReservationInvalid": Reason("held", "There is no such reservation for it.", "Name another, or leave it out."),
    "PartitionDown": Reason("competing", "Its partition is down.", "Wait for the admins, or use another partition."),
    "PartitionInactive": Reason(
        "competing", "Its partition starts no jobs now.", "Wait for the admins, or use another partition."
    ),
    "PartitionNodeLimit": Reason(
        "held",
        "It asks for more or fewer nodes than its partition gives to one job, or they are down.",
        "Ask for another number of nodes, or use another partition.",
    ),
    "PartitionTimeLimit": Reason(
        "held", "It asks for more time than its partition allows.", "Ask for less time, or use another partition."
    ),
    "PartitionConfig": Reason(
        "held", "Its partition does not allow what it asks for.", "Change what it asks for, or use another partition."
    ),
    "JobHeldUser": Reason("held", "Its owner holds it.", "Its owner lets it go with scontrol release."),
    "JobHeldAdmin": Reason("held", "An administrator holds it.", "Ask the admins why; they alone can let it go."),
    "JobHoldMaxRequeue": Reason(
        "held",
        "It was put back into the queue too many times and is held.",
        "Find out why it fails, then scontrol release.",
    ),
    "Dependency": Reason(
        "dependency", "It waits for other jobs.", "Wait until those have ended the way that it asks for."
    ),
    "DependencyNeverSatisfied": Reason(
        "dependency",
        "It waits for a job that did not end the way that it asks for. It will never start.",
        "Cancel it, or change what it waits for with scontrol update.",
    ),
    "BeginTime": Reason("begin", "Its time to begin has not come yet.", "Wait: it competes from that time on."),
    "JobArrayTaskLimit": Reason(
        "held",
        "Its array lets no more of its tasks run at a time.",
        "Wait, or let more run: scontrol update ArrayTaskThrottle.",
    ),
    "Cleaning": Reason("competing", "Its last run is still being cleaned up.", "Wait a moment."),
    "Prolog": Reason("competing", "Its prolog still runs.", "Wait a moment."),
    "DelayBoot": Reason("competing", "It waits for nodes to be booted.", "Wait."),
    "FedJobLock": Reason("competing", "Another cluster of the federation decides about it.", "Wait a moment."),
    "PowerNotAvail": Reason("competing", "There is not enough electrical power for it now.", "Wait."),
    "PowerReserved": Reason("competing", "The power that it needs is reserved.", "Wait until it is given back."),
    "SchedDefer": Reason("competing", "The scheduler puts new jobs off for a while.", "Wait: it looks again soon."),
    "MaxPoweredUpNodes": Reason("competing", "No more nodes may be powered up now.", "Wait."),
    "MaxRequeue": Reason("held", "It was put back into the queue too many times.", "Find out why, then release it."),
    "BadConstraints": Reason("held", "No nodes have what it asks for.", _LESS),
    "Constraints": Reason("held", "No nodes have what it asks for.", _LESS),
    "MaxMemPerLimit": Reason("held", "It asks for more memory than a CPU or node may have.", _LESS),
    "InvalidAccount": Reason("held", "Its account is not valid.", "Name another account with scontrol update."),
    "InvalidQOS": Reason("held", "Its QoS is not valid for its user.", "Name another QoS with scontrol update."),
    "QOSNotAllowed": Reason("held", "Its partition does not take its QoS.", "Use another QoS or partition."),
    "AccountNotAllowed": Reason("held", "Its partition does not take its account.", "Use another one of them."),
    "AccountingPolicy": Reason("competing", "A limit of accounting keeps it back.", "See scontrol show job."),
    "AssociationJobLimit": Reason("competing", "Its account, or its user there, runs as many jobs as it may.", _WAIT),
    "AssociationResourceLimit": Reason("competing", "Its account, or its user there, holds as much as it may.", _WAIT),
    "AssociationTimeLimit": Reason("competing", "Its account, or its user there, has used up its time.", _ACCOUNT),
    "QOSJobLimit": Reason("competing", "The QoS runs as many jobs as it may.", _WAIT),
    "QOSResourceLimit": Reason("competing", "The QoS holds as much as it may.", _WAIT),
    "QOSTimeLimit": Reason("held", "It asks for more time than the QoS allows.", _LESS),
    "QOSUsageThreshold": Reason(
        "competing", "Too much was used of late for this QoS to start more.", "Wait until past use counts less."
    ),
    "JobLaunchFailure": Reason("held", "It could not be launched.", "See scontrol show job; correct it, release it."),
    "NonZeroExitCode": Reason("held", "It ended with an error and was put back.", "Correct it, then release it."),
    "RaisedSignal": Reason("held", "It was ended by a signal and put back.", "Find out why, then release it."),
    "SystemFailure": Reason("held", "Slurm or a node failed under it.", "Tell the admins; then release it."),
    "TimeLimit": Reason("held", "It ran into its time limit.", "Submit it again with more time."),
    "InactiveLimit": Reason("held", "It was idle for too long.", "Submit it again."),
    "OutOfMemory": Reason("held", "It ran out of memory.", "Submit it again with more memory."),
    "Deadline": Reason("held", "It cannot be done before its deadline.", "Submit it again with a later one."),
}  # fmt: skip
OTHER = "Other"  # in the place of a sentence that not all may see
_HELD = Reason(
    "held",
    "It is held: it will not start before it is released.",
    "Its owner, or an administrator, lets it go with scontrol release.",
)
_BY_NAME = {name.lower(): (name, reason) for name, reason in _TABLE.items()}
# What squeue says in a sentence of Slurm's instead of a name: how it begins, in lower case -> the name.
_SENTENCES = {
    "nodes required for job are down": "Resources",
    "job requeued in held state": "JobHeldUser",
    "launch failed requeued held": "JobLaunchFailure",
    "user env retrieval failed requeued held": "JobLaunchFailure",
}


def read_reason(text: str) -> tuple[str, str]:
    """A reason as squeue tells it, as (name, what follows it).

    As in `ReqNodeNotAvail, UnavailableNodes:c01` and `RaisedSignal:53(Real-time signal 19)`; `(null)` is no reason.
    """
    plain = _bare(text.strip())
    if plain == "null":
        return "None", ""
    spaced = plain.replace("_", " ").lower()
    for begin, name in _SENTENCES.items():
        if spaced.startswith(begin):
            return name, ""
    for mark in (",", ":"):
        name, _, rest = plain.partition(mark)
        if _known(name):
            return name, rest.strip(" _")
    return plain or "None", ""


def _bare(text: str) -> str:
    """Without the brackets around it; those within it stay."""
    inner = text.removeprefix("(")
    return inner.removesuffix(")") if inner.count(")") > inner.count("(") else inner


def explain(name: str) -> Reason:
    """What the reason of this name means. Slurm's versions do not agree on capitals, so these do not count."""
    return _known(name) or Reason("competing", "Slurm gives this reason and no more.", "See scontrol show job.")


def is_name(text: str) -> bool:
    """Whether a reason is one of Slurm's names, or looks like one; else it is a sentence."""
    name = read_reason(text)[0]
    return _known(name) is not None or (name.isascii() and name.isalnum())


def explain_in(name: str, group: str) -> Reason:
    """What the reason means for jobs of `group`: where that is another one than the reason's, the reason's words would
    tell of a turn that these jobs do not have."""
    reason = explain(name)
    if group == "held" != reason.group:
        return _HELD
    return _TABLE["BeginTime"] if group == "begin" != reason.group else reason


@lru_cache(maxsize=1024)
def _known(name: str) -> Reason | None:
    if name.lower() in _BY_NAME:
        return _BY_NAME[name.lower()][1]
    rule = _RULE.fullmatch(name)
    return _by_rule(rule) if rule else None


def _by_rule(rule: re.Match[str]) -> Reason:
    resource, noun = _RESOURCES[rule["what"].lower()]
    owner: Literal["QoS", "account"] = "account" if rule["owner"].lower() == "assoc" else "QoS"
    kind, per, minutes = rule["kind"].lower(), (rule["per"] or "").lower(), rule["minutes"].lower()
    if kind == "min":
        return Reason("held", f"It asks for less than the least that the {owner} gives: {noun}.", _LESS)
    if kind == "max" and (per in ("job", "node") or (not per and resource not in ("jobs", "submitted"))):
        return _too_large(owner, resource, noun, per, minutes)
    whom: Per = "group" if kind == "grp" else "account" if per == "account" else "user"
    limit = Limited(whom, owner, resource, noun, running=not minutes and resource not in ("submitted", "wall"))
    return Reason("competing", *_reached(limit, minutes), limit)


def _too_large(owner: str, resource: str, noun: str, per: str, minutes: str) -> Reason:
    of = "for each node" if per == "node" else "for one job"
    more = f"more {noun}, multiplied by its time limit," if minutes else f"more {noun}"
    more = "a longer wall time" if resource == "wall" else more
    who = "its user may in the account" if owner == "account" else "the QoS allows"
    return Reason("held", f"It asks for {more} than {who} {of}.", _LESS)


def _reached(limit: Limited, minutes: str) -> tuple[str, str]:
    """What is reached, in words for which nobody's use is known, and what to do."""
    whose = {
        # one reason for all of these: Slurm does not tell whose association it is
        "group": "the account, one above it, or the user in it," if limit.owner == "account" else "the group",
        "account": "an account in this QoS",
        "user": "one user" if limit.owner == "QoS" else "the user in this account",
    }[limit.per]
    if minutes.startswith("run"):
        return f"Running jobs have set aside as much time on {limit.noun} as {whose} may.", _SHORTER
    if minutes or limit.resource == "wall":
        spent = "wall time" if limit.resource == "wall" else f"minutes of {limit.noun}"
        return f"The budget of {whose} is used up: {spent}.", "Ask who runs the account, or wait until it is renewed."
    todo = "Wait for your own jobs to end." if limit.per == "user" else _WAIT
    return f"The limit of {whose} is reached: {limit.noun}.", todo
