"""A copy each day of what Slurm could not tell again: hours, months, limits, samples of the queue, who is known.

Slurm purges, so what is older exists here alone. Runs are not in it: those of the window Slurm tells again. What they
used is: asking for it is dear, and a run whose use is in the sums must not come in a second time. A copy is a store
like any other, and is looked through before it counts.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from librarian.errors import StoreError
from librarian.shared.calendar import DAY
from librarian.store.backups import DAILY, beside, dated, has_room
from librarian.store.maintenance import check
from librarian.store.services import COPIED, Store
from librarian.system.host import make_private, sync_folder

EVERY, AGAIN = DAY, 3600
_TRIED = "copy_tried"  # a fact: when the last copy was begun
_ASKED_AGAIN = frozenset({"job", "text", "query", "scope", "reject", "queue", "waiting", "bins", "use_tally"})
_DAYS, _WEEKS = 3, 2  # copies that stay: the newest ones, and of those before them the last of a week
_BYTES = 1 << 30  # that all of them may have; the newest one stays whatever it has


def keep_copy(store: Store, now: int) -> Path | None:
    """Make a copy at `now` (UTC epoch) if the last one is a day old; returns its name, or None where none was made.

    Raises `CorruptStoreError` where the store is not fit to be copied, `StoreError` where the copy cannot be written:
    nothing is left of it then, and it is tried again in an hour.
    """
    copies, tried = dated(store.path, DAILY), store.fact(_TRIED)
    is_new = bool(copies) and abs(now - copies[0][0]) < EVERY
    if is_new or (isinstance(tried, int) and 0 <= now - tried < AGAIN):
        return None
    store.know(_TRIED, now, now)
    store.refuse_damage()
    target = beside(store.path, DAILY, now)
    with _told(target):
        size = (copies[0][1] if copies else store.path).stat().st_size
        if not has_room(store.path.parent, size):
            raise StoreError(f"no copy of {store.path} was made today", "there is too little room", "free some room")
        _write(store, target, now)
        for path in _surplus(dated(store.path, DAILY)):
            path.unlink(missing_ok=True)
    return target


def _write(store: Store, target: Path, now: int) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid():08d}")
    try:
        draft.unlink(missing_ok=True)
        make_private(draft)
        with contextlib.closing(sqlite3.connect(draft, timeout=30.0, isolation_level=None, uri=True)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")  # what is half there is thrown away
            copy.execute("ATTACH ? AS store", (f"{store.path.resolve().as_uri()}?mode=ro",))
            copy.execute("BEGIN")
            rows = _fill(copy, now)
            copy.execute("COMMIT")
        found = check(draft)
        wrong = [*found.problems, *(f"rows of {name} are missing" for name in rows if found.rows[name] != rows[name])]
        if wrong:
            raise StoreError(f"the copy {target} did not come out as the store is", wrong[0], "check the disk")
        draft.replace(target)
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)


def _fill(copy: sqlite3.Connection, now: int) -> dict[str, int]:
    """Write the tables with their content, as it is at one moment; returns how many rows each has."""
    rows: dict[str, int] = {}
    sql = "SELECT type, name, sql FROM store.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    made = copy.execute(sql).fetchall()
    for name, statement in [(name, statement) for kind, name, statement in made if kind == "table"]:
        copy.execute(statement)
        rows[name] = 0 if name in _ASKED_AGAIN else _take(copy, name)
    for statement in [statement for kind, _, statement in made if kind != "table"]:
        copy.execute(statement)
    copy.execute("INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", (COPIED, json.dumps(now), now))
    rows["fact"] = copy.execute("SELECT count(*) FROM main.fact").fetchone()[0]
    copy.execute(f"PRAGMA user_version = {int(copy.execute('PRAGMA store.user_version').fetchone()[0])}")
    return rows


def _take(copy: sqlite3.Connection, table: str) -> int:
    """All rows of a table, within SQLite: it hands them over as they are. Returns how many there are."""
    quoted = table.replace('"', '""')
    return copy.execute(f'INSERT INTO main."{quoted}" SELECT * FROM store."{quoted}"').rowcount  # noqa: S608


def _surplus(copies: Sequence[tuple[int, Path]]) -> Iterator[Path]:
    """Which of the copies, newest first, are not worth their room."""
    weeks: set[int] = set()
    size = 0
    for place, (mark, path) in enumerate(copies):
        week = mark // (7 * DAY)
        wanted = place < _DAYS or (week not in weeks and len(weeks) < _WEEKS)
        if place >= _DAYS:
            weeks.add(week)
        size += path.stat().st_size if wanted else 0
        if not wanted or (place and size > _BYTES):
            yield path


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    """Errors of the copy as errors of the copy: the store is whole."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the copy {target} cannot be written", str(error), "check the disk and its quota") from error
