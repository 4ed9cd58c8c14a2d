"""What others can read or write that they should not: our files, the folders they lie in, the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from librarian.config.setup import Setup
from librarian.cycle.access import READ, WRITE, others_may, others_reach, own_files
from librarian.doctor.finding import FAIL, OK, WARN, Finding

_NAME = "access"
_SECRET = re.compile(r"https?://[^\s/@:]+:[^\s/@]+@")  # a token in the address of a publisher
_STICKY = 0o1000  # in such a folder nobody replaces what is another's
_MOST = 20


def check(setup: Setup, config: Path) -> list[Finding]:
    """A line for each thing that is open to others, with what to do."""
    found = [*_configuration(config), *_folders(setup), *_files(setup)]
    rest = len(found) - _MOST
    if rest > 0:
        found[_MOST:] = [Finding(_NAME, WARN, f"{rest} more files are open to others", "correct these, and look again")]
    return found or [Finding(_NAME, OK, "others can neither read our files nor write where they are")]


def _configuration(path: Path) -> Iterator[Finding]:
    if not others_reach(path):
        return
    may = others_may(path)
    if may & WRITE:
        text = f"others can write to {path}, which names programs that are run"
        yield Finding(_NAME, FAIL, text, f"chmod go-w {path}")
    if may & READ and _SECRET.search(path.read_text(encoding="utf-8", errors="replace")):
        yield Finding(_NAME, FAIL, f"others can read {path}, which holds a password or token", f"chmod 600 {path}")
    if _lets_write(path.parent):
        text = f"others can replace {path.name} in {path.parent}, and it names programs that are run"
        yield Finding(_NAME, FAIL, text, f"chmod go-w {path.parent}")


def _folders(setup: Setup) -> Iterator[Finding]:
    state, site = setup.places.state, setup.places.site
    if state.is_dir() and others_reach(state) and _lets_write(state):
        yield Finding(
            _NAME, FAIL, f"others can write in {state}, where scripts lie that are run", f"chmod go-w {state}"
        )
    if site.is_dir() and others_reach(site) and site.stat().st_mode & WRITE:
        yield Finding(_NAME, WARN, f"everybody can write in {site}, which is published", f"chmod o-w {site}")


def _lets_write(folder: Path) -> bool:
    return bool(others_may(folder) & WRITE) and not folder.stat().st_mode & _STICKY


def _files(setup: Setup) -> Iterator[Finding]:
    for path in own_files(setup):
        may = others_may(path) if others_reach(path) else 0
        verbs = [verb for bit, verb in ((READ, "read"), (WRITE, "write to")) if may & bit]
        if verbs:
            state = FAIL if may & WRITE else WARN
            yield Finding(_NAME, state, f"others can {' and '.join(verbs)} {path}", f"chmod go= {path}")
