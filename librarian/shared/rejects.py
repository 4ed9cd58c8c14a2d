"""When rows that are left out are so many that the numbers may well be wrong."""

from __future__ import annotations

MANY, FEW = 100, 10  # rows that are never all right; and those that are where they are not one in ten


def too_many(rejects: int, rows: int | None) -> bool:
    """Whether `rejects` are too many beside the `rows` that the last answer had (None: not known)."""
    return rejects >= MANY or (rejects >= FEW and rejects * 10 >= (rows or 0))
