"""`librarian campaign …`: sweeps as job arrays. Needs no configuration where `--path` tells where campaigns are."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from librarian.campaigns import (
    arrays,
    ask,
    collecting,
    local,
    making,
    parameters,
    submitting,
    upkeep,
)
from librarian.campaigns import (
    options as sbatch_options,
)
from librarian.campaigns.folder import SCRIPT, Folder, check_name, every
from librarian.campaigns.looking import View, look, output_of
from librarian.campaigns.model import LOCAL, Task
from librarian.campaigns.states import FAILED, NOT_SUBMITTED
from librarian.cli import campaign_text as text
from librarian.errors import ConfigError, LibrarianError, SlurmError
from librarian.slurm.command import Slurm
from librarian.system import host

_WAIT = 300.0  # seconds that tasks may take to end once they are cancelled


def campaign(options: argparse.Namespace) -> int:
    """Do what is asked of a campaign."""
    verbs = {
        "new": new, "add": add, "submit": submit, "status": status, "tasks": tasks, "log": log, "source": source,
        "describe": describe, "retry": retry, "collect": collect, "run": run, "stop": stop, "pause": pause,
        "resume": pause, "tidy": tidy, "remove": remove,
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


# where things are


def _place(options: argparse.Namespace) -> tuple[Path, Slurm]:
    """Where campaigns are, and Slurm's commands. Raises `ConfigError`."""
    if options.path:
        return host.expanded(options.path).resolve(), Slurm()
    from librarian.cli import common

    try:
        setup = common.setup_of(options)
    except ConfigError as error:
        if options.config or error.problems:
            raise
        raise ConfigError("nothing tells where campaigns are", error.what, "give --path DIR") from error
    return setup.campaigns.resolve(), common.slurm_of(setup)


def _folder(options: argparse.Namespace) -> tuple[Folder, Slurm]:
    path, slurm = _place(options)
    return Folder(path / check_name(options.name)), slurm


def _view(options: argparse.Namespace) -> tuple[View, Slurm]:
    """A campaign as it stands. What Slurm did not answer is told, and the last state is kept."""
    folder, slurm = _folder(options)
    views, problems = look([folder], slurm, host.clock())
    _tell(problems)
    return views[0], slurm


def _tell(problems: Sequence[LibrarianError]) -> None:
    for problem in problems:
        print(f"librarian: {problem}; what is told is the last that is known", file=sys.stderr)


def _counted(number: int, what: str = "task") -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


# making


def new(options: argparse.Namespace) -> int:
    """Begin a campaign."""
    folder, _ = _folder(options)
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
    folder, _ = _folder(options)
    folder.need()
    axes = [parameters.axis(word, _read) for word in options.parameters]
    names = [name for axis in axes for name in (axis[0] if axis else ())]
    mapped = parameters.check_names(names)
    rows = parameters.combined(axes, zipped=options.zip)
    count, doubled, total = making.add(folder, rows, options.repeat, dry=options.dry_run)
    for line in mapped:
        print(line)
    if doubled:
        print(f"{_counted(doubled)} {'is' if doubled == 1 else 'are'} there already, and left out")
    print(f"{_counted(count)} {'would be' if options.dry_run else 'were'} added; {options.name} has {total}")
    return 0


