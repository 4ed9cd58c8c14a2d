"""A run's own account of itself: what each stage took and how it ended, kept as the status; and its stages' limits.

Whatever happens to a run, short of a kill, its status is written: also when a stage fails half-way, when its time is up
or when a signal ends it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from librarian.config.setup import Setup
from librarian.errors import LibrarianError, SiteError, Terminated, TooSlowError, one_line
from librarian.health import status as values
from librarian.health import statusfile
from librarian.health.status import FAILED, OK, PARTIAL, QosStatus, Status
from librarian.privacy import pseudonyms
from librarian.privacy.rules import Rules
from librarian.site import folder
from librarian.system.host import stopwatch, write_atomic
from librarian.system.interrupts import Guard

if TYPE_CHECKING:
    from librarian.shared.scope import Scope
    from librarian.store import Store

Problems = list[LibrarianError]
log = logging.getLogger(__name__)


class Journal:
    """The account of one run that begins at `now`; `guard` limits its stages."""

    def __init__(self, setup: Setup, now: int, guard: Guard | None = None) -> None:
        self._setup, self._now = setup, now
        self._guard = guard or Guard()
        self._began = stopwatch()
        self._problems: Problems = []
        self._failures: list[str] = []

    @contextlib.contextmanager
    def whole(self) -> Iterator[Journal]:
        """The run: its limit, and its status when it ends, however it does."""
        log.info("a run begins")
        error: BaseException | None = None
        try:
            with self._guard.limit("the run", self._setup.config.run.time_limit_seconds, final=True):
                yield self
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._end(error)

    def stage(self, name: str, work: Callable[[], Problems]) -> Problems:
        """One stage: within its limit, timed, its failure noted; returns what failed. Raises what `work` raises."""
        self._guard.check()
        began = stopwatch()
        failure: str | None = None
        try:
            with self._guard.limit(f"the stage {name}", self._setup.config.run.limit(name)):
                problems = work()
            failure = told(problems)
        except TooSlowError as error:  # the stages behind this one go on with what there is
            problems, failure = [error], str(error)
        except BaseException as error:
            failure = describe(error)
            raise
        finally:
            status = values.after_stage(statusfile.read(self._setup), name, self._now, stopwatch() - began, failure)
            self._failures += [failure] if failure else []
            # the site that publishers take along is whole after this stage, and not before
            keep(self._setup, status, shown=self._so_far(status) if name == "render" else None)
            log.info("%s: %s, %.1f s", name, failure or "done", stopwatch() - began)
        self._problems += problems
        return problems

    def _so_far(self, status: Status) -> Status:
        """As if the run ended now: what a publisher takes along tells of this run, and not of the one before it."""
        text = one_line("; ".join(self._failures)) if self._failures else None
        return values.after_run(status, self._now, stopwatch() - self._began, PARTIAL if text else OK, text)

    def _end(self, error: BaseException | None) -> None:
        try:
            self._guard.check()
        except LibrarianError as lost:  # the status is the new owner's
            log.warning("%s", lost)
            return
        seconds = stopwatch() - self._began
        state = FAILED if error else PARTIAL if self._problems else OK
        text = describe(error) if error else told(self._problems)
        keep(self._setup, values.after_run(statusfile.read(self._setup), self._now, seconds, state, text))
        log.info("the run ends: %s, %.1f s", text or "all went well", seconds)


def keep(setup: Setup, status: Status, shown: Status | None = None) -> None:
    """Write the status to the state folder, and what its readers may see of it, or of `shown`, to the site, if there is
    one."""
    statusfile.write(setup, statusfile.stamped(status, setup))
    site = setup.places.site
    if folder.is_site(site):
        with contextlib.suppress(OSError, LibrarianError):
            write_atomic(site / statusfile.NAME, public(setup, statusfile.stamped(shown or status, setup)))


def public(setup: Setup, status: Status) -> bytes:
    """The status as it lies in the site. Raises `LibrarianError` when it is not known what its readers may see."""
    mask, places, rules = pseudonyms.kept(setup.places.state), setup.places, setup.config.privacy
    if (mask.rules if mask else Rules()) != rules:
        raise SiteError("the rules of [privacy] have changed", todo="run: librarian render")
    folders = [str(place) for place in (places.base, places.state, places.site)]
    shown = values.public(status, mask.text if mask else str, folders, host=rules.nodes)
    return values.to_json(shown)


def qos_status(store: Store, scope: Scope, now: int) -> QosStatus:
    """How asking for a QoS has fared, as the store knows it."""
    from librarian.subjects.jobs.keep import JobRuns

    runs = JobRuns(store)
    coverage, last = runs.coverage(scope), runs.last_query(scope)
    return QosStatus(
        last_try=last.until if last else None,
        last_success=min(coverage.complete_at, now) if coverage else None,
        seconds=round(last.seconds, 3) if last else None,
        error=one_line(last.error) if last and last.error else None,
        name=scope.qos,
        rows=last.rows if last else None,
        rejects=counted([reject.reason for reject in runs.rejects(scope)]),
    )


def counted(reasons: Sequence[str]) -> dict[str, int]:
    """How often each reason occurs, the most frequent first."""
    names = sorted(set(reasons), key=lambda name: (-reasons.count(name), name))
    return {name: reasons.count(name) for name in names}


def note_qos(setup: Setup, rows: Sequence[QosStatus]) -> None:
    """Keep how asking for each QoS has fared."""
    statusfile.write(setup, statusfile.stamped(replace(statusfile.read(setup), qos=tuple(rows)), setup))


def told(problems: Sequence[LibrarianError]) -> str | None:
    """What failed, in one line; None where nothing did."""
    return one_line("; ".join(str(problem) for problem in problems)) if problems else None


def describe(error: BaseException) -> str:
    """An exception in one line."""
    if isinstance(error, LibrarianError):
        return one_line(str(error))
    if isinstance(error, Terminated):
        return error.reason
    return one_line(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
