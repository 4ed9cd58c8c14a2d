"""Small jobs tables and sacct answers for tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from librarian.subjects.jobs.ask import DELIMITER, FIELDS, HEADER
from librarian.subjects.jobs.model import NUMBERS, TEXTS, UNKNOWN
from librarian.system.processes import Answer

DEFAULTS: dict[str, Any] = {
    **{
        "dbindex": 1,
        "jobid": 1,
        "submit": 0,
        "eligible": 0,
        "start": UNKNOWN,
        "end": UNKNOWN,
        "elapsed": 0,
        "suspended": 0,
        "array": 0,
        "task": -1,
        "tasks": 1,
        "exit_code": 0,
    },
    **{"user": "alice", "account": "a", "qos": "avery", "partition": "p", "state": "RUNNING", "alloc_tres": "cpu=1"},
}


def jobs_table(*rows: dict[str, Any]) -> pd.DataFrame:
    """A jobs table of `rows`, which leave out what the test does not care for; DBIndexes are counted up."""
    filled = [{**DEFAULTS, "dbindex": number, **row} for number, row in enumerate(rows, start=1)]
    columns: dict[str, Any] = {
        name: pd.Series([row[name] for row in filled], dtype=dtype) for name, dtype in NUMBERS.items()
    }
    columns |= {name: pd.Categorical([row[name] for row in filled]) for name in TEXTS}
    return pd.DataFrame(columns)


SACCT_ROW = {
    **{"Cluster": "hpg", "DBIndex": "7", "JobIDRaw": "1001", "User": "alice", "Account": "avery", "QOS": "avery"},
    **{"Partition": "cpu", "State": "COMPLETED", "Submit": "100", "Eligible": "100", "Start": "200", "End": "300"},
    **{"ElapsedRaw": "100", "Suspended": "00:00:00", "AllocTRES": "billing=2,cpu=2,mem=1024M,node=1"},
    **{"JobID": "1001", "ExitCode": "0:0"},
}


def sacct_line(**fields: str) -> str:
    """One row as sacct prints it."""
    return DELIMITER.join({**SACCT_ROW, **fields}[name] for name in FIELDS)


def sacct_answer(lines: Iterable[str], *, header: str = HEADER) -> Answer:
    """sacct's answer with these rows."""
    text = "".join(f"{line}\n" for line in [header, *lines])
    return Answer(0, text.encode("utf-8", "surrogateescape"), "")
