"""`librarian status`: what is known of each QoS, for a person at a terminal."""

from __future__ import annotations

from collections import Counter

from librarian.configfile import Setup
from librarian.core.window import isoformat
from librarian.pipeline import scope
from librarian.publish import delivery, outcome
from librarian.slurm.accounting import DELIMITER
from librarian.store import Scope, Store, opened

OK, WARNING, CRITICAL = 0, 1, 2  # as monitoring plugins exit
_LATE = 3  # intervals without a complete answer


def describe(setup: Setup, now: int, *, every_reject: bool = False) -> tuple[list[str], int]:
    """Lines for a person, and a status: 0 all is fresh, 1 something is old or failed, 2 something has no data at all.

    A publisher that failed is a 1. Raises `StoreError` when the store cannot be read.
    """
    if not setup.places.store.exists():
        nothing = f"nothing was collected yet: there is no store {setup.places.store} (run: librarian run)"
        return [nothing, *_publishers(setup, now)[0]], CRITICAL
    lines, worst = [f"cluster {setup.config.cluster.name}, store {setup.places.store}, site {setup.places.site}"], OK
    with opened(setup.places.store) as store:
        for entry in setup.config.qos:
            text, code = _qos(store, scope(entry), setup, now)
            lines += [text, *_rejects(store, scope(entry), every_reject)]
            worst = max(worst, code)
    published, well = _publishers(setup, now)
    return lines + published, worst if well else max(worst, WARNING)


def _publishers(setup: Setup, now: int) -> tuple[list[str], bool]:
    """How each configured publisher fared in its last run, and whether none failed."""
    known = {(one.kind, one.target): one for one in delivery.read(setup.places.deliveries)}
    lines, all_well = [], True
    for sender in delivery.senders(setup)[0]:
        last = known.get((sender.kind, sender.describe()))
        text, well = outcome.describe(last, now) if last else (f"{sender.describe()}: nothing was published yet", True)
        lines.append(f"{sender.kind}: {text}")
        all_well = all_well and well
    return lines, all_well


def _qos(store: Store, where: Scope, setup: Setup, now: int) -> tuple[str, int]:
    coverage, last = store.coverage(where), store.last_query(where)
    failure = f"; the last try failed: {last.error}" if last and last.error else ""
    if coverage is None:
        return f"{where.qos}: no data yet{failure}", CRITICAL
    age = now - coverage.complete_at
    old = age > _LATE * setup.config.report.interval_seconds
    facts = f"complete up to {isoformat(coverage.complete_at, setup.zone)}, {_ago(age)}"
    if last and not last.error:
        facts += f"; the last answer had {last.rows} runs and took {last.seconds:.1f} s"
    return f"{where.qos}: {'OLD, ' if old else ''}{facts}{failure}", WARNING if old or failure else OK


def _rejects(store: Store, where: Scope, every: bool) -> list[str]:
    rejects = store.rejects(where)
    counted = Counter(reject.reason for reject in rejects)
    lines = [f"  {count} rejected: {reason}" for reason, count in counted.most_common()]
    if every:
        lines += [f"    {reject.reason}: {_visible(reject.line)}" for reject in rejects]
    return lines


def _visible(line: str) -> str:
    text = line.replace(DELIMITER, "|")
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _ago(seconds: int) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return "just now"
