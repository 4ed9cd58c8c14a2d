"""A layer of a chart of stacked areas: one for each of the users who come first, and one for the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from librarian.shared.names import UserName

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """One area: `means` by bin, shape (bins,). `user` is None for the others; `users` holds all whom it shows.

    `name` is what the legend says of an area that is nobody's. `more` are people beyond the `users`: one name may stand
    for many.
    """

    user: UserName | None
    users: frozenset[UserName]
    colour: str
    means: Floats
    name: str = ""
    more: int = 0