def _read(path: str) -> str:
    try:
        return host.expanded(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8", str(error)) from error


# submitting


def submit(options: argparse.Namespace) -> int:
    """Hand rows that are not submitted to Slurm."""
    folder, slurm = _folder(options)
    sbatch_options.check(options.behind)
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        if folder.history().paused:
            if options.feed:
                return 0
            raise ConfigError(f"{options.name} is paused", todo=f"first: librarian campaign resume {options.name}")
        _settle(hand, dry=options.dry_run)
        view = look([folder], slurm, host.clock())[0][0]
        rows = [row for row, state in view.states.items() if state.kind == NOT_SUBMITTED][: options.limit]
        given = tuple(options.behind) or (_last_options(view) if options.feed else ())
        return _hand_on(hand, view, rows, given, options)


def retry(options: argparse.Namespace) -> int:
    """Hand the tasks that failed to Slurm again."""
    folder, slurm = _folder(options)
    sbatch_options.check(options.behind)
    factors = sbatch_options.factors(options.more) if options.more else {}
    wanted = {word.upper() for word in options.state.split(",") if word}
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        _settle(hand, dry=options.dry_run)
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        view, tries = views[0], views[0].history.tries()
        failed = [
            row for row, state in view.states.items() if state.kind == FAILED and (not wanted or state.word in wanted)
        ]
        rows = [row for row in failed if len(tries.get(row, ())) < options.max]
        if len(rows) < len(failed):
            print(f"{_counted(len(failed) - len(rows))} had {options.max} tries already, and {_are(failed, rows)} left")
        given = sbatch_options.more(tuple(options.behind) or _last_options(view), factors)
        return _hand_on(hand, view, rows, given, options)


def _are(failed: Sequence[int], rows: Sequence[int]) -> str:
    return "is" if len(failed) - len(rows) == 1 else "are"


def _settle(hand: submitting.Hand, *, dry: bool) -> None:
    """Look after arrays that somebody was killed over; raises `SlurmError` where that cannot be known."""
    if dry:
        return
    for array in submitting.settle_all(hand):
        print(f"job {array.job} was submitted before, with {_counted(len(array.rows))}")


def _last_options(view: View) -> tuple[str, ...]:
    """The options of the last array that Slurm took."""
    return next((array.options for array in reversed(view.history.arrays) if array.job), ())


def _hand_on(
    hand: submitting.Hand, view: View, rows: Sequence[int], given: tuple[str, ...], options: argparse.Namespace
) -> int:
    changed, commit = making.changes(view.folder, view.campaign)
    feed = getattr(options, "feed", False)
    if changed and not options.again:
        todo = "submit with --again if that is meant; tasks run the script that was kept"
        raise ConfigError(f"{view.campaign.name} is not what it was: {'; '.join(changed)}", todo=todo)
    if not rows:
        if not feed:
            print("nothing is left to submit")
        return 0
    if options.dry_run:
        longest = ask.longest_array(hand.slurm)
        print(f"{_counted(len(rows))} would be submitted, in {_counted(-(-len(rows) // longest), 'array')}")
        print(f"rows {arrays.ranges(rows)}")
        return 0
    order = submitting.Order(rows, given, options.max_running, commit)
    outcome = submitting.submit(hand, view.campaign, view.tasks, order)
    for array in outcome.arrays:
        print(f"job {array.job}: {_counted(len(array.rows))}, rows {arrays.ranges(array.rows)}")
    if outcome.why is None:
        return 0
    if feed and isinstance(outcome.why, submitting.NoRoomError):
        return 0
    print(f"librarian: {outcome.why}; {_counted(len(outcome.left))} not submitted", file=sys.stderr)
    return outcome.why.exit_status


def run(options: argparse.Namespace) -> int:
    """Run tasks here."""
    folder, slurm = _folder(options)
    with folder.locked("submitting") as held:
        hand = submitting.Hand(folder, held, slurm)
        view = look([folder], slurm, host.clock())[0][0]
        kinds = (NOT_SUBMITTED, FAILED) if options.failed else (NOT_SUBMITTED,)
        rows = {row for row, state in view.states.items() if state.kind in kinds}
        chosen = [task for task in view.tasks if task.row in rows][: options.limit]
        changed, commit = making.changes(folder, view.campaign)
        if changed and not options.again:
            raise ConfigError(f"{view.campaign.name} is not what it was: {'; '.join(changed)}", todo="run with --again")
        if not chosen:
            print("nothing is left to run")
            return 0
        array = submitting.prepared(hand, view.campaign, chosen, LOCAL, commit=commit)
        running = local.Runner(folder, array)
    bad = 0

    def ended(row: int, status: int) -> None:
        nonlocal bad
        bad += status != 0
        if not options.quiet:
            print(f"task {row}: {'done' if status == 0 else f'failed with status {status}'}", flush=True)

    running.run(options.local, ended)
    print(f"{_counted(len(chosen))} ran, {bad} failed")
    return 1 if bad else 0


# looking


def status(options: argparse.Namespace) -> int:
    """How campaigns stand."""
    path, slurm = _place(options)
    if options.name:
        Folder(path / check_name(options.name)).need()
    folders = [Folder(path / options.name)] if options.name else every(path)
    now = host.clock()
    views, problems = look(folders, slurm, now)
    if options.json:
        told = [text.to_json(view, now, known=not problems) for view in views]
        print(json.dumps(told[0] if options.name else told, indent=1))
    else:
        for view in views:
            print(text.line(view))
            for line in text.details(view, now, _time) if options.verbose or options.name else ():
                print(line)
        if not views:
            print(f"there are no campaigns in {path}")
    _tell(problems)
    return problems[0].exit_status if problems else 0


def _time(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))


def tasks(options: argparse.Namespace) -> int:
    """The tasks of a campaign."""
    view, _ = _view(options)
    found = making.chosen(view.tasks, options.where)
    found = [task for task in found if not options.failed or view.states[task.row].kind == FAILED]
    if options.json:
        print(json.dumps([_card(view, task) for task in found], indent=1))
    else:
        print("\n".join(text.tasks_table(found, view.states, view.history.tries())))
    return 0


def _card(view: View, task: Task) -> dict[str, object]:
    state = view.states[task.row]
    return {
        "row": task.row,
        "repeat": task.repeat,
        "parameters": json.loads(parameters.json_object(task.parameters)),
        "state": state.kind,
        "slurm_state": state.word,
        "exit_code": state.exit,
        "elapsed": state.elapsed,
        "tries": [f"{array.job or array.id}_{index}" for array, index in view.history.tries().get(task.row, ())],
    }


