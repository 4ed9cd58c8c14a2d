"""What is kept of runaways, read without columns: see `unended` for what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from librarian.shared.scope import Scope
from librarian.store import Store

RUNS = "runaways"  # a fact, with the key of a scope


@dataclass(frozen=True)
class Runaway:
    """An open run that squeue does not name: since when, and when it was last known to live (None: not asked yet).

    `sure`: squeue did not name it a second time either, or its state says that it is over. Times are UTC epochs.
    """

    dbindex: int
    start: int
    since: int
    life: int | None
    sure: bool

    @property
    def until(self) -> int:
        """Up to when it counts."""
        return max(self.start, self.start if self.life is None else self.life)


def kept(store: Store, scope: Scope) -> dict[str, Any]:
    """When squeue was last asked (`looked`), and the runs of `scope` that it did not name (`runs`), as kept."""
    return {"looked": None, "runs": [], **(store.fact(f"{RUNS} {scope.key}") or {})}


def runaways(store: Store, scope: Scope) -> tuple[Runaway, ...]:
    """The runs of `scope` that are missing from squeue, those that are not sure included."""
    return tuple(Runaway(*row) for row in kept(store, scope)["runs"])
