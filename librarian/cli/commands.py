"""What each command does; each returns its exit status and imports what it needs."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.cli.scheduling import check_on_watchdog
from librarian.config import setup as configfile
from librarian.errors import ConfigError, LibrarianError
from librarian.system import host

if TYPE_CHECKING:
    from librarian.site.preview import Preview


def init(options: argparse.Namespace) -> int:
    """Write a configuration from what Slurm tells."""
    from librarian.config import initial
    from librarian.slurm.command import Slurm

    target = Path(options.output or configfile.to_write(options.config, host.environment()))
    at_home = target == configfile.in_home(host.environment())
    if options.pages and target.is_file() and not options.force:
        return _init_pages(options, target, _discreet(options, target))
    if options.output != "-" and target.exists() and not options.force:
        raise ConfigError(f"{target} is there already", todo="replace it with --force, or name another with --output")
    if options.output != "-" and not at_home and not target.parent.is_dir():
        raise ConfigError(f"there is no folder {target.parent}", todo="make it, or name another file with --output")
    users = options.users or _asked_users("pseudonym" if options.pages else "real")
    text = initial.compose(
        initial.discover(Slurm(timeout=30), host.user_name(), options.qos or []), users, jobs=_asked_jobs()
    )
    if options.pages:
        return _init_pages(options, target, text)
    if options.output == "-":
        sys.stdout.write(text)
        return 0
    configfile.write(target, text)
    named = "" if at_home else f" --config {shlex.quote(str(target))}"
    print(f"wrote {target}; look through it, then: librarian{named} run")
    return 0


def _asked_users(plain: str) -> str:
    """How users shall be called, from a person at a terminal; else `plain`."""
    from librarian.privacy.rules import MODES

    if not _is_asked():
        return plain
    while True:
        said = input(f"How shall readers see users: {', '.join(MODES)}? [{plain}] ").strip() or plain
        if said in MODES:
            return said


def _asked_jobs() -> bool:
    """Whether readers shall see single jobs, from a person at a terminal; else they do not."""
    words = {"yes": True, "y": True, "no": False, "n": False, "": False}
    while _is_asked():
        said = input("Shall readers see a table of all jobs, with id, size, state and times: yes, no? [no] ")
        if said.strip().lower() in words:
            return words[said.strip().lower()]
    return False


def _is_asked() -> bool:
    """Whether there is a person who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _discreet(options: argparse.Namespace, target: Path) -> str:
    """The configuration that is there, with users shown as is asked for. Where it shows them openly somebody has to say
    so again, since everybody can see a page of GitHub's."""
    from librarian.publish import pages_setup

    text, users = configfile.text_of(target), options.users
    remote = pages_setup.remote_of(*pages_setup.repository(options.pages))
    mode = "" if users else pages_setup.openly(text, str(target), remote)
    if mode:
        why = f'users = "{mode}", and most often everybody can see such a page'
        if not _is_asked():
            todo = f"say how readers shall see users: --users pseudonym, or --users {mode}"
            raise ConfigError(f"{target} would show users by their names", why, todo)
        print(f"{target} has {why}.")
        users = _asked_users("pseudonym")
    return pages_setup.with_users(text, str(target), users) if users else text


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
    from librarian.site import preview

    with contextlib.ExitStack() as stack:
        output = stack.enter_context(_demo_folder(options))
        # before anything is drawn: a port that is taken should be told at once
        server = None if options.once else stack.enter_context(preview.server(output.resolve(), options.port))
        status = _draw_demo(output.resolve(), host.clock() if options.at is None else options.at)
        if not server:
            print(f"the demo's page is {output / 'index.html'}")
            return status
        return _serve(server) or status


@contextlib.contextmanager
def _demo_folder(options: argparse.Namespace) -> Iterator[Path]:
    """Where the demo's site goes. One that nobody gave a place goes away again, unless it is there to be looked at."""
    if options.output:
        yield Path(options.output)
        return
    folder = Path(tempfile.mkdtemp(prefix="librarian-demo-"))
    try:
        yield folder / "site"
    except BaseException:
        host.remove_tree(folder)
        raise
    if not options.once:
        host.remove_tree(folder)


def _draw_demo(site: Path, now: int) -> int:
    from librarian.demo import site as demo_site

    with tempfile.TemporaryDirectory(prefix="librarian-demo-state-") as state:
        return common.tell(demo_site.write(site, Path(state), now, host.environment()))


def serve(options: argparse.Namespace) -> int:
    """Preview the site."""
    from librarian.site import preview

    site = common.setup_of(options).places.site
    preview.require(site)  # there may be nothing to take a port for
    with preview.server(site, options.port) as server:
        return _serve(server)


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


def _serve(server: Preview) -> int:
    from librarian.site import preview

    print(f"serving {server.site} until you press Ctrl-C; look at it on\n\n    {server.address}\n")
    print("Whoever has this address can see the site. From a machine of your own, type this there first:\n")
    print(f"    {server.tunnel(host.user_name(), host.host_name())}\n", flush=True)
    with preview.browser(server.address):
        server.serve_forever()
    return 0
