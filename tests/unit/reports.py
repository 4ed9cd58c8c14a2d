"""Reports to test the renderers with: small and large ones, empty, stale, hostile, with and without limits.

All of them are built from a jobs table by the code that builds the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytz

from librarian.cycle.reports import Failures, Known, build
from librarian.errors import Trouble
from librarian.shared import palette
from librarian.shared.report import Header, Note, Report, Staleness
from librarian.shared.scope import Scope
from librarian.shared.window import window_until
from librarian.subjects.jobs.model import COLUMNS, NUMBERS, TEXTS, UNKNOWN, Reject, counting
from librarian.subjects.jobs.section import JobsFacts
from librarian.subjects.limits.model import Change, QosLimits
from librarian.subjects.limits.pressure import press
from librarian.subjects.limits.rules import Account, PartitionQos
from librarian.subjects.limits.section import LimitsFacts, limits_in
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.months.grants import Allocation
from librarian.subjects.months.section import MonthsFacts
from librarian.subjects.queue.demand import Samples, looks_table, sums_table
from librarian.subjects.queue.model import LastQueue
from librarian.subjects.queue.section import QueueFacts
from librarian.subjects.queue.table import COLUMNS as QUEUE_COLUMNS
from librarian.subjects.queue.table import queue_table
from librarian.subjects.subject import Facts, Watched
from librarian.subjects.usage.bins import measure
from librarian.subjects.usage.section import UsageFacts, UsageSection
from librarian.subjects.usage.unfinished import unfinished
from librarian.subjects.weeks.section import WeeksFacts
from tests.unit.pasts import months_of, paces_of
from tests.unit.uses import facts_of

ZONE = "US/Eastern"
HOUR, DAY = 3600, 86400
FRESH = Staleness()
LIMITS = QosLimits({"cpu": 430.0, "gres/gpu": 39.0, "mem": 3359.0}, None)
HOSTILE = (
    "$alpha_{1}$",
    "_hidden",
    "two\nlines",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    'comma, "quote"',
    "undecoded\udcff",
    "reversed\u202eeman",
    "zoë-用户",
    "back\\slash$",
    "__proto__",
    "a" * 90 + "1",
    "a" * 90 + "2",
)


def epoch(text: str, zone: str = ZONE) -> int:
    """The UTC epoch of `2026-11-20 14:10` on a clock in `zone`."""
    return int(pytz.timezone(zone).localize(datetime.fromisoformat(text)).timestamp())


NOW = epoch("2026-11-20 14:10")


@dataclass(frozen=True)
class Run:
    """A row of the jobs table; `start` and `end` are UTC epochs. Without a state it ended well, or goes on."""

    user: str
    start: int
    end: int = UNKNOWN
    tres: str = "billing=4,cpu=4,mem=16G,node=1"
    state: str = ""
    suspended: int = 0
    account: str = "lab"


def jobs_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The jobs table of `runs`."""
    rows = [
        {
            "dbindex": number,
            "jobid": number,
            "submit": run.start,
            "eligible": run.start,
            "start": run.start,
            "end": run.end,
            "elapsed": 0,
            "suspended": run.suspended,
            "array": 0,
            "task": -1,
            "tasks": 1,
            "exit_code": 0,
            "user": run.user,
            "account": run.account,
            "qos": "avery",
            "partition": "gpu",
            "state": run.state or ("RUNNING" if run.end == UNKNOWN else "COMPLETED"),
            "alloc_tres": run.tres,
        }
        for number, run in enumerate(runs, start=1)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(NUMBERS)
    for name in TEXTS:
        table[name] = pd.Categorical(table[name], categories=sorted(set(table[name])) or [""])
    return table


def report_of(runs: Sequence[Run], **options: object) -> Report:
    """The report on `runs`, with the options of `report_on`."""
    return report_on(jobs_table(runs), **options)  # type: ignore[arg-type]


def report_on(
    jobs: pd.DataFrame,
    *,
    now: int = NOW,
    seconds: int = 30 * DAY,
    bin_seconds: int = HOUR,
    zone: str = ZONE,
    limits: QosLimits | None = LIMITS,
    overrides: Mapping[str, float] | None = None,
    changes: tuple[Change, ...] = (),
    gpus_tracked: bool | None = True,
    staleness: Staleness = FRESH,
    top_users: int = 12,
    qos: str = "avery",
    title: str = "Avery Lab",
    cluster: str = "tillicum",
    rejects: tuple[Reject, ...] = (),
    notes: tuple[Note, ...] = (),
    queue: LastQueue | None = None,
    samples: Samples | None = None,
    allocations: tuple[Allocation, ...] = (),
) -> Report:
    """The report on a jobs table; colours go to users by rank, as they do for a whole site."""
    header = Header(qos, title, cluster, zone, 600, top_users)
    window = window_until(now, seconds=seconds, bin_seconds=bin_seconds, zone=zone)
    tally = measure(jobs, window)
    histories = limits_in(tally, limits, changes, overrides or {})[1]
    pressed = press(jobs, window, tally.usage.observables, histories)
    facts = {
        "jobs": JobsFacts(counting(jobs, now), rejects, gpus_tracked),
        "usage": UsageFacts(tally, unfinished(Scope(cluster, qos), jobs, tally.usage)),
        "limits": LimitsFacts(limits, changes, overrides or {}, pressed),
        "queue": QueueFacts(queue or LastQueue(), samples or Samples()),
        "efficiency": facts_of(jobs, window),
        "weeks": WeeksFacts(),
        "months": MonthsFacts(months_of(jobs, tally.usage), paces_of(tally.usage, allocations)),
    }
    known = Known(Watched(Scope(cluster, qos), title), staleness, Trouble.NOTHING_YET, window, Facts(facts))
    failures = Failures()
    report = build(known, header, SUBJECTS, failures)
    assert report and not failures.problems
    use = report[UsageSection]
    told = {**report.sections, "usage": replace(use, remarks=(*notes, *use.remarks))}
    return replace(report, sections=told, colours=palette.assign(report.everybody))


def pending(
    user: str, reason: str, tres: str = "billing=4,cpu=4,mem=16G,node=1", **fields: object
) -> tuple[object, ...]:
    """A row of the queue table: a job of `user` that waits for `reason` since an hour before `NOW`."""
    row = {"state": "PENDING", "user": user, "account": "lab", "qos": "avery", "partition": "gpu", "reason": reason,
           "tres": tres, "dependency": "", "tasks": 1, "submit": NOW - HOUR, "eligible": NOW - HOUR, "start": UNKNOWN,
           "priority": 1000, "job": f"{user} {reason} {tres}", **fields}  # fmt: skip
    return tuple(row[name] for name in QUEUE_COLUMNS)


def wishes(users: Sequence[str], *, days: int, seed: int = 5, now: int = NOW) -> Samples:
    """Samples of a queue, every ten minutes of the last `days`, in which each user wants something at times."""
    random = np.random.default_rng(seed)
    slots = range(now - days * DAY - (now - days * DAY) % 600, now, 600)
    level = {user: random.integers(0, 2, days + 1) * random.integers(4, 200, days + 1) for user in users}
    sums = [
        (slot, user, 2.0, float(level[user][k // 144]), float(level[user][k // 144] // 40), 16.0)
        for k, slot in enumerate(slots)
        for user in users
        if level[user][k // 144]
    ]
    return Samples(sums_table(sums), looks_table([(slot, 1) for slot in slots]))


def empty(**options: object) -> Report:
    """Nobody ran anything."""
    return report_of([], **options)


def busy(users: int, *, days: int = 30, seed: int = 7, gpus: bool = True, **options: object) -> Report:
    """`users` users with jobs of an hour to two days all over the last `days`, the first users with the most."""
    random = np.random.default_rng(seed)
    begin = NOW - days * DAY
    runs = []
    for number in range(users):
        for _ in range(max(3, int(60 / (1 + 0.3 * number)))):
            start = int(random.integers(begin - DAY, NOW - HOUR))
            end = start + int(random.exponential(9 * HOUR)) + 600
            cpus = int(random.choice([1, 2, 4, 8, 16, 32]))
            tres = f"billing={cpus},cpu={cpus},mem={cpus * 6}G,node=1"
            if gpus and number % 2 == 0:
                kind, count = ("a100", "v100")[number % 4 // 2], int(random.integers(1, 4))
                tres += f",gres/gpu:{kind}={count},gres/gpu={count}"
            state = "COMPLETED" if end < NOW else "RUNNING"
            runs.append(Run(f"user{number:03d}", start, end if end < NOW else UNKNOWN, tres, state))
    return report_of(runs, seconds=days * DAY, **options)


def hostile(**options: object) -> Report:
    """Users, QoS, title and cluster with names that break out of whatever is careless."""
    begin = NOW - 2 * DAY
    runs = [Run(name, begin + 1800 * k, begin + 1800 * k + 20 * HOUR) for k, name in enumerate(HOSTILE)]
    names = {"qos": "../$q\n<b>", "title": "$x^2$ _<b>\n实验室 {title}", "cluster": "_$cluster$\u202e"}
    return report_of(runs, seconds=3 * DAY, **{**names, **options})


def stale(**options: object) -> Report:
    """Three users, and nothing new since the morning."""
    staleness = Staleness(True, NOW - 5 * HOUR, Trouble.NO_ANSWER)
    return busy(3, days=3, staleness=staleness, **options)


def golden() -> Report:
    """A small report with a bit of everything, over the night in which the clocks go back; every number is exact."""
    start, now = epoch("2026-10-31 12:00"), epoch("2026-11-01 14:10")
    a100, v100 = (f",gres/gpu:{kind}=2,gres/gpu=2" for kind in ("a100", "v100"))
    runs = [
        Run("alice", start - DAY, UNKNOWN, "billing=16,cpu=16,mem=65536M,node=1" + a100, "RUNNING"),
        Run("alice", start + 2 * HOUR, start + 5 * HOUR, "billing=4,cpu=4,mem=10G,node=1", "TIMEOUT"),
        Run("bob", start + 900, start + 14 * HOUR + 900, "billing=8,cpu=8,mem=2.50G,node=1" + v100),
        Run("bob", now - 1800, UNKNOWN, "billing=1,cpu=1,mem=512M,node=1", "RUNNING"),
        Run("carol", start + HOUR, start + 5 * HOUR, "billing=2,cpu=2,mem=4G,node=1", suspended=2 * HOUR),
        Run("_dave <b>&$1$", start + 20 * HOUR, start + 20 * HOUR + 1200, state="FAILED"),
        Run("zoë\udcff", start + 21 * HOUR, start + 22 * HOUR, state="OUT_OF_MEMORY", account="=class"),
        Run("eve", start + 3 * HOUR, start + 3 * HOUR, "", "CANCELLED"),
    ]
    before = QosLimits({"cpu": 400.0, "gres/gpu": 4.0}, 20.0)
    limits = QosLimits(
        {"cpu": 430.0, "gres/gpu": 39.0, "gres/gpu:a100": 0.0},
        None,
        {
            "MaxTRESPerUser": {"cpu": 64.0},
            "MaxSubmitJobsPerUser": {"submitted": 500.0},
            "MaxWall": {"walltime": 604800.0},
        },
        ("DenyOnLimit",),
        {"short": PartitionQos("short", {"GrpTRES": {"cpu": 24.0}})},
        (Account("lab", "", {"GrpTRES": {"node": 12.0}}, True),),
    )
    hour = now - now % HOUR - HOUR
    two = "billing=2,cpu=2,gres/gpu:a100=1,gres/gpu=1,mem=8G,node=1"
    waiting = queue_table(
        [
            pending("bob", "QOSGrpCpuLimit", submit=now - 900, eligible=now - 900, start=now + HOUR),
            pending("zoë", "QOSGrpCpuLimit", "cpu=500,mem=1G", submit=now - 7200, eligible=now - 7200),
            pending("__proto__", "QOSGrpGRES", two, submit=now - 60, eligible=now - 60, tasks=30),
            pending("bob", "BeginTime", submit=now - 900, eligible=now + DAY, start=now + DAY),
            pending("carol", "JobArrayTaskLimit", submit=now - 900, eligible=UNKNOWN, tasks=7),
            pending("carol", "DependencyNeverSatisfied", submit=now - 900, eligible=UNKNOWN),
            pending("carol", "ReqNodeNotAvail, UnavailableNodes:c[01-02]", submit=now - 30, eligible=now - 30),
            pending("<i>", "SomethingNew <b>", submit=now - 40, eligible=now - 40),
        ]
    )
    samples = Samples(
        sums_table([(hour, "bob", 3.0, 12.0, 0.0, 48.0), (hour + 600, "__proto__", 1.0, 2.0, 1.0, 8.0)]),
        looks_table([(hour, 2), (hour + 600, 1), (hour + HOUR, 1)]),
    )
    overrides = {"mem": 3359.5}
    return report_of(
        runs,
        now=now,
        seconds=26 * HOUR,
        limits=limits,
        overrides=overrides,
        changes=(Change(start - DAY, before, {}), Change(start + 9 * HOUR + 600, limits, overrides)),
        top_users=3,
        title='Avery Lab & "Friends"',
        rejects=(Reject("7", "end before start", "tillicum|7|…"), Reject("9", "end before start", "tillicum|9|…")),
        notes=(Note("runaway", "1 job runs for Slurm's accounting alone and is left out"),),
        queue=LastQueue(now, waiting, "left out 1 row of squeue's", Trouble.LEFT_OUT),
        samples=samples,
        allocations=(
            Allocation("NGPUS", 2.0, date(2024, 7, 1), ("avery", "avery-b"), always=True),
            Allocation("NCPUS", 90_000.0, date(2026, 10, 31), ("avery",)),
        ),
    )
