"""`librarian verify`: our hours beside sreport's, running jobs beside squeue. Reads the store and asks Slurm."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import logging
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from librarian.cli import common
from librarian.errors import ConfigError, LibrarianError, SlurmError, StoreError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.shared.spans import Span
    from librarian.store import Store
    from librarian.verify.found import Found

Result = TypeVar("Result")
log = logging.getLogger(__name__)


def verify(options: argparse.Namespace) -> int:
    """Compare each QoS; 0 where all is the same, 1 where something differs, 3 where nothing could be compared."""
    from librarian.cli.verify_text import as_json, lines
    from librarian.health import agreed
    from librarian.store import opened

    setup, now = common.setup_of(options), host.clock()
    span = _span(options.month, setup, now)
    if not setup.places.store.exists():
        raise StoreError("nothing was collected yet", f"there is no store {setup.places.store}", "run: librarian run")
    with opened(setup.places.store, setup.config.cluster.name) as store:
        told = _look(setup, store, span, now)
    if options.json:
        print(json.dumps(as_json(told, now), indent=1, allow_nan=False))
    else:
        width = shutil.get_terminal_size().columns
        print("\n\n".join("\n".join(lines(found, setup.zone, width)) for found in told))
    status = common.tell([problem for found in told for problem in found.problems])
    if any(found.differs for found in told):
        return 1
    if status:
        return status
    if not any(found.compared for found in told):
        raise SlurmError("nothing could be compared", "see above")
    if options.month is None and all(found.complete for found in told):
        with contextlib.suppress(OSError):  # the page does not tell of it then
            agreed.keep(setup.places.state, now)
    return 0


def _span(month: str | None, setup: Setup, now: int) -> Span:
    """What is to be compared: a month, or the window."""
    from datetime import date

    from librarian.cycle.stages import window_of
    from librarian.shared.calendar import day_start, is_month, month_after

    if month is None:
        return window_of(setup, now).start, now
    if not is_month(month):
        raise ConfigError(f"{month} is not a month", todo="write it as in 2026-10")
    first = date.fromisoformat(f"{month}-01") if "1980" <= month <= "2100" else None
    if first is None:
        raise ConfigError(f"{month} is not a month that can be compared", todo="write one of 1980 to 2099")
    begin = day_start(first, setup.zone)
    return begin, month_after(begin, setup.zone)


def _look(setup: Setup, store: Store, span: Span, now: int) -> list[Found]:
    """Each QoS by itself, hours and running jobs too; what fails stops nothing else. Raises `StoreError`."""
    from librarian.cycle.parts import watched
    from librarian.verify.found import Found
    from librarian.verify.hours import Comparison, Terms
    from librarian.verify.running import look

    slurm = common.slurm_of(setup)
    terms = Terms(setup.zone, setup.config.report.bin_seconds)
    comparison, told = Comparison(slurm, store, terms, now, host.user_name()), []
    for one in watched(setup):
        log.info("%s: comparing with sreport and squeue", one.name)
        problems: list[LibrarianError] = []
        alone = functools.partial(_alone, one.name, problems)
        hours = alone(lambda scope=one.scope: comparison.of(scope, span))  # type: ignore[misc]
        running = alone(lambda scope=one.scope: look(slurm, store, scope, now))  # type: ignore[misc]
        told.append(Found(one.name, hours, running, tuple(problems)))
    return told


def _alone(name: str, problems: list[LibrarianError], work: Callable[[], Result]) -> Result | None:
    """What `work` gives; None where that fails, of which `problems` tell then. Raises `StoreError`."""
    try:
        return work()
    except StoreError:
        raise
    except LibrarianError as error:
        problems.append(type(error)(f"{name}: {error.what}", error.why, error.todo, trouble=error.trouble))
        return None
