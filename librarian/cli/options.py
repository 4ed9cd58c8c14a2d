"""The options of each command. They are read before a command is called, so nothing that works is imported here."""

from __future__ import annotations

import argparse
import re
from datetime import date, datetime, timezone

FORMATS = ("csv", "json", "html", "pdf")


def none(made: argparse.ArgumentParser) -> None:
    """No options beside those that all commands have."""


def init(made: argparse.ArgumentParser) -> None:
    """Of `init`."""
    made.add_argument(
        "--output", metavar="FILE", help="file to write; - for standard output (default: where --config is looked for)"
    )
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


def collect(made: argparse.ArgumentParser) -> None:
    """Of `collect`."""
    made.add_argument("--full", action="store_true", help="read the whole window again, not only what may have changed")


def backfill(made: argparse.ArgumentParser) -> None:
    """Of `backfill`."""
    made.add_argument("--from", dest="begin", type=_day, metavar="DATE", help="first day, as in 2021-01-01")
    made.add_argument(
        "--to", dest="end", type=_day, metavar="DATE", help="up to this day's begin (default: the window)"
    )
    made.add_argument("--qos", action="append", metavar="NAME", help="for this QoS; may come again (default: all)")
    made.add_argument(
        "--use", action="store_true", help="what jobs used that ended since then, not the hours they held"
    )
    made.add_argument("--slurm", action="store_true", help="as a job array on your cluster, and a job that merges")
    made.add_argument("--tasks", type=_tasks, default=8, metavar="N", help="tasks of that array (default 8)")
    made.add_argument("--merge", action="store_true", help="merge what the tasks of an array left, then end")
    made.add_argument("--folder", help=argparse.SUPPRESS)  # the two are given by the array's own script
    made.add_argument("--task", type=int, help=argparse.SUPPRESS)
    made.add_argument(
        "--slice-days", type=_days, default=7, metavar="N", help="length of a slice, 1 to 366 (default 7)"
    )


def render(made: argparse.ArgumentParser) -> None:
    """Of `render`."""
    made.add_argument(
        "--single-file", metavar="FILE", help="write the page also as one HTML file with everything inside"
    )


def report(made: argparse.ArgumentParser) -> None:
    """Of `report`."""
    made.add_argument("--month", metavar="YYYY-MM", help="the month, or all; default: the newest one that is known")
    made.add_argument("--qos", action="append", metavar="NAME", help="tell of this QoS; may come again (default: all)")
    words = "file to write, or a folder, where it is called after QoS and months; - for standard output"
    made.add_argument("--output", metavar="FILE", default="-", help=words)
    one = made.add_mutually_exclusive_group()
    for name in FORMATS:
        words = f"{name.upper()} in the place of tables of text"
        one.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=words)


def publish(made: argparse.ArgumentParser) -> None:
    """Of `publish`."""
    either = made.add_mutually_exclusive_group()
    either.add_argument("--dry-run", action="store_true", help="tell what would go where, and send nothing")
    either.add_argument("--check", action="store_true", help="tell whether each publisher can publish now")


def demo(made: argparse.ArgumentParser) -> None:
    """Of `demo`."""
    made.add_argument("--output", metavar="DIR", help="where to write the site (default: a temporary folder)")
    made.add_argument("--once", action="store_true", help="write the site and exit, without serving it")
    made.add_argument("--at", metavar="TIME", type=_moment, help="the moment to show, as in 2026-11-24T15:00Z")
    serve(made)


def serve(made: argparse.ArgumentParser) -> None:
    """Of `serve`."""
    made.add_argument("--port", type=_port, default=8000, help="port, 0 for any free one (default 8000)")


def status(made: argparse.ArgumentParser) -> None:
    """Of `status`."""
    made.add_argument("--rejects", action="store_true", help="list every rejected row, not only their number")
    made.add_argument(
        "--runaways", action="store_true", help="list the jobs that accounting has open, and Slurm does not run"
    )
    made.add_argument("--timings", action="store_true", help="tell what cycles spent, and what they asked Slurm")
    made.add_argument("--picture", metavar="FILE.png", help="with --timings: draw it too")
    made.add_argument(
        "--json", action="store_true", help="for programs: see docs/status.schema.json, timings.schema.json"
    )


def doctor(made: argparse.ArgumentParser) -> None:
    """Of `doctor`."""
    made.add_argument("--json", action="store_true", help="for programs: a list with an object for each check")


def verify(made: argparse.ArgumentParser) -> None:
    """Of `verify`."""
    made.add_argument("--month", metavar="YYYY-MM", help="compare this month (default: the window)")
    made.add_argument("--json", action="store_true", help="for programs: an object with a list of QoS")


def store(made: argparse.ArgumentParser) -> None:
    """Of `store`."""
    what = made.add_subparsers(dest="what", metavar="WHAT", required=True)
    what.add_parser("check", help="look through the whole file")
    for name, text in (
        ("export", "write a copy to FILE, also while runs go on"),
        ("import", "put the copy FILE in its place"),
    ):
        what.add_parser(name, help=text).add_argument("file", metavar="FILE")


