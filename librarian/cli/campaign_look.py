"""`librarian campaign status`, `tasks`, `log`, `source`, `describe`, `collect`: what changes nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from librarian.campaigns import collecting, making, parameters
from librarian.campaigns.folder import SCRIPT, Folder, check_name, every
from librarian.campaigns.looking import View, look, output_of
from librarian.campaigns.model import LOCAL, Task
from librarian.campaigns.states import FAILED, PENDING, RUNNING
from librarian.cli import campaign_common as common
from librarian.cli import campaign_text as text
from librarian.errors import ConfigError
from librarian.slurm.command import Slurm
from librarian.system import host

_LOOK = 5.0  # seconds between two looks at Slurm


def status(options: argparse.Namespace) -> int:
    """How campaigns stand."""
    path, slurm = common.place_of(options)
    if options.name:
        Folder(path / check_name(options.name)).need()
    folders = [Folder(path / options.name)] if options.name else every(path)
    if options.watch:
        return _watch(folders, slurm)
    now = host.clock()
    views, problems = look(folders, slurm, now)
    if options.json:
        told = [text.to_json(view, now, known=not problems) for view in views]
        print(json.dumps(told[0] if options.name else told, indent=1))
    else:
        for view in views:
            print(text.line(view))
            for line in text.details(view, now, common.local_time) if options.verbose or options.name else ():
                print(line)
        if not views:
            print(f"there are no campaigns in {path}")
    common.tell(problems)
    return problems[0].exit_status if problems else 0


def _watch(folders: Sequence[Folder], slurm: Slurm) -> int:
    """Tell each change of a line, until nothing is pending or running. Slurm that does not answer is asked again."""
    shown: list[str] = []
    while True:
        views, problems = look(folders, slurm, host.clock())
        lines = [text.line(view) for view in views]
        for line in lines:
            if line not in shown:
                print(f"{common.local_time(host.clock())} {line}", flush=True)
        shown = lines
        common.tell(problems)
        if not problems and not any(
            state.kind in (PENDING, RUNNING) for view in views for state in view.states.values()
        ):
            return 0
        host.pause(_LOOK)


def tasks(options: argparse.Namespace) -> int:
    """The tasks of a campaign."""
    view, _ = common.view_of(options)
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
    view, _ = common.view_of(options)
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
    folder, _ = common.folder_of(options)
    folder.need()
    sys.stdout.flush()
    sys.stdout.buffer.write((folder.path / SCRIPT).read_bytes())
    sys.stdout.buffer.flush()
    return 0


def describe(options: argparse.Namespace) -> int:
    """The card of a campaign or a task."""
    view, _ = common.view_of(options)
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
        "runs in": made.workdir, "output": made.output, "begun": f"{common.local_time(made.created)} by {made.by}",
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
    view, _ = common.view_of(options)
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
        print(
            f"{options.output}: {common.counted(len(found.rows), 'row')}, {common.counted(len(found.head), 'column')}"
        )
    return 0
