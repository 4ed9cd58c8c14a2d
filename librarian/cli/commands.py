"""What each command does; each returns its exit status and imports what it needs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.cli.scheduling import check_on_watchdog
from librarian.errors import ConfigError, LibrarianError
from librarian.system import host

if TYPE_CHECKING:
    pass


def init(options: argparse.Namespace) -> int:
    """Write a configuration from what Slurm tells."""
    from librarian.config import initial
    from librarian.slurm.command import Slurm

    target = Path(options.output)
    if options.pages and target.is_file() and not options.force:
        return _init_pages(options, target, target.read_text(encoding="utf-8"))
    if options.output != "-" and target.exists() and not options.force:
        raise ConfigError(f"{target} is there already", todo="replace it with --force, or name another with --output")
    if options.output != "-" and not target.parent.is_dir():
        raise ConfigError(f"there is no folder {target.parent}", todo="make it, or name another file with --output")
    users = options.users or _asked_users("pseudonym" if options.pages else "real")
    text = initial.compose(initial.discover(Slurm(timeout=30), host.user_name(), options.qos or []), users)
    if options.pages:
        return _init_pages(options, target, text)
    if options.output == "-":
        sys.stdout.write(text)
        return 0
    host.write_atomic(target, text.encode())
    print(f"wrote {target}; look through it, then: librarian --config {target} run")
    return 0


def _asked_users(plain: str) -> str:
    """How users shall be called, from a person at a terminal; else `plain`."""
    from librarian.privacy.rules import MODES

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return plain
    while True:
        said = input(f"How shall readers see users: {', '.join(MODES)}? [{plain}] ").strip() or plain
        if said in MODES:
            return said


def _init_pages(options: argparse.Namespace, target: Path, text: str) -> int:
    from librarian.cli import publishing

    if options.output == "-":
        raise ConfigError("--pages needs a file to write", todo="name one with --output")
    return publishing.init_pages(options, target, text)


def run(options: argparse.Namespace) -> int:
    """Collect, render, publish."""
    from librarian.cycle import stages

    setup = common.setup_of(options)
    host.stand_back(setup.config.report.nice)
    host.collect_seldom()
    with common.alone(setup) as guard:
        status = common.tell(stages.run(setup, common.slurm_of(setup), host.clock(), guard))
    check_on_watchdog(options, setup)
    return status


def collect(options: argparse.Namespace) -> int:
    """Slurm to store."""
    from librarian.cycle import stages

    setup = common.setup_of(options)
    with common.alone(setup):
        return common.tell(stages.collect_all(setup, common.slurm_of(setup), host.clock(), full=options.full))


def render(options: argparse.Namespace) -> int:
    """Store to site, and to one file where that is asked for."""
    from librarian.cycle import stages
    from librarian.site import single_file
    from librarian.subjects.listed import titles

    setup = common.setup_of(options)
    host.stand_back(setup.config.report.nice)
    host.collect_seldom()
    with common.alone(setup):
        problems = stages.render(setup, host.clock())
        try:
            if options.single_file:
                single_file.write_single(setup.places.site, Path(options.single_file).absolute(), titles())
        except LibrarianError as error:
            problems.append(error)
        return common.tell(problems)


def demo(options: argparse.Namespace) -> int:
    """An example group's site."""
    from librarian.demo import site

    output = Path(options.output) if options.output else Path(tempfile.mkdtemp(prefix="librarian-demo-")) / "site"
    with tempfile.TemporaryDirectory(prefix="librarian-demo-state-") as state:
        problems = site.write(output.resolve(), Path(state), host.clock(), host.environment())
    status = common.tell(problems)
    print(f"the demo's page is {output / 'index.html'}")
    if status or options.once:
        return status
    return _serve(output, options.port)


def serve(options: argparse.Namespace) -> int:
    """Preview the site."""
    return _serve(common.setup_of(options).places.site, options.port)


def whois(options: argparse.Namespace) -> int:
    """Who is behind a name on the site."""
    from librarian.privacy import pseudonyms

    mask = pseudonyms.kept(common.setup_of(options).places.state)
    pairs = pseudonyms.whois(mask, options.names) if mask else []
    for shown, real in pairs:
        print(f"{shown}\t{real}")
    if not pairs:
        print("librarian: the site shows nobody of that name", file=sys.stderr)
    return 0 if pairs else 1


def _serve(site: Path, port: int) -> int:
    from librarian.site import preview

    with preview.server(site, port) as server:
        print(f"serving {site} on http://127.0.0.1:{server.server_port}/ until you press Ctrl-C", flush=True)
        preview.open_browser(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
    return 0
