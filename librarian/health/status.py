"""What happened in the runs, as values: how each stage, each QoS and each publisher fared. Times are UTC epochs.

It is kept as JSON between runs (docs/status.schema.json), so that a page, a monitor and the watchdog can tell how
things stand without the store. Nothing here needs more than the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from librarian.errors import Trouble
from librarian.shared.troubles import words_of

SCHEMA_VERSION = 1
OK, PARTIAL, FAILED, NEVER = "ok", "partial", "failed", "never"
Row = TypeVar("Row", bound="Stage")


@dataclass(frozen=True)
class Stage:
    """How something fared: its last try, its last success (None: never), how long the last try took, and why it failed
    in one line for the operator (None: it did not), with the kinds of what failed for all others."""

    last_try: int | None = None
    last_success: int | None = None
    seconds: float | None = None
    error: str | None = None
    troubles: tuple[Trouble, ...] = field(default=(), kw_only=True)

    def after(self, now: int, seconds: float, error: str | None, troubles: Sequence[Trouble] = ()) -> Stage:
        """The same after a try that began at `now`."""
        since = self.last_success if error else now
        return Stage(now, since, round(seconds, 3), error, troubles=_kinds(error, troubles))


@dataclass(frozen=True)
class QosStatus(Stage):
    """The same of asking Slurm for a QoS. `last_success` is the time up to which its data are complete; `rows` of its
    last answer, `rejects` are counted by reason, all that are known; `runaways` is how many runs accounting has open
    that Slurm does not run."""

    name: str = ""
    rows: int | None = None
    rejects: Mapping[str, int] = field(default_factory=dict)
    runaways: int = 0


@dataclass(frozen=True)
class PublisherStatus(Stage):
    """The same of taking the site somewhere. `state`: done, unchanged, waits or failed; `bytes_sent`: None where not
    known; `note`: why it waits, or how the files went."""

    kind: str = ""
    target: str = ""
    state: str = ""
    bytes_sent: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Status:
    """All of it. `failures` counts the runs in a row in which something failed, `failing_since` is when the first of
    them began. `state`: ok, partial (something failed, the rest was done), failed, or never (nothing was run yet)."""

    cluster: str
    interval_seconds: int
    version: str = ""
    host: str = ""
    state: str = NEVER
    last_try: int | None = None
    last_success: int | None = None
    seconds: float | None = None
    error: str | None = None
    failures: int = 0
    failing_since: int | None = None
    next_expected: int | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    qos: tuple[QosStatus, ...] = ()
    publishers: tuple[PublisherStatus, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def _kinds(error: str | None, troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """The kinds of what failed, each once; some where anything did."""
    return () if error is None else tuple(dict.fromkeys(troubles)) or (Trouble.FAILED,)


def after_stage(
    status: Status, name: str, now: int, seconds: float, error: str | None, troubles: Sequence[Trouble] = ()
) -> Status:
    """The status after a stage."""
    stage = status.stages.get(name, Stage()).after(now, seconds, error, troubles)
    return replace(status, stages={**status.stages, name: stage})


def after_run(
    status: Status, now: int, seconds: float, state: str, error: str | None, troubles: Sequence[Trouble] = ()
) -> Status:
    """The status after a run that began at `now` and took `seconds`; `error` is None where all went well."""
    well = error is None
    since = status.failing_since if status.failing_since is not None else now
    return replace(
        status,
        state=state,
        last_try=now,
        last_success=now if well else status.last_success,
        seconds=round(seconds, 3),
        error=error,
        troubles=_kinds(error, troubles),
        failures=0 if well else status.failures + 1,
        failing_since=None if well else since,
        next_expected=now + status.interval_seconds,
    )


def to_json(status: Status) -> bytes:
    """The status as JSON."""
    body = {"schema_version": SCHEMA_VERSION, "generator": f"librarian {status.version}", **asdict(status)}
    return (json.dumps(body, indent=1, default=lambda trouble: trouble.value) + "\n").encode("ascii")


def from_json(text: str | bytes) -> Status | None:
    """The status in `text`; None where it is damaged or of another version, since the next run writes it anew."""
    try:
        body = json.loads(text)
        if body["schema_version"] != SCHEMA_VERSION:
            return None
        rest = _of_fields(Status, body)
        rest["stages"] = {str(name): _row(Stage, row) for name, row in body["stages"].items()}
        rest["qos"] = tuple(_row(QosStatus, row) for row in body["qos"])
        rest["publishers"] = tuple(_row(PublisherStatus, row) for row in body["publishers"])
        return checked(Status(**rest))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


_ADDED = ("bytes_sent", "note", "troubles", "runaways")  # what files of the same version may lack, since it came later
_NUMBERS = ("last_try", "last_success", "failing_since", "next_expected", "seconds", "rows", "bytes_sent")
_TEXTS = ("error", "name", "kind", "target", "state", "cluster", "version", "host", "note")


def _row(kind: type[Row], row: Mapping[str, Any]) -> Row:
    return checked(kind(**_of_fields(kind, row)))


def _of_fields(kind: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row has for the fields of `kind`. Raises `KeyError` where it lacks what it must have."""
    names = [item.name for item in fields(kind) if item.name in row or item.name not in _ADDED]
    known = {trouble.value: trouble for trouble in Trouble}  # a newer release may know others
    troubles = tuple(known.get(value, Trouble.FAILED) for value in row.get("troubles", ()))
    return {**{name: row[name] for name in names}, "troubles": troubles}


def checked(value: Any) -> Any:
    """`value`, when its numbers are numbers and its texts texts: what is read may be anybody's. Raises `TypeError`."""
    for name in (item.name for item in fields(value)):
        held = getattr(value, name)
        optional = held is None and name in (*_NUMBERS, "error")
        if name in _NUMBERS and not optional and (isinstance(held, bool) or not isinstance(held, int | float)):
            raise TypeError(name)
        if name in _TEXTS and not optional and not isinstance(held, str):
            raise TypeError(name)
        if name in ("interval_seconds", "failures", "runaways") and (
            isinstance(held, bool) or not isinstance(held, int)
        ):
            raise TypeError(name)
    if isinstance(value, QosStatus) and not all(isinstance(count, int) for count in value.rejects.values()):
        raise TypeError("rejects")
    return value


def public(status: Status, *, host: bool) -> Status:
    """The status as the site's readers may see it: no targets, and of what failed the kind alone."""

    def cleaned(row: Row) -> Row:
        return replace(row, error=_told(row.error, row.troubles))

    return replace(
        status,
        host=status.host if host else "",
        error=_told(status.error, status.troubles),
        stages={name: cleaned(stage) for name, stage in status.stages.items()},
        qos=tuple(cleaned(row) for row in status.qos),
        publishers=tuple(
            replace(row, target=row.kind, error=None if row.error is None else "failed", note="")
            for row in status.publishers
        ),
    )


def _told(error: str | None, troubles: Sequence[Trouble]) -> str | None:
    return None if error is None else words_of(troubles)
