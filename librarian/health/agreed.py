"""When Librarian's numbers were last found to be Slurm's own, by `librarian verify`: kept in the state folder."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from librarian.system.host import write_atomic

FILE = "verified.json"
log = logging.getLogger(__name__)


def keep(state: Path, now: int) -> None:
    """Remember that all that was compared at `now` (UTC epoch) agreed. Raises `OSError`."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(state / FILE, json.dumps({"agreed": now}).encode(), mode=0o600)


def last(state: Path) -> int | None:
    """When (UTC epoch) they agreed last; None where that was never seen, or cannot be read."""
    try:
        told = json.loads((state / FILE).read_bytes())
    except (OSError, ValueError):
        return None
    found = told.get("agreed") if isinstance(told, dict) else None
    return found if isinstance(found, int) and 1 < found < 2**33 else None
