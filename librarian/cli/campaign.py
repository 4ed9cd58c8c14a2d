"""`librarian campaign …`: sweeps as job arrays. Needs no configuration where `--path` tells where campaigns are."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from librarian.campaigns import ask, collecting, making, parameters, submitting, upkeep
from librarian.campaigns.looking import look
from librarian.campaigns.model import LOCAL
from librarian.cli import campaign_common as common
from librarian.cli.campaign_look import collect, describe, log, source, status, tasks
from librarian.cli.campaign_submit import retry, run, settled, submit
from librarian.errors import ConfigError, SlurmError
from librarian.slurm.command import Slurm
from librarian.system import host

_WAIT = 300.0  # seconds that tasks may take to end once they are cancelled
_DEMO = """#!/bin/sh
echo "rate $PARAM_rate, seed $PARAM_seed"
[ "$PARAM_rate" = 0.3 ] && exit 3
echo "{\\"loss\\": 0.$PARAM_seed}" >"$CAMPAIGN_RESULT"
"""


def campaign(options: argparse.Namespace) -> int:
    """Do what is asked of a campaign."""
    verbs = {
        "new": new, "add": add, "submit": submit, "status": status, "tasks": tasks, "log": log, "source": source,
        "describe": describe, "retry": retry, "collect": collect, "run": run, "stop": stop, "pause": pause,
        "resume": pause, "demo": demo, "tidy": tidy, "remove": remove,
    }  # fmt: skip
    if options.behind and options.verb not in ("submit", "retry"):
        raise ConfigError(f"{options.verb} takes no options of sbatch")
    return verbs[options.verb](options)


def result(options: argparse.Namespace) -> int:
    """Record results of the task that this runs in."""
    place = host.environment().get("CAMPAIGN_RESULT", "")
    if not place:
        raise ConfigError("this is no task of a campaign", "CAMPAIGN_RESULT is not set")
    collecting.record(Path(place), options.results)
    return 0


def new(options: argparse.Namespace) -> int:
    """Begin a campaign."""
    folder, _ = common.folder_of(options)
    about = {"description": options.describe, "arguments": options.arguments, "output": options.output}
    if not making.begin(folder, Path(options.script), about, host.clock()):
        print(f"{options.name} is there already, with the same script")
        return 0
    made = folder.campaign()
    where = f", git commit {made.commit[:12]}{' with changes' if made.dirty else ''}" if made.commit else ", no git"
    print(f"{options.name}: script {made.script_sha256[:12]}{where}\n{folder.path}")
    return 0


def add(options: argparse.Namespace) -> int:
    """Add tasks."""
    folder, _ = common.folder_of(options)
    folder.need()
    axes = [parameters.axis(word, _read) for word in options.parameters]
    names = [name for axis in axes for name in (axis[0] if axis else ())]
    mapped = parameters.check_names(names)
    rows = parameters.combined(axes, zipped=options.zip)
    count, doubled, total = making.add(folder, rows, options.repeat, dry=options.dry_run)
    for line in mapped:
        print(line)
    if doubled:
        print(f"{common.counted(doubled)} {'is' if doubled == 1 else 'are'} there already, and left out")
    print(f"{common.counted(count)} {'would be' if options.dry_run else 'were'} added; {options.name} has {total}")
    return 0


def _read(path: str) -> str:
    try:
        return host.expanded(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", str(error)) from error


def demo(options: argparse.Namespace) -> int:
    """A small campaign, from its parameters to its table; each command is printed before it is done."""
    from librarian.cli.main import main

    base = host.expanded(options.path).resolve() if options.path else Path.cwd() / "campaign-demo"
    try:
        base.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError(f"{base} is there already", todo="remove it, or give --path DIR") from None
    script = base / "demo.sh"
    host.write_atomic(script, _DEMO.encode(), 0o755)
    with_slurm = not options.local and _has_slurm()
    steps = [
        ["new", "demo", str(script), "--describe", "six tasks, two of which fail"],
        ["add", "demo", "rate=0.1,0.2,0.3", "seed=1,2"],
        ["submit", "demo", "--", "--time=5", "--mem=100M"] if with_slurm else ["run", "demo", "--local", "2"],
        *([["status", "demo", "--watch"]] if with_slurm else []),
        ["status", "demo"],
        ["collect", "demo"],
    ]
    for verb, *words in steps:
        print(f"$ {shlex.join(['librarian', 'campaign', verb, '--path', str(base), *words])}", flush=True)
        done = main(["campaign", verb, "--path", str(base), *words])
        if done not in (0, 1):
            return done
    print(f"all of it is in {base}")
    return 0


def _has_slurm() -> bool:
    try:
        return ask.longest_array(Slurm()) > 1
    except SlurmError:
        return False


def stop(options: argparse.Namespace) -> int:
    """Cancel own tasks, and wait."""
    folder, slurm = common.folder_of(options)
    with folder.locked("submitting") as held:
        settled(submitting.Hand(folder, held, slurm), dry=False)
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        busy = upkeep.active(views[0])
        if not busy:
            print("nothing is pending or running")
            return 0
        if not common.sure(options, f"cancel your tasks of {options.name}?"):
            return 0
        left = upkeep.cancel(slurm, busy, host.user_name(), _WAIT)
    stopped = [array for array in busy if array not in left]
    print(f"cancelled {', '.join(array.job for array in stopped) or 'nothing'}")
    for array in left:
        whose = "runs here: end it there" if array.kind == LOCAL else f"belongs to {array.by}, and goes on"
        print(f"librarian: {array.job or array.id} {whose}", file=sys.stderr)
    return 1 if left else 0


def pause(options: argparse.Namespace) -> int:
    """Submit no more, or again."""
    folder, _ = common.folder_of(options)
    with folder.locked(options.verb) as held:
        folder.append(held, {"event": options.verb, "by": host.user_name(), "at": host.clock()})
    print(f"{options.name} is {'paused: what is submitted goes on' if options.verb == 'pause' else 'resumed'}")
    return 0


def tidy(options: argparse.Namespace) -> int:
    """Remove what nothing needs."""
    folder, slurm = common.folder_of(options)
    with folder.locked("tidying"):
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        paths = upkeep.unneeded(views[0])
        if paths and common.sure(options, f"remove {common.counted(len(paths), 'file')} of tasks that are done?"):
            upkeep.take_away(paths)
            print(f"removed {common.counted(len(paths), 'file')}")
        elif not paths:
            print("there is nothing to remove")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Remove a campaign."""
    folder, slurm = common.folder_of(options)
    with folder.locked("removing"):
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise SlurmError("nothing is removed", str(problems[0]))
        upkeep.need_rest(views[0])
        if not common.sure(
            options, f"remove {options.name} with {common.counted(len(views[0].tasks))} and their results?"
        ):
            return 0
        upkeep.remove(folder)
    print(f"removed {options.name}")
    return 0