def _one(view: View, row: int) -> Task:
    if not 1 <= row <= len(view.tasks):
        raise ConfigError(f"there is no task {row}", f"{view.campaign.name} has {len(view.tasks)}")
    return view.tasks[row - 1]


def log(options: argparse.Namespace) -> int:
    """What a task wrote."""
    view, _ = _view(options)
    path = _log_of(view, _one(view, options.row))
    try:
        data = path.read_bytes() if path else b""
    except FileNotFoundError:
        path = None
    if path is None:
        raise ConfigError(f"task {options.row} has written nothing yet")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    return 0


def _log_of(view: View, task: Task) -> Path | None:
    for array, index in reversed(view.history.tries().get(task.row, [])):
        name = array.job or (array.id if array.kind == LOCAL else "")
        if name and (array.kind != LOCAL or (view.folder.path / "logs" / f"{name}_{index}.log").exists()):
            return view.folder.path / "logs" / f"{name}_{index}.log"
    return None


def source(options: argparse.Namespace) -> int:
    """The script."""
    folder, _ = _folder(options)
    folder.need()
    sys.stdout.flush()
    sys.stdout.buffer.write((folder.path / SCRIPT).read_bytes())
    sys.stdout.buffer.flush()
    return 0


def describe(options: argparse.Namespace) -> int:
    """The card of a campaign or a task."""
    view, _ = _view(options)
    made = view.campaign
    if options.row:
        task = _one(view, options.row)
        for key, value in _card(view, task).items():
            print(f"{key}: {text.visible(json.dumps(value, ensure_ascii=False))}")
        for key, path in (("log", _log_of(view, task)), ("output", output_of(made, task))):
            if path:
                print(f"{key}: {text.visible(str(path))}")
        return 0
    print(text.line(view))
    commit = (made.commit or "none") + (" with changes" if made.dirty else "")
    about = {
        "description": made.description, "script": made.origin, "hash": made.script_sha256, "git commit": commit,
        "runs in": made.workdir, "output": made.output, "begun": f"{_time(made.created)} by {made.by}",
        "folder": str(view.folder.path),
    }  # fmt: skip
    for key, value in about.items():
        if value:
            print(f"  {key}: {''.join(sign if sign.isprintable() else ' ' for sign in value)}")
    return 0


def collect(options: argparse.Namespace) -> int:
    """The results as one table."""
    ending = Path(options.output).suffix.lower()
    if options.output != "-" and ending not in (".csv", ".json"):
        raise ConfigError(f"{options.output} ends in no kind of table", "there are .csv and .json")
    view, _ = _view(options)
    found = collecting.table(view.folder.path / "results", view.tasks, view.states)
    data = collecting.to_json(found) if ending == ".json" else collecting.to_csv(found)
    for problem in found.problems:
        print(f"librarian: {text.visible(problem)}", file=sys.stderr)
    if options.output == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        host.write_atomic(Path(options.output), data)
        print(f"{options.output}: {_counted(len(found.rows), 'row')}, {_counted(len(found.head), 'column')}")
    return 0


# ending


def _sure(options: argparse.Namespace, what: str) -> bool:
    """Whether a person wants it. Raises `ConfigError` where nobody can be asked."""
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(what, "nobody is there to be asked", "say --yes")
    return input(f"{what} [y/N] ").strip().lower() in ("y", "yes")


def stop(options: argparse.Namespace) -> int:
    """Cancel own tasks, and wait."""
    folder, slurm = _folder(options)
    with folder.locked("submitting") as held:
        _settle(submitting.Hand(folder, held, slurm), dry=False)
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        busy = upkeep.active(views[0])
        if not busy:
            print("nothing is pending or running")
            return 0
        if not _sure(options, f"cancel your tasks of {options.name}?"):
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
    folder, _ = _folder(options)
    with folder.locked(options.verb) as held:
        folder.append(held, {"event": options.verb, "by": host.user_name(), "at": host.clock()})
    print(f"{options.name} is {'paused: what is submitted goes on' if options.verb == 'pause' else 'resumed'}")
    return 0


def tidy(options: argparse.Namespace) -> int:
    """Remove what nothing needs."""
    folder, slurm = _folder(options)
    with folder.locked("tidying"):
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise problems[0]
        paths = upkeep.unneeded(views[0])
        if paths and _sure(options, f"remove {_counted(len(paths), 'file')} of tasks that are done?"):
            upkeep.take_away(paths)
            print(f"removed {_counted(len(paths), 'file')}")
        elif not paths:
            print("there is nothing to remove")
    return 0


def remove(options: argparse.Namespace) -> int:
    """Remove a campaign."""
    folder, slurm = _folder(options)
    with folder.locked("removing"):
        views, problems = look([folder], slurm, host.clock())
        if problems:
            raise SlurmError("nothing is removed", str(problems[0]))
        upkeep.need_rest(views[0])
        if not _sure(options, f"remove {options.name} with {_counted(len(views[0].tasks))} and their results?"):
            return 0
        upkeep.remove(folder)
    print(f"removed {options.name}")
    return 0
