"""`librarian backfill`: years from before the window, with a bar on a terminal."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.config import setup as configfile
from librarian.errors import ConfigError, SlurmError, Trouble
from librarian.shared.words import counted, lasting, percent
from librarian.system import host, lock
from librarian.system.interrupts import Guard

if TYPE_CHECKING:
    from librarian.backfill.orders import Order, Terms
    from librarian.backfill.slices import Outcome, Progress, Target
    from librarian.config.setup import Setup
    from librarian.shared.scope import Scope
    from librarian.shared.spans import Span
    from librarian.slurm.site import Archive

_DAY = 86400
_BAR = 24


def backfill(options: argparse.Namespace) -> int:
    """Fetch what is not known yet of the time that is asked for."""
    environment = host.environment()
    path = configfile.find(options.config, environment).resolve()
    setup = configfile.load(path, environment)
    if options.task is not None and options.folder:
        return _task(options, setup)
    if options.merge:
        return _merge(setup)
    if options.begin is None:
        raise ConfigError("from when on is not told", todo="add --from, as in --from 2021-01-01")
    if options.use and options.slurm:
        raise ConfigError("--use has no job array", "slurmdbd answers one such question at a time", "leave out --slurm")
    with _alone(setup.places.store.with_suffix(".backfill.lock"), "a backfill"):
        return _fetch_use(options, setup) if options.use else _fetch(options, setup, path)


@contextlib.contextmanager
def _alone(path: Path, what: str) -> Iterator[None]:
    """A lock of its own, kept fresh: the runs go on beside it."""
    with lock.locked(path, what) as held, Guard(held.freshen, held.check).armed():
        yield


def _fetch(options: argparse.Namespace, setup: Setup, path: Path) -> int:
    from librarian.backfill import orders
    from librarian.backfill.slices import Hands, fill, into_store
    from librarian.store import opened

    slurm = common.slurm_of(setup)
    with _going_on():
        archive = orders.look(slurm, setup.config.cluster.name)
        terms = orders.within(_terms(options, setup), archive)
        span = _span(options, setup, terms, archive)
        with opened(setup.places.store, setup.config.cluster.name) as store:
            todo = orders.orders(store, _scopes(options, setup), span)
            terms = orders.with_runaways(terms, store, _scopes(options, setup))
        if options.slurm and todo:
            return _submit(options, setup, path, todo, terms)
        with _shown_on_terminal(options, setup.zone) as tell:
            hands = Hands(host.clock, tell=tell)
            outcome = fill(slurm, todo, terms, into_store(target_of(setup), hands), hands)
    begins = [(order.scope.qos, order.spans[0][0]) for order in todo]
    print("\n".join(_told(outcome, begins, setup.zone)))
    return 0


def _fetch_use(options: argparse.Namespace, setup: Setup) -> int:
    """What jobs used, for the past."""
    from librarian.backfill import orders, use
    from librarian.backfill.slices import Hands
    from librarian.store import opened

    if not setup.config.efficiency.enabled:
        raise ConfigError("what jobs used is not asked for", "[efficiency] enabled is false", "set it to true")
    slurm = common.slurm_of(setup)
    with _going_on():
        archive = orders.look(slurm, setup.config.cluster.name)
        span = use.use_bounds(_asked(options, setup), host.clock(), archive)
        with opened(setup.places.store, setup.config.cluster.name) as store:
            todo, never = use.use_orders(store, _scopes(options, setup), span)
        with _shown_on_terminal(options, setup.zone) as tell:
            hands = Hands(host.clock, tell=tell)
            keep = use.use_into_store(target_of(setup), hands)
            longest = use.longest_slice(options.slice_days * _DAY, archive)
            outcome = use.fill_use(slurm, todo, longest, keep, hands)
    lines = [f"{scope.qos}: no run of Librarian has asked yet what jobs used: librarian run" for scope in never]
    begins = [(scope.qos, order.spans[0][0]) for order in todo for scope in order.scopes]
    told = _told(outcome, begins, setup.zone)
    print("\n".join([*lines, *(told if begins or not never else [])]))
    return 0


@contextlib.contextmanager
def _going_on() -> Iterator[None]:
    """A failure of Slurm's tells how to go on."""
    try:
        yield
    except SlurmError as error:
        if error.trouble is Trouble.NOT_BELIEVED:  # all else was fetched
            raise
        todo = "what was fetched is kept; run the same command again, and it goes on there"
        raise type(error)(f"the backfill stopped: {error.what}", error.why, todo) from error


@contextlib.contextmanager
def _shown_on_terminal(options: argparse.Namespace, zone: str) -> Iterator[Callable[[Progress], None]]:
    if options.quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    bar = Bar(zone)
    try:
        yield bar.show
    finally:
        bar.clear()


