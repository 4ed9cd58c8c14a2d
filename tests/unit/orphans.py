"""Commands that outlive the process that started them."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.patience import wait_for


def is_there(process: int) -> bool:
    """Whether a process runs, or waits."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def end_commands(process: int, folder: Path) -> None:
    """End the group of a process that works in `folder`: the number of one that is gone may be another's by now."""
    with contextlib.suppress(OSError):
        if Path(f"/proc/{process}/cwd").readlink() == folder:
            os.killpg(os.getpgid(process), signal.SIGKILL)
            wait_for(lambda: not is_there(process), "its end")
