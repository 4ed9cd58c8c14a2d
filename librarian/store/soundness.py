"""Whether what a store holds can be: its pages, the kind of each value, and that what is named is there.

SQLite looks after its pages, and believes what stands in them. A bit that fell over in a value shows as a text where a
number was, as JSON that is none, or as a run of a user who is not there.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator

from librarian.store.schema import MIGRATIONS

_KINDS = {"INTEGER": "integer", "REAL": "real", "TEXT": "text", "BLOB": "blob"}
_JSON = {"fact": ("value",), "limit_change": ("slurm", "overrides")}
_NAMED = ("user", "account", "qos", "partition", "state", "alloc_tres")  # what runs tell by the number of a text
_MOST = 10  # problems that are told


def problems(connection: sqlite3.Connection) -> list[str]:
    """What is wrong, in words; nothing: it is whole. Reads the whole file. Raises sqlite3's errors."""
    found = pages(connection, "integrity_check")
    if not found:  # what lies in pages that are broken cannot be read
        found = [*_kinds(connection), *_named(connection), *_json(connection)]
    return found[:_MOST]


def pages(connection: sqlite3.Connection, how: str = "quick_check") -> list[str]:
    """What SQLite finds wrong with its pages; when it is to be quick, without what the indexes hold."""
    told = connection.execute(f"PRAGMA {how}").fetchall()
    return [str(row[0]) for row in told if row[0] != "ok"]


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _kinds(connection: sqlite3.Connection) -> Iterator[str]:
    """Values of another kind than their column, which SQLite allows and nothing here writes."""
    for table in sorted(name.replace('"', '""') for name in _tables(connection)):
        columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
        odd = []
        for _, name, declared, required, _, key in columns:
            kind = _KINDS.get(declared.upper())
            if kind:
                may_miss = "" if required or key else f' AND "{name}" IS NOT NULL'
                odd.append(f"""(typeof("{name}") != '{kind}'{may_miss})""")
        if odd:
            count = connection.execute(f'SELECT count(*) FROM "{table}" WHERE {" OR ".join(odd)}').fetchone()[0]  # noqa: S608
            if count:
                yield f"{count} rows of {table} hold values of another kind"


def _named(connection: sqlite3.Connection) -> Iterator[str]:
    if not {"job", "text"} <= _tables(connection):
        if connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS):
            yield "the tables of runs are not there"
        return
    for column in _NAMED:
        lost = f'SELECT count(*) FROM job WHERE "{column}" NOT IN (SELECT id FROM text)'  # noqa: S608
        count = connection.execute(lost).fetchone()[0]
        if count:
            yield f"{count} runs name a text for their {column} that is not there"


def _json(connection: sqlite3.Connection) -> Iterator[str]:
    there = _tables(connection)
    for table, columns in _JSON.items():
        for column in columns if table in there else ():
            for (value,) in connection.execute(f'SELECT "{column}" FROM "{table}"'):  # noqa: S608
                if value is not None and not _is_json(value):
                    yield f"{column} of {table} is no JSON"
                    break


def _is_json(text: str) -> bool:
    with contextlib.suppress(ValueError):
        json.loads(text)
        return True
    return False
