"""Slurm's side: its commands, the cluster, the QoS, what is hidden and tracked, its clock."""

from __future__ import annotations

import re
from calendar import timegm
from time import strptime

from librarian.config.setup import Setup
from librarian.doctor.finding import FAIL, OK, SKIP, WARN, Check, Finding
from librarian.errors import SlurmError
from librarian.slurm import site
from librarian.slurm.command import Slurm
from librarian.system.host import clock, user_name

COMMANDS = ("sacct", "sacctmgr", "scontrol", "squeue")
_SKEW = 60  # seconds between two clocks that make hours wrong
_AS_OF = re.compile(r"as of (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|\d{9,12})")


def checks(slurm: Slurm, setup: Setup | None, now: int) -> list[tuple[str, Check]]:
    """What to look at; without a configuration what needs none."""
    made: list[tuple[str, Check]] = [(f"slurm {name}", lambda name=name: _command(slurm, name)) for name in COMMANDS]  # type: ignore[misc]
    made.append(("slurm clock", lambda: _clock(slurm)))
    if setup is None:
        return made
    return [
        *made,
        ("cluster", lambda: _cluster(slurm, setup)),
        ("qos", lambda: _qos(slurm, setup)),
        ("hidden jobs", lambda: _hidden(slurm)),
        ("gpus", lambda: _gpus(slurm)),
    ]


def _command(slurm: Slurm, name: str) -> Finding:
    try:
        version = slurm.run(name, ("--version",)).text.strip()
    except SlurmError as error:
        return Finding(
            f"slurm {name}", FAIL, str(error), "run this where Slurm's commands work, or set [slurm] bin_dir"
        )
    return Finding(f"slurm {name}", OK, version or "answers")


def _clock(slurm: Slurm) -> Finding:
    """Slurm tells its controller's time as of which it shows its settings, in our zone, which is set to UTC."""
    try:
        found = _AS_OF.search(slurm.run("scontrol", ("show", "config")).text)
    except SlurmError as error:
        return Finding("slurm clock", SKIP, f"not told: {error}")
    if not found:
        return Finding("slurm clock", SKIP, "Slurm does not tell its time")
    said = found.group(1)
    theirs = int(said) if said.isdigit() else timegm(strptime(said, "%Y-%m-%dT%H:%M:%S"))
    apart = clock() - theirs
    if abs(apart) > _SKEW:
        text = f"this machine's clock and that of scontrol differ by {apart} s"
        return Finding("slurm clock", WARN, text, "ask the admins to set the clocks (NTP)")
    return Finding("slurm clock", OK, "within a minute of this machine's")


def _cluster(slurm: Slurm, setup: Setup) -> Finding:
    name, known = setup.config.cluster.name, site.clusters(slurm)
    if name.lower() in (other.lower() for other in known):
        return Finding("cluster", OK, f"accounting knows {name}")
    text = f"accounting knows no cluster {name}: it knows {', '.join(known) or 'none'}"
    return Finding("cluster", FAIL, text, "correct [cluster] name")


def _qos(slurm: Slurm, setup: Setup) -> list[Finding]:
    from librarian.subjects.limits import qos

    known = {name.lower() for name in qos.ask(slurm)}
    return [_one(entry.name, entry.name.lower() in known) for entry in setup.config.qos]


def _one(name: str, known: bool) -> Finding:
    if known:
        return Finding(f"qos {name}", OK, "Slurm knows it")
    return Finding(f"qos {name}", FAIL, "Slurm knows no such QoS", "see: sacctmgr show qos format=name")


def _hidden(slurm: Slurm) -> Finding:
    hidden = site.private_data(slurm)
    if "jobs" in hidden:
        text = f"PrivateData=jobs: Slurm shows {user_name()} no jobs of others"
        return Finding(
            "hidden jobs", WARN, text, "ask the admins to let this account see the QoS's jobs, as an operator"
        )
    if site.UNTOLD in hidden:
        return Finding("hidden jobs", SKIP, "this version of Slurm does not tell whether it hides jobs")
    return Finding("hidden jobs", OK, "the jobs of others can be seen")


def _gpus(slurm: Slurm) -> Finding:
    if site.gpus_tracked(slurm):
        return Finding("gpus", OK, "accounting records GPUs")
    text = "accounting records no GPUs: the page says so, and does not say 0"
    return Finding("gpus", WARN, text, "where there are GPUs, ask for AccountingStorageTRES=gres/gpu")
