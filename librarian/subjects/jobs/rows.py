"""Job runs from `sacct` one by one, in plain Python: for questions with few rows, which must not wait for pandas.

What a row may hold, and why one is left out, is told here for `ask` too, which reads a million of them into a table. A
number is digits here: what pandas takes for one beside that, such as `1e9`, Slurm does not write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from librarian.errors import SlurmError, Trouble
from librarian.shared.tres import parse_tres
from librarian.slurm.command import Slurm, complaint
from librarian.slurm.durations import parse_duration
from librarian.slurm.job_ids import exit_code, in_array
from librarian.subjects.jobs.question import DELIMITER, FIELDS, HEADER, Query, arguments
from librarian.subjects.jobs.states import TIMES, UNKNOWN, Reject
from librarian.system.processes import Answer

NAMELESS = "(unknown user)"  # sacct knows no name for the uid of a deleted user
LATEST = 2**40  # no time is later than this, and nothing lasts longer
NOT_YET = ["Unknown", "None", ""]
_NUMBERS = ("dbindex", "jobid", *TIMES, "elapsed")


class Run(NamedTuple):
    """A row of the jobs table, as `model.COLUMNS` has it."""

    dbindex: int
    jobid: int
    submit: int
    eligible: int
    start: int
    end: int
    elapsed: int
    suspended: int
    array: int
    task: int
    tasks: int
    exit_code: int
    user: str
    account: str
    qos: str
    partition: str
    state: str
    alloc_tres: str


class Told(NamedTuple):
    """An answer: the runs, and the rows that were not understood."""

    runs: tuple[Run, ...]
    rejects: tuple[Reject, ...]


def ask(slurm: Slurm, query: Query) -> Told:
    """All runs that match `query`. Raises `SlurmError` as `jobs.ask.ask` does."""
    return parse(slurm.run("sacct", arguments(query)), query.scope.cluster)


def parse(answer: Answer, cluster: str) -> Told:
    """Read a whole answer; of several rows with one DBIndex the last counts. Raises `SlurmError` as `refuse` does."""
    header, *lines = legible(answer.stdout).split(b"\n")
    begun = bool(lines) and header.decode("utf-8", "replace") == HEADER
    runs: dict[int, Run] = {}
    rejects = []
    for line in lines[:-1] if begun else ():
        reason = misfit(line) or _doubt(said := _said(line), cluster)
        if reason:
            rejects.append(reject(line, reason))
        else:
            run = _run(said)
            runs.pop(run.dbindex, None)
            runs[run.dbindex] = run
    refuse(answer, begun=begun, rest=lines[-1] if lines else b"", told=bool(runs or rejects))
    return Told(tuple(runs.values()), tuple(rejects))


def refuse(answer: Answer, *, begun: bool, rest: bytes, told: bool) -> None:
    """Raise `SlurmError` when the header is missing (not `begun`) or a line is cut off, and only the `rest` of it came.

    A header alone is a whole answer, where sacct does not complain. `answer` says what went wrong in its own words.
    """
    if not begun:
        raise SlurmError("sacct gave no table", complaint(answer), trouble=Trouble.NOT_UNDERSTOOD)
    if rest:
        why = f"it ends within a row, with {rest[:80]!r}"
        raise SlurmError("sacct's answer was cut off", why, trouble=Trouble.CUT_OFF)
    if "error:" in answer.stderr.lower() and not told:
        raise SlurmError("sacct names no run and complains", complaint(answer), trouble=Trouble.COMMAND)


def legible(text: bytes) -> bytes:
    """`text` as the C parser takes it. It ends a line at a NUL, which no field that is asked for can hold; and what
    is no UTF-8 pandas 1.5 refuses in columns of categories, whatever it is told."""
    text = text.replace(b"\0", b"?")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode("utf-8")
    return text


def misfit(line: bytes) -> str:
    """Why the fields or the numbers of `line` cannot be read, or "". Slow, and seldom needed."""
    fields = line.decode("utf-8", "replace").split(DELIMITER)
    if len(fields) != len(FIELDS):
        return "has not the number of fields that was asked for"
    for column, text in zip(FIELDS.values(), fields, strict=True):
        number = column in _NUMBERS and not (column in TIMES and text in NOT_YET)
        bits = 64 if column == "dbindex" else 63  # what the column can hold; whether it makes sense, `doubt` tells
        if number and not (text.isascii() and text.isdigit() and len(text) < 30 and int(text) < 2**bits):
            return f"{column} is not a number"
    return ""


def _said(line: bytes) -> dict[str, str]:
    return dict(zip(FIELDS.values(), line.decode("utf-8", "replace").split(DELIMITER), strict=True))


DOUBTS = (
    "",
    "holds a time that is none",
    "ends before it starts",
    "Suspended is not understood",
    "AllocTRES is not understood",
    "is of another cluster",
)


def _doubt(said: Mapping[str, str], cluster: str) -> str:
    """Why a row whose fields can be read cannot be counted, or ""."""
    return DOUBTS[next(_doubts(said, cluster), 0)]


def _doubts(said: Mapping[str, str], cluster: str) -> Iterator[int]:
    """All that there is, as indexes into `DOUBTS`; the first one is told."""
    if said["cluster"].lower() != cluster.lower():
        yield 5
    if fails(parse_tres, said["alloc_tres"]):
        yield 4
    if fails(parse_duration, said["suspended"]):
        yield 3
    if any(_time(said[name]) > LATEST for name in (*TIMES, "elapsed")):
        yield 1
    if UNKNOWN < _time(said["end"]) < _time(said["start"]):
        yield 2


def _time(text: str) -> int:
    return UNKNOWN if text in NOT_YET else int(text)


def _run(said: Mapping[str, str]) -> Run:
    submit, eligible, start, end = (_time(said[name]) for name in TIMES)
    begin = begin_of(submit, start, end)
    texts = (CLEAN.get(name, str)(said[name]) for name in Run._fields[12:])
    elapsed = max(int(said["elapsed"]) - (begin - start), 0)
    suspended = parse_duration(said["suspended"])
    place = (*in_array(said["job"]), exit_code(said["exit"]))
    numbers = (int(said["dbindex"]), int(said["jobid"]), submit, eligible, begin, end, elapsed, suspended, *place)
    return Run(*numbers, *texts)


def begin_of(submit: int, start: int, end: int) -> int:
    """When a run began: never before it was submitted.

    Slurm 22.05 gives the row of a job that was resized the start of the whole job, and as its submission the time of
    the resize; the time before has a row of its own, and would count twice (in sreport it does).
    """
    return UNKNOWN if start == UNKNOWN else max(start, min(submit, LATEST if end == UNKNOWN else end))


def _state(text: str) -> str:
    """`CANCELLED by 1234` names the uid of who did it, which is nobody's business."""
    return text.split(" ", maxsplit=1)[0] or "UNKNOWN"


CLEAN: Mapping[str, Callable[[str], str]] = {"state": _state, "user": lambda text: text or NAMELESS}


def fails(function: Callable[[str], object], text: str) -> bool:
    """Whether `function` does not understand `text`."""
    try:
        function(text)
    except ValueError:
        return True
    return False


def reject(line: bytes, reason: str) -> Reject:
    """A reject, keyed by the run where the row tells it, so that a row that changes with time is counted once."""
    text = line.decode("utf-8", "replace")
    index = text.split(DELIMITER)[1:2]
    digest = hashlib.sha256(line).hexdigest()[:16]
    key = f"run {index[0]}" if index and index[0].isascii() and index[0].isdigit() else f"row {digest}"
    return Reject(key, reason, text[:1000])
