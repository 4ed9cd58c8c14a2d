"""Waiting times on the plain page: of very many users the first have rows, and the rest are counted."""

from __future__ import annotations

from typing import Any

from librarian.subjects.queue import plain

USERS, OTHERS = 20, 30


def test_who_has_a_row_of_each_kind_is_counted_once() -> None:
    names = [f"a{number:02d}" for number in range(USERS)]
    rows = [(user, kind) for user in [*names, "others"] for kind in ("cpu", "gpu")]
    columns: dict[str, list[Any]] = {
        "user": [None, *(user for user, _ in rows)],
        "kind": ["cpu", *(kind for _, kind in rows)],
        "size": [None] * (len(rows) + 1),
        **{name: [1] * (len(rows) + 1) for name in ("jobs", "median", "p90")},
    }
    whole = {"from": 0, "to": 3600, "columns": columns}
    data = {
        "waits": {"ranges": {"all": whole}},
        "others": {"name": "others", "users": {"waits": OTHERS}},
    }
    (part,) = plain.parts(data, "UTC")
    (table,) = part.tables
    told = {text.partition(":")[0] for text, *_ in table.rows}
    more = len(set(names) - told) + OTHERS
    assert table.rows[-1][0] == f"and {more} more, in the JSON"
