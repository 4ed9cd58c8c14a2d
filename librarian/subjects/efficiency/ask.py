"""The question to `sacct` for what ended runs used: arguments, running it, reading the answer.

What each option is for:
-a  all users; -D  every run of a requeued job; no -X  the rows of steps too, which alone tell what was used;
-P --noconvert  bytes as plain numbers, with a control character as delimiter, as -P escapes nothing;
-s with all states of runs that are over  then -S and -E mean "ended in between" (sacct(1)). Without RQ a run that was
   requeued is lost, and without RS the time before a resize (both seen on 22.05 and 24.11).

Never by id, and never for much at once: with steps slurmdbd does a query a run, about a thousand a second.
AdminComment is free text and stands last: whatever it holds, the fields before it can be read. sacct cannot shorten it
(with -P a width counts for nothing), so an answer is read up to a bound and given up beyond it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from librarian.errors import SlurmError, TooWideError, Trouble
from librarian.shared.names import AccountName, PartitionName, UserName
from librarian.shared.scope import Scope
from librarian.shared.tres import gpus, parse_tres
from librarian.slurm.command import Slurm, complaint
from librarian.slurm.durations import parse_duration
from librarian.subjects.efficiency.jobstats import Refused
from librarian.subjects.efficiency.jobstats import parse as parse_jobstats
from librarian.subjects.efficiency.model import Flag, Run, Source, Use, UsedRun, belongs, judged
from librarian.subjects.efficiency.steps import Row, use_of
from librarian.subjects.jobs.question import DELIMITER
from librarian.subjects.jobs.rows import NAMELESS, NOT_YET, begin_of, legible
from librarian.system.processes import Answer

STATES = "CD,F,TO,CA,OOM,NF,PR,DL,BF,RQ,RS"
FIELDS = (
    *("Cluster", "DBIndex", "JobIDRaw", "User", "Account", "QOS", "Partition", "State", "Submit", "Start", "End"),
    *("ElapsedRaw", "TimelimitRaw", "UserCPU", "SystemCPU", "TotalCPU", "NTasks", "MaxRSS", "AllocTRES"),
    *("TRESUsageInTot", "TRESUsageOutTot", "AdminComment"),
)
HEADER = DELIMITER.join(FIELDS)
LARGEST_ANSWER = 64 << 20  # bytes; a question whose answer is larger is asked in shorter pieces
LONGEST_RUN = 4 * 366 * 86400  # seconds: what lasts longer is a mistake of accounting's
_LATEST = 2**36  # the year 4147


@dataclass(frozen=True)
class Question:
    """Which runs: those of the QoS of `scopes`, all of one cluster, that ended between two UTC epochs."""

    scopes: tuple[Scope, ...]
    since: int
    until: int


@dataclass(frozen=True)
class Told:
    """An answer: the runs that began, with what they used, by DBIndex; how many rows of runs there were; and the
    reasons of rows that were left out, in our words, with their number."""

    runs: Mapping[int, UsedRun]
    rows: int
    rejects: Mapping[str, int]


def arguments(question: Question) -> list[str]:
    """The arguments of sacct. It is asked for accounts and partitions where all scopes name such; what belongs to none
    of them all the same, `belongs` tells."""
    scopes = question.scopes
    names = sorted({scope.qos for scope in scopes})
    accounts = sorted({name for scope in scopes for name in scope.accounts})
    partitions = sorted({name for scope in scopes for name in scope.partitions})
    filters = [f"--accounts={','.join(accounts)}"] if all(scope.accounts for scope in scopes) else []
    filters += [f"--partition={','.join(partitions)}"] if all(scope.partitions for scope in scopes) else []
    return [
        *("-a", "-D", "-P", "--noconvert", f"--delimiter={DELIMITER}", f"--state={STATES}"),
        *("-S", f"uts{question.since}", "-E", f"uts{question.until}", "-M", scopes[0].cluster),
        *(f"--qos={','.join(names)}", *filters, "-o", ",".join(FIELDS)),
    ]


def ask(slurm: Slurm, question: Question) -> Told:
    """What the runs used. Raises `SlurmError`: `TooWideError` when it is to be asked in shorter pieces."""
    return parse(read(slurm, arguments(question)), question.scopes)


def read(slurm: Slurm, question: Sequence[str]) -> Answer:
    """sacct's answer, as long as it is no larger than is read. Raises `SlurmError`; `TooWideError` where it is."""
    blocks: list[bytes] = []
    size = 0

    def take(block: bytes) -> None:
        nonlocal size
        size += len(block)
        if size > LARGEST_ANSWER:  # what raises here is told as a command that gives no answer
            blocks.clear()
        else:
            blocks.append(block)

    answer = slurm.read("sacct", question, take)
    if size > LARGEST_ANSWER:
        raise TooWideError("sacct's answer is too large", f"it has more than {LARGEST_ANSWER >> 20} MiB")
    return replace(answer, stdout=b"".join(blocks))


def parse(answer: Answer, scopes: Sequence[Scope]) -> Told:
    """Read a whole answer; rows may come in any order. Raises `SlurmError` when it is no table, or cut off."""
    header, *lines = legible(answer.stdout).split(b"\n")
    if not lines or header.decode("utf-8", "replace") != HEADER:
        raise SlurmError("sacct gave no table of steps", complaint(answer), trouble=Trouble.NOT_UNDERSTOOD)
    if lines[-1]:
        raise SlurmError("sacct's answer was cut off", "it ends within a row", trouble=Trouble.CUT_OFF)
    if "error:" in answer.stderr.lower() and len(lines) == 1:
        raise SlurmError("sacct names no run and complains", complaint(answer), trouble=Trouble.COMMAND)
    return _told(lines[:-1], scopes)