def _submit(options: argparse.Namespace, setup: Setup, path: Path, todo: Sequence[Order], terms: Terms) -> int:
    from librarian.backfill import job_array

    for old in job_array.unmerged(setup.places.store):
        print(f"librarian: {old} is not merged yet: librarian backfill --merge", file=sys.stderr)
    plan = job_array.ArrayPlan(terms, job_array.shared(todo, options.tasks, terms))
    caller = job_array.Caller(path, setup.places.base, setup.config.scrontab)
    folder = job_array.prepare(setup.places.store, caller, plan, host.clock())
    array, merge = job_array.submit(common.slurm_of(setup), folder)
    tasks = counted(len(plan.tasks), "task")
    print(f"submitted job {array}: {tasks}, {job_array.AT_ONCE} at a time; and job {merge}, which merges")
    print(f"their logs are in {folder}; should a task fail, merge by hand: librarian backfill --merge")
    return 0


def _task(options: argparse.Namespace, setup: Setup) -> int:
    from librarian.backfill import job_array
    from librarian.backfill.slices import Hands

    folder = Path(options.folder)
    with _alone(job_array.part(folder, options.task).with_suffix(".lock"), "a part of a backfill"), _going_on():
        outcome = job_array.fetch(common.slurm_of(setup), folder, options.task, Hands(host.clock))
    print(_sums(outcome))
    return 0


def _merge(setup: Setup) -> int:
    from librarian.backfill import job_array
    from librarian.backfill.slices import Hands

    with _alone(setup.places.store.with_suffix(".backfill.lock"), "a merge"):
        merged = job_array.merge(target_of(setup), Hands(host.clock))
    left = f"; not done: {counted(merged.open_tasks, 'task')}" if merged.open_tasks else ""
    print(f"merged {counted(merged.parts, 'part')}, {counted(merged.seconds / _DAY, 'day')}{left}")
    return 0


def _told(outcome: Outcome, begins: Sequence[tuple[str, int]], zone: str) -> list[str]:
    """What came of it, by QoS; `begins` has each with the time (UTC epoch) from which on it was asked for."""
    if not begins:
        return ["nothing is left to fetch"]
    lines = [_sums(outcome)]
    for name, begin in begins:
        since = outcome.since[name]
        if since is None:
            lines.append(f"{name}: Slurm tells of no run that ended; what was asked for stays unknown")
        elif since > begin:
            lines.append(f"{name}: fetched back to {_shown(since, zone)}; Slurm tells of no older run that ended")
        else:
            lines.append(f"{name}: fetched back to {_shown(since, zone)}")
    return lines


class Bar:
    """A line on the terminal that tells how far it is."""

    def __init__(self, zone: str) -> None:
        self._zone, self._began = zone, host.stopwatch()

    def show(self, progress: Progress) -> None:
        """Put the line in the place of the last one, cut to the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        text = line(progress, host.stopwatch() - self._began, self._zone)
        print(f"\r\x1b[K{text[:width]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def line(progress: Progress, seconds: float, zone: str) -> str:
    """How far it is after `seconds`, for a person."""
    share = progress.done / progress.whole if progress.whole else 1.0
    full = int(_BAR * share)
    left = ""
    if 0 < share < 1:
        left = f"  {lasting(seconds / share - seconds)} left"
    days = f"{_shown(progress.span[0], zone)} to {_shown(progress.span[1], zone)}"
    bar = "#" * full + "." * (_BAR - full)
    return f"[{bar}] {percent(share, 1):>5}{left}  {progress.scope.qos}  {days}  {counted(progress.runs, 'run')}"


def _shown(epoch: int, zone: str) -> str:
    from librarian.shared.calendar import local_date

    return local_date(epoch, zone).isoformat()


def _sums(outcome: Outcome) -> str:
    runs, slices = counted(outcome.runs, "run"), counted(outcome.slices, "slice")
    return f"{runs} in {slices}, {counted(outcome.rejects, 'row')} left out"


def target_of(setup: Setup) -> Target:
    """The store of the configuration."""
    from librarian.backfill.slices import Target

    places, config = setup.places, setup.config
    return Target(places.store, config.cluster.name, places.lock, config.run.time_limit_seconds)


def _terms(options: argparse.Namespace, setup: Setup) -> Terms:
    from librarian.backfill.orders import Terms

    config = setup.config
    return Terms(config.cluster.name, setup.zone, config.report.bin_seconds, options.slice_days * _DAY)


def _span(options: argparse.Namespace, setup: Setup, terms: Terms, archive: Archive) -> Span:
    from librarian.backfill import orders

    return orders.bounds(terms, setup.config.report.window_days, _asked(options, setup), host.clock(), archive)


def _asked(options: argparse.Namespace, setup: Setup) -> tuple[int, int | None]:
    """The time that is asked for, UTC epochs; None: up to the end of what there is."""
    from librarian.shared.calendar import day_start

    begin = day_start(options.begin, setup.zone)
    end = day_start(options.end, setup.zone) if options.end else None
    if end is not None and end <= begin:
        raise ConfigError("--to is not later than --from", todo="--to names the first day that is not asked for")
    return begin, end


def _scopes(options: argparse.Namespace, setup: Setup) -> list[Scope]:

    known = {entry.name.lower(): entry for entry in setup.config.qos}
    names = [name.lower() for name in options.qos or known]
    strange = [name for name in names if name not in known]
    if strange:
        there = ", ".join(entry.name for entry in setup.config.qos)
        raise ConfigError(f"{strange[0]} is not a configured QoS", f"there are {there}")
    return [setup.config.scope(known[name]) for name in dict.fromkeys(names)]
