"""The options of `librarian campaign` and `librarian result`."""

from __future__ import annotations

import argparse


def result(made: argparse.ArgumentParser) -> None:
    """Of `result`."""
    made.add_argument("results", nargs="+", metavar="KEY=VALUE", help="a result of this task, as in loss=0.25")


def campaign(made: argparse.ArgumentParser) -> None:
    """Of `campaign`."""
    verbs = made.add_subparsers(dest="verb", metavar="WHAT", required=True)
    for name, text, add_options in _VERBS:
        one = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        one.add_argument("--path", metavar="DIR", help="where campaigns are (default: [campaigns] path)")
        add_options(one)


def _named(made: argparse.ArgumentParser) -> None:
    made.add_argument("name", metavar="NAME", help="the campaign")


def _new(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("script", metavar="SCRIPT", help="what each task runs; a copy of it is kept")
    made.add_argument("--describe", metavar="TEXT", default="", help="what it is for")
    made.add_argument(
        "--output",
        metavar="PATTERN",
        default="",
        help="a task is done only where this file is there: out/{row}_{lr}.npz",
    )
    made.add_argument(
        "--arguments",
        choices=("named", "values", "none"),
        default="named",
        help="what the script gets as arguments: --lr=0.1, only 0.1, or nothing",
    )


def _add(made: argparse.ArgumentParser) -> None:
    _named(made)
    words = "lr=0.1,0.2 seed=1..5 depth@file.csv @rows.jsonl; all combinations of them"
    made.add_argument("parameters", nargs="*", metavar="PARAMETER", help=words)
    made.add_argument("--repeat", type=_count, default=1, metavar="N", help="each so many times")
    made.add_argument("--zip", action="store_true", help="the first values together, the second ones, and so on")
    made.add_argument("--dry-run", action="store_true", help="tell how many tasks that makes, and add none")


def _submit(made: argparse.ArgumentParser) -> None:
    _named(made)
    _throttle(made)
    made.add_argument("--limit", type=_count, metavar="N", help="submit so many rows at most")
    made.add_argument("--again", action="store_true", help="also where the commit or the script has changed")
    made.add_argument(
        "--feed", action="store_true", help="for scrontab: what there is room for, with the options of last time"
    )


def _throttle(made: argparse.ArgumentParser) -> None:
    made.add_argument("--max-running", type=_count, default=0, metavar="K", help="so many tasks run at once at most")
    made.add_argument("--dry-run", action="store_true", help="tell what would be submitted, and submit nothing")
    made.epilog = "Options of sbatch come last, behind --, as in: -- --partition=gpu --mem=4G --time=60"


def _retry(made: argparse.ArgumentParser) -> None:
    _named(made)
    _throttle(made)
    made.add_argument("--state", metavar="STATE,…", default="", help="only what failed so: TIMEOUT,OUT_OF_MEMORY")
    made.add_argument("--more", metavar="WHAT=N,…", default="", help="so many times what was asked: memory=1.5,time=2")
    made.add_argument("--max", type=_count, default=3, metavar="N", help="no task more than N times (default 3)")
    made.add_argument("--again", action="store_true", help="also where the commit or the script has changed")


def _status(made: argparse.ArgumentParser) -> None:
    made.add_argument("name", nargs="?", metavar="NAME", help="the campaign (default: all)")
    made.add_argument("-v", "--verbose", action="store_true", help="more: why pending, each array")
    either = made.add_mutually_exclusive_group()
    either.add_argument("--json", action="store_true", help="for programs: an object, or a list of all")
    either.add_argument("--watch", action="store_true", help="tell each change, until nothing is pending or running")


def _tasks(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("--failed", action="store_true", help="only those that failed")
    made.add_argument("--where", action="append", default=[], metavar="NAME=VALUE", help="only those; may come again")
    made.add_argument("--json", action="store_true", help="for programs: a list of objects")


def _task(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("row", type=_count, metavar="TASK", help="its number, see: campaign tasks")


def _describe(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("row", type=_count, nargs="?", metavar="TASK", help="a task (default: the campaign)")


def _run(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("--local", type=_count, required=True, metavar="N", help="N tasks at a time, on this machine")
    made.add_argument("--limit", type=_count, metavar="N", help="run so many tasks at most")
    made.add_argument("--failed", action="store_true", help="also those that failed")
    made.add_argument("--again", action="store_true", help="also where the commit or the script has changed")


def _demo(made: argparse.ArgumentParser) -> None:
    made.add_argument("--local", action="store_true", help="on this machine, also where Slurm is there")


def _collect(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="a file ending in .csv or .json; - prints CSV"
    )


def _asking(made: argparse.ArgumentParser) -> None:
    _named(made)
    made.add_argument("--yes", action="store_true", help="do it without asking")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1 and len(text) < 9):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


_VERBS = (
    ("new", "begin a campaign: keep a copy of the script, its hash and the git commit", _new),
    ("add", "add tasks: combinations of parameters, repetitions", _add),
    ("submit", "hand rows that are not submitted to Slurm, as job arrays", _submit),
    ("status", "how campaigns stand: one squeue and one sacct for all", _status),
    ("tasks", "the tasks of a campaign with parameters and states", _tasks),
    ("log", "print what a task wrote in its last try", _task),
    ("source", "print the script as it was kept", _named),
    ("describe", "the card of a campaign, or of one task with all its tries", _describe),
    ("retry", "submit exactly the tasks that failed again", _retry),
    ("collect", "the results of all tasks as one table, with parameters as columns", _collect),
    ("run", "run tasks on this machine, without Slurm", _run),
    ("demo", "a small campaign of six tasks: on Slurm where it is there, else on this machine", _demo),
    ("stop", "cancel your tasks of a campaign and wait until they have ended", _asking),
    ("pause", "submit no more of a campaign until it is resumed", _named),
    ("resume", "submit again", _named),
    ("tidy", "remove files that no task needs any more", _asking),
    ("remove", "remove a campaign with all that is in its folder", _asking),
)
