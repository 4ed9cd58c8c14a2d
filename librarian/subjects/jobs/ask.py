"""Job runs from `sacct` as a table: ask, and read while it comes. `rows` reads few of them without pandas."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from librarian.shared.tres import parse_tres
from librarian.slurm.command import Slurm
from librarian.slurm.durations import parse_duration
from librarian.slurm.job_ids import ALONE, exit_code, in_array
from librarian.subjects.jobs.model import NUMBERS, PLACE, TEXTS, Mask, coded, empty_jobs, joined, newest
from librarian.subjects.jobs.question import DELIMITER, FIELDS, HEADER, Query, arguments
from librarian.subjects.jobs.rows import (
    CLEAN,
    DOUBTS,
    LATEST,
    NAMELESS,
    NOT_YET,
    fails,
    legible,
    misfit,
    refuse,
    reject,
)
from librarian.subjects.jobs.states import TIMES, UNKNOWN, Reject
from librarian.system.processes import Answer

__all__ = [
    "DELIMITER",
    "FIELDS",
    "HEADER",
    "NAMELESS",
    "Query",
    "Reading",
    "Runs",
    "Sink",
    "arguments",
    "ask",
    "begin",
    "begun",
    "nowhere",
    "parse",
]

_TEXTS = ("cluster", "suspended", *TEXTS)
_READ = {"job": object, "exit": "category"}  # beside numbers and texts; nearly no id of a job occurs twice
_MADE = ("suspended", *PLACE, "exit_code")  # columns that are made of texts
_AT_ONCE = 4 << 20  # bytes of text that are read in one go

Sink = Callable[[pd.DataFrame], None]


def nowhere(jobs: pd.DataFrame) -> None:
    """Where parts of an answer go that nobody wants to see before it is whole."""


@dataclass(frozen=True)
class Runs:
    """An answer: the jobs table, and the rows that were not understood."""

    jobs: pd.DataFrame
    rejects: tuple[Reject, ...]


def ask(slurm: Slurm, query: Query, sink: Sink = nowhere) -> Runs:
    """All runs that match `query`. Each part of them is given to `sink` as soon as it is read.

    Raises `SlurmError` when sacct fails (an unknown QoS: with the names that exist) or its answer is not whole.
    """
    reading = Reading(query.scope.cluster, sink)
    return reading.finished(slurm.read("sacct", arguments(query), reading.take))


def begin(slurm: Slurm, query: Query) -> None:
    """Let sacct begin with what `ask` is about to be called for."""
    slurm.begin("sacct", arguments(query))


def begun(slurm: Slurm, query: Query) -> float | None:
    """When sacct was started for that; None where it was not."""
    return slurm.begun("sacct", arguments(query))


def parse(answer: Answer, cluster: str) -> Runs:
    """Read a whole answer, as `Reading` does."""
    reading = Reading(cluster)
    reading.take(answer.stdout)
    return reading.finished(answer)


class Reading:
    """Reads an answer while it comes, so that its text is never in memory as a whole.

    A row that is not understood becomes a `Reject`, never an error. `sink` gets the jobs table of each part; whether
    the answer is whole shows at its end.
    """

    def __init__(self, cluster: str, sink: Sink = nowhere) -> None:
        self._cluster, self._sink = cluster, sink
        self._come: list[bytes] = []  # blocks that have come and are not read yet
        self._size = 0  # of all of them
        self._begun: bool | None = None  # whether the header was there; None before anything was
        self._parts: list[Runs] = []

    def take(self, block: bytes) -> None:
        """The next of the text, however it is cut."""
        self._come.append(block)
        self._size += len(block)
        if self._size >= _AT_ONCE:
            self._read_whole_lines()

    def finished(self, answer: Answer) -> Runs:
        """All of it. Raises `SlurmError` as `rows.refuse` does."""
        self._read_whole_lines()
        rejects = tuple(reject for part in self._parts for reject in part.rejects)
        told = bool(rejects) or any(len(part.jobs) for part in self._parts)
        refuse(answer, begun=bool(self._begun), rest=b"".join(self._come), told=told)
        return Runs(joined([part.jobs for part in self._parts]), rejects)

    def _read_whole_lines(self) -> None:
        text, newline, rest = b"".join(self._come).rpartition(b"\n")
        self._come, self._size = [rest], len(rest)
        text += newline
        if self._begun is None and text:
            header, _, text = text.partition(b"\n")
            self._begun = header.decode("utf-8", "replace") == HEADER
        if self._begun and text:
            part = _read(legible(text), self._cluster)
            self._parts.append(part)
            self._sink(part.jobs)


def _read(body: bytes, cluster: str) -> Runs:
    """Rows to columns at full speed; where a row stands in the way, it is found, set aside, and the rest read again."""
    rejects: list[Reject] = []
    try:
        with np.errstate(invalid="ignore"):  # pandas warns of a number too large before it refuses it
            rows = _columns(body)
    except (ValueError, OverflowError):
        body, rejects = _sorted_out(body)
        if not body:
            return Runs(empty_jobs(), tuple(rejects))
        rows = _columns(body)
    doubts = _doubts(rows, cluster)
    doubtful = np.flatnonzero(doubts)
    if len(doubtful):
        lines = body.split(b"\n")
        rejects += [reject(lines[place], DOUBTS[doubts[place]]) for place in doubtful.tolist()]
        rows = rows[doubts == 0]
    return Runs(_typed(rows) if len(rows) else empty_jobs(), tuple(rejects))


def _columns(body: bytes) -> pd.DataFrame:
    """The text as columns; times as floats, NaN for not yet. Raises `ValueError` when a row has not our fields."""
    commas, delimiter = len(FIELDS) - 1, DELIMITER.encode()
    if body.count(delimiter) != commas * body.count(b"\n") or body.partition(b"\n")[0].count(delimiter) not in (
        0,
        commas,
    ):
        raise ValueError("a row has not the number of fields that was asked for")
    rows = _read_csv(body, "category")
    if any(pd.api.types.infer_dtype(rows[name].cat.categories) not in ("string", "empty") for name in _TEXTS):
        # where every text of a column looks like a number pandas makes them numbers: a user who is called 007
        rows = _read_csv(body, object)
        for name in _TEXTS:
            rows[name] = rows[name].astype("category")
    return rows


def _read_csv(body: bytes, texts: Any) -> pd.DataFrame:
    """pandas' C parser. It fills short rows up and raises `ValueError` for long ones; `_columns` counts for it."""
    numbers = {name: "float64" if name in TIMES else dtype for name, dtype in NUMBERS.items() if name not in _MADE}
    return pd.read_csv(
        io.BytesIO(body),
        sep=DELIMITER,
        header=None,
        names=list(FIELDS.values()),
        index_col=False,
        dtype={**numbers, **dict.fromkeys(_TEXTS, texts), **_READ},
        na_values=dict.fromkeys(TIMES, NOT_YET),
        keep_default_na=False,
        quoting=3,
        lineterminator="\n",
        skip_blank_lines=False,
        low_memory=False,
    )


