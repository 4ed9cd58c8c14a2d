"""`librarian status`, `doctor` and `store`; and what holds the lock, the log and the limits of a run together."""

from __future__ import annotations

import argparse
import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.errors import LibrarianError, Terminated
from librarian.system import host, lock
from librarian.system.interrupts import Guard

_LOG_BYTES, _LOGS = 1_000_000, 3  # a log, and as many old ones


def status(options: argparse.Namespace) -> int:
    """How things stand, how old the data are, what was rejected."""
    from librarian.health import overview

    setup = _setup(options)
    if options.json:
        text, code = overview.as_json(setup, host.clock())
        print(text)
        return code
    lines, code = overview.describe(setup, host.clock())
    print("\n".join(lines))
    if options.rejects:
        from librarian.subjects.jobs import rejected

        scopes = [setup.config.scope(entry) for entry in setup.config.qos]
        print("\n".join(rejected.lines(setup.places.store, scopes)))
    return code


def doctor(options: argparse.Namespace) -> int:
    """Look through everything that must be right."""
    from librarian import doctor as room

    findings = room.examine(options.config, host.environment(), host.clock())
    print(room.as_json(findings) if options.json else "\n".join(room.as_text(findings)))
    return room.verdict(findings)


def store(options: argparse.Namespace) -> int:
    """Look through the store, take a copy of it, or put a copy in its place."""
    from librarian import store as room

    setup = _setup(options)
    place = setup.places.store
    if options.what == "check":
        return _check(place)
    target = Path(options.file).absolute()
    if options.what == "export":
        room.export(place, target)
        print(f"wrote {target} ({target.stat().st_size} bytes); it holds the names of users as Slurm tells them")
        return 0
    with alone(setup):
        aside = room.take_in(target, place, setup.config.cluster.name, host.clock())
    print(f"{place} is a copy of {target} now" + (f"; the store before is {aside}" if aside else ""))
    return 0


def _check(place: Path) -> int:
    from librarian import store as room
    from librarian.errors import StoreError

    found = room.check(place)
    print(f"{found.path}: {found.size} bytes, schema {found.schema}")
    for name, count in found.rows.items():
        print(f"  {name}: {count} rows")
    for problem in found.problems:
        print(f"  damaged: {problem}")
    print("it is damaged: the next run builds it anew from Slurm" if found.problems else "it is whole")
    return StoreError.exit_status if found.problems else 0


@contextlib.contextmanager
def alone(setup: Setup, what: str = "a run") -> Iterator[Guard]:
    """The lock of everything that writes, kept fresh; and the log. The guard limits a run's stages."""
    with lock.locked(setup.places.lock, what) as held, _logged(setup):

        def freshen() -> None:
            try:
                held.freshen()
            except LibrarianError as error:  # nothing must go on
                raise Terminated(str(error), error.exit_status) from error

        with Guard(freshen, held.check).armed() as guard:
            yield guard


@contextlib.contextmanager
def _logged(setup: Setup) -> Iterator[None]:
    """Log to the file of [run] log; where it cannot be written, nobody is troubled."""
    if not setup.config.run.log:
        yield
        return
    from logging.handlers import RotatingFileHandler

    class Quiet(RotatingFileHandler):
        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (its name in the library)
            pass  # a full disk is told of by what needs it

    logger, path = logging.getLogger("librarian"), setup.places.state / Path(setup.config.run.log).expanduser()
    try:
        handler = Quiet(path, maxBytes=_LOG_BYTES, backupCount=_LOGS, encoding="utf-8", errors="backslashreplace")
    except OSError:
        yield
        return
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    before, shown = logger.level, logger.getEffectiveLevel()
    others = [(other, other.level) for other in logging.getLogger().handlers]
    for other, level in others:  # the terminal's shows what it showed before
        other.setLevel(max(level, shown))
    logger.setLevel(min(shown, logging.INFO))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        for other, level in others:
            other.setLevel(level)
        handler.close()


def _setup(options: argparse.Namespace) -> Setup:
    environment = host.environment()
    return configfile.load(configfile.find(options.config, environment), environment)
