"""The commands in one table, and the parser that is made of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from librarian import __version__
from librarian.cli import campaign_options, options

EPILOG = """\
exit status: 0 done; 1 several things failed; 2 a mistake on the command line or in the configuration; 3 Slurm;
4 the store; 5 the site; 6 a publisher; 7 a channel of rules; 8 some digests; 74 a file, a folder, a port or a Python
package that the system did not give; 75 another run is going on; 130 interrupted; 143 ended by SIGTERM or by its time
limit. What could be done was done.
"""
CONFIG_HELP = "configuration file; else $LIBRARIAN_CONFIG, ./librarian.toml, $XDG_CONFIG_HOME/librarian/librarian.toml"

Row = tuple[str, str, str, Callable[[argparse.ArgumentParser], None]]
# The name of a command; the room of `librarian.cli` and the function in it that do the work, as text, so that a room is
# imported only when its command is called; a line of help; what adds the options.
COMMANDS: Sequence[Row] = (
    ("init", "commands.init", "write a commented librarian.toml from what Slurm tells of you", options.init),
    ("run", "commands.run", "collect, render and publish: what cron calls", options.none),
    ("collect", "commands.collect", "ask sacct for what changed and put it into the store", options.collect),
    (
        "backfill",
        "backfill.backfill",
        "fetch years from before the window: hours and months, in slices",
        options.backfill,
    ),
    ("render", "commands.render", "write the site from the store, without asking Slurm", options.render),
    ("report", "monthly.report", "whose month it was: hours, shares, jobs by user and account", options.report),
    ("publish", "publishing.publish", "take the site to the configured publishers", options.publish),
    ("demo", "commands.demo", "an example group's site, without Slurm: write it and serve it", options.demo),
    ("serve", "commands.serve", "show the site on this machine's loopback address, as a preview", options.serve),
    ("status", "upkeep.status", "how things stand: how old the data of each QoS are, what failed", options.status),
    ("doctor", "upkeep.doctor", "look through everything that must be right, and say what to do", options.doctor),
    ("verify", "verify.verify", "compare hours with sreport's, and running jobs with squeue's", options.verify),
    ("store", "upkeep.store", "look through the store, copy it, put a copy back", options.store),
    ("scrontab", "scheduling.scrontab", "our entries in your table of scrontab", options.scrontab),
    ("pause", "scheduling.pause", "switch our entries off on purpose; the watchdog leaves them so", options.none),
    ("resume", "scheduling.resume", "switch our entries on again", options.none),
    ("watchdog", "scheduling.watchdog", "look after our entries, and put right what is stuck: for cron", options.none),
    (
        "whois",
        "commands.whois",
        "who is behind a name that the site shows: its name, a tab, the real one",
        options.whois,
    ),
    ("limits", "limits.limits", "what each QoS may hold, and what counts against it at this moment", options.limits),
    ("job", "job.job", "one job: what it asked for, held and really used, and what to write instead", options.job),
    ("rules", "rules.rules", "alert rules: which fire now, which would have fired", options.rules),
    (
        "digest",
        "digest.digest",
        "what a week or a month came to, for a member or the group: text, mail",
        options.digest,
    ),
    (
        "jobs",
        "jobs.jobs",
        "your jobs, or everybody's: state, waiting time, efficiency; from the store",
        options.jobs,
    ),
    (
        "campaign",
        "campaign.campaign",
        "sweeps over parameters as job arrays: submit, watch, retry, collect",
        campaign_options.campaign,
    ),
    (
        "result",
        "campaign.result",
        "inside a task of a campaign: record results, as in loss=0.25",
        campaign_options.result,
    ),
    ("queue", "queue.queue", "who waits now, for what and why, as Slurm tells it at this moment", options.queue),
)


def parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line, as far as `argv` needs it. What it parses has `place`, the second column of the table."""
    top = argparse.ArgumentParser(
        prog="librarian",
        description="Who uses how many CPUs, GPUs, how much memory and how many jobs of a Slurm QoS, as a static site.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"librarian {__version__}")
    _common(top, argparse.SUPPRESS, root=True)
    sub = top.add_subparsers(metavar="COMMAND", required=True)
    for name, place, text, add_options in rows(argv):
        made = sub.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(place=place)
        _common(made, argparse.SUPPRESS, root=False)
        add_options(made)
    return top


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What `argv` asks for. `behind` is what stands behind `--` in a command of `campaign`: options of sbatch."""
    argv, behind = list(argv), list[str]()
    if "--" in argv and [row[0] for row in rows(argv)] == ["campaign"]:
        place = argv.index("--")
        argv, behind = argv[:place], argv[place + 1 :]
    found = parser(argv).parse_args(argv)
    found.behind = behind
    return found


def rows(argv: Sequence[str]) -> Sequence[Row]:
    """The row of the command in `argv` where it is plain which one that is, else all.

    For each parser argparse looks on the disk, several times, for translations of its words. Those of the commands that
    nobody asked for would take longer than all else here.
    """
    words = iter(argv)
    for word in words:
        if word == "--config":
            next(words, None)
        elif word not in ("--debug", "-q", "--quiet"):
            return [row for row in COMMANDS if row[0] == word] or COMMANDS
    return COMMANDS


def _common(made: argparse.ArgumentParser, default: str, *, root: bool) -> None:
    """Options that may stand before or behind the command."""
    made.add_argument("--config", metavar="FILE", default=None if root else default, help=CONFIG_HELP)
    made.add_argument("--debug", action="store_true", default=False if root else default, help="log more; tracebacks")
    made.add_argument("-q", "--quiet", action="store_true", default=False if root else default, help="no progress")
