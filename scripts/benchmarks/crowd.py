"""A whole cluster's users in one QoS, and many QoS: what a cycle costs there, with a Slurm that answers at once."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import made, stand_in
from benchmarks.table import Row
from benchmarks.tools import HERE, Taken, command, progress
from librarian.demo.slurm import DemoSlurm
from librarian.demo.tables import Rulebook
from librarian.shared.scope import Scope
from librarian.shared.window import DAY
from librarian.slurm.squeue import DELIMITER
from librarian.store import Store, opened
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.jobs.look import FIELDS
from librarian.subjects.limits.accounts import arguments as account_arguments
from librarian.subjects.limits.partitions import ARGUMENTS as PARTITIONS
from librarian.subjects.limits.qos import ARGUMENTS as QOS
from librarian.system.processes import Answer

LONGEST, LARGEST = 60, 1024  # seconds and MiB of a cycle
EVEN = 1.2  # how much more than even growth is taken for even
PART = 250_000  # runs that are made, and kept, at once
MANY = (2, 5, 10, 20)
HEADS = {"JobArrayID": "JOBID"}  # what a reader of squeue's table looks for
BOOK = Rulebook(qos={}, partitions={"cpu": ""})
QUESTIONS = (
    ("sacctmgr", *QOS),
    ("sacctmgr", *account_arguments("hpg")),
    ("scontrol", *PARTITIONS),
    ("sacctmgr", "-P", "show", "tres"),
    ("sacctmgr", "-P", "show", "config"),
    ("sacctmgr", "-P", "show", "cluster", "format=cluster"),
    ("scontrol", "show", "config"),
)
REASONS = ("Priority", "Resources", "QOSGrpCpuLimit", "QOSMaxCpuPerUserLimit", "Dependency", "AssocGrpMemLimit")


@dataclass(frozen=True)
class Group:
    """How much there is: job runs that ended in 30 days, jobs that run and wait, all of them in each QoS."""

    users: int
    runs: int
    running: int
    pending: int
    qos: int = 1


CROWD, FEW = Group(3000, 1_000_000, 5000, 100_000), Group(41, 5000, 40, 200)


def rows() -> Iterator[Row]:
    """A first and a steady cycle of a crowd; then steady cycles with more and more QoS of the same size."""
    with tempfile.TemporaryDirectory() as name:
        what = f"{CROWD.users:,} users, {CROWD.runs:,} runs, {CROWD.pending:,} rows of pending jobs"
        progress(f"making {what}")
        config = filled(Path(name), CROWD)
        for turn, which in ((0, "the first cycle"), (1, "one that closes no bin"), (3, "one that closes a bin")):
            progress(which)
            taken = cycle(config, made.NOW + 600 * turn, 1)
            yield Row(f"{which}, {what}", taken.wall, None, "", LONGEST, cpu=taken.cpu, memory=taken.mib)
            yield Row(f"{which}, memory", taken.mib, None, "", LARGEST, "MiB")
    yield from many_qos()


def many_qos() -> Iterator[Row]:
    """A cycle that draws all and one that closes no bin, with each number of QoS: what one more costs must stay what it
    is among the first."""
    taken: dict[str, dict[int, Taken]] = {"draws all": {}, "closes no bin": {}}
    for count in MANY:
        with tempfile.TemporaryDirectory() as name:
            progress(f"{count} QoS")
            config = filled(Path(name), replace(FEW, qos=count))
            for turn, of in enumerate(taken.values(), start=1):
                of[count] = cycle(config, made.NOW + 600 * turn, 1)
    first, second = MANY[:2]
    beside = f"if each costs what it does between {first} and {second}"
    for which, of in taken.items():
        each = (of[second].cpu - of[first].cpu) / (second - first)
        for count, one in of.items():
            goal, even = EVEN if count > second else None, of[first].cpu + (count - first) * each
            yield Row(f"CPU of a cycle that {which}, {count} QoS", one.cpu, even, beside, goal, memory=one.mib)


def cycle(config: Path, now: int, times: int) -> Taken:
    """A cycle at `now` (UTC epoch)."""
    return command([sys.executable, str(HERE / "cycle.py"), str(config), str(now)], times)


def filled(folder: Path, group: Group) -> Path:
    """A state that has the runs that ended, and a Slurm that tells of the jobs; the configuration."""
    names = [f"q{number:02d}" for number in range(group.qos)]
    config = made.configured(folder, names, f'[slurm]\nbin_dir = "{folder}/bin"\n')
    (folder / "state").mkdir()
    stand_in.put(folder / "bin", names)
    answers(folder / "bin", group, names)
    with opened(folder / "state" / "hpg.sqlite", "hpg") as store:
        for place, qos in enumerate(names):
            for part in range(0, group.runs, PART):
                keep(store, qos, made_up(qos, place, part, min(PART, group.runs - part), group))
            keep(store, qos, (folder / "bin" / f"sacct.--qos={qos}").read_text("utf-8"))
    return config


def made_up(qos: str, place: int, part: int, runs: int, group: Group) -> str:
    """Some of the runs of a QoS that ended, as sacct prints them."""
    first = 2**40 + place * group.runs + part
    end = made.NOW - 8 * 3600  # what ended later sacct would have to name again
    return made.sacct_text(runs, seed=first, end=end, users=group.users, first=first, qos=qos, uneven=True)


def keep(store: Store, qos: str, text: str) -> None:
    """Keep runs of a QoS as if they had been collected."""
    jobs = ask.parse(Answer(0, text.encode(), ""), "hpg").jobs
    whole = Asked(made.NOW - 32 * DAY, made.NOW - 600, 1.0, len(jobs), full=True)
    JobRuns(store).add(Scope("hpg", qos), whole, jobs, ())


def answers(folder: Path, group: Group, names: Sequence[str]) -> None:
    """What the stand-ins print: jobs that run and wait, limits of each QoS, and nothing else of interest."""
    jobs = [job for place, qos in enumerate(names) for job in jobs_of(qos, place, group)]
    lines = [tuple(HEADS.get(name, name) for name in FIELDS), *(tuple(job[name] for name in FIELDS) for job in jobs)]
    (folder / "squeue.").write_text("".join(f"{DELIMITER.join(line)}{DELIMITER}\n" for line in lines), "utf-8")
    for qos in names:
        table = [ask.HEADER, *(ask.DELIMITER.join(accounted(job)) for job in jobs if job["QOS"] == qos)]
        (folder / f"sacct.--qos={qos}").write_text("\n".join([*table, ""]), "utf-8")
    limits = dict.fromkeys(names, (f"cpu={group.running * 8},mem=400T", ""))
    demo = DemoSlurm((), now=made.NOW, cluster="hpg", limits=limits, rules=BOOK)
    for argv in QUESTIONS:
        answer = demo(argv, timeout=1, env={})
        stand_in.keep([str(folder / argv[0]), *argv[1:]], answer.stdout)


def jobs_of(qos: str, place: int, group: Group) -> Iterator[Mapping[str, str]]:
    """The jobs of a QoS that run, then those that wait, by squeue's names of the fields; every tenth of these is an
    array of 20 tasks."""
    random, count = np.random.default_rng(place), group.running + group.pending
    users = random.choice(group.users, count, p=made.shares(group.users)).tolist()
    for number, user in enumerate(users):
        waits, cpus, jobid = number >= group.running, 1 << number % 5, 10_000_000 * (place + 1) + number
        submit = made.NOW - 600 - number % 90_000
        yield {
            **{"JobArrayID": f"{jobid}_[0-19]" if waits and number % 10 == 0 else str(jobid), "JobID": str(jobid)},
            **{"State": "PENDING" if waits else "RUNNING", "UserName": f"user{user:03d}", "Account": f"lab{user % 50}"},
            **{"QOS": qos, "Partition": "cpu", "Reason": REASONS[number % len(REASONS)] if waits else "None"},
            **{"tres-alloc": f"cpu={cpus},mem={cpus * 4}G,node=1,billing={cpus}", "Dependency": "(null)"},
            **{"SubmitTime": str(submit), "EligibleTime": str(submit), "PriorityLong": str(number + 1)},
            "StartTime": str(made.NOW + 600 + number) if waits else str(submit + 60),
        }


def accounted(job: Mapping[str, str]) -> tuple[str, ...]:
    """The same job as sacct has it."""
    waits, submit, start = job["State"] == "PENDING", int(job["SubmitTime"]), job["StartTime"]
    who = ("hpg", job["JobID"], job["JobID"], job["UserName"], job["Account"], job["QOS"], job["Partition"])
    times = (str(submit), str(submit), "Unknown" if waits else start, "Unknown")
    elapsed = "0" if waits else str(made.NOW - int(start))
    return (*who, job["State"], *times, elapsed, "00:00:00", "" if waits else job["tres-alloc"])
