"""The git commit of a folder, and whether its tree has changes that are in no commit."""

from __future__ import annotations

from pathlib import Path

from librarian.errors import LibrarianError
from librarian.system.processes import run_command

_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}


def state_of(folder: Path) -> tuple[str, bool]:
    """The commit ("" where there is none, or no git) and whether tracked files were changed since."""
    try:
        head = _git(folder, "rev-parse", "--verify", "HEAD")
        return head.strip(), bool(head and _git(folder, "status", "--porcelain", "--untracked-files=no").strip())
    except LibrarianError:
        return "", False


def _git(folder: Path, *arguments: str) -> str:
    answer = run_command(["git", "-C", str(folder), *arguments], timeout=60, env=_ENVIRONMENT)
    return answer.text if answer.status == 0 else ""
