"""The question for one job to `sacct`, with its steps, and for a running one to `sstat`.

    -j   the job, or one task of a job array; a person asks, so a question by id is in place here
    -D   every run of a requeued job, not only the newest
    -P   with a control character as delimiter; what may hold anything (AdminComment) stands last

Its name, in which its owner may write what looks like further rows, is asked for by itself.
`sstat` tells its owner and administrators what a running job uses; to everybody else it says nothing, with status 0
(seen on 22.05 and 24.11). It has no --delimiter, and tells nothing that could hold one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from librarian.errors import SlurmError, Trouble
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.slurm.command import Slurm, complaint
from librarian.subjects.efficiency import placed, steps
from librarian.subjects.efficiency.ask import LONGEST_RUN, is_whole, limit_of, makes_sense, moment, read, row_of, used
from librarian.subjects.efficiency.model import Run, Source, Use, UsedRun, judged
from librarian.subjects.efficiency.placed import Placed
from librarian.subjects.jobs.question import DELIMITER
from librarian.subjects.jobs.rows import NAMELESS
from librarian.system.processes import Answer

FIELDS = (
    *("DBIndex", "JobIDRaw", "JobID", "User", "Account", "QOS", "Partition", "State", "Submit", "Eligible", "Start"),
    *("End", "ElapsedRaw", "TimelimitRaw", "AllocTRES", "ReqTRES", "NodeList", "ExitCode", "Reason", "UserCPU"),
    *("SystemCPU", "TotalCPU", "MaxRSS", "NTasks", "TRESUsageInTot", "TRESUsageOutTot", "AdminComment"),
)
SSTAT = ("JobID", "NTasks", "AveCPU", "MaxRSS", "TRESUsageInTot", "TRESUsageOutTot")
NOT_YOURS, FAILED = "not yours", "sstat failed"
AGAIN = "ask again"


@dataclass(frozen=True)
class Told:
    """One run of a job, and what only its card tells. Times are UTC epochs, None where there is none (yet).

    `name` ("": not asked for), `nodes` and `reason` (why it was pending last) are Slurm's own texts. `used.run.end` of
    a job that has no end is the moment of the question. `hidden` is why what a running job uses is not known, "" where
    it is. Where it is a task of a job array, `array` is the id of that (else 0, also where that is not known), and
    `tasks` for how many of them it stands: of those that are pending there may be one row. `placed` tells where a
    running job is; empty: not known.
    """

    id: str
    name: str
    used: UsedRun
    submit: int | None
    eligible: int | None
    start: int | None
    end: int | None
    exit_code: str
    requested: str
    nodes: str
    reason: str
    steps: tuple[steps.Step, ...]
    hidden: str = ""
    array: int = 0
    tasks: int = 1
    placed: tuple[Placed, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether it goes on."""
        return self.start is not None and self.end is None


def arguments(job: str, cluster: str) -> list[str]:
    """The arguments of sacct for a job."""
    return [
        *("-D", "-P", "--noconvert", f"--delimiter={DELIMITER}", "-M", cluster, "-j", job),
        *("-o", ",".join(FIELDS)),
    ]


def ask(slurm: Slurm, job: str, cluster: str, now: int) -> list[Told]:
    """Every run of a job at `now` (UTC epoch), those of a job array's tasks by their ids, the newest run of each last.

    Empty where Slurm knows no such job, or does not tell who asks. Raises `SlurmError`.
    """
    return parse(read(slurm, arguments(job, cluster)), now)


def parse(answer: Answer, now: int) -> list[Told]:
    """The runs in sacct's answer. Raises `SlurmError` where it is no table, is cut off, or has no row that can be."""
    header, *lines = answer.stdout.decode("utf-8", "replace").split("\n")
    if header != DELIMITER.join(FIELDS):
        raise SlurmError("sacct gave no table", complaint(answer), AGAIN, trouble=Trouble.NOT_UNDERSTOOD)
    if not lines or lines[-1]:
        raise SlurmError("sacct's answer was cut off", "it ends within a row", AGAIN, trouble=Trouble.CUT_OFF)
    runs: dict[str, list[Mapping[str, str]]] = {}
    for line in lines[:-1]:
        values = line.split(DELIMITER, len(FIELDS) - 1)
        if len(values) == len(FIELDS) and is_whole(values[0], 2**64):
            row = dict(zip(FIELDS, values, strict=True))
            runs.setdefault(row["DBIndex"], []).append(row)
    told = [one for rows in runs.values() if (one := _told(rows, now)) is not None]
    if lines[:-1] and not told:
        raise SlurmError("sacct's answer is not understood", "no row of it can be", trouble=Trouble.NOT_UNDERSTOOD)
    return sorted(told, key=lambda one: (one.used.run.jobid, one.submit or 0, one.used.run.dbindex))


def whole(slurm: Slurm, told: Told, cluster: str) -> Told:
    """The same with the job's name, and of a job that runs with what it has used so far. What is not answered stays
    unknown."""
    named = replace(told, name=_name(slurm, told.used.run.jobid, cluster))
    if not told.runs:
        return named
    return _of_sstat(slurm, replace(named, placed=placed.ask(slurm, told.id, told.used.run.alloc_tres)))