def scrontab(made: argparse.ArgumentParser) -> None:
    """Of `scrontab`."""
    made.add_argument("what", choices=("install", "show", "diff", "remove"))
    made.add_argument("--dry-run", action="store_true", help="tell what would change, and change nothing")
    made.add_argument(
        "--form",
        choices=("scrontab", "crontab", "systemd"),
        default="scrontab",
        help="print the entries for another scheduler",
    )


def whois(made: argparse.ArgumentParser) -> None:
    """Of `whois`."""
    made.add_argument("names", nargs="*", metavar="NAME", help="a name on the site, or a user (default: everybody)")


def limits(made: argparse.ArgumentParser) -> None:
    """Of `limits`."""
    made.add_argument("qos", nargs="*", metavar="QOS", help="a QoS (default: those of the configuration)")
    made.add_argument("--json", action="store_true", help="a list for programs in the place of the table")


def queue(made: argparse.ArgumentParser) -> None:
    """Of `queue`."""
    made.add_argument("qos", metavar="QOS", nargs="*", help="a QoS (default: all that are configured)")
    made.add_argument("--json", action="store_true", help="for programs: a list with an object for each QoS")


def rules(made: argparse.ArgumentParser) -> None:
    """Of `rules`."""
    words = "show what would fire now and would have fired in the report's window; sends and changes nothing"
    made.add_argument("--test", action="store_true", help=words)
    made.add_argument("--json", action="store_true", help="for programs: one object")


def job(made: argparse.ArgumentParser) -> None:
    """Of `job`."""
    made.add_argument("id", metavar="ID[_TASK]", type=_job, help="a job, or a task of a job array; of any QoS")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs: one object")
    form.add_argument("--html", metavar="FILE", help="write the card to one HTML file; - for standard output")
    made.add_argument("--verdict", action="store_true", help="a last line WARNING=true or WARNING=false, for scripts")


def jobs(made: argparse.ArgumentParser) -> None:
    """Of `jobs`."""
    made.add_argument("qos", metavar="QOS", nargs="*", help="a QoS (default: all that are configured)")
    whose = made.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="USER", help="the jobs of this user (default: yours)")
    whose.add_argument("--everybody", action="store_true", help="the jobs of all users")
    words = "jobs that ended since then: a date (2026-11-20) or a time ago (12h, 7d, 2w; default 7d)"
    made.add_argument("--since", type=_since, default=7 * 86400, metavar="WHEN", help=words)
    made.add_argument("--failed", action="store_true", help="only those that failed, timed out or ran out of memory")
    made.add_argument("--tasks", action="store_true", help="a row for each task of job arrays, not one for all")
    form = made.add_mutually_exclusive_group()
    for name in ("json", "csv"):
        words = f"{name.upper()} instead of a table"
        form.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=words)


def _since(text: str) -> date | int:
    """A day, or how many seconds ago."""
    found = re.fullmatch(r"([0-9]{1,4})([hdw])", text, re.ASCII)
    return int(found[1]) * {"h": 3600, "d": 86400, "w": 604800}[found[2]] if found else _day(text)


def _job(text: str) -> str:
    if not re.fullmatch(r"[0-9]{1,10}([_+][0-9]{1,10})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no job, as in 123, 123_4 or 123+1")
    return text


def _moment(text: str) -> int:
    """UTC epoch of an ISO 8601 time; one without an offset is in UTC."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must be a time as in 2026-11-24T15:00Z") from None
    if not 1980 <= found.year <= 2100:
        raise argparse.ArgumentTypeError("a year is from 1980 to 2100")
    return int((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp())


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date as in 2021-01-01") from None
    if not 1980 <= found.year <= 2100:
        raise argparse.ArgumentTypeError("a year is from 1980 to 2100")
    return found


def _tasks(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError("a number of tasks is from 1 to 1000")
    return int(text)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 366):
        raise argparse.ArgumentTypeError("a number of days is from 1 to 366")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def digest(made: argparse.ArgumentParser) -> None:
    """Of `digest`."""
    whose = made.add_mutually_exclusive_group()
    whose.add_argument("--user", metavar="USER", help="this member's (default: yours; with --send: everybody's)")
    whose.add_argument("--group", action="store_true", help="the group's, for its head")
    period = made.add_mutually_exclusive_group()
    for kind in ("week", "month"):
        words = f"the last {kind} that is over" + (" (default, unless [digest] says month)" if kind == "week" else "")
        period.add_argument(f"--{kind}", dest="period", action="store_const", const=kind, help=words)
    form = made.add_mutually_exclusive_group()
    for name in ("html", "text", "pdf"):
        form.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=f"print it as {name}")
    made.add_argument("--output", metavar="FILE", default="-", help="file to write (default: standard output)")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--send", action="store_true", help="send it, to whom [digest] names; nobody gets the same twice")
    what.add_argument("--dry-run", metavar="DIR", help="write to a folder what would go to whom, and send nothing")
    made.add_argument("--due", action="store_true", help="with --send: only from [digest] day and hour on (for cron)")
    made.add_argument("--again", action="store_true", help="with --send and --user: also where it was sent before")
