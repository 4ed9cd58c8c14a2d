"""Which time is known of the runs of a scope."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.shared.scope import Scope
from librarian.store import Store

TRACKED = "gpus_tracked"
"""The fact whether accounting records GPUs."""


@dataclass(frozen=True)
class Coverage:
    """What the store knows of a scope: every run between `covered_from` and `complete_at`; `full_at` is the time of the
    last complete reading of a whole window. All UTC epochs."""

    covered_from: int
    complete_at: int
    full_at: int


def coverage(store: Store, scope: Scope) -> Coverage | None:
    """What is known of `scope`, or None before its first complete answer."""
    row = store.one("SELECT covered_from, complete_at, full_at FROM scope WHERE scope = ?", store.key(scope))
    return Coverage(*row) if row else None
