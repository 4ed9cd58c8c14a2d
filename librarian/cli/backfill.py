"""`librarian backfill`: years from before the window, with a bar on a terminal."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from librarian import configfile, system
from librarian.cli import upkeep
from librarian.errors import ConfigError, SlurmError

if TYPE_CHECKING:
    from librarian.backfill import Outcome, Progress
    from librarian.backlog import Order
    from librarian.configfile import Setup
    from librarian.core.slices import Span
    from librarian.slurm.command import Slurm
    from librarian.slurm.site import Archive
    from librarian.store import Scope

_DAY = 86400
_BAR = 24


def arguments(made: argparse.ArgumentParser) -> None:
    """The options of the command."""
    made.add_argument("--from", dest="begin", type=_day, metavar="DATE", help="first day, as in 2021-01-01")
    made.add_argument(
        "--to", dest="end", type=_day, metavar="DATE", help="up to this day's begin (default: the window)"
    )
    made.add_argument("--qos", action="append", metavar="NAME", help="for this QoS; may come again (default: all)")
    made.add_argument(
        "--slice-days", type=_days, default=7, metavar="N", help="length of a slice, 1 to 366 (default 7)"
    )


def backfill(options: argparse.Namespace) -> int:
    """Fetch what is not known yet of the time that is asked for."""
    environment = system.environment()
    setup = configfile.load(configfile.find(options.config, environment), environment)
    if options.begin is None:
        raise ConfigError("from when on is not told", todo="add --from, as in --from 2021-01-01")
    own = setup.places.store.with_suffix(".backfill.lock")
    with upkeep.alone(setup, "a backfill", own):
        return _fetch(options, setup)


def _fetch(options: argparse.Namespace, setup: Setup) -> int:
    from librarian import backlog
    from librarian.backfill import Hands, fill, into_store
    from librarian.store import opened

    slurm = _slurm(setup)
    try:
        archive = backlog.look(slurm, setup.config.cluster.name)
        span = _span(options, setup, archive)
        with opened(setup.places.store) as store:
            todo = backlog.orders(store, _scopes(options, setup), span)
        bar = Bar(setup.zone) if sys.stderr.isatty() and not options.quiet else None
        hands = Hands(system.clock, tell=bar.show) if bar else Hands(system.clock)
        terms = backlog.terms_of(setup, archive, options.slice_days * _DAY)
        try:
            outcome = fill(slurm, todo, terms, into_store(setup, hands), hands)
        finally:
            if bar:
                bar.clear()
    except SlurmError as error:
        todo_now = "what was fetched is kept; run the same command again, and it goes on there"
        raise type(error)(f"the backfill stopped: {error.what}", error.why, todo_now) from error
    print("\n".join(_told(outcome, todo, setup.zone)))
    return 0


def _told(outcome: Outcome, todo: Sequence[Order], zone: str) -> list[str]:
    if not todo:
        return ["nothing is left to fetch"]
    lines = [f"{outcome.runs:,} runs in {outcome.slices} slices, {outcome.rejects:,} rows left out"]
    for order in todo:
        name, since = order.scope.qos, outcome.since[order.scope.qos]
        if since is None:
            lines.append(f"{name}: Slurm tells of no run that ended; what was asked for stays unknown")
        elif since > order.spans[0][0]:
            lines.append(f"{name}: fetched back to {_shown(since, zone)}; Slurm tells of no older run that ended")
        else:
            lines.append(f"{name}: fetched back to {_shown(since, zone)}")
    return lines


class Bar:
    """A line on the terminal that tells how far it is."""

    def __init__(self, zone: str) -> None:
        self._zone, self._began = zone, system.stopwatch()

    def show(self, progress: Progress) -> None:
        """Put the line in the place of the last one, cut to the width of the terminal."""
        width = shutil.get_terminal_size().columns - 1
        text = line(progress, system.stopwatch() - self._began, self._zone)
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
        left = f"  {_duration(seconds / share - seconds)} left"
    days = f"{_shown(progress.span[0], zone)} to {_shown(progress.span[1], zone)}"
    bar = "#" * full + "." * (_BAR - full)
    return f"[{bar}] {int(100 * share):3d} %{left}  {progress.scope.qos}  {days}  {progress.runs:,} runs"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _shown(epoch: int, zone: str) -> str:
    from librarian.core.window import local_date

    return local_date(epoch, zone).isoformat()


def _span(options: argparse.Namespace, setup: Setup, archive: Archive) -> Span:
    from librarian import backlog
    from librarian.core.window import day_start

    begin = day_start(options.begin, setup.zone)
    end = day_start(options.end, setup.zone) if options.end else None
    if end is not None and end <= begin:
        raise ConfigError("--to is not later than --from", todo="--to names the first day that is not asked for")
    return backlog.bounds(setup, begin, end, system.clock(), archive)


def _scopes(options: argparse.Namespace, setup: Setup) -> list[Scope]:
    from librarian.store import Scope

    known = {entry.name.lower(): entry for entry in setup.config.qos}
    names = [name.lower() for name in options.qos or known]
    strange = [name for name in names if name not in known]
    if strange:
        there = ", ".join(entry.name for entry in setup.config.qos)
        raise ConfigError(f"{strange[0]} is not a configured QoS", f"there are {there}")
    return [Scope(known[name].name, known[name].accounts, known[name].partitions) for name in dict.fromkeys(names)]


def _slurm(setup: Setup) -> Slurm:
    from librarian.slurm.command import Slurm

    return Slurm(setup.config.slurm.bin_dir, setup.config.slurm.timeout_seconds)


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date as in 2021-01-01") from None
    if not 1980 <= found.year <= 2100:
        raise argparse.ArgumentTypeError("a year is from 1980 to 2100")
    return found


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 366):
        raise argparse.ArgumentTypeError("a number of days is from 1 to 366")
    return int(text)
