"""`librarian init`: a commented configuration from what Slurm tells of the user."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from librarian.config.setup import local_zone
from librarian.errors import ConfigError, SlurmError
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.subjects.limits import associations, qos
from librarian.subjects.limits.model import QosLimits


@dataclass(frozen=True)
class Discovered:
    """What `init` found: the cluster, the zone, the QoS to report on with their limits (None: not known)."""

    cluster: str
    zone: str
    qos: dict[str, QosLimits | None]
    others: tuple[str, ...] = ()
    default_qos: str = ""
    remarks: tuple[str, ...] = field(default=())


def discover(slurm: Slurm, user: str, wanted: Sequence[str]) -> Discovered:
    """Ask Slurm what `user` may use; `wanted` QoS, if any, are taken instead.

    Raises `SlurmError` when Slurm does not answer, `ConfigError` when a wanted QoS does not exist, or when the user has
    none and none is wanted.
    """
    cluster = site.cluster_name(slurm)
    mine = [found for found in associations.ask(slurm, user) if found.cluster == cluster]
    limits = qos.ask(slurm)
    names = list(dict.fromkeys(wanted or (name for found in mine for name in found.qos)))
    missing = [name for name in names if name not in limits]
    if wanted and missing:
        raise ConfigError(f"there is no QoS {missing[0]}", f"Slurm knows {', '.join(limits)}")
    if not names:
        why = f"no association of {user} on cluster {cluster} has one"
        raise ConfigError("no QoS was found", why, f"name one with --qos; Slurm knows {', '.join(limits)}")
    default = next((found.default_qos for found in mine if found.default_qos), "")
    chosen = [name for name in names if wanted or name != "normal"] or names
    return Discovered(
        cluster,
        local_zone(),
        {name: limits.get(name) for name in sorted(chosen, key=lambda name: (name != default, names.index(name)))},
        tuple(name for name in names if name not in chosen),
        default,
        tuple(_remarks(slurm)),
    )


def _remarks(slurm: Slurm) -> list[str]:
    remarks = []
    try:
        if not site.gpus_tracked(slurm):
            remarks.append("GPUs are not tracked on this cluster: there will be no numbers for them.")
        if "jobs" in site.private_data(slurm):
            remarks.append(
                "Slurm hides the jobs of others here (PrivateData=jobs): ask the admins for a way to see them."
            )
    except SlurmError as error:
        remarks.append(f"Slurm did not tell everything: {error}")
    return remarks


def compose(found: Discovered, users: str = "real", *, jobs: bool = False) -> str:
    """The configuration as commented TOML; it is valid for `librarian.config.parse`. `users`: how readers see them;
    `jobs`: whether they see single jobs."""
    remarks = "".join(f"# Note: {_comment(remark)}\n" for remark in found.remarks)
    sections = [_HEAD.format(remarks=remarks, cluster=_text(found.cluster), zone=_text(found.zone))]
    sections += [_qos(name, limits, name == found.default_qos) for name, limits in found.qos.items()]
    if found.others:
        sections.append(f"# You may also run in: {_comment(', '.join(found.others))}\n")
    return "\n".join([*sections, privacy(users, jobs=jobs), _TAIL])


def privacy(users: str, *, jobs: bool = False) -> str:
    """The section on what readers may see. Who shows users by name shows accounts too, unless it is changed."""
    words = {True: "true", False: "false"}
    return _PRIVACY.format(users=users, accounts=words[users == "real"], jobs=words[jobs])


_HEAD = """\
# Librarian's configuration. docs/configuration.md explains every key; what stands behind # is a default or an example.
{remarks}
[cluster]
name = {cluster}
timezone = {zone}           # the zone of the people who read the page

[slurm]
# bin_dir = "/opt/slurm/bin"   # where sacct and sacctmgr are; default: found on PATH
# timeout_seconds = 120        # how long one command of Slurm's may take

[paths]
# state = "~/.local/state/librarian"   # what is remembered between runs
# site = "~/public_html/librarian"     # the finished site; default: "site" in the state folder

