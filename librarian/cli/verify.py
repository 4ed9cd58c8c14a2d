"""`librarian verify`: our hours beside sreport's, running jobs beside squeue. Reads the store and asks Slurm."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shutil
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.errors import ConfigError, LibrarianError, SlurmError, StoreError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.shared.spans import Span
    from librarian.store import Store
    from librarian.verify.found import Found

log = logging.getLogger(__name__)


def verify(options: argparse.Namespace) -> int:
    """Compare each QoS; 0 where all is the same, 1 where something differs, 3 where nothing could be compared."""
    from librarian.cli.verify_text import as_json, lines
    from librarian.store import opened

    setup, now = common.setup_of(options), host.clock()
    span = _span(options.month, setup, now)
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    problems: list[LibrarianError] = []
    with opened(setup.places.store, setup.config.cluster.name) as store:
        told = _look(setup, store, span, now, problems)
    if options.json:
        print(json.dumps(as_json(told, now), indent=1))
    elif told:
        print("\n\n".join("\n".join(lines(found, setup.zone, shutil.get_terminal_size().columns)) for found in told))
    return common.tell(problems) if problems else _result(setup, told, now)


def _span(month: str | None, setup: Setup, now: int) -> Span:
    """What is to be compared: a month, or the window."""
    from datetime import date

    from librarian.cycle.stages import window_of
    from librarian.shared.calendar import is_month, month_after
    from librarian.shared.window import day_start

    if month is None:
        return window_of(setup, now).start, now
    if not is_month(month):
        raise ConfigError(f"{month} is not a month", todo="write it as in 2026-10")
    begin = day_start(date.fromisoformat(f"{month}-01"), setup.zone)
    return begin, month_after(begin, setup.zone)


def _look(setup: Setup, store: Store, span: Span, now: int, problems: list[LibrarianError]) -> list[Found]:
    """Each QoS by itself; what fails of one stops no other."""
    from librarian.cycle.stages import watched
    from librarian.verify.found import Found
    from librarian.verify.hours import Comparison, Terms
    from librarian.verify.running import look

    slurm = common.slurm_of(setup)
    terms = Terms(setup.zone, setup.config.report.bin_seconds)
    comparison, told = Comparison(slurm, store, terms, now, host.user_name()), []
    for one in watched(setup):
        log.info("%s: comparing with sreport and squeue", one.name)
        try:
            told.append(Found(one.name, comparison.of(one.scope, span), look(slurm, store, one.scope, now)))
        except StoreError:
            raise
        except LibrarianError as error:
            problems.append(type(error)(f"{one.name}: {error.what}", error.why, error.todo, trouble=error.trouble))
    return told


def _result(setup: Setup, told: list[Found], now: int) -> int:
    from librarian.health import agreed

    if not any(found.compared for found in told):
        raise SlurmError("nothing could be compared", "see above")
    if any(found.differs for found in told):
        return 1
    if all(found.complete for found in told):
        with contextlib.suppress(OSError):  # the page does not tell of it then
            agreed.keep(setup.places.state, now)
    return 0