def _told(lines: Sequence[bytes], scopes: Sequence[Scope]) -> Told:
    rejects: Counter[str] = Counter()
    mains: dict[int, dict[str, str]] = {}
    rows: dict[int, list[Row]] = {}
    for said in _cells(lines, scopes[0].cluster, rejects):
        index = int(said["DBIndex"])
        rows.setdefault(index, []).append(row_of(said))
        if "." not in said["JobIDRaw"] and list(said.values()) > list(mains.get(index, {}).values()):
            mains[index] = said
    rejects["step of a run that is not told"] = len(rows.keys() - mains.keys())
    runs: dict[int, UsedRun] = {}
    for index, said in mains.items():
        run = _run(said, rejects)
        if run and belongs(run, scopes):
            runs[index] = used(run, rows[index], said["AdminComment"])
    return Told(runs, len(mains), +rejects)


def _cells(lines: Sequence[bytes], cluster: str, rejects: Counter[str]) -> Iterator[dict[str, str]]:
    """The rows that can be read, by field."""
    for line in lines:
        cells = line.decode("utf-8", "replace").split(DELIMITER, len(FIELDS) - 1)
        said = dict(zip(FIELDS, cells, strict=False))
        if len(cells) != len(FIELDS):
            rejects["has not the number of fields that was asked for"] += 1
        elif said["Cluster"].lower() != cluster.lower():
            rejects["is of another cluster"] += 1
        elif not is_whole(said["DBIndex"], 2**64) or not is_whole(said["JobIDRaw"].partition(".")[0], 2**63):
            rejects["its number is none"] += 1
        else:
            yield said


def is_whole(text: str, below: int) -> bool:
    """Whether a text is a whole number in digits, below a bound."""
    return text.isascii() and text.isdigit() and len(text) < 21 and int(text) < below


def row_of(said: Mapping[str, str]) -> Row:
    """What a row of sacct's, by field, tells of use."""
    return Row(
        step=said["JobIDRaw"].partition(".")[2],
        start=moment(said["Start"]),
        end=moment(said["End"]),
        user_cpu=said["UserCPU"],
        system_cpu=said["SystemCPU"],
        total_cpu=said["TotalCPU"],
        max_rss=said["MaxRSS"],
        tasks=said["NTasks"],
        used_in=said["TRESUsageInTot"],
        used_out=said["TRESUsageOutTot"],
    )


def moment(text: str) -> int | None:
    """A time or a number of seconds; None where sacct tells none."""
    return int(text) if is_whole(text, _LATEST) else None


def _run(said: Mapping[str, str], rejects: Counter[str]) -> Run | None:
    """A run that ended; None for one that never began, which held nothing, and for a row that cannot be."""
    if said["Start"] in NOT_YET:
        return None
    submit, start, end, elapsed = (moment(said[name]) for name in ("Submit", "Start", "End", "ElapsedRaw"))
    if submit is None or start is None or end is None or elapsed is None:
        rejects["holds a time that is none"] += 1
        return None
    begin = begin_of(submit, start, end)
    if not 0 <= end - begin <= LONGEST_RUN:
        rejects["ends before it starts" if end < begin else "lasts longer than is believed"] += 1
        return None
    if not makes_sense(said["AllocTRES"]):
        rejects["AllocTRES is not understood"] += 1
        return None
    return Run(
        dbindex=int(said["DBIndex"]),
        jobid=int(said["JobIDRaw"]),
        user=UserName(said["User"] or NAMELESS),
        account=AccountName(said["Account"]),
        qos=said["QOS"],
        partition=PartitionName(said["Partition"]),
        state=said["State"].split(" ", maxsplit=1)[0] or "UNKNOWN",
        start=begin,
        end=end,
        elapsed=max(elapsed - (begin - start), 0),
        limit=limit_of(said["TimelimitRaw"]),
        alloc_tres=said["AllocTRES"],
    )


def makes_sense(text: str) -> bool:
    """Whether what a run held can be counted: millions of CPUs or GPUs, or PiB of memory, are no allocation."""
    try:
        counts = parse_tres(text)
    except ValueError:
        return False
    return all(counts.get(name, 0) < 2**23 for name in ("cpu", "mem")) and gpus(counts) < 2**23


def limit_of(text: str) -> int | None:
    """Seconds of TimelimitRaw, which is minutes; None for `UNLIMITED`, `Partition_Limit` and the like."""
    if is_whole(text, 2**31):
        return int(text) * 60
    try:  # a site whose sacct tells it as Timelimit does
        found = parse_duration(text) if len(text) < 30 else 0
    except ValueError:
        return None
    return found if 0 < found < 2**37 else None


def used(run: Run, rows: Sequence[Row], comment: str) -> UsedRun:
    """A run with what it used: what jobstats tells of it, and of what that does not tell, what the steps do."""
    use = use_of(rows, run.held("NGPUS"))
    stats = parse_jobstats(comment, run.elapsed)
    if isinstance(stats, Refused):
        use = use.flagged(Flag.BAD_STATS)
    elif stats is not None:
        use = better(stats, use)
    return judged(UsedRun(run, use))


def better(stats: Use, steps: Use) -> Use:
    """What jobstats tells, and where it tells nothing, the steps; the parts of CPU time and what was read and written
    are always of the steps."""
    fields: dict[str, object] = {}
    for name, more in (("cpu", ()), ("memory", ("peak",)), ("gpu", ("gpu_memory",))):
        if getattr(stats, f"{name}_source") == Source.JOBSTATS:
            fields |= {part: getattr(stats, part) for part in (name, f"{name}_source", *more)}
    flags = steps.flags | stats.flags
    if "gpu" in fields:
        flags -= {Flag.GPU_SAMPLE}
    return replace(steps, **fields, flags=flags)  # type: ignore[arg-type]