def _sorted_out(body: bytes) -> tuple[bytes, list[Reject]]:
    """The rows that can be read, and a reject for each other one."""
    good, rejects = [], []
    for line in body.split(b"\n")[:-1]:
        reason = misfit(line)
        if reason:
            rejects.append(reject(line, reason))
        else:
            good.append(line + b"\n")
    return b"".join(good), rejects


def _doubts(rows: pd.DataFrame, cluster: str) -> npt.NDArray[np.int8]:
    """For each row why it cannot be counted, as an index into `DOUBTS`; 0 is no doubt."""
    found = np.zeros(len(rows), dtype=np.int8)
    for column in (*TIMES, "elapsed"):
        times = rows[column].to_numpy()
        with np.errstate(invalid="ignore"):
            found[(times < 0) | (times > LATEST) | (times != np.floor(times)) & ~np.isnan(times)] = 1
    found[(found == 0) & (rows["end"].to_numpy() < rows["start"].to_numpy())] = 2
    found[_where(rows["suspended"], lambda text: fails(parse_duration, text))] = 3
    found[_where(rows["alloc_tres"], lambda text: fails(parse_tres, text))] = 4
    found[_where(rows["cluster"], lambda text: text.lower() != cluster.lower())] = 5
    return found


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The jobs table of good rows; of several rows with one DBIndex the last counts."""
    table: dict[str, Any] = {
        name: rows[name].fillna(UNKNOWN).to_numpy().astype(dtype)
        for name, dtype in NUMBERS.items()
        if name not in _MADE
    }
    suspended = rows["suspended"].cat
    seconds = [0 if fails(parse_duration, text) else parse_duration(text) for text in suspended.categories]
    table["suspended"] = np.array(seconds, dtype=np.int64)[suspended.codes.to_numpy()]
    table |= dict(zip(PLACE, _places(rows["job"]), strict=True))
    exits = rows["exit"].cat
    told = [exit_code(str(text)) for text in exits.categories]
    table["exit_code"] = np.array(told, dtype=np.int64)[exits.codes.to_numpy()]
    _begin_with_submission(table)
    for name in TEXTS:
        table[name] = _recoded(rows[name], CLEAN.get(name, str))
    return newest(pd.DataFrame(table))


def _places(jobs: pd.Series) -> npt.NDArray[np.int64]:
    """The places of runs in job arrays, shape (3, rows): most jobs are in none, and are not looked at twice."""
    found = np.repeat(np.array(ALONE, dtype=np.int64)[:, None], len(jobs), axis=1)
    for place, job in enumerate(jobs.tolist()):
        if "_" in job or not job:
            found[:, place] = in_array(job)
    return found


def _begin_with_submission(table: dict[str, npt.NDArray[np.int64]]) -> None:
    """No run begins before it was submitted: `rows.begin_of`, of all runs at once."""
    start, end = table["start"], table["end"]
    latest = np.where(end == UNKNOWN, LATEST, end)
    begin = np.where(start == UNKNOWN, UNKNOWN, np.maximum(start, np.minimum(table["submit"], latest)))
    table["elapsed"] = np.maximum(table["elapsed"] - (begin - start), 0)
    table["start"] = begin


def _recoded(column: pd.Series, clean: Callable[[str], str]) -> pd.Categorical:
    """A text column with each text through `clean`; only texts that occur stay."""
    used = column.cat.remove_unused_categories()
    texts = [clean(str(text)) for text in used.cat.categories]
    distinct = sorted(set(texts))
    places = {text: place for place, text in enumerate(distinct)}
    place = np.array([places[text] for text in texts] or [0])
    codes = place[used.cat.codes.to_numpy()] if len(used) else np.zeros(0, int)
    return coded(codes, distinct or [""])


def _where(column: pd.Series, test: Callable[[str], bool]) -> Mask:
    """Rows whose text passes `test`, which is called once a text."""
    hits = np.array([test(str(text)) for text in column.cat.categories] or [False])
    found: Mask = hits[column.cat.codes.to_numpy()]
    return found
