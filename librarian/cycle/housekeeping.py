"""Once a day, at the end of a run: what has grown without need is taken away."""

from __future__ import annotations

import contextlib
import logging
import re

from librarian.config import DAY
from librarian.config.setup import Setup
from librarian.cycle import access
from librarian.errors import LibrarianError
from librarian.shared.scope import Scope
from librarian.store import CorruptStoreError, Store, keep_copy, opened, rescue, shrink
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.subject import Tidying, Watched
from librarian.system.host import close_to_others, file_time

EVERY = DAY
SPARE_DAYS = 7  # runs are kept so long beyond the window, whatever the configuration says
_TIDIED = "tidied"
_DRAFT = re.compile(r"\.[\w.-]+\.\w{6,16}")  # temporary files of a run that was killed
log = logging.getLogger(__name__)


def tidy(setup: Setup, now: int) -> bool:
    """Drop old runs and left-over files, if a day has passed since the last time; whether that was done.

    What fails is logged: it is tried again in the next run.
    """
    try:
        with opened(setup.places.store, setup.config.cluster.name) as store:
            last = store.fact(_TIDIED)
            if isinstance(last, int) and 0 <= now - last < EVERY:
                return False
            before = now - keep_seconds(setup)
            tidying = Tidying(store, _watched(setup), before, lambda scope: _written(store, scope))
            dropped = sum(subject.tidy(tidying) for subject in SUBJECTS)
            smaller = shrink(store)
            store.know(_TIDIED, now, now)
    except CorruptStoreError as error:
        _rescue(setup, error, now)
        return False
    except LibrarianError as error:
        log.warning("old runs could not be dropped: %s", error)
        return False
    _sweep(setup)
    for path in access.own_files(setup):
        close_to_others(path)
    log.info("housekeeping: %d old runs dropped%s", dropped, ", the store made smaller" if smaller else "")
    return True


def copy(setup: Setup, now: int) -> None:
    """Look through the store and keep a copy of it, if a day has passed since the last one.

    A store that is damaged is set aside: no copy of it is made. What fails is logged.
    """
    try:
        with opened(setup.places.store, setup.config.cluster.name) as store:
            made = keep_copy(store, now)
    except CorruptStoreError as error:
        _rescue(setup, error, now)
    except LibrarianError as error:
        log.warning("%s", error)
    else:
        if made:
            log.info("the store is whole; there is a copy of it: %s", made)


def _rescue(setup: Setup, error: CorruptStoreError, now: int) -> None:
    try:
        log.warning("%s; %s", error, rescue(setup.places.store, setup.config.cluster.name, now))
    except LibrarianError as worse:
        log.warning("%s; it cannot be replaced: %s", error, worse)


def _watched(setup: Setup) -> tuple[Watched, ...]:
    return tuple(Watched(setup.config.scope(entry)) for entry in setup.config.qos)


def _written(store: Store, scope: Scope) -> int:
    """Up to when (UTC epoch) all subjects have written down what runs came to."""
    return min(subject.written(store, scope) for subject in SUBJECTS)


def keep_seconds(setup: Setup) -> int:
    """For how long a run that has ended is kept."""
    return max(setup.config.store.keep_days, setup.config.report.window_days + SPARE_DAYS) * DAY


def _sweep(setup: Setup) -> None:
    """Remove drafts in the state folder that are older than a day by the file system's own clock."""
    state = setup.places.state
    now = file_time(state)
    for path in state.glob(".*"):
        with contextlib.suppress(OSError):
            if _DRAFT.fullmatch(path.name) and path.is_file() and now - path.stat().st_mtime > DAY:
                path.unlink()
