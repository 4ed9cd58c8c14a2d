"""What a status says to a person and to a monitor: one line with figures, then a line for each part. Pure."""

from __future__ import annotations

from datetime import datetime

import pytz

from librarian.health.status import FAILED, PublisherStatus, QosStatus, Status
from librarian.shared.rejects import too_many
from librarian.shared.words import amount, counted

OK, WARNING, CRITICAL = 0, 1, 2  # as monitoring plugins exit
LATE = 3  # intervals without a success, after which data are called old
LOST = 18  # and after which somebody should look now: three hours of ten-minute runs
_WORDS = {OK: "OK", WARNING: "WARNING", CRITICAL: "CRITICAL"}


def judged(status: Status, now: int, zone: str, facts: dict[str, str] | None = None) -> tuple[list[str], int]:
    """Lines for a person, and 0 (all is fresh), 1 (something is old, or failed last), 2 (something has no data, or is
    very old). The first line is a monitoring plugin's, with figures behind a bar. `facts` are told in lines as well.
    """
    parts = [_qos(row, status, now, zone) for row in status.qos]
    parts += [_publisher(row, now) for row in status.publishers]
    parts += [([f"{name} failed: {stage.error}"], WARNING) for name, stage in status.stages.items() if stage.error]
    code = max([_run_code(status, now), *(code for _, code in parts)])
    first = f"LIBRARIAN {_WORDS[code]}: {_headline(status, now)} | {figures(status, now)}"
    told = [f"{name}: {text}" for name, text in (facts or {}).items()]
    return [first, _last_run(status, now, zone), *told, *(line for lines, _ in parts for line in lines)], code


def age_of(status: Status, now: int) -> int | None:
    """Seconds since the oldest of the data were complete; None where a QoS has none."""
    known = [row.last_success for row in status.qos]
    if not known or None in known:
        return None
    return max(0, now - min(moment for moment in known if moment is not None))


def figures(status: Status, now: int) -> str:
    """Performance data as monitoring plugins print them: value, then where warning and critical begin."""
    age, interval = age_of(status, now), status.interval_seconds
    told = "U" if age is None else f"{age}s"
    rejects = sum(sum(row.rejects.values()) for row in status.qos)
    seconds = "U" if status.seconds is None else f"{status.seconds:.1f}s"
    return (
        f"age={told};{LATE * interval};{LOST * interval};0 duration={seconds};;;0 "
        f"failures={status.failures};;;0 rejects={rejects};;;0"
    )


def _run_code(status: Status, now: int) -> int:
    since = now - status.last_success if status.last_success is not None else None
    if since is None or since > LOST * status.interval_seconds:
        # a run that only lacks something on its way is no loss of data; those are judged by themselves
        return WARNING if status.last_try is not None and _fresh(status, now) else CRITICAL
    return WARNING if status.error or since > LATE * status.interval_seconds else OK


def _fresh(status: Status, now: int) -> bool:
    age = age_of(status, now)
    return age is not None and age <= LATE * status.interval_seconds


def _headline(status: Status, now: int) -> str:
    if status.last_try is None:
        return f"{status.cluster}: {status.error or 'nothing was run yet (run: librarian run)'}"
    age = age_of(status, now)
    data = "a QoS has no data yet" if age is None else f"data {_long(age)} old"
    late = now - status.last_try > LATE * status.interval_seconds
    run = f", the last run was {_ago(now - status.last_try)}" if late else ""
    trouble = f", {amount(status.failures)} runs failed in a row" if status.failures > 1 else ""
    trouble = trouble or (", the last run failed" if status.failures else "")
    many = ", ".join(
        f"{counted(sum(row.rejects.values()), 'row')} of {row.name} rejected" for row in status.qos if _many(row)
    )
    return f"{status.cluster}: {data}{run}{trouble}{', ' if many else ''}{many}"


def _last_run(status: Status, now: int, zone: str) -> str:
    if status.last_try is None:
        return "last run: not known" if status.error else "last run: never"
    took = "" if status.seconds is None else f", {amount(status.seconds)} s"
    place = f" on {status.host}" if status.host else ""
    text = f"last run: {status.state}, {moment(status.last_try, zone)}, {_ago(now - status.last_try)}{took}{place}"
    if status.error is None:
        return text
    last = "never" if status.last_success is None else _ago(now - status.last_success)
    return f"{text}; the last one without a failure: {last}"


def _qos(row: QosStatus, status: Status, now: int, zone: str) -> tuple[list[str], int]:
    rejects = [f"  {amount(count)} rejected: {reason}" for reason, count in row.rejects.items()]
    if row.runaways:
        many = "1 job" if row.runaways == 1 else f"{amount(row.runaways)} jobs"
        rejects.append(f"  {many} open in accounting that Slurm does not run (librarian status --runaways)")
    failure = f"; the last try failed: {row.error}" if row.error else ""
    if row.last_success is None:
        return [f"{row.name}: no data yet{failure}", *rejects], CRITICAL
    age, interval = now - row.last_success, status.interval_seconds
    facts = f"complete up to {moment(row.last_success, zone)}, {_ago(age)}"
    if row.error is None and row.seconds is not None:
        facts += f"; the last answer had {counted(row.rows or 0, 'run')} and took {amount(row.seconds)} s"
    code = CRITICAL if age > LOST * interval else WARNING if failure or age > LATE * interval or _many(row) else OK
    return [f"{row.name}: {'OLD, ' if age > LATE * interval else ''}{facts}{failure}", *rejects], code


def _many(row: QosStatus) -> bool:
    return too_many(sum(row.rejects.values()), row.rows)


def _publisher(row: PublisherStatus, now: int) -> tuple[list[str], int]:
    name, word = f"{row.kind}: {row.target}", row.state.upper() if row.state == FAILED else row.state
    if row.last_try is None:
        return [f"{name}: nothing was published yet"], OK
    text = f"{name}: {word}, {_ago(now - row.last_try)}"
    if row.state != FAILED:
        return ["; ".join([text, *_sent(row), *([row.note] if row.note else [])])], OK
    last = "never" if row.last_success is None else _ago(now - row.last_success)
    return [f"{text}: {row.error or 'no reason is known'}; it last worked: {last}"], WARNING


def _sent(row: PublisherStatus) -> list[str]:
    """How much went out and how long that took, where it is known and something went."""
    if not row.bytes_sent or row.seconds is None:
        return []
    return [f"{_size(row.bytes_sent)} in {amount(row.seconds)} s"]


def _size(count: int) -> str:
    for length, unit in ((2**20, "MiB"), (2**10, "KiB")):
        if count >= length:
            return f"{amount(count / length)} {unit}"
    return f"{count} bytes"


def moment(epoch: int, zone: str) -> str:
    """ISO 8601 in `zone`; a number that is no time of our calendar as it is."""
    try:
        return datetime.fromtimestamp(epoch, pytz.timezone(zone)).isoformat()
    except (ValueError, OverflowError, OSError):
        return str(epoch)


def _ago(seconds: int) -> str:
    return f"{_long(seconds)} ago" if seconds >= 60 else "just now"


def _long(seconds: int) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"
