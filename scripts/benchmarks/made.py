"""Made-up data of any size, the same from the same seed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from librarian.shared.window import DAY
from librarian.subjects.jobs import ask

NOW = 1_795_200_000
USERS = 200


def sacct_text(  # noqa: PLR0913
    runs: int,
    *,
    seed: int = 1,
    begin: int = NOW - 31 * DAY,
    end: int = NOW,
    users: int = USERS,
    first: int = 2**40,
    mean: int = 9000,
    qos: str = "avery",
    uneven: bool = False,
) -> str:
    """What sacct would print of `runs` ended runs of `users` users, `mean` seconds long: our fields, our delimiter.

    `uneven`: as in real groups a few have most of the runs; the user of rank n has 1/n of the first one's.
    """
    random = np.random.default_rng(seed)
    start = random.integers(begin, end, runs)
    ended = np.minimum(start + 30 + random.exponential(mean, runs).astype(int), end)
    user = random.choice(users, runs, p=shares(users)) if uneven else random.integers(0, users, runs)
    cpus = 2 ** random.integers(0, 7, runs)
    tres = {
        int(c): f"billing={c},cpu={c},gres/gpu:a100={c // 16},gres/gpu={c // 16},mem={c * 4096}M,node=1"
        for c in 2 ** np.arange(7)
    }
    lines = [ask.HEADER]
    for n, (s, e, u, c) in enumerate(zip(start.tolist(), ended.tolist(), user.tolist(), cpus.tolist(), strict=True)):
        words = ("hpg", first + n, first + n, f"user{u:03d}", "avery", qos, "cpu", "COMPLETED")
        times = (s - 60, s - 60, s, e, e - s)
        lines.append(ask.DELIMITER.join([*map(str, (*words, *times)), "00:00:00", tres[c]]))
    return "\n".join(lines) + "\n"


def shares(users: int) -> np.ndarray[Any, Any]:
    """Which part of the runs each user has, the first one most; sums to 1."""
    parts = 1 / np.arange(1, users + 1)
    return np.asarray(parts / parts.sum())


def read_csv(text: str) -> pd.DataFrame:
    """The floor of parsing: the same text and types, no check at all."""
    wide = {"DBIndex": "uint64"}
    narrow = dict.fromkeys(("JobIDRaw", "Submit", "Eligible", "Start", "End", "ElapsedRaw"), "int64")
    types: dict[str, Any] = {name: {**wide, **narrow}.get(name, "category") for name in ask.FIELDS}
    return pd.read_csv(io.StringIO(text), sep=ask.DELIMITER, dtype=types, quoting=3)


def configured(folder: Path, names: Sequence[str], more: str = "") -> Path:
    """A configuration of a made-up cluster, with state and site in `folder`."""
    tables = "".join(f'[[qos]]\nname = "{name}"\n' for name in names)
    path = folder / "librarian.toml"
    path.write_text(
        '[cluster]\nname = "hpg"\ntimezone = "US/Eastern"\n[paths]\nstate = "state"\nsite = "site"\n'
        f"[store]\nkeep_days = 36500\n{tables}{more}",
        encoding="utf-8",
    )
    return path