def _name(slurm: Slurm, jobid: int, cluster: str) -> str:
    question = ["-X", "-n", "-P", "-M", cluster, "-j", str(jobid), "-o", "JobName"]
    try:
        answer = read(slurm, question)
    except SlurmError:
        return ""
    return answer.stdout.decode("utf-8", "replace").split("\n", maxsplit=1)[0]


def _told(rows: Sequence[Mapping[str, str]], now: int) -> Told | None:
    main = next((row for row in rows if "." not in row["JobIDRaw"]), None)
    if main is None:
        return None
    run = _run(main, now)
    if run is None:
        return None
    inside = [row_of(row) for row in rows]
    start, end = moment(main["Start"]), moment(main["End"])
    known = used(run, inside, main["AdminComment"]) if end is not None and start is not None else UsedRun(run, Use())
    return Told(
        main["JobID"],
        "",
        known,
        moment(main["Submit"]),
        moment(main["Eligible"]),
        start,
        end,
        main["ExitCode"],
        main["ReqTRES"],
        main["NodeList"],
        main["Reason"],
        tuple(steps.read_step(row) for row in inside if row.step),
    )


def _run(row: Mapping[str, str], now: int) -> Run | None:
    """A run that ended, goes on or has not begun; None for a row that cannot be."""
    start, end, elapsed = (moment(row[name]) for name in ("Start", "End", "ElapsedRaw"))
    if (
        elapsed is None
        or elapsed > LONGEST_RUN
        or not is_whole(row["JobIDRaw"], 2**63)
        or not makes_sense(row["AllocTRES"])
    ):
        return None
    begun = now if start is None else start
    return Run(
        dbindex=int(row["DBIndex"]),
        jobid=int(row["JobIDRaw"]),
        user=UserName(row["User"] or NAMELESS),
        account=AccountName(row["Account"]),
        qos=row["QOS"],
        partition=PartitionName(row["Partition"]),
        state=row["State"].split(" ", maxsplit=1)[0],
        start=begun,
        end=max(begun, now if end is None else end),
        elapsed=elapsed,
        limit=limit_of(row["TimelimitRaw"]),
        alloc_tres=row["AllocTRES"] if start is not None else "",
    )


def sstat_arguments(jobid: int) -> list[str]:
    """The arguments of sstat for all steps of a running job."""
    return ["-a", "-P", "--noconvert", "-j", str(jobid), "-o", ",".join(SSTAT)]


def _of_sstat(slurm: Slurm, told: Told) -> Told:
    """The same with what sstat tells of a running job; where it tells nothing, that is said."""
    try:
        answer = slurm.run("sstat", sstat_arguments(told.used.run.jobid))
    except SlurmError:  # sacct told all else
        return replace(told, hidden=FAILED)
    if not answer.stdout.startswith("|".join(SSTAT).encode()):
        return replace(told, hidden=FAILED)
    use = parse_sstat(answer.stdout, told.used.run.held("NGPUS"))
    if use is None:
        return replace(told, hidden=NOT_YOURS)
    return replace(told, used=judged(UsedRun(told.used.run, use)))


def parse_sstat(answer: bytes, gpus: float) -> Use | None:
    """What the steps of a running job have used so far; None where the answer names none.

    AveCPU is the mean over the tasks of a step; memory is the peak of the largest task, as far as sampled.
    """
    rows = [line.split("|") for line in answer.decode("utf-8", "replace").split("\n")[1:]]
    found = [dict(zip(SSTAT, row, strict=True)) for row in rows if len(row) == len(SSTAT)]
    cpu = [_cpu(row) for row in found]
    use = steps.use_of((_running(row) for row in found), gpus)
    known = [one for one in cpu if one is not None]
    if not found:
        return None
    return replace(use, cpu=sum(known), cpu_source=Source.STEPS) if known else use


def _cpu(row: Mapping[str, str]) -> int | None:
    try:
        mean = steps.parse_cpu(row["AveCPU"])
    except ValueError:
        return None
    return mean * int(row["NTasks"]) if mean is not None and is_whole(row["NTasks"], 2**31) else None


def _running(row: Mapping[str, str]) -> steps.Row:
    """The row without what TRESUsageInTot has in use at this moment; what was read is a sum, and MaxRSS the peak."""
    read_so_far = ",".join(entry for entry in row["TRESUsageInTot"].split(",") if entry.startswith("fs/disk="))
    step = row["JobID"].partition(".")[2]
    told = ("", "", "", row["MaxRSS"], row["NTasks"], read_so_far, row["TRESUsageOutTot"])
    return steps.Row(step, None, None, *told)


def tasks_of(found: Iterable[Told]) -> list[str]:
    """The ids of different jobs among the runs, in their order; a whole job array has several."""
    return sorted({one.id for one in found}, key=lambda text: [int(part) for part in re.findall("[0-9]+", text)])
