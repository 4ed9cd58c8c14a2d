"""All publishers, one after the other, each failing alone: time limits, attempts, and how each fared."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from librarian.config.settings import Publish
from librarian.errors import LibrarianError, PublishError, one_line
from librarian.publish import Publisher, publishers
from librarian.publish.base import FAILED, Attempt, Delivered, Finding, MayPassError, Patience, Preview
from librarian.publish.outcome import Outcome, Record, from_json, record, to_json
from librarian.shared.targets import redacted
from librarian.system.host import pause, stopwatch, write_atomic

Check = Callable[[Path], None]
Result = TypeVar("Result")
_FIRST_PAUSE = 2.0  # seconds before the second attempt, three times as many before each further one
log = logging.getLogger(__name__)


def senders(targets: Sequence[Publish], base: Path, scratch: Path) -> tuple[list[Publisher], list[LibrarianError]]:
    """The configured publishers, and what kept some from being made. Relative paths start at `base`; `scratch` is for
    what they keep between runs."""
    made: list[Publisher] = []
    problems: list[LibrarianError] = []
    for target in targets:
        try:
            made += publishers(target.kind, target.options, base, scratch)
        except LibrarianError as error:
            problems.append(error)
    return made, problems


def deliver(
    to: Sequence[Publisher],
    site: Path,
    now: int,
    checks: Sequence[Check] = (),
    at_once: Callable[[Publisher], bool] = lambda sender: False,
) -> tuple[list[Outcome], list[LibrarianError]]:
    """Publish `site` at `now` (UTC epoch); returns how each publisher fared, and the failures.

    `at_once` tells which publishers must not wait. Where a check raises, nothing leaves, and all publishers have failed
    for its reason.
    """
    try:
        for check in checks:
            check(site)
    except LibrarianError as error:
        reason = redacted(str(error))
        return [Outcome(sender.kind, sender.describe(), FAILED, 0.0, reason=reason) for sender in to], [error]
    outcomes: list[Outcome] = []
    problems: list[LibrarianError] = []
    for sender in to:
        outcome = _one(sender, site, now, at_once(sender))
        outcomes.append(outcome)
        log.info("%s: %s, %.1f s", outcome.target, outcome.state, outcome.seconds)
        if outcome.state == FAILED:
            problems.append(PublishError(outcome.reason))
    return outcomes, problems


def _one(sender: Publisher, site: Path, now: int, at_once: bool) -> Outcome:
    target, began = sender.describe(), stopwatch()
    log.info("publishing to %s", target)
    try:
        done = _attempts(sender, site, now, at_once)
        return Outcome(sender.kind, target, done.state, stopwatch() - began, done.bytes_sent, one_line(done.note))
    except LibrarianError as error:
        reason = str(error) if target in str(error) else f"{target}: {error}"
    except Exception as error:  # a bug, or a disk that fails: the other publishers go on
        log.debug("publishing to %s failed", target, exc_info=True)
        reason = f"{target}: {type(error).__name__}: {error}"
    return Outcome(sender.kind, target, FAILED, stopwatch() - began, reason=one_line(redacted(reason)))


def _attempts(sender: Publisher, site: Path, now: int, at_once: bool) -> Delivered:
    """Attempts until one ends well or fails for good, or the time of two is over."""
    patience, end, wait = sender.patience, stopwatch() + 2 * sender.patience.timeout, _FIRST_PAUSE
    for number in range(patience.retries + 1):
        try:
            return sender.publish(site, Attempt(now, min(stopwatch() + patience.timeout, end), at_once))
        except MayPassError as error:
            if number == patience.retries or stopwatch() + wait >= end:
                raise
            log.info("%s; another attempt in %g s", error, wait)
        pause(wait)
        wait *= 3
    raise AssertionError("unreachable")


def planned(sender: Publisher, site: Path, now: int) -> Preview:
    """What `sender` would do. Raises `PublishError`."""
    return _told(lambda: sender.plan(site, _attempt(sender.patience, now)))


def checked(sender: Publisher, site: Path, now: int) -> list[Finding]:
    """What `sender` finds of whether it can publish; a failure is a finding too."""
    try:
        return _told(lambda: sender.check(site, _attempt(sender.patience, now)))
    except LibrarianError as error:
        return [Finding(False, str(error))]


def _attempt(patience: Patience, now: int) -> Attempt:
    return Attempt(now, stopwatch() + patience.timeout)


def _told(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except OSError as error:
        raise PublishError("this could not be looked at", str(error)) from error


def shows_more(known: Sequence[Record], rules: str) -> Callable[[Publisher], bool]:
    """Whether what a publisher delivered last may show more than the `rules` of [privacy] allow now: it was made under
    others, or it is not known under which."""
    under = {(record.kind, record.target): record.rules for record in known if record.last_success is not None}
    return lambda sender: under.get((sender.kind, sender.describe())) != rules


def keep(path: Path, outcomes: Sequence[Outcome], now: int, rules: str = "") -> None:
    """Write how the publishers fared with a site of these `rules`; those that are not configured any more go."""
    known = read(path)
    with contextlib.suppress(OSError):  # the disk that is full is told of by who needs it
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(path, to_json(record(outcome, known, now, rules) for outcome in outcomes), mode=0o600)


def read(path: Path) -> list[Record]:
    """How the publishers fared last; none where nothing is known."""
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return []
