"""What commands share: the configuration, Slurm, the lock and the log of what writes, and how failures are told."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.errors import ConfigError, LibrarianError, Terminated
from librarian.system import host, lock
from librarian.system.interrupts import Guard

if TYPE_CHECKING:
    from io import TextIOWrapper

    from librarian.slurm.command import Slurm

_LOG_BYTES, _LOGS = 1_000_000, 3  # a log, and as many old ones


def setup_path(options: argparse.Namespace) -> Path:
    """Where the configuration is that is asked for. Raises `ConfigError`."""
    return configfile.find(options.config, host.environment()).resolve()


def setup_of(options: argparse.Namespace) -> Setup:
    """The configuration that is asked for. Raises `ConfigError`."""
    environment = host.environment()
    return configfile.load(configfile.find(options.config, environment), environment)


def slurm_of(setup: Setup) -> Slurm:
    """Slurm's commands as the configuration has them."""
    from librarian.slurm.command import Slurm

    return Slurm(setup.config.slurm.bin_dir, setup.config.slurm.timeout_seconds)


def tell(problems: Sequence[LibrarianError]) -> int:
    """Say what failed; the exit status is that of the failures, or 1 where they are of several kinds."""
    for problem in problems:
        print(f"librarian: {problem}", file=sys.stderr)
    kinds = {problem.exit_status for problem in problems}
    return kinds.pop() if len(kinds) == 1 else int(bool(kinds))


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
        def _open(self) -> TextIOWrapper:
            if path.parent == state:  # a log elsewhere is where somebody wants it read
                host.make_private(path)
            return super()._open()

        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (its name in the library)
            pass  # a full disk is told of by what needs it

    logger, state = logging.getLogger("librarian"), setup.places.state
    try:
        path = state / host.expanded(setup.config.run.log)
        handler = Quiet(path, maxBytes=_LOG_BYTES, backupCount=_LOGS, encoding="utf-8", errors="backslashreplace")
    except (OSError, ConfigError):
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