[site]
# title = "The Avery lab"                 # at the head of the page; default: the cluster's name
# homepage = "https://lab.example.org"    # where the title leads
# logo = "logo.png"                       # beside it

[report]
# window_days = 30
# bin_seconds = 3600
# top_users = 12           # users with an area of their own in the charts
# refresh_seconds = 300    # how often an open page looks for new data
# interval_seconds = 600   # how often you run this; older data are called old
# pictures = "hourly"      # or "cycle": drawn anew in each run, which takes most of its time
# processes = 1            # how many at once draw pictures; never more than there are cores
# nice = 10                # how far a run stands back behind others' programs, 0 to 19
# count_runaways = false   # whether jobs count as running that only accounting has open
"""

_PRIVACY = """\
# What readers of the page may see: docs/privacy.md.
[privacy]
users = "{users}"        # real, short, alias or pseudonym
accounts = {accounts}
jobs = {jobs}             # a table of all jobs, by id: whoever may ask Slurm can tell whose each is
# min_share = 0.01       # who used less than that is in "others"
# min_others = 3
"""

_TAIL = """\
# How it runs by itself once you say: librarian scrontab install (docs/scrontab.md).
# [scrontab]
# schedule = "*/10 * * * *"   # as often as interval_seconds says
# partition = ""              # "": Slurm's default; so for qos and account
# modules = ["python3"]       # to load first

# Who is told when runs fail, and when they do so no more.
# [alert]
# mail = ["you@example.org"]

# What is told when a number of the report is reached, and how: docs/rules.md.
# [[rule]]
# name = "GPUs near their limit"
# when = "pressure.NGPUS.share > 0.95 for 6h"
# [[channel]]
# name = "us"
# kind = "mail"              # or "command", "slack", "mattermost", "teams", "ntfy", "plain"
# mail = ["you@example.org"]

# The server that mail goes to, where this machine has no sendmail.
# [mail]
# server = "smtp.example.org"
# sender = "librarian@example.org"

# A mail a week to each member, and to the head of the group: docs/digests.md.
# [digest]
# pattern = "{user}@example.org"
# group = ["pi@example.org"]

# What the group was granted for each year from a day on; gpu_years, cpu_hours and cpu_years are known too.
# [allocation]
# gpu_hours = 100000
# from = 2026-07-01

# Where the finished site goes, besides the site folder itself; may come again.
# [[publish]]
# kind = "folder"            # or "github-pages", "ssh": docs/publishing.md; librarian init --pages OWNER/REPO
# path = "/web/mygroup/librarian"
"""


def _qos(name: str, limits: QosLimits | None, default: bool) -> str:
    remark = "   # your default QoS" if default else ""
    return f"""\
[[qos]]
name = {_text(name)}{remark}
# title = "The group's name for it"
# accounts = ["only", "these"]
# partitions = ["only", "these"]
# Slurm says: {_comment(_said(limits))}. Numbers here override it, for the keys that are there:
# [qos.limits]
{_examples(limits)}"""


def _said(limits: QosLimits | None) -> str:
    if limits is None:
        return "nothing of its limits"
    percent = "GrpTRES" in limits.percent
    parts = [f"{name}={_plain(value)}{_unit(name, percent)}" for name, value in limits.tres.items()]
    parts += [] if limits.jobs is None else [f"jobs={_plain(limits.jobs)}"]
    return ", ".join(parts) or "no group limits"


def _unit(name: str, percent: bool) -> str:
    return " %" if percent else " GiB" if name == "mem" else ""


def _examples(limits: QosLimits | None) -> str:
    """The override keys with Slurm's own numbers, or 0 where it has none."""
    said = limits.tres if limits and "GrpTRES" not in limits.percent else {}
    values = {"cpu": said.get("cpu"), "gpu": said.get("gres/gpu"), "mem_gib": said.get("mem")}
    values["jobs"] = limits.jobs if limits else None
    return "".join(f"# {key} = {_plain(value or 0.0)}\n" for key, value in values.items())


def _plain(value: float) -> str:
    """A number of TOML, in full."""
    return str(int(value)) if value.is_integer() else repr(value)


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL and beyond the basic plane."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
