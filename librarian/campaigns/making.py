"""Beginning a campaign and adding tasks to it; whether its code is still what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from librarian.campaigns import git
from librarian.campaigns.folder import SCRIPT, Folder, check_name
from librarian.campaigns.launcher import ENDINGS
from librarian.campaigns.model import Campaign, Task, added
from librarian.errors import ConfigError, StoreError
from librarian.system import host

_LARGEST = 10_000_000  # bytes of a script


def begin(folder: Folder, script: Path, campaign: Mapping[str, str], now: int) -> bool:
    """Make a campaign from a script; False where the same one is there. `campaign` has its description, how arguments
    are given, and the pattern of the output file. Raises `ConfigError`, `StoreError`."""
    name = check_name(folder.path.name)
    _check_place(folder.path)
    workdir = Path.cwd()
    _check_place(workdir)
    data = _script(script)
    made = Campaign(
        name=name,
        description=campaign["description"],
        script_sha256=hashlib.sha256(data).hexdigest(),
        origin=str(script.resolve()),
        workdir=str(workdir),
        arguments=campaign["arguments"],
        output=campaign["output"],
        commit="",
        dirty=False,
        created=now,
        by=host.user_name(),
    )
    if (folder.path / "campaign.json").exists():
        there = folder.campaign()
        same = ("description", "script_sha256", "arguments", "output", "workdir")
        other = [key for key in same if getattr(there, key) != getattr(made, key)]
        if other:
            todo = "call the new one another name"
            raise ConfigError(f"there is a campaign {name} with another {other[0].replace('_sha256', '')}", todo=todo)
        return False
    commit, dirty = git.state_of(script.resolve().parent)
    folder.make(Campaign(**{**vars(made), "commit": commit, "dirty": dirty}), data)
    return True


def _check_place(path: Path) -> None:
    """Raise `ConfigError` for a path that sbatch would misread."""
    text = str(path)
    if not text.isprintable() or "\\" in text or any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise ConfigError(f"the path {text!r} cannot be handed to sbatch", todo="work in another folder, or --path")


def _script(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", error.strerror or str(error)) from error
    if len(data) > _LARGEST:
        raise ConfigError(f"{path} is too large for a script", f"more than {_LARGEST} bytes")
    if not data.startswith((b"#!", b"\x7fELF")) and path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"{path} does not say what runs it", todo="begin it with a line such as #!/bin/bash")
    if data.startswith(b"#!") and data.partition(b"\n")[0].endswith(b"\r"):
        raise ConfigError(f"{path} has line ends of Windows", todo="see: dos2unix")
    return data


def add(folder: Folder, rows: Iterable[Mapping[str, str]], repeat: int, *, dry: bool) -> tuple[int, int, int]:
    """Add tasks; returns how many are new, how many were there, and how many there are then.

    Raises `ConfigError`, `BusyError`, `StoreError`.
    """
    if dry:
        tasks = folder.tasks()
        new, doubled = added(tasks, rows, repeat)
        return len(new), doubled, len(tasks) + len(new)
    with folder.locked("adding tasks") as held:
        tasks = folder.tasks()
        new, doubled = added(tasks, rows, repeat)
        if new:
            held.check()
            folder.write_tasks([*tasks, *new])
    return len(new), doubled, len(tasks) + len(new)


def changes(folder: Folder, campaign: Campaign) -> tuple[list[str], str]:
    """What is not as it was when the campaign was begun, a sentence each; and the commit of now."""
    found = []
    if hashlib.sha256(_kept(folder)).hexdigest() != campaign.script_sha256:
        raise StoreError(f"{folder.path / SCRIPT} is not what it was", "", "put it back from where it came")
    origin = Path(campaign.origin)
    try:
        if hashlib.sha256(origin.read_bytes()).hexdigest() != campaign.script_sha256:
            found.append(f"{origin} has changed since")
    except OSError:
        found.append(f"{origin} is not there any more")
    commit, dirty = git.state_of(origin.parent)
    if commit != campaign.commit:
        found.append(f"the git commit is {commit[:12] or 'none'} and was {campaign.commit[:12] or 'none'}")
    if dirty and not campaign.dirty:
        found.append("the git tree has changes that are in no commit")
    return found, commit


def _kept(folder: Folder) -> bytes:
    try:
        return (folder.path / SCRIPT).read_bytes()
    except OSError as error:
        raise StoreError(f"{folder.path / SCRIPT} cannot be read", error.strerror or str(error)) from error


def chosen(tasks: Iterable[Task], where: Iterable[str]) -> list[Task]:
    """The tasks whose parameters are these, as in lr=0.1. Raises `ConfigError`."""
    found = list(tasks)
    for word in where:
        name, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"{word!r} is no condition", "as in lr=0.1")
        if found and name not in (*found[0].parameters, "repeat"):
            raise ConfigError(f"there is no parameter {name}", f"there are {', '.join(found[0].parameters)}")
        found = [task for task in found if {**task.parameters, "repeat": str(task.repeat)}[name] == text]
    return found
