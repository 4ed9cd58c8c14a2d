"""`librarian scrontab`, `pause`, `resume` and `watchdog`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.config import setup as configfile
from librarian.config.setup import Setup
from librarian.errors import BusyError
from librarian.slurm.command import Slurm
from librarian.system import host

if TYPE_CHECKING:
    from librarian.scrontab.install import Entries

_PATIENCE = 60  # seconds for each command of Slurm's: a watchdog must not hang, whatever the configuration allows


def scrontab(options: argparse.Namespace) -> int:
    """Our entries in the user's table."""
    from librarian.scrontab import install
    from librarian.scrontab.ask import NoScrontabError

    setup, path, slurm = _parts(options)
    entries, now = entries_of(setup, path), host.clock()
    if options.form != "scrontab":
        install.write_scripts(entries)
        print(install.form(entries, options.form), end="")
        return 0
    try:
        if options.what == "show":
            lines = install.show(entries, slurm)
        elif options.what == "diff" or options.dry_run:
            taken = options.what == "remove"
            lines = install.difference(entries, slurm, removed=taken) or ["nothing would change"]
        elif options.what == "install":
            lines = install.install(entries, slurm, now)
        else:
            lines = install.remove(entries, slurm, now)
    except NoScrontabError:
        print("for cron:      librarian scrontab install --form crontab", file=sys.stderr)
        print("for systemd:   librarian scrontab install --form systemd", file=sys.stderr)
        raise
    print("\n".join(lines))
    return 0


def pause(options: argparse.Namespace) -> int:
    """Switch our entries off on purpose."""
    return _pause(options, on=True)


def resume(options: argparse.Namespace) -> int:
    """Switch them on again."""
    return _pause(options, on=False)


def _pause(options: argparse.Namespace, *, on: bool) -> int:
    from librarian.scrontab import install

    setup, path, slurm = _parts(options)
    print("\n".join(install.pause(entries_of(setup, path), slurm, host.clock(), on=on)))
    return 0


def watchdog(options: argparse.Namespace) -> int:
    """Look after our entries; a line for every decision."""
    from librarian.scrontab import watchdog as guard

    setup, path, slurm = _parts(options)
    name, now = installation(setup, path), host.clock()
    if setup.config.alert.wanted:
        from librarian.cycle.parts import post, status_file
        from librarian.health import alerts

        # silence can only be noticed by what still runs
        alerts.check(setup.config.alert, status_file(setup), now, setup.config.head, post(setup))
    for command in ("run", "watchdog", "digest"):
        guard.rotate(setup.places.state / f"{command}-{name}.log")
    try:
        decision = guard.check(slurm, setup.places.state, name, now)
    except BusyError:
        return 0  # another one is at it
    print(f"{host.utc(now)} watchdog: {decision.action}: {decision.why}", flush=True)
    return 0


def check_on_watchdog(options: argparse.Namespace, setup: Setup) -> None:
    """After a report: do the watchdog's work where it has fallen silent. What fails is told and harms nothing."""
    from librarian.errors import LibrarianError
    from librarian.scrontab import watchdog as guard

    path = configfile.find(options.config, host.environment()).resolve()
    try:
        decision = guard.check_on(_slurm(setup), setup.places.state, installation(setup, path), host.clock())
    except LibrarianError as error:
        print(f"librarian: the watchdog is silent, and could not be looked after: {error}", file=sys.stderr)
        return
    if decision is not None:
        print(f"librarian: the watchdog was silent: {decision.action}: {decision.why}", file=sys.stderr)


def entries_of(setup: Setup, path: Path) -> Entries:
    """The entries of the configuration at `path`."""
    from librarian.scrontab.install import Entries

    options, interval = setup.config.scrontab, setup.config.report.interval_seconds
    has_digests = setup.config.digest is not None
    return Entries(
        installation(setup, path), path, setup.places.base, setup.places.state, options, interval, has_digests
    )


def installation(setup: Setup, path: Path) -> str:
    """The name of this configuration's entries."""
    from librarian.scrontab.installed import installation as name

    return name(setup.config.cluster.name, path)


def _parts(options: argparse.Namespace) -> tuple[Setup, Path, Slurm]:
    environment = host.environment()
    path = configfile.find(options.config, environment).resolve()
    setup = configfile.load(path, environment)
    return setup, path, _slurm(setup)


def _slurm(setup: Setup) -> Slurm:
    """Slurm with less patience than a report has: the watchdog comes again in a few minutes."""
    return Slurm(setup.config.slurm.bin_dir, min(_PATIENCE, setup.config.slurm.timeout_seconds))
