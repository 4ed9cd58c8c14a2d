"""A run's own account of itself: what each stage took and how it ended, kept as the status; and its stages' limits.

Whatever happens to a run, short of a kill, its status is written: also when a stage fails half-way, when its time is up
or when a signal ends it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from librarian.config.setup import Setup
from librarian.cycle.meter import Meter
from librarian.cycle.parts import status_file
from librarian.errors import (
    LibrarianError,
    SiteError,
    Terminated,
    TooSlowError,
    Trouble,
    one_line,
    trouble_of,
)
from librarian.health import status as values
from librarian.health import timings_file
from librarian.health.status import FAILED, OK, PARTIAL, QosStatus, Status
from librarian.privacy import pseudonyms
from librarian.privacy.rules import Rules
from librarian.shared.files import STATUS
from librarian.site import folder
from librarian.store import Store
from librarian.subjects.listed import SUBJECTS
from librarian.subjects.subject import Asked, Watched
from librarian.system.host import stopwatch, write_atomic
from librarian.system.interrupts import Guard

Problems = list[LibrarianError]
log = logging.getLogger(__name__)


class Journal:
    """The account of one run that begins at `now`; `guard` limits its stages, `meter` measures them."""

    def __init__(self, setup: Setup, now: int, guard: Guard | None = None, meter: Meter | None = None) -> None:
        self._setup, self._now = setup, now
        self._guard = guard or Guard()
        self._meter = meter or Meter()
        self._began = stopwatch()
        self._problems: Problems = []
        self._failures: list[str] = []
        self._troubles: list[Trouble] = []

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
        troubles: list[Trouble] = []
        try:
            limit = self._setup.config.run.limit(name)
            with self._meter.stage(name), self._guard.limit(f"the stage {name}", limit):
                problems = work()
            failure, troubles = told(problems), [problem.trouble for problem in problems]
        except TooSlowError as error:  # the stages behind this one go on with what there is
            problems, failure, troubles = [error], str(error), [error.trouble]
        except BaseException as error:
            failure, troubles = describe(error), [trouble_of(error)]
            raise
        finally:
            before, seconds = status_file(self._setup).read(), stopwatch() - began
            status = values.after_stage(before, name, self._now, seconds, failure, troubles)
            self._failures += [failure] if failure else []
            self._troubles += troubles
            # the site that publishers take along is whole after this stage, and not before
            keep(self._setup, status, shown=self._so_far(status) if name == "render" else None)
            log.info("%s: %s, %.1f s", name, failure or "done", stopwatch() - began)
        self._problems += problems
        return problems

    def _so_far(self, status: Status) -> Status:
        """As if the run ended now: what a publisher takes along tells of this run, and not of the one before it."""
        text = one_line("; ".join(self._failures)) if self._failures else None
        seconds, state = stopwatch() - self._began, PARTIAL if text else OK
        return values.after_run(status, self._now, seconds, state, text, self._troubles)

    def _end(self, error: BaseException | None) -> None:
        try:
            self._guard.check()
        except LibrarianError as lost:  # the status is the new owner's
            log.warning("%s", lost)
            return
        seconds = stopwatch() - self._began
        state = FAILED if error else PARTIAL if self._problems else OK
        text = describe(error) if error else told(self._problems)
        troubles = [trouble_of(error)] if error else [problem.trouble for problem in self._problems]
        before = status_file(self._setup).read()
        keep(self._setup, values.after_run(before, self._now, seconds, state, text, troubles))
        self._keep_timings()
        log.info("the run ends: %s, %.1f s", text or "all went well", seconds)

    def _keep_timings(self) -> None:
        """What was spent is good to know, and no run fails over it."""
        try:
            timings_file.keep(self._setup.places.state, self._meter.cycle(self._now))
        except Exception as error:
            log.info("what the run spent could not be kept: %s", error)


def keep(setup: Setup, status: Status, shown: Status | None = None) -> None:
    """Write the status to the state folder, and what its readers may see of it, or of `shown`, to the site, if there is
    one."""
    file, site = status_file(setup), setup.places.site
    file.write(file.stamped(status))
    if folder.is_site(site):
        with contextlib.suppress(OSError, LibrarianError):
            write_atomic(site / STATUS, public(setup, file.stamped(shown or status)))


def public(setup: Setup, status: Status) -> bytes:
    """The status as it lies in the site. Raises `LibrarianError` when it is not known what its readers may see."""
    rules = setup.config.privacy
    mask = pseudonyms.kept(setup.places.state, rules)
    if (mask.rules if mask else Rules()) != rules:
        raise SiteError("the rules of [privacy] have changed", todo="run: librarian render")
    return values.to_json(values.public(status, host=rules.nodes))


def qos_statuses(store: Store, watched: Sequence[Watched], now: int) -> list[QosStatus]:
    """How asking for each QoS has fared, as the store knows it."""
    found = [(one, subject.asked(store, one)) for one in watched for subject in SUBJECTS]
    return [_qos_status(one.name, asked, now) for one, asked in found if asked]


def _qos_status(name: str, asked: Asked, now: int) -> QosStatus:
    return QosStatus(
        last_try=asked.last_try,
        last_success=None if asked.complete_at is None else min(asked.complete_at, now),
        seconds=None if asked.seconds is None else round(asked.seconds, 3),
        error=one_line(asked.error) if asked.error else None,
        name=name,
        rows=asked.rows,
        rejects=counted(asked.rejects),
        runaways=asked.runaways,
        troubles=(asked.trouble or Trouble.SLURM,) if asked.error else (),
    )


def counted(reasons: Sequence[str]) -> dict[str, int]:
    """How often each reason occurs, the most frequent first."""
    names = sorted(set(reasons), key=lambda name: (-reasons.count(name), name))
    return {name: reasons.count(name) for name in names}


def note_qos(setup: Setup, rows: Sequence[QosStatus]) -> None:
    """Keep how asking for each QoS has fared."""
    file = status_file(setup)
    file.write(file.stamped(replace(file.read(), qos=tuple(rows))))


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
