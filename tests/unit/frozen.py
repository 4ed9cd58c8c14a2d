"""The program as a process of its own, whose clock stands still: what it answers does not depend on today.

The made-up jobs are of a fixed day. And it does not depend on how the tests were started: who ignores SIGHUP, as
nohup(1) does, hands that down. Nothing else is exchanged, so the command line is the one that people use.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests import patience
from tests.places import ROOT
from tests.unit.cycles import NOW

STOPPED = f"import time; time.time = lambda: {NOW:.1f}"
"""Code that stops the clock of an interpreter."""
_PROGRAM = (
    f"{STOPPED}; import runpy, signal; signal.signal(signal.SIGHUP, signal.{{}}); "
    "runpy.run_module('{}', run_name='__main__', alter_sys=True)"
)


def command(*arguments: str, hangup: str = "SIG_DFL", drawn: bool = True) -> list[str]:
    """`librarian ARGUMENTS`, to which it is `NOW` for as long as it runs; `hangup`: what SIGHUP does to it at first.

    Where pictures are not to be `drawn` it stands in for them, since that takes seconds.
    """
    return [sys.executable, "-c", _PROGRAM.format(hangup, "librarian" if drawn else "tests.unit.undrawn"), *arguments]


def environment(place: Path, without: Sequence[str] = (), **more: str) -> dict[str, str]:
    """The program's environment: this checkout, `place` as the user's home, none of the names that begin so."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(tuple(without))}
    kept.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # or each home has its fonts looked through anew
    return {**kept, "PYTHONPATH": str(ROOT), "HOME": str(place), **more}


def librarian(place: Path, *arguments: str, drawn: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `librarian ARGUMENTS` in `place`; `more` is its environment beside the usual one. Pictures are drawn only
    when asked for."""
    drawn = drawn or not {"run", "render"} & set(arguments)
    return patience.run(command(*arguments, drawn=drawn), cwd=place, env=environment(place, **more), text=True)
