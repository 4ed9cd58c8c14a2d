"""Arguments, logging, exit status.

Heavy parts are imported inside the commands that need them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Sequence

from librarian import __version__
from librarian.cli import backfill, commands, limits, monthly, publishing, queue, scheduling, upkeep
from librarian.errors import LibrarianError, Terminated

EPILOG = """\
exit status: 0 done; 1 several things failed; 2 a mistake on the command line or in the configuration; 3 Slurm;
4 the store; 5 the site; 6 a publisher; 75 another run is going on; 130 interrupted; 143 ended by SIGTERM or by its
time limit. What could be done was done.
"""
CONFIG_HELP = "configuration file; else $LIBRARIAN_CONFIG, ./librarian.toml, $XDG_CONFIG_HOME/librarian/librarian.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in `argv` and return its exit status."""
    options = parser().parse_args(argv)
    _log_to_stderr(options)
    upkeep.end_on_signals()
    try:
        return int(options.command(options))
    except LibrarianError as error:
        if options.debug:
            traceback.print_exc()
        print(f"librarian: {error}", file=sys.stderr)
        return error.exit_status
    except Terminated as end:
        return upkeep.ended(end)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has left; keep Python from complaining again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        print(
            f"librarian: {type(error).__name__}: {error} (a bug; run it again with --debug and report it)",
            file=sys.stderr,
        )
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="librarian",
        description="Who uses how many CPUs, GPUs, how much memory and how many jobs of a Slurm QoS, as a static site.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"librarian {__version__}")
    _common(top, argparse.SUPPRESS, root=True)
    sub = top.add_subparsers(metavar="COMMAND", required=True)
    _init(_command(sub, "init", commands.init, "write a commented librarian.toml from what Slurm tells of you"))
    _command(sub, "run", commands.run, "collect, render and publish: what cron calls")
    collect = _command(sub, "collect", commands.collect, "ask sacct for what changed and put it into the store")
    collect.add_argument(
        "--full", action="store_true", help="read the whole window again, not only what may have changed"
    )
    backfill.arguments(
        _command(sub, "backfill", backfill.backfill, "fetch years from before the window: hours and months, in slices")
    )
    render = _command(sub, "render", commands.render, "write the site from the store, without asking Slurm")
    render.add_argument(
        "--single-file", metavar="FILE", help="write the page also as one HTML file with everything inside"
    )
    monthly.arguments(
        _command(sub, "report", monthly.report, "whose month it was: hours, shares, jobs by user and account")
    )
    publishing.add_arguments(_command(sub, "publish", commands.publish, "take the site to the configured publishers"))
    _demo(_command(sub, "demo", commands.demo, "an example group's site, without Slurm: write it and serve it"))
    serve = _command(sub, "serve", commands.serve, "show the site on this machine's loopback address, as a preview")
    serve.add_argument("--port", type=_port, default=8000, help="port, 0 for any free one (default 8000)")
    status = _command(sub, "status", upkeep.status, "how things stand: how old the data of each QoS are, what failed")
    status.add_argument("--rejects", action="store_true", help="list every rejected row, not only their number")
    status.add_argument("--json", action="store_true", help="for programs: see docs/status.schema.json")
    doctor = _command(sub, "doctor", upkeep.doctor, "look through everything that must be right, and say what to do")
    doctor.add_argument("--json", action="store_true", help="for programs: a list with an object for each check")
    upkeep.arguments_of_store(_command(sub, "store", upkeep.store, "look through the store, copy it, put a copy back"))
    _scheduling(sub)
    whois = _command(
        sub, "whois", commands.whois, "who is behind a name that the site shows: its name, a tab, the real one"
    )
    whois.add_argument("names", nargs="*", metavar="NAME", help="a name on the site, or a user (default: everybody)")
    asked = _command(sub, "limits", limits.limits, "what each QoS may hold, and what counts against it at this moment")
    asked.add_argument("qos", nargs="*", metavar="QOS", help="a QoS (default: those of the configuration)")
    asked.add_argument("--json", action="store_true", help="a list for programs in the place of the table")
    _queue(_command(sub, "queue", queue.queue, "who waits now, for what and why, as Slurm tells it at this moment"))
    return top


def _scheduling(sub: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = _command(sub, "scrontab", scheduling.scrontab, "our entries in your table of scrontab")
    table.add_argument("what", choices=("install", "show", "diff", "remove"))
    table.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    table.add_argument(
        "--form",
        choices=("scrontab", "crontab", "systemd"),
        default="scrontab",
        help="print the entries for another scheduler",
    )
    _command(sub, "pause", scheduling.pause, "switch our entries off on purpose; the watchdog leaves them so")
    _command(sub, "resume", scheduling.resume, "switch our entries on again")
    _command(sub, "watchdog", scheduling.watchdog, "look after our entries, and put right what is stuck: for cron")


def _command(
    sub: argparse._SubParsersAction[argparse.ArgumentParser], name: str, function: object, text: str
) -> argparse.ArgumentParser:
    made = sub.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=EPILOG)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.set_defaults(command=function)
    _common(made, argparse.SUPPRESS, root=False)
    return made


def _common(made: argparse.ArgumentParser, default: str, *, root: bool) -> None:
    """Options that may stand before or behind the command."""
    made.add_argument("--config", metavar="FILE", default=None if root else default, help=CONFIG_HELP)
    made.add_argument("--debug", action="store_true", default=False if root else default, help="log more; tracebacks")
    made.add_argument("-q", "--quiet", action="store_true", default=False if root else default, help="no progress")


def _init(made: argparse.ArgumentParser) -> None:
    made.add_argument("--output", metavar="FILE", default="librarian.toml", help="file to write; - for standard output")
    made.add_argument("--force", action="store_true", help="replace the file if it is there")
    made.add_argument(
        "--pages",
        metavar="OWNER/REPO",
        help="publish to GitHub Pages: add that to the file, and tell what is left to do",
    )
    made.add_argument(
        "--users", choices=("real", "short", "alias", "pseudonym"), help="how readers see users (a terminal is asked)"
    )
    made.add_argument(
        "--qos", action="append", metavar="NAME", help="report on this QoS; may come again (default: yours)"
    )


def _queue(made: argparse.ArgumentParser) -> None:
    made.add_argument("qos", metavar="QOS", nargs="*", help="a QoS (default: all that are configured)")
    made.add_argument("--json", action="store_true", help="for programs: a list with an object for each QoS")


def _demo(made: argparse.ArgumentParser) -> None:
    made.add_argument("--output", metavar="DIR", help="where to write the site (default: a temporary folder)")
    made.add_argument("--once", action="store_true", help="write the site and exit, without serving it")
    made.add_argument("--port", type=_port, default=8000, help="port, 0 for any free one (default 8000)")


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _log_to_stderr(options: argparse.Namespace) -> None:
    """Progress on a terminal; in cron only what went wrong."""
    level = logging.WARNING
    if sys.stderr.isatty() and not options.quiet:
        level = logging.INFO
    if options.debug:
        level = logging.DEBUG
    logging.basicConfig(level=logging.WARNING, format="librarian: %(message)s", stream=sys.stderr, force=True)
    logging.getLogger("librarian").setLevel(level)
