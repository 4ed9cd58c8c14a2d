"""The runs of a day as columns, and the file that the page reads them from. Pure.

Days are those of UTC: a run is in the day in which it ended; those that go on or are pending are in one of their own.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from librarian.privacy.renaming import Renaming
from librarian.shared.calendar import DAY
from librarian.shared.names import PartitionName, UserName
from librarian.subjects.efficiency.ask_job import Told
from librarian.subjects.efficiency.card import waited
from librarian.subjects.efficiency.findings import findings
from librarian.subjects.efficiency.job_arrays import Share
from librarian.subjects.efficiency.model import GIB, Flag, Peak
from librarian.subjects.efficiency.options import Rules

OPEN = -1  # in the place of the begin of a day: runs that have not ended
FORM = 1  # of what is packed and of the files: another one, and all are made anew
MOST = 100_000  # runs in a file; of a day with more the last ones
_COLUMNS = (
    *("id", "array", "tasks", "state", "exit_code", "size", "eligible", "start", "end", "waited", "elapsed", "limit"),
    *("cpu", "memory", "gpu", "at_least", "findings"),
)


@dataclass(frozen=True)
class Day:
    """The runs that ended in a day from `begin` (UTC epoch, or `OPEN`), in that order; `left_out` are more than `MOST`.

    `packed` holds their columns, with users and partitions as places in `users` and `partitions`, which may name one
    several times once names are those that readers see. Without `partitions` none are to be seen.
    """

    begin: int
    runs: int
    left_out: int
    users: tuple[UserName, ...]
    partitions: tuple[PartitionName, ...]
    packed: bytes

    def renamed(self, names: Renaming) -> Day:
        """By public names; where partitions must not be seen, there are none."""
        partitions = self.partitions if names.shows_partitions else ()
        users = tuple(UserName(names.name(UserName, name)) for name in self.users)
        return replace(self, users=users, partitions=partitions)

    @property
    def version(self) -> str:
        """The same for the same runs by the same names: it stands in the name of the file."""
        told = json.dumps([FORM, self.begin, self.left_out, self.users, self.partitions]).encode() + self.packed
        return hashlib.sha256(told).hexdigest()[:12]

    @property
    def name(self) -> str:
        """What the day is called: its date, or `open`."""
        return "open" if self.begin == OPEN else datetime.fromtimestamp(self.begin, timezone.utc).strftime("%Y-%m-%d")


def packed(begin: int, told: Sequence[Told], rules: Rules) -> Day:
    """The runs of a day, given in the order of their ends."""
    some = told[-MOST:]
    users, partitions = _Places(), _Places()
    columns: dict[str, list[Any]] = {name: [] for name in ("user", "partition", *_COLUMNS)}
    sizes, states, found = _Places(), _Places(), _Places()
    for one in some:
        run = one.used.run
        columns["user"].append(users.of(str(run.user)))
        columns["partition"].append(partitions.of(str(run.partition)))
        row = _row(one, rules)
        row["state"], row["size"] = states.of(run.state), sizes.of(row["size"])
        row["findings"] = found.of(row["findings"])
        for name in _COLUMNS:
            columns[name].append(row[name])
    body = {"states": states.values, "sizes": sizes.values, "findings": found.values, "columns": columns}
    return Day(
        begin,
        len(some),
        len(told) - len(some),
        tuple(UserName(name) for name in users.values),
        tuple(PartitionName(name) for name in partitions.values),
        zlib.compress(json.dumps(body, separators=(",", ":")).encode()),
    )


class _Places:
    """Values in the order in which they came, and the place of each."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def of(self, value: Any) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[Any]:
        return list(self._places)


def _row(one: Told, rules: Rules) -> dict[str, Any]:
    run = one.used.run
    begun = one.start is not None
    shares = {name: _share(one, name, key) for name, key in (("cpu", "NCPUS"), ("memory", "MEMORY"), ("gpu", "NGPUS"))}
    held = (run.held("NCPUS"), run.held("NGPUS"), run.held("MEMORY")) if begun else None
    return {
        "id": one.id,
        "array": one.array,
        "tasks": one.tasks,
        "exit_code": (one.exit_code or None) if one.end is not None else None,
        "size": held,
        "eligible": one.eligible,
        "start": one.start,
        "end": one.end,
        "waited": waited(one),
        "elapsed": run.elapsed if begun else None,
        "limit": run.limit,
        **{name: _thousandths(told) for name, told in shares.items()},
        "at_least": int(any(told is not None and told.is_least for told in shares.values())),
        "findings": tuple(found.rule for found in findings(one.used, rules)) if begun and one.end is not None else (),
    }


def _share(one: Told, name: str, key: str) -> Share | None:
    """What a run that ended used of what it held of a resource; None where it held nothing of it."""
    run, use = one.used.run, one.used.use
    if one.end is None or one.start is None:
        return None
    held = run.held(key)
    allocated = held * GIB if name == "memory" else 1000 * held * run.seconds(key)
    used = {"cpu": use.cpu, "memory": use.memory, "gpu": use.gpu}[name]
    is_least = used is not None and (Flag.PARTLY in use.flags or (name == "memory" and use.peak == Peak.TASK))
    return Share(used, allocated, is_least) if allocated else None


def _thousandths(told: Share | None) -> int | None:
    """Used of held; -1 where it held nothing of it, None where it is not known."""
    if told is None:
        return -1
    return None if told.used is None else round(1000 * told.used / told.allocated)


def document(day: Day) -> Mapping[str, object]:
    """What the file of a day holds, from renamed facts. Those who share a name cannot be told apart in it."""
    body = json.loads(zlib.decompress(day.packed))
    columns = body["columns"]
    users, place = _merged(day.users)
    columns["user"] = [place[number] for number in columns["user"]]
    partitions: Sequence[str] = ()
    if day.partitions:
        partitions, place = _merged(day.partitions)
        columns["partition"] = [place[number] for number in columns["partition"]]
    else:
        del columns["partition"]
    names = {"users": users, **({"partitions": partitions} if partitions else {})}
    return {"form": FORM, "day": day.name, **names, **body, "columns": columns}


def _merged(names: Iterable[str]) -> tuple[list[str], list[int]]:
    places = _Places()
    of_each = [places.of(str(name)) for name in names]
    return places.values, of_each


def script(name: str, day: Day) -> bytes:
    """The file `name`: a script that leaves the day's document, compressed, for the page to find. The same for the same
    day."""
    text = json.dumps(document(day), separators=(",", ":")).encode("ascii")
    packed_text = base64.b64encode(gzip.compress(text, 9, mtime=0)).decode("ascii")
    return f"(globalThis.librarianJobs ??= new Map()).set({json.dumps(name)}, '{packed_text}');\n".encode("ascii")


def day_of(moment: int) -> int:
    """Where the day begins that a moment (UTC epoch) is in."""
    return moment - moment % DAY
