"""What the commands on campaigns share: where campaigns are, one as it stands, what is asked of a person."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from librarian.campaigns.folder import Folder, check_name
from librarian.campaigns.looking import View, look
from librarian.errors import ConfigError, LibrarianError
from librarian.slurm.command import Slurm
from librarian.system import host


def place_of(options: argparse.Namespace) -> tuple[Path, Slurm]:
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


def folder_of(options: argparse.Namespace) -> tuple[Folder, Slurm]:
    path, slurm = place_of(options)
    return Folder(path / check_name(options.name)), slurm


def view_of(options: argparse.Namespace) -> tuple[View, Slurm]:
    """A campaign as it stands. What Slurm did not answer is told, and the last state is kept."""
    folder, slurm = folder_of(options)
    views, problems = look([folder], slurm, host.clock())
    tell(problems)
    return views[0], slurm


def tell(problems: Sequence[LibrarianError]) -> None:
    for problem in problems:
        print(f"librarian: {problem}; what is told is the last that is known", file=sys.stderr)


def counted(number: int, what: str = "task") -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")


def local_time(epoch: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch))


def sure(options: argparse.Namespace, what: str) -> bool:
    """Whether a person wants it. Raises `ConfigError` where nobody can be asked."""
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(what, "nobody is there to be asked", "say --yes")
    return input(f"{what} [y/N] ").strip().lower() in ("y", "yes")
