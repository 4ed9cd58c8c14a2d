"""Who may look into what lies in the state folder: real names, the key of the pseudonyms, programs that are run."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Iterator
from pathlib import Path

from librarian.config.setup import Setup

READ, WRITE, ENTER = 4, 2, 1
_OURS = re.compile(
    r"(?:status|names|alert|rules)\.json|timings\.jsonl\.gz|privacy\.key|github_pages_key|scrontab-.+|(?:run|watchdog)-.+\.(?:sh|log|log\.1|json|lock)"
)


def own_files(setup: Setup) -> Iterator[Path]:
    """Our files in the state folder. Others may lie there too: it may be any folder, the site's and copies of that are
    for others to read, and folders of ours let nobody in."""
    state, log = setup.places.state, Path(setup.config.run.log).name
    stems = (f"{setup.places.store.stem}.", *([log] if log else []))
    for path in sorted(state.iterdir()) if state.is_dir() else ():
        if (path.name.startswith(stems) or _OURS.fullmatch(path.name)) and path.is_file() and not path.is_symlink():
            yield path


def others_may(path: Path) -> int:
    """What others than the owner may do with a file or folder, whatever is above it: a sum of READ, WRITE and ENTER.

    A group that holds nobody but the owner is not others: many systems give each user one, and let it write.
    """
    status = path.stat()
    mode = status.st_mode
    return (mode & 7) | (0 if _is_own(status.st_gid, status.st_uid) else mode >> 3 & 7)


def others_reach(path: Path) -> bool:
    """Whether others get as far as `path`: into every folder above it."""
    return all(others_may(folder) & ENTER for folder in path.absolute().parents)


def _is_own(group: int, user: int) -> bool:
    """Whether a group is the one of that user alone, by its name and its members."""
    try:
        found, name = grp.getgrgid(group), pwd.getpwuid(user).pw_name
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}
